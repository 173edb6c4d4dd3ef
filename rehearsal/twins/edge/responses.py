"""What the edge makes of every response: HSTS, Managed Transforms, header rules and its own marks.

https://developers.cloudflare.com/ruleset-engine/reference/phases-list/#response-phases
"""

from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from rehearsal.twins.edge.exchange import Answer
from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.rules import Fields, compile_filter, compile_value, wire

PHASE = "http_response_headers_transform"
# https://developers.cloudflare.com/rules/transform/managed-transforms/reference/
_SECURITY_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("x-xss-protection", "1; mode=block"),
    ("x-frame-options", "SAMEORIGIN"),
    ("referrer-policy", "same-origin"),
)


def finished(answer: Answer, passage: Passage) -> Answer:
    """The answer as it leaves the edge."""
    if answer.value("date") is None:
        answer = answer.having(("date", formatdate(usegmt=True)))
    hsts = passage.setting("security_header").get("strict_transport_security") or {}
    if passage.exchange.request.scheme == "https" and hsts.get("enabled"):
        answer = _with_security_header(answer, hsts)
    answer = _managed(answer, passage)
    answer = _transformed(answer, passage)
    return answer.having(("server", "cloudflare"), ("cf-ray", passage.exchange.request.ray))


def _with_security_header(answer: Answer, hsts: Mapping[str, Any]) -> Answer:
    """HSTS means something over TLS alone (RFC 6797 section 7.2); it replaces the origin's."""
    parts = [f"max-age={int(hsts.get('max_age', 0))}"]
    parts += ["includeSubDomains"] if hsts.get("include_subdomains") else []
    parts += ["preload"] if hsts.get("preload") else []
    answer = answer.having(("strict-transport-security", "; ".join(parts)))
    return answer.having(("x-content-type-options", "nosniff")) if hsts.get("nosniff") else answer


def _managed(answer: Answer, passage: Passage) -> Answer:
    _, managed = passage.zone.managed_transforms
    if "remove_x-powered-by_header" in managed:
        answer = answer.lacking("x-powered-by")
    return answer.having(*_SECURITY_HEADERS) if "add_security_headers" in managed else answer


def _transformed(answer: Answer, passage: Passage) -> Answer:
    """Every rule that matches, in their order; they see the response as the origin, or the edge, made it.

    https://developers.cloudflare.com/rules/transform/response-header-modification/
    """
    fields = {**passage.exchange.fields, **_response_fields(answer)}
    for rule in passage.zone.rulesets(PHASE):
        if compile_filter(rule.expression)(fields):
            for name, change in (rule.parameters.get("headers") or {}).items():
                answer = _changed(answer, name.lower(), change, fields)
    return answer


def _response_fields(answer: Answer) -> dict[str, Any]:
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers:
        headers.setdefault(name, []).append(value)
    kind = (answer.value("content-type") or "").partition(";")[0].strip().lower()
    return {
        "http.response.code": answer.status,
        "http.response.content_type.media_type": kind,
        "http.response.headers": headers,
        "http.response.headers.names": list(headers),
        "http.response.headers.values": [value for _, value in answer.headers],
    }


def _changed(answer: Answer, name: str, change: Mapping[str, Any], fields: Fields) -> Answer:
    value = None
    if change["operation"] != "remove":
        given = change.get("value")
        value = wire(str(given)) if given is not None else compile_value(change["expression"])(fields)
    if value is None:  # removed, or set to what is not there
        return answer.lacking(name)
    return answer.adding((name, value)) if change["operation"] == "add" else answer.having((name, value))
