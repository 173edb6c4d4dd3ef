"""Rulesets: which phases and actions the edge twin acts on, and what Cloudflare refuses in them.

https://developers.cloudflare.com/ruleset-engine/
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.twins.rules import ExpressionError, compile_filter, compile_value, uses
from rehearsal.twins.zone.plans import Limits
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError, one_of, only, text, whole

CHALLENGES = ("managed_challenge", "js_challenge", "challenge")
COLO = "cf.colo.id"
_RULE_KEYS = ("id", "ref", "description", "enabled", "expression", "action", "actionParameters", "ratelimit", "logging")
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_SECONDS = 31_536_000
_MOST_REQUESTS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule that is enabled or not; `parameters` and `ratelimit` are as declared, camelCase."""

    ref: str
    expression: str
    action: str
    enabled: bool
    parameters: Mapping[str, Any]
    ratelimit: Mapping[str, Any]


@dataclass(frozen=True)
class Ruleset:
    """The entry point of one phase."""

    phase: str
    rules: tuple[Rule, ...]


def parse_ruleset(inputs: Mapping[str, Any], limits: Limits) -> Ruleset:
    """The ruleset that Cloudflare makes of `inputs`; raises CloudflareError or NotInTwinError."""
    text(inputs, "name", "a ruleset")
    phase = text(inputs, "phase", "a ruleset")
    if inputs.get("kind") != "zone":
        raise NotInTwinError(f"ruleset of phase {phase}: the edge twin acts on kind 'zone', got {inputs.get('kind')!r}")
    if phase not in _PHASES:
        raise NotInTwinError(f"the edge twin does not act on phase {phase!r}; it acts on {', '.join(_PHASES)}")
    declared = inputs.get("rules") or []
    most = limits.rules[phase]
    if len(declared) > most:
        raise CloudflareError(f"the plan allows {most} rules in phase {phase}, got {len(declared)}")
    rules = tuple(_rule(entry, index, phase, limits) for index, entry in enumerate(declared))
    refs = [rule.ref for rule in rules]
    repeated = sorted({ref for ref in refs if refs.count(ref) > 1})
    if repeated:
        raise CloudflareError(f"rules of phase {phase} share the ref {', '.join(repeated)}")
    return Ruleset(phase, rules)


def _rule(entry: Mapping[str, Any], index: int, phase: str, limits: Limits) -> Rule:
    what = f"rule {entry.get('ref') or index + 1} of phase {phase}"
    only(entry, _RULE_KEYS, what)
    check, actions = _PHASES[phase]
    expression = text(entry, "expression", what)
    _compile(expression, what, limits)
    rule = Rule(
        ref=str(entry.get("ref") or f"#{index + 1}"),
        expression=expression,
        action=one_of(entry.get("action"), actions, f"{what}: action"),
        enabled=entry.get("enabled") is not False,
        parameters=entry.get("actionParameters") or {},
        ratelimit=entry.get("ratelimit") or {},
    )
    if rule.ratelimit and phase != "http_ratelimit":
        raise CloudflareError(f"{what}: ratelimit belongs to phase http_ratelimit")
    check(rule, what, limits)
    return rule


def _compile(expression: str, what: str, limits: Limits, *, value: bool = False) -> None:
    try:
        if value:
            compile_value(expression)
        else:
            compile_filter(expression)
        needs_regex = uses(expression).regex
    except ExpressionError as error:
        raise CloudflareError(f"{what}: {error}") from error
    if needs_regex and not limits.regex:
        raise CloudflareError(f"{what}: the plan allows no regular expressions; use starts_with(), in or wildcard")


def _redirect(rule: Rule, what: str, limits: Limits) -> None:
    only(rule.parameters, ("fromValue",), f"{what}: actionParameters")
    from_value = rule.parameters.get("fromValue")
    if not isinstance(from_value, Mapping):
        raise CloudflareError(f"{what}: a redirect needs actionParameters.fromValue")
    only(from_value, ("statusCode", "targetUrl", "preserveQueryString"), f"{what}: fromValue")
    one_of(from_value.get("statusCode", 302), _REDIRECTS, f"{what}: statusCode")
    target = from_value.get("targetUrl") or {}
    if bool(target.get("value")) == bool(target.get("expression")):
        raise CloudflareError(f"{what}: targetUrl needs either a value or an expression")
    if target.get("expression"):
        _compile(target["expression"], f"{what}: targetUrl", limits, value=True)


