"""What a rule may do in each phase, and with which parameters.

https://developers.cloudflare.com/ruleset-engine/rules-language/actions/
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.twins.rules import ExpressionError, compile_filter, compile_value, uses
from rehearsal.twins.zone.plans import DDOS_RULESET, Limits
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError, boolean, one_of, only, text, whole

CHALLENGES = ("managed_challenge", "js_challenge", "challenge")
COLO = "cf.colo.id"
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_SECONDS = 31_536_000
_MOST_REQUESTS = 1_000_000
_SKIPPABLE = ("http_ratelimit", "http_request_firewall_managed", "http_request_sbfm")
_PRODUCTS = ("bic", "hot", "rateLimit", "securityLevel", "uaBlock", "waf", "zoneLockdown")
_COUNTED = frozenset(
    {COLO, "ip.src", "ip.src.country", "ip.src.asnum", "cf.unique_visitor_id", "http.host", "http.request.uri.path"}
)
_COUNTED_PARTS = ("http.request.headers[", "http.request.cookies[", "http.request.uri.args[")
_SENSITIVITIES = ("default", "medium", "low", "eoff")
_RESERVED_HEADERS = ("server", "eh-cache-tag", "eh-cdn-cache-control", "connection", "content-length")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule that is enabled or not; `parameters` and `ratelimit` are as declared, camelCase."""

    ref: str
    expression: str
    action: str
    enabled: bool
    parameters: Mapping[str, Any]
    ratelimit: Mapping[str, Any]
    logging: bool = True


def compiled(expression: str, what: str, limits: Limits, *, value: bool = False) -> None:
    """Raise CloudflareError unless the plan allows the expression: a filter, or with `value` one that gives a text."""
    try:
        if value:
            compile_value(expression)
        else:
            compile_filter(expression)
        needs_regex = uses(expression).regex
    except ExpressionError as error:
        raise CloudflareError(f"{what}: {error}", 20127) from error
    if needs_regex and not limits.regex:
        raise CloudflareError(f"{what}: the plan allows no regular expressions; use starts_with(), in or wildcard")


def _redirect(rule: Rule, what: str, limits: Limits) -> None:
    only(rule.parameters, ("fromValue",), f"{what}: actionParameters")
    from_value = rule.parameters.get("fromValue")
    if not isinstance(from_value, Mapping):
        raise CloudflareError(f"{what}: a redirect needs actionParameters.fromValue")
    only(from_value, ("statusCode", "targetUrl", "preserveQueryString"), f"{what}: fromValue")
    one_of(from_value.get("statusCode", 302), _REDIRECTS, f"{what}: statusCode")
    _computed(from_value.get("targetUrl") or {}, f"{what}: targetUrl", limits)


def _bulk_redirect(rule: Rule, what: str, limits: Limits) -> None:
    only(rule.parameters, ("fromList",), f"{what}: actionParameters")
    from_list = rule.parameters.get("fromList")
    if not isinstance(from_list, Mapping):
        raise CloudflareError(f"{what}: a bulk redirect needs actionParameters.fromList")
    text(from_list, "name", f"{what}: fromList")
    compiled(text(from_list, "key", f"{what}: fromList"), f"{what}: fromList.key", limits, value=True)


def _computed(part: Mapping[str, Any], what: str, limits: Limits) -> None:
    """Either a value or an expression that gives one."""
    if bool(part.get("value")) == bool(part.get("expression")):
        raise CloudflareError(f"{what} needs either a value or an expression")
    if part.get("expression"):
        compiled(part["expression"], what, limits, value=True)


def _custom(rule: Rule, what: str, limits: Limits) -> None:
    if rule.action == "skip":
        _skip(rule, what)
        return
    if rule.action == "log" and not limits.log:
        raise CloudflareError(f"{what}: the plan's custom rules cannot use action log")
    _blocks(rule, what, limits)


