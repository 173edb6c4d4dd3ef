"""Visits the pages that strangers are shown: headers, cookies, links, errors."""

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from checks.probes.hosts import api_hosts, home_host, page_hosts, visited_hosts, web_paths
from checks.probes.html import links
from checks.probes.http import Browser, Exchange
from checks.scope import Scope

HTML = {"accept": "text/html"}
MISSING_PATH = "/launch-ready-probe/missing"  # nobody's page
TYPES = {"css": "text/css", "js": "text/javascript", "mjs": "text/javascript", "json": "application/json"}
ENTRANCES = 4  # paths that are tried for a page that sets a session
SIGN_IN = "/login"  # tried where no path of the app is declared


@dataclass(frozen=True, kw_only=True)
class TypedExchange:
    """An answer and the media type that it should have; "" where any will do."""

    answer: Exchange
    type: str


@dataclass(frozen=True, kw_only=True)
class RobotsFacts:
    """What a host tells search engines: its page and its robots.txt."""

    host: str
    page: Exchange
    robots: Exchange


def pages(scope: Scope) -> tuple[Exchange, ...]:
    """The first page of each host that shows pages."""
    with Browser(scope) as browser:
        return tuple(browser.ask(f"https://{host}/", headers=HTML) for host in page_hosts(scope))


def typed(scope: Scope) -> tuple[TypedExchange, ...]:
    """Answers of every sort: pages, what the first one links, an error of each host, the API's health."""
    hosts = page_hosts(scope)
    with Browser(scope) as browser:
        shown = [browser.ask(f"https://{host}/", headers=HTML) for host in hosts]
        answers = [TypedExchange(answer=page, type="text/html" if page.status == 200 else "") for page in shown]
        answers += [TypedExchange(answer=browser.ask(url), type=_expected(url)) for url in _own_files(shown[0])]
        answers += [TypedExchange(answer=browser.ask(f"https://{host}{MISSING_PATH}"), type="") for host in hosts]
        health = browser.ask(scope.contract.endpoints.health)
    return (*answers, TypedExchange(answer=health, type="application/json"))


def missing(scope: Scope) -> tuple[Exchange, ...]:
    """The answer of each host, the API's too, to a path that does not exist."""
    with Browser(scope) as browser:
        return tuple(
            browser.ask(f"https://{host}{MISSING_PATH}") for host in (*page_hosts(scope), *api_hosts(scope.contract))
        )


def traced(scope: Scope) -> tuple[Exchange, ...]:
    """TRACE of each host, then GET of each: the one must be refused, neither may tell versions."""
    hosts = (*(host.name for host in visited_hosts(scope)), *api_hosts(scope.contract))
    with Browser(scope) as browser:
        return tuple(browser.ask(f"https://{host}/", method=method) for host in hosts for method in ("TRACE", "GET"))


def declared_headers(scope: Scope) -> tuple[Exchange, ...]:
    """The first page of each host for which headers are declared; of an API host its health."""
    names = {header.host for header in scope.contract.edge.headers}
    apis = set(api_hosts(scope.contract))
    health = scope.contract.endpoints.health
    with Browser(scope) as browser:
        return tuple(
            browser.ask(health if host in apis else f"https://{host}/", headers=HTML) for host in sorted(names)
        )


def cookies(scope: Scope) -> tuple[Exchange, ...]:
    """Pages of each host on which a session may begin: the first one, and paths that the edge was told of."""
    paths = ("/", *(web_paths(scope.contract) or (SIGN_IN,))[:ENTRANCES])
    with Browser(scope) as browser:
        return tuple(browser.ask(f"https://{host}{path}", headers=HTML) for host in page_hosts(scope) for path in paths)


def robots(scope: Scope) -> tuple[RobotsFacts, ...]:
    """What each host that shows pages, and each that must not be found, tells search engines."""
    visited = {host.name for host in visited_hosts(scope)}
    hidden = [host for host in scope.contract.edge.noindex_hosts if host in visited]
    with Browser(scope) as browser:
        return tuple(
            RobotsFacts(
                host=host,
                page=browser.ask(f"https://{host}/", headers=HTML),
                robots=browser.ask(f"https://{host}/robots.txt"),
            )
            for host in dict.fromkeys((home_host(scope), *page_hosts(scope), *hidden))
        )


def _own_files(page: Exchange, most: int = 3) -> list[str]:
    """Scripts and styles of the page's own host, at most `most`."""
    host = urlsplit(page.url).hostname
    found = [urljoin(page.url, link.url) for link in links(page.body) if link.loads]
    return [url for url in dict.fromkeys(found) if urlsplit(url).hostname == host][:most]


def _expected(url: str) -> str:
    return TYPES.get(urlsplit(url).path.rpartition(".")[2].lower(), "")
