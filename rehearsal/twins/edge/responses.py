"""What the edge adds to every response: HSTS, header rules and its own marks."""

from collections.abc import Iterable, Mapping
from email.utils import formatdate
from typing import Any

from rehearsal.twins.edge.exchange import Answer, Exchange
from rehearsal.twins.rules import compile_filter, compile_value
from rehearsal.twins.zone import Rule


def finished(answer: Answer, exchange: Exchange, security_header: Mapping[str, Any], rules: Iterable[Rule]) -> Answer:
    """The answer as it leaves the edge."""
    if answer.value("date") is None:
        answer = answer.having(("date", formatdate(usegmt=True)))
    answer = _with_security_header(answer, exchange, security_header.get("strict_transport_security") or {})
    answer = _transformed(answer, exchange, rules)
    return answer.having(("server", "cloudflare"), ("cf-ray", exchange.request.ray))


def _with_security_header(answer: Answer, exchange: Exchange, hsts: Mapping[str, Any]) -> Answer:
    """HSTS means something over TLS alone (RFC 6797 section 7.2); it replaces the origin's."""
    if exchange.request.scheme != "https" or not hsts.get("enabled"):
        return answer
    parts = [f"max-age={int(hsts.get('max_age', 0))}"]
    parts += ["includeSubDomains"] if hsts.get("include_subdomains") else []
    parts += ["preload"] if hsts.get("preload") else []
    answer = answer.having(("strict-transport-security", "; ".join(parts)))
    return answer.having(("x-content-type-options", "nosniff")) if hsts.get("nosniff") else answer


def _transformed(answer: Answer, exchange: Exchange, rules: Iterable[Rule]) -> Answer:
    """Phase http_response_headers_transform.

    https://developers.cloudflare.com/rules/transform/response-header-modification/
    """
    fields = {**exchange.fields, "http.response.code": answer.status}
    for rule in rules:
        if compile_filter(rule.expression)(fields):
            for name, change in (rule.parameters.get("headers") or {}).items():
                answer = _changed(answer, name.lower(), change, fields)
    return answer


def _changed(answer: Answer, name: str, change: Mapping[str, Any], fields: Mapping[str, Any]) -> Answer:
    if change["operation"] == "remove":
        return answer.lacking(name)
    value = change.get("value") or compile_value(change["expression"])(fields)
    if change["operation"] == "set":
        return answer.having((name, value))
    return Answer(answer.status, (*answer.headers, (name, value)), answer.body, from_edge=answer.from_edge)
