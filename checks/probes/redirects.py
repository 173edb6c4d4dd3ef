"""Follows what redirects: plain http, aliases, old paths, retired domains, and parameters that ask for one."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from checks.contract import PathRedirect, Redirect, Retired
from checks.errors import NotDeclared, ProbeError
from checks.probes.hosts import api_hosts, page_hosts, visited_hosts, web_paths
from checks.probes.http import Browser, Exchange
from checks.scope import Scope

PROBE_PATH = "/launch-ready-probe/path?keep=1&also=two"  # no page: redirects must keep it as it is
KEPT = "launch-ready-probe=kept"
SIGN_IN = "/login"
ENTRANCES = 2  # paths of each host that are asked to lead away; each counts towards a limit
PARAMETERS = ("next", "redirect", "redirect_to", "return_to", "returnTo", "url", "continue", "callbackUrl", "goto")
STRANGER = "launch-ready-probe.example"  # nobody's (RFC 2606 section 2)
AWAY = (f"https://{STRANGER}/", f"//{STRANGER}/", f"/\\{STRANGER}/")


@dataclass(frozen=True, kw_only=True)
class AliasFacts:
    """A declared redirect of one host to another, the alias's answer over https, and what its target then answers."""

    redirect: Redirect
    alias: Exchange
    target: Exchange


@dataclass(frozen=True, kw_only=True)
class PathFacts:
    """An old address and its answer; `kept` says that a query was added to see it kept."""

    declared: PathRedirect
    answer: Exchange
    kept: bool


@dataclass(frozen=True, kw_only=True)
class RetiredFacts:
    """The answer of a retired domain, or of its www, over http and over https."""

    declared: Retired
    plain: Exchange
    secure: Exchange


def plain_visits(scope: Scope) -> tuple[Exchange, ...]:
    """The answer of each visited host to plain http."""
    with Browser(scope) as browser:
        return tuple(browser.ask(f"http://{host.name}{PROBE_PATH}", may_refuse=True) for host in visited_hosts(scope))


def plain_api(scope: Scope) -> tuple[Exchange, ...]:
    """The answer of each API host to plain http."""
    path = urlsplit(scope.contract.endpoints.webhook).path
    with Browser(scope) as browser:
        return tuple(
            browser.ask(f"http://{host}{path}", method="POST", body=b"{}", may_refuse=True)
            for host in api_hosts(scope.contract)
        )


def aliases(scope: Scope) -> tuple[AliasFacts, ...]:
    """Every declared alias and its target. Raises NotDeclared for a tenant of a zone, whose owner has the aliases."""
    if scope.contract.zone.role == "tenant" and not scope.contract.redirects:
        raise NotDeclared("the zone's owner declares its aliases")
    with Browser(scope) as browser:
        return tuple(
            AliasFacts(
                redirect=one,
                alias=browser.ask(f"https://{one.from_host}{PROBE_PATH}"),
                target=browser.ask(f"https://{one.to_host}{PROBE_PATH}"),
            )
            for one in scope.contract.redirects
        )


def paths(scope: Scope) -> tuple[PathFacts, ...]:
    """The contract's sample of old addresses. Raises NotDeclared where there are none."""
    if not scope.contract.path_redirects.sample:
        raise NotDeclared("no old path is declared")
    with Browser(scope) as browser:
        return tuple(_path(browser, one) for one in scope.contract.path_redirects.sample)


def retired(scope: Scope) -> tuple[RetiredFacts, ...]:
    """Every retired domain and its www. Raises NotDeclared where there are none."""
    if not scope.contract.retired:
        raise NotDeclared("no retired domain is declared")
    with Browser(scope) as browser:
        return tuple(
            RetiredFacts(
                declared=one,
                plain=browser.ask(f"http://{host}{PROBE_PATH}"),
                secure=browser.ask(f"https://{host}{PROBE_PATH}"),
            )
            for one in scope.contract.retired
            for host in (one.domain, f"www.{one.domain}")
        )


def chains(scope: Scope) -> tuple[tuple[Exchange, ...], ...]:
    """Every hop inside the domain from each visited host, and from each old address of the sample."""
    ways = [f"{scheme}://{host.name}{PROBE_PATH}" for host in visited_hosts(scope) for scheme in ("http", "https")]
    ways += [one.url for one in scope.contract.path_redirects.sample]
    with Browser(scope) as browser:
        return tuple(browser.follow(way, within=scope.contract.domain) for way in ways)


def led_away(scope: Scope) -> tuple[Exchange, ...]:
    """Answers of each host that shows pages, when asked by its parameters, or by a doubled slash, to lead elsewhere.

    Raises ProbeError while a limit refuses this address.
    """
    entrances = (web_paths(scope.contract) or (SIGN_IN,))[:ENTRANCES]
    queries = [urlencode(dict.fromkeys(PARAMETERS, target)) for target in AWAY]
    with Browser(scope) as browser:
        answers = tuple(
            browser.ask(f"https://{host}{path}")
            for host in page_hosts(scope)
            for path in (*(f"{entrance}?{query}" for entrance in entrances for query in queries), f"//{STRANGER}/..")
        )
    limited = [answer.url for answer in answers if answer.status == 429]
    if limited:
        raise ProbeError(f"{limited[0]} refuses this address for a while (429): run again when the limit is over")
    return answers


def _path(browser: Browser, one: PathRedirect) -> PathFacts:
    kept = not urlsplit(one.url).query and not urlsplit(one.to).query
    return PathFacts(declared=one, answer=browser.ask(f"{one.url}?{KEPT}" if kept else one.url), kept=kept)
