"""Asks the edge for what it must refuse, limit or answer itself."""

import time
from dataclasses import dataclass
from urllib.parse import quote

from checks.contract import RateLimit
from checks.errors import NotDeclared, ProbeError
from checks.probes.hosts import home_host, page_hosts, visited_hosts
from checks.probes.http import Browser, Exchange
from checks.scope import Scope

SENSITIVE_PATHS = ("/.env", "/.git/HEAD", "/.git/config")
# Log4Shell against nobody: every plan's managed rules know it (Cloudflare, "Free Managed Ruleset").
ATTACK = "/?launch-ready-probe=" + quote("${jndi:ldap://127.0.0.1/launch-ready-probe}", safe="")
MOST_REQUESTS = 1000  # of one burst: a wider limit is not tried
WAIT_MOST = 12  # seconds for which a limit that still holds is waited for: the free plan's lift after ten


@dataclass(frozen=True, kw_only=True)
class BurstFacts:
    """A declared limit, the address that a burst went to, its statuses, and the first answer that was refused."""

    limit: RateLimit
    url: str
    statuses: tuple[int, ...]
    refused: Exchange | None


@dataclass(frozen=True, kw_only=True)
class OperatorFacts:
    """A host that strangers must not see, whether the edge asks who they are, and what it answered."""

    host: str
    declared: bool
    answer: Exchange


def sensitive(scope: Scope) -> tuple[Exchange, ...]:
    """The answer of each visited host to paths that must not be served, and to declared blocked paths."""
    declared = [f"{path.rstrip('/')}/launch-ready-probe" for path in scope.contract.edge.waf.blocked_paths]
    with Browser(scope) as browser:
        return tuple(
            browser.ask(f"https://{host.name}{path}")
            for host in visited_hosts(scope)
            for path in dict.fromkeys((*SENSITIVE_PATHS, *declared))
        )


def attacks(scope: Scope) -> tuple[Exchange, ...]:
    """The answer of each proxied host that shows pages to an attack that hits nobody. Raises NotDeclared."""
    if not scope.contract.edge.waf.managed:
        raise NotDeclared("no managed ruleset is declared")
    proxied = {host.name for host in scope.contract.hosts if host.proxied}
    with Browser(scope) as browser:
        return tuple(browser.ask(f"https://{host}{ATTACK}") for host in page_hosts(scope) if host in proxied)


def bursts(scope: Scope) -> tuple[BurstFacts, ...]:
    """A burst against each declared limit, the one with the longest path first: a wider one counts its requests too.

    One that still holds from an earlier run is waited for when it lifts soon. Raises ProbeError when it does not.
    """
    limits = sorted(scope.contract.edge.rate_limits, key=lambda limit: -max(map(len, limit.paths)))
    return tuple(burst(scope, limit) for limit in limits)


def burst(scope: Scope, limit: RateLimit) -> BurstFacts:
    """As many quick requests as the limit allows and two more, stopping at the first refusal."""
    url = limited_url(scope, limit)
    statuses: list[int] = []
    with Browser(scope) as browser:
        _wait_until_served(scope, browser, url)
        # The edge may count a request only after answering it, so one more than exceeds the limit.
        for number in range(min(limit.requests, MOST_REQUESTS) + 2):
            answer = browser.ask(f"{url}?n={number}")
            statuses.append(answer.status)
            if answer.status == 429:
                return BurstFacts(limit=limit, url=url, statuses=tuple(statuses), refused=answer)
    return BurstFacts(limit=limit, url=url, statuses=tuple(statuses), refused=None)


def _wait_until_served(scope: Scope, browser: Browser, url: str) -> None:
    answer = browser.ask(url)
    if answer.status != 429:
        return
    wait = answer.header("retry-after")
    if not wait.isdigit() or int(wait) > WAIT_MOST:
        raise ProbeError(f"{url} refuses this address from before: run again in {wait or 'some'} seconds")
    time.sleep(min(scope.deadline.left(WAIT_MOST), int(wait) + 0.5))


def limited_url(scope: Scope, limit: RateLimit) -> str:
    """An address that a limit counts: below its first path when that ends in a slash, else the path itself."""
    path = limit.paths[0] + ("launch-ready-probe" if limit.paths[0].endswith("/") else "")
    return f"https://{limit.hosts[0] if limit.hosts else home_host(scope)}{path}"


def recovery(scope: Scope) -> tuple[BurstFacts, Exchange]:
    """A burst that is refused, and the answer after the declared mitigation time and a second.

    Of several limits the one that lifts soonest. Raises NotDeclared where there is none.
    """
    if not scope.contract.edge.rate_limits:
        raise NotDeclared("no rate limit is declared")
    limit = min(scope.contract.edge.rate_limits, key=lambda one: one.mitigation_seconds)
    hit = burst(scope, limit)
    time.sleep(min(scope.deadline.left(120.0), limit.mitigation_seconds + 1))
    with Browser(scope) as browser:
        return hit, browser.ask(hit.url)


def operators(scope: Scope) -> tuple[OperatorFacts, ...]:
    """The answer to a stranger of each host behind Access, and of each that operators use.

    Raises NotDeclared where there is none.
    """
    guarded = scope.contract.edge.access_hosts
    used = [host.name for host in visited_hosts(scope) if host.role == "ops"]
    hosts = tuple(dict.fromkeys((*guarded, *used)))
    if not hosts:
        raise NotDeclared("no host for operators is declared")
    with Browser(scope) as browser:
        return tuple(
            OperatorFacts(host=host, declared=host in guarded, answer=browser.ask(f"https://{host}/")) for host in hosts
        )


def maintenance(scope: Scope) -> tuple[Exchange, ...]:
    """The first page of each visited host, and the API's health."""
    with Browser(scope) as browser:
        pages = [browser.ask(f"https://{host.name}/") for host in visited_hosts(scope)]
        return (*pages, browser.ask(scope.contract.endpoints.health))
