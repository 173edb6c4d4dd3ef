"""Phase http_request_dynamic_redirect: Single Redirects.

https://developers.cloudflare.com/rules/url-forwarding/single-redirects/settings/
"""

from typing import Any

from rehearsal.twins.edge.exchange import Answer, Exchange
from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.rules import compile_value, wire

PHASE = "http_request_dynamic_redirect"
DEFAULT_STATUS = 302


def redirect(passage: Passage) -> Answer | None:
    """The answer of the first rule that matches and has somewhere to lead to, or None."""
    answers = (_answer(rule.parameters["fromValue"], passage.exchange) for rule in passage.matching(PHASE))
    return next((answer for answer in answers if answer is not None), None)


def by_scheme(passage: Passage) -> Answer | None:
    """The other scheme, as the zone settings always_use_https and ssl=off ask for."""
    scheme = passage.exchange.request.scheme
    if scheme == "http" and passage.setting("always_use_https") == "on":
        return _to_scheme(passage.exchange, "https")
    if scheme == "https" and passage.setting("ssl") == "off":
        return _to_scheme(passage.exchange, "http")
    return None


def _answer(from_value: dict[str, Any], exchange: Exchange) -> Answer | None:
    target = from_value["targetUrl"]
    value = target.get("value")
    location = wire(str(value)) if value else compile_value(target["expression"])(exchange.fields)
    if location is None:
        return None
    query = exchange.request.query
    if from_value.get("preserveQueryString") and query:
        location = with_query(location, query)
    return to(location, int(from_value.get("statusCode") or DEFAULT_STATUS))


def with_query(location: str, query: str) -> str:
    """`location` with `query` after what query it has of its own, before its fragment."""
    address, mark, fragment = location.partition("#")
    return address + ("&" if "?" in address else "?") + query + mark + fragment


def to(location: str, status: int) -> Answer:
    """A redirect without a body."""
    return Answer(status, (("location", location), ("content-length", "0")))


def _to_scheme(exchange: Exchange, scheme: str) -> Answer:
    return to(f"{scheme}://{exchange.request.host}{exchange.sent}", 301)
