"""Phases that change a request on its way: http_request_transform, http_config_settings, http_request_late_transform.

https://developers.cloudflare.com/rules/transform/ and https://developers.cloudflare.com/rules/configuration-rules/
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.rules import Fields, compile_filter, compile_value, wire

REWRITE, CONFIG, LATE = "http_request_transform", "http_config_settings", "http_request_late_transform"
_CONFIGURED = {"ssl": "ssl", "securityLevel": "security_level"}
_TRUE_CLIENT_IP, _NO_VISITOR_IP = "add_true_client_ip_headers", "remove_visitor_ip_headers"
_VISITOR_IP = ("x-forwarded-for", "cf-connecting-ip", "true-client-ip", "x-real-ip")


def rewrite(passage: Passage) -> None:
    """Give the request the path and query of the rules that match, each on what the one before made of it."""
    for rule in passage.zone.rulesets(REWRITE):
        if not compile_filter(rule.expression)(passage.exchange.fields):
            continue
        request, uri = passage.exchange.request, rule.parameters.get("uri") or {}
        path = _computed(uri.get("path"), passage.exchange.fields)
        query = _computed(uri.get("query"), passage.exchange.fields)
        passage.exchange = passage.exchange.at(
            request.path if path is None else path, request.query if query is None else query
        )


def configure(passage: Passage) -> None:
    """Settings for this request, of those that the twin acts on; where rules disagree, the last one wins."""
    for rule in passage.matching(CONFIG):
        for key, setting in _CONFIGURED.items():
            if rule.parameters.get(key) is not None:
                passage.overrides[setting] = rule.parameters[key]


def late(passage: Passage) -> None:
    """Managed Transforms of the request, then the rules for its headers."""
    managed, _ = passage.zone.managed_transforms
    if _TRUE_CLIENT_IP in managed:
        passage.exchange = passage.exchange.having(("true-client-ip", passage.exchange.request.client))
    if _NO_VISITOR_IP in managed:
        passage.exchange = replace(passage.exchange.lacking(*_VISITOR_IP), names_client=False)
    for rule in passage.matching(LATE):
        for name, change in (rule.parameters.get("headers") or {}).items():
            value = _computed(change, passage.exchange.fields)
            if change["operation"] == "remove" or value is None:
                passage.exchange = passage.exchange.lacking(name.lower())
            else:
                passage.exchange = passage.exchange.having((name.lower(), value))


def _computed(part: Mapping[str, Any] | None, fields: Fields) -> str | None:
    """What a value or an expression gives; None where neither is set, or a header that it reads is not there."""
    if not part:
        return None
    if part.get("value") is not None:
        return wire(str(part["value"]))
    return compile_value(part["expression"])(fields) if part.get("expression") else None