def _skip(rule: Rule, what: str) -> None:
    only(rule.parameters, ("ruleset", "phase", "phases", "products"), f"{what}: actionParameters")
    if not any(rule.parameters.get(key) for key in ("ruleset", "phase", "phases", "products")):
        raise CloudflareError(f"{what}: skip needs ruleset, phases or products")
    for key in ("ruleset", "phase"):
        if rule.parameters.get(key) not in (None, "current"):
            raise CloudflareError(f"{what}: skip knows the {key} 'current'")
    for key, known in (("phases", _SKIPPABLE), ("products", _PRODUCTS)):
        for name in rule.parameters.get(key) or []:
            one_of(name, known, f"{what}: {key}")


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
    known = ("characteristics", "period", "requestsPerPeriod", "mitigationTimeout", "countingExpression")
    only(limit, known, f"{what}: ratelimit")
    one_of(limit.get("period"), limits.rate_periods, f"{what}: period")
    whole(limit.get("requestsPerPeriod"), f"{what}: requestsPerPeriod", least=1, most=_MOST_REQUESTS)
    timeout = limit.get("mitigationTimeout", limit["period"])
    if limits.rate_fields is None or rule.action not in CHALLENGES:
        throttling = (0,) if limits.rate_fields is None else ()
        one_of(timeout, (*throttling, *limits.rate_mitigations), f"{what}: mitigationTimeout")
    elif timeout != 0:
        raise CloudflareError(f"{what}: mitigationTimeout must be 0 where the action is a challenge, got {timeout}")
    _characteristics(limit.get("characteristics") or [], what, limits)
    if limit.get("countingExpression"):
        if not limits.rate_counting:
            raise CloudflareError(f"{what}: the plan allows no countingExpression")
        compiled(limit["countingExpression"], f"{what}: countingExpression", limits)
    foreign = uses(rule.expression).fields - limits.rate_fields if limits.rate_fields is not None else frozenset()
    if foreign:
        raise CloudflareError(f"{what}: the plan's rate limits cannot use {', '.join(sorted(foreign))}")


def _characteristics(given: list[str], what: str, limits: Limits) -> None:
    if COLO not in given:
        raise CloudflareError(f"{what}: characteristics must include {COLO}: counters are kept for each data centre")
    allowed = limits.rate_characteristics
    beyond = sorted(set(given) - allowed) if allowed is not None else []
    if beyond:
        raise CloudflareError(f"{what}: the plan's rate limits cannot count by {', '.join(beyond)}")
    unknown = [name for name in given if name not in _COUNTED and not name.startswith(_COUNTED_PARTS)]
    if unknown:
        raise NotInTwinError(f"{what}: the edge twin does not count by {', '.join(unknown)}")


def _managed(rule: Rule, what: str, limits: Limits) -> None:
    if rule.action == "skip":
        only(rule.parameters, ("ruleset", "rulesets", "rules"), f"{what}: actionParameters")
        if not any(rule.parameters.get(key) for key in ("ruleset", "rulesets", "rules")):
            raise CloudflareError(f"{what}: an exception needs ruleset, rulesets or rules")
        return
    ruleset = _execute(rule, what)
    if ruleset not in limits.managed:
        raise CloudflareError(f"{what}: the plan has no managed ruleset {ruleset!r}", 20119)


def _ddos(rule: Rule, what: str, limits: Limits) -> None:
    if _execute(rule, what) != DDOS_RULESET:
        raise CloudflareError(f"{what}: phase ddos_l7 executes the ruleset {DDOS_RULESET}")
    if rule.expression != "true" and limits.rules["ddos_l7"] == 1:
        raise CloudflareError(f"{what}: the plan's override applies to all traffic: expression must be true")
    overrides = rule.parameters.get("overrides") or {}
    for override in (overrides, *(overrides.get("rules") or []), *(overrides.get("categories") or [])):
        if override.get("sensitivityLevel") is not None:
            one_of(override["sensitivityLevel"], _SENSITIVITIES, f"{what}: sensitivityLevel")
        if override.get("action") is not None:
            allowed = ("block", *CHALLENGES[:1], "challenge", *(("log",) if limits.log else ()))
            one_of(override["action"], allowed, f"{what}: overrides.action")


def _execute(rule: Rule, what: str) -> str:
    """The id of the ruleset that is executed; its overrides have the right form."""
    only(rule.parameters, ("id", "overrides"), f"{what}: actionParameters")
    overrides = rule.parameters.get("overrides") or {}
    only(overrides, ("action", "enabled", "sensitivityLevel", "rules", "categories"), f"{what}: overrides")
    for key, name in (("rules", "id"), ("categories", "category")):
        for override in overrides.get(key) or []:
            text(override, name, f"{what}: overrides.{key}")
            boolean(override, "enabled", f"{what}: overrides.{key}")
    return text(rule.parameters, "id", f"{what}: execute")


def _cache(rule: Rule, what: str, limits: Limits) -> None:
    switches = ("cache", "respectStrongEtags", "originErrorPagePassthru", "originCacheControl")
    known = (*switches, "edgeTtl", "browserTtl", "cacheKey", "serveStale")
    only(rule.parameters, known, f"{what}: actionParameters")
    for key in switches:
        boolean(rule.parameters, key, what)
    _cache_key(rule.parameters.get("cacheKey") or {}, what, limits)
    only(rule.parameters.get("serveStale") or {}, ("disableStaleWhileUpdating",), f"{what}: serveStale")
    least = {"edgeTtl": limits.least_edge_ttl, "browserTtl": 0}
    modes = {"edgeTtl": "bypass_by_default", "browserTtl": "bypass"}
    for key, shortest in least.items():
        ttl = rule.parameters.get(key)
        if ttl is None:
            continue
        if ttl.get("statusCodeTtls") and not limits.cache_keys:
            raise CloudflareError(f"{what}: {key}: the plan allows no statusCodeTtls")
        only(ttl, ("mode", "default", "statusCodeTtls"), f"{what}: {key}")
        mode = one_of(ttl.get("mode"), ("respect_origin", "override_origin", modes[key]), f"{what}: {key}.mode")
        if mode == "override_origin":
            whole(ttl.get("default"), f"{what}: {key}.default", least=shortest, most=_MOST_SECONDS)


