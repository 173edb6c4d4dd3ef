"""Phase http_request_dynamic_redirect: Single Redirects.

https://developers.cloudflare.com/rules/url-forwarding/single-redirects/settings/
"""

from collections.abc import Iterable
from typing import Any

from rehearsal.twins.edge.exchange import Answer, Exchange
from rehearsal.twins.rules import compile_filter, compile_value
from rehearsal.twins.zone import Rule

DEFAULT_STATUS = 302


def redirect(rules: Iterable[Rule], exchange: Exchange) -> Answer | None:
    """The answer of the first rule that matches, or None."""
    for rule in rules:
        if compile_filter(rule.expression)(exchange.fields):
            return _answer(rule.parameters["fromValue"], exchange)
    return None


def _answer(from_value: dict[str, Any], exchange: Exchange) -> Answer:
    target = from_value["targetUrl"]
    location = target.get("value") or compile_value(target["expression"])(exchange.fields)
    query = exchange.request.query
    if from_value.get("preserveQueryString") and query:
        location += ("&" if "?" in location else "?") + query
    return to(location, int(from_value.get("statusCode", DEFAULT_STATUS)))


def to(location: str, status: int) -> Answer:
    """A redirect without a body."""
    return Answer(status, (("location", location), ("content-length", "0")))


def to_scheme(exchange: Exchange, scheme: str) -> Answer:
    """The same place by another scheme, as the zone settings always_use_https and ssl=off ask for."""
    return to(f"{scheme}://{exchange.request.host}{exchange.target}", 301)
