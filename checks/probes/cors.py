"""Calls the API from pages of others, and from those that may."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from checks.contract import Cors
from checks.errors import NotDeclared
from checks.probes.api import members_url
from checks.probes.http import Browser, Exchange
from checks.scope import Scope

STRANGER = "https://launch-ready-probe.example"  # nobody's (RFC 2606 section 2)


@dataclass(frozen=True, kw_only=True)
class CrossFacts:
    """A request with an Origin header, and its answer."""

    origin: str
    answer: Exchange


def strangers(scope: Scope) -> tuple[CrossFacts, ...]:
    """What the API answers to origins that may not read it: plain requests, and preflights of the members route.

    A stranger, the opaque origin, and what only looks like an allowed one: with something before or behind its host,
    and over plain http.
    """
    cors = scope.contract.edge.cors
    allowed = cors.origins[0] if cors else f"https://{scope.contract.domain}"
    host = urlsplit(allowed).hostname or ""
    origins = (STRANGER, "null", f"https://{host}.launch-ready-probe.example", f"https://probe{host}", f"http://{host}")
    with Browser(scope) as browser:
        return tuple(
            CrossFacts(origin=origin, answer=answer)
            for origin in origins
            for answer in (
                browser.ask(scope.contract.endpoints.health, headers={"origin": origin}),
                _preflight(browser, scope, origin, "GET"),
            )
        )


def preflights(scope: Scope) -> tuple[CrossFacts, ...]:
    """The preflight of each allowed origin with each allowed method. Raises NotDeclared where none may call."""
    cors = declared(scope)
    with Browser(scope) as browser:
        return tuple(
            CrossFacts(origin=origin, answer=_preflight(browser, scope, origin, method))
            for origin in cors.origins
            for method in cors.methods
        )


def declared(scope: Scope) -> Cors:
    """The declared policy. Raises NotDeclared."""
    if scope.contract.edge.cors is None:
        raise NotDeclared("no origin may call the API from a browser")
    return scope.contract.edge.cors


def _preflight(browser: Browser, scope: Scope, origin: str, method: str) -> Exchange:
    headers = {"origin": origin, "access-control-request-method": method}
    return browser.ask(members_url(scope.contract), method="OPTIONS", headers=headers)