def _cache_key(key: Mapping[str, Any], what: str, limits: Limits) -> None:
    paid = sorted(name for name in ("customKey", "cacheByDeviceType") if key.get(name))
    if paid and not limits.cache_keys:
        raise CloudflareError(f"{what}: the plan allows no {', '.join(paid)} in cacheKey")
    only(key, ("cacheDeceptionArmor", "ignoreQueryStringsOrder"), f"{what}: cacheKey")
    for name in key:
        boolean(key, name, f"{what}: cacheKey")


def _configuration(rule: Rule, what: str, limits: Limits) -> None:  # noqa: ARG001 - every check takes the limits
    switches = (
        *("automaticHttpsRewrites", "bic", "disableApps", "disableRum", "disableZaraz", "emailObfuscation", "fonts"),
        *("hotlinkProtection", "mirage", "opportunisticEncryption", "rocketLoader", "serverSideExcludes", "sxg"),
    )
    choices = {
        "ssl": ("off", "flexible", "full", "strict", "origin_pull"),
        "securityLevel": ("off", "essentially_off", "low", "medium", "high", "under_attack"),
        "polish": ("off", "lossless", "lossy", "webp"),
    }
    only(rule.parameters, (*switches, *choices), f"{what}: actionParameters")
    given = [key for key, value in rule.parameters.items() if value is not None]
    if not given:
        raise CloudflareError(f"{what}: set_config needs at least one setting")
    for key in given:
        if key in choices:
            one_of(rule.parameters[key], choices[key], f"{what}: {key}")
        else:
            boolean(rule.parameters, key, what)


def _url(rule: Rule, what: str, limits: Limits) -> None:
    only(rule.parameters, ("uri",), f"{what}: actionParameters")
    uri = rule.parameters.get("uri") or {}
    only(uri, ("path", "query"), f"{what}: uri")
    parts = [key for key in ("path", "query") if uri.get(key) is not None]
    if not parts:
        raise CloudflareError(f"{what}: a rewrite of the URL needs uri.path or uri.query")
    for key in parts:
        if key == "query" and uri[key].get("value") == "":  # an empty query takes the query away
            continue
        _computed(uri[key], f"{what}: uri.{key}", limits)


def _headers(rule: Rule, what: str, limits: Limits) -> None:
    only(rule.parameters, ("headers",), f"{what}: actionParameters")
    for name, change in (rule.parameters.get("headers") or {}).items():
        _check_header(name, what)
        only(change, ("operation", "value", "expression"), f"{what}: header {name}")
        operation = one_of(change.get("operation"), ("set", "add", "remove"), f"{what}: header {name}: operation")
        given = [key for key in ("value", "expression") if change.get(key)]
        if len(given) != (0 if operation == "remove" else 1):
            raise CloudflareError(f"{what}: header {name}: {operation} takes {'no' if given else 'a'} value")
        if change.get("expression"):
            compiled(change["expression"], f"{what}: header {name}", limits, value=True)


def _check_header(name: str, what: str) -> None:
    lower = name.lower()
    if lower in _RESERVED_HEADERS or lower.startswith(("cf-", "x-cf-")):
        raise CloudflareError(f"{what}: header {name} is Cloudflare's own and cannot be changed")


Check = Callable[[Rule, str, Limits], None]
PHASES: dict[str, tuple[Check, tuple[str, ...]]] = {
    "ddos_l7": (_ddos, ("execute",)),
    "http_request_transform": (_url, ("rewrite",)),
    "http_request_redirect": (_bulk_redirect, ("redirect",)),
    "http_request_dynamic_redirect": (_redirect, ("redirect",)),
    "http_request_firewall_custom": (_custom, ("block", "skip", "log", *CHALLENGES)),
    "http_ratelimit": (_rate_limit, ("block", "log", *CHALLENGES)),
    "http_request_firewall_managed": (_managed, ("execute", "skip")),
    "http_request_late_transform": (_headers, ("rewrite",)),
    "http_request_cache_settings": (_cache, ("set_cache_settings",)),
    "http_config_settings": (_configuration, ("set_config",)),
    "http_response_headers_transform": (_headers, ("rewrite",)),
}
"""The phases that the edge twin acts on: the check of a rule's parameters, and its actions."""
