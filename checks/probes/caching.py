"""Asks twice for what should be kept, and for what must not be."""

from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from checks.contract import Contract
from checks.errors import NotDeclared, ProbeError
from checks.probes.api import members_url
from checks.probes.hosts import home_host, page_hosts, proxied
from checks.probes.html import links
from checks.probes.http import Browser, Exchange, host_of
from checks.scope import Scope

ASSETS_LOOKED_AT = 3
SESSION = "launch-ready-probe"  # the value of a session that nobody has
LURE = "/launch-ready-probe.css"  # what every edge keeps by its ending unless a rule says otherwise
USUAL_STATIC = ("/_next/static/",)


@dataclass(frozen=True, kw_only=True)
class AssetFacts:
    """Each asset that the pages link below a declared static path, asked for twice.

    `unnamed` is the answer below that path for a file without an ending, which no edge caches by itself: only a
    cache rule makes it one to keep.
    """

    page: Exchange
    unnamed: Exchange
    pairs: tuple[tuple[Exchange, Exchange], ...] = field(default=())


def homes(scope: Scope) -> tuple[Exchange, ...]:
    """The first page of each host that shows pages, the home page first."""
    home = home_host(scope)
    with Browser(scope) as browser:
        return tuple(
            browser.ask(f"https://{host}/", headers={"accept": "text/html"})
            for host in dict.fromkeys((home, *page_hosts(scope)))
        )


def assets(scope: Scope) -> AssetFacts:
    """The first static assets that pages behind the edge link, each fetched twice.

    Raises ProbeError when they link none.
    """
    behind = proxied(scope.contract, page_hosts(scope))
    pages = [page for page in homes(scope) if host_of(page.url) in behind]
    if not pages:
        raise NotDeclared("no host that shows pages is behind the edge")
    static = scope.contract.edge.cache.static_paths or USUAL_STATIC
    ours = [url for page in pages for url in _assets(page, static)]
    if not ours:
        raise ProbeError(f"{pages[0].line()}: links nothing below {', '.join(static)}, so no asset could be asked for")
    with Browser(scope) as browser:
        return AssetFacts(
            page=pages[0],
            unnamed=browser.ask(f"https://{host_of(pages[0].url)}{static[0].rstrip('/')}/launch-ready-probe"),
            pairs=tuple((browser.ask(url), browser.ask(url)) for url in ours),
        )


def private(scope: Scope) -> tuple[Exchange, ...]:
    """Answers that belong to one person or one moment, each asked for twice.

    The members API, the API's health, every declared path that is never kept, and the home page of a session.
    """
    contract = scope.contract
    urls = [members_url(contract), contract.endpoints.health]
    urls += [f"https://{host}{path}" for host in page_hosts(scope) for path in contract.edge.cache.never_paths]
    signed_in = [f"https://{host}/" for host in page_hosts(scope)] if contract.edge.cache.session_cookies else []
    with Browser(scope) as browser:
        plain = [browser.ask(url) for url in urls for _ in range(2)]
        theirs = [browser.ask(url, headers=_session(contract)) for url in signed_in for _ in range(2)]
    return (*plain, *theirs)


def deceived(scope: Scope) -> tuple[Exchange, ...]:
    """The second answers to addresses that look like a stylesheet's.

    Below each path that is never kept, from a stranger; and with a session, to an address that is no file of the app.
    Raises NotDeclared where neither paths nor sessions are declared.
    """
    cache = scope.contract.edge.cache
    if not cache.never_paths and not cache.session_cookies:
        raise NotDeclared("neither a path that is never kept nor the cookie of a session is declared")
    hosts = page_hosts(scope)
    asked = [(f"https://{host}{path.rstrip('/')}{LURE}", {}) for host in hosts for path in cache.never_paths]
    if cache.session_cookies:
        asked += [(f"https://{host}{LURE}", _session(scope.contract)) for host in hosts]
    with Browser(scope) as browser:
        return tuple([browser.ask(url, headers=headers) for _ in range(2)][-1] for url, headers in asked)


def cookied(scope: Scope) -> tuple[Exchange, ...]:
    """Answers of pages and assets to somebody with a session, then to strangers: where a kept cookie would show."""
    session = _session(scope.contract)
    with Browser(scope) as browser:
        pages = [browser.ask(f"https://{host}/", headers=session) for host in page_hosts(scope)]
        static = scope.contract.edge.cache.static_paths or USUAL_STATIC
        urls = [page.url for page in pages] + [url for page in pages for url in _assets(page, static)]
        theirs = [browser.ask(url, headers=session) for url in urls]
        return (*theirs, *(browser.ask(url) for url in urls for _ in range(2)))


def _session(contract: Contract) -> dict[str, str]:
    """A cookie header as a signed-in person sends it; its session is nobody's."""
    names = contract.edge.cache.session_cookies or ("session",)
    return {"cookie": "; ".join(f"{name}={SESSION}" for name in names)}


def _assets(page: Exchange, static: tuple[str, ...]) -> list[str]:
    """The first assets of the page's own host below the static paths."""
    host = urlsplit(page.url).hostname
    found = [urljoin(page.url, link.url) for link in links(page.body)]
    ours = [url for url in dict.fromkeys(found) if urlsplit(url).hostname == host]
    return [url for url in ours if urlsplit(url).path.startswith(static)][:ASSETS_LOOKED_AT]