def _custom(rule: Rule, what: str, limits: Limits) -> None:
    if rule.action == "skip":
        only(rule.parameters, ("ruleset", "phases", "products"), f"{what}: actionParameters")
        if not any(rule.parameters.get(key) for key in ("ruleset", "phases", "products")):
            raise CloudflareError(f"{what}: skip needs ruleset, phases or products")
        if rule.parameters.get("ruleset") not in (None, "current"):
            raise CloudflareError(f"{what}: skip knows the ruleset 'current'")
        return
    _blocks(rule, what, limits)


def _blocks(rule: Rule, what: str, limits: Limits) -> None:
    only(rule.parameters, ("response",) if rule.action == "block" else (), f"{what}: actionParameters")
    response = rule.parameters.get("response")
    if response is None:
        return
    if not limits.block_response:
        raise CloudflareError(f"{what}: the plan allows no response of one's own")
    only(response, ("statusCode", "content", "contentType"), f"{what}: response")
    whole(response.get("statusCode", 403), f"{what}: statusCode", least=400, most=499)
    text(response, "content", what)
    text(response, "contentType", what)


def _rate_limit(rule: Rule, what: str, limits: Limits) -> None:
    _blocks(rule, what, limits)
    limit = rule.ratelimit
    known = ("characteristics", "period", "requestsPerPeriod", "mitigationTimeout")
    only(limit, known, f"{what}: ratelimit")
    one_of(limit.get("period"), limits.rate_periods, f"{what}: period")
    whole(limit.get("requestsPerPeriod"), f"{what}: requestsPerPeriod", least=1, most=_MOST_REQUESTS)
    one_of(limit.get("mitigationTimeout", limit["period"]), limits.rate_mitigations, f"{what}: mitigationTimeout")
    characteristics = limit.get("characteristics") or []
    if COLO not in characteristics:
        raise CloudflareError(f"{what}: characteristics must include {COLO}: counters are kept for each data centre")
    if set(characteristics) != {COLO, "ip.src"}:
        raise NotInTwinError(f"{what}: the edge twin counts by ip.src, got {', '.join(characteristics)}")
    foreign = uses(rule.expression).fields - limits.rate_fields if limits.rate_fields is not None else frozenset()
    if foreign:
        raise CloudflareError(f"{what}: the plan's rate limits cannot use {', '.join(sorted(foreign))}")


def _cache(rule: Rule, what: str, limits: Limits) -> None:
    only(rule.parameters, ("cache", "edgeTtl", "browserTtl"), f"{what}: actionParameters")
    least = {"edgeTtl": limits.least_edge_ttl, "browserTtl": 0}
    modes = {"edgeTtl": "bypass_by_default", "browserTtl": "bypass"}
    for key, shortest in least.items():
        ttl = rule.parameters.get(key)
        if ttl is None:
            continue
        only(ttl, ("mode", "default"), f"{what}: {key}")
        mode = one_of(ttl.get("mode"), ("respect_origin", "override_origin", modes[key]), f"{what}: {key}.mode")
        if mode == "override_origin":
            whole(ttl.get("default"), f"{what}: {key}.default", least=shortest, most=_MOST_SECONDS)


def _headers(rule: Rule, what: str, limits: Limits) -> None:
    only(rule.parameters, ("headers",), f"{what}: actionParameters")
    for name, change in (rule.parameters.get("headers") or {}).items():
        only(change, ("operation", "value", "expression"), f"{what}: header {name}")
        operation = one_of(change.get("operation"), ("set", "add", "remove"), f"{what}: header {name}: operation")
        given = [key for key in ("value", "expression") if change.get(key)]
        if len(given) != (0 if operation == "remove" else 1):
            raise CloudflareError(f"{what}: header {name}: {operation} takes {'no' if given else 'a'} value")
        if change.get("expression"):
            _compile(change["expression"], f"{what}: header {name}", limits, value=True)


Check = Callable[[Rule, str, Limits], None]
_PHASES: dict[str, tuple[Check, tuple[str, ...]]] = {
    "http_request_dynamic_redirect": (_redirect, ("redirect",)),
    "http_request_firewall_custom": (_custom, ("block", "skip", "log", *CHALLENGES)),
    "http_ratelimit": (_rate_limit, ("block", "log", *CHALLENGES)),
    "http_request_cache_settings": (_cache, ("set_cache_settings",)),
    "http_response_headers_transform": (_headers, ("rewrite",)),
}
