"""Visits the declared web hosts: redirects, headers, caching, what must not be exposed."""

import re
import time
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from checks.contract import Contract, Host
from checks.errors import ProbeError
from checks.probes.api import members_url
from checks.probes.http import Browser, Exchange, host_of
from checks.scope import Scope

PROBE_PATH = "/launch-ready-probe/path?keep=1&also=two"  # no page: redirects must keep it as it is
LINK = re.compile(r"""(?:src|href)\s*=\s*["']([^"'<>]+)["']""", re.IGNORECASE)
ASSETS_LOOKED_AT = 3
SENSITIVE_PATHS = ("/.env", "/.git/HEAD", "/.git/config")


@dataclass(frozen=True, kw_only=True)
class ApiFacts:
    """What the API answers where no business takes place: plain http on its host."""

    plain: tuple[Exchange, ...]


@dataclass(frozen=True, kw_only=True)
class AssetFacts:
    """Each asset that the home page links below a declared static path, asked for twice.

    `unnamed` is the answer below that path for a file without an ending, which no edge caches by itself: only a
    cache rule makes it one to keep.
    """

    page: Exchange
    unnamed: Exchange
    pairs: tuple[tuple[Exchange, Exchange], ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class BurstFacts:
    """Statuses of a burst on one path, and the first answer that was refused."""

    path: str
    statuses: tuple[int, ...]
    refused: Exchange | None


def visited_hosts(scope: Scope) -> tuple[Host, ...]:
    """The hosts that people visit. A rehearsal has no platform behind a DNS-only host, so only proxied ones there."""
    visited = {
        host.name: host
        for host in scope.contract.hosts
        if host.role != "api" and (host.proxied or not scope.vantage.rehearsal)
    }
    return tuple(visited.values())


def api_hosts(contract: Contract) -> tuple[str, ...]:
    """The hosts that programs call."""
    named = {host.name for host in contract.hosts if host.role == "api"}
    return tuple(sorted(named | {host_of(contract.endpoints.webhook), host_of(contract.endpoints.members)}))


def plain_visits(scope: Scope) -> tuple[Exchange, ...]:
    """The answer of each visited host to plain http."""
    with Browser(scope) as browser:
        return tuple(browser.ask(f"http://{host.name}{PROBE_PATH}", may_refuse=True) for host in visited_hosts(scope))


def plain_api(scope: Scope) -> ApiFacts:
    """The answer of each API host to plain http."""
    path = urlsplit(scope.contract.endpoints.webhook).path
    with Browser(scope) as browser:
        return ApiFacts(
            plain=tuple(
                browser.ask(f"http://{host}{path}", method="POST", body=b"{}", may_refuse=True)
                for host in api_hosts(scope.contract)
            )
        )


def www_visit(scope: Scope) -> Exchange:
    """The answer of www over https."""
    with Browser(scope) as browser:
        return browser.ask(f"https://www.{scope.contract.domain}{PROBE_PATH}")


def chains(scope: Scope) -> tuple[tuple[Exchange, ...], ...]:
    """Every hop from each visited host, over http and https."""
    with Browser(scope) as browser:
        return tuple(
            browser.follow(f"{scheme}://{host.name}{PROBE_PATH}")
            for host in visited_hosts(scope)
            for scheme in ("http", "https")
        )


def secure_visits(scope: Scope) -> tuple[Exchange, ...]:
    """The answer of each visited host to https, redirects not followed."""
    with Browser(scope) as browser:
        return tuple(browser.ask(f"https://{host.name}/") for host in visited_hosts(scope))


def home(scope: Scope) -> Exchange:
    """The home page."""
    with Browser(scope) as browser:
        return browser.ask(f"https://{scope.contract.domain}/", headers={"accept": "text/html"})


def assets(scope: Scope) -> AssetFacts:
    """The first static assets that the home page links, each fetched twice. Raises ProbeError when it links none."""
    page = home(scope)
    static = scope.contract.edge.cache.static_paths or ("/_next/static/",)
    found = [urljoin(page.url, link) for link in LINK.findall(page.body)]
    ours = [url for url in dict.fromkeys(found) if urlsplit(url).path.startswith(static)]
    if not ours:
        raise ProbeError(f"{page.line()}: links nothing below {', '.join(static)}, so no asset could be asked for")
    with Browser(scope) as browser:
        return AssetFacts(
            page=page,
            unnamed=browser.ask(f"https://{scope.contract.domain}{static[0].rstrip('/')}/launch-ready-probe"),
            pairs=tuple((browser.ask(url), browser.ask(url)) for url in ours[:ASSETS_LOOKED_AT]),
        )


def private_visits(scope: Scope) -> tuple[Exchange, ...]:
    """Answers that belong to one person or one moment, each asked for twice: the members API and health."""
    members = members_url(scope.contract)
    with Browser(scope) as browser:
        return tuple(browser.ask(url) for url in (members, scope.contract.endpoints.health) for _ in range(2))


def sensitive(scope: Scope) -> tuple[Exchange, ...]:
    """The answer of each visited host to paths that must not be served, and to declared blocked paths."""
    declared = [f"{path.rstrip('/')}/launch-ready-probe" for path in scope.contract.edge.waf.blocked_paths]
    with Browser(scope) as browser:
        return tuple(
            browser.ask(f"https://{host.name}{path}")
            for host in visited_hosts(scope)
            for path in dict.fromkeys((*SENSITIVE_PATHS, *declared))
        )


def burst(scope: Scope, most: int = 101) -> BurstFacts:
    """As many quick requests as the declared limit and one, at most `most`, stopping at the first refusal."""
    declared = next(iter(scope.contract.edge.rate_limits), None)
    path = declared.paths[0] if declared else "/auth/"
    wanted = min(declared.requests + 1, most) if declared else most
    statuses = []
    with Browser(scope) as browser:
        for number in range(wanted + 1):  # one more: the edge may count a request only after answering it
            answer = browser.ask(f"https://{scope.contract.domain}{path}launch-ready-probe?n={number}")
            statuses.append(answer.status)
            if answer.status == 429:
                return BurstFacts(path=path, statuses=tuple(statuses), refused=answer)
    return BurstFacts(path=path, statuses=tuple(statuses), refused=None)


def recovery(scope: Scope) -> tuple[BurstFacts, Exchange]:
    """A burst that is refused, and the answer after the declared mitigation time and a second."""
    hit = burst(scope)
    limit = next(iter(scope.contract.edge.rate_limits), None)
    time.sleep(min(scope.deadline.left(120.0), (limit.mitigation_seconds if limit else 0) + 1))
    with Browser(scope) as browser:
        return hit, browser.ask(f"https://{scope.contract.domain}{hit.path}launch-ready-probe")
