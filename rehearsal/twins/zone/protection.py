"""Rules that keep requests away: custom and managed WAF rules, rate limits, the DDoS override.

https://developers.cloudflare.com/waf/ and https://developers.cloudflare.com/ddos-protection/
"""

from rehearsal.twins.rules import uses
from rehearsal.twins.zone.plans import DDOS_RULESET, Limits
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError, boolean, one_of, only, text, whole
from rehearsal.twins.zone.rule import Rule, compiled

CHALLENGES = ("managed_challenge", "js_challenge", "challenge")
COLO = "cf.colo.id"
_MOST_REQUESTS = 1_000_000
_SKIPPABLE = ("http_ratelimit", "http_request_firewall_managed", "http_request_sbfm")
_PRODUCTS = ("bic", "hot", "rateLimit", "securityLevel", "uaBlock", "waf", "zoneLockdown")
_COUNTED = frozenset(
    {COLO, "ip.src", "ip.src.country", "ip.src.asnum", "cf.unique_visitor_id", "http.host", "http.request.uri.path"}
)
_COUNTED_PARTS = ("http.request.headers[", "http.request.cookies[", "http.request.uri.args[")
_SENSITIVITIES = ("default", "medium", "low", "eoff")


def custom(rule: Rule, what: str, limits: Limits) -> None:
    """A custom WAF rule: it blocks or challenges, or lets a request skip the rules that follow."""
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


def rate_limit(rule: Rule, what: str, limits: Limits) -> None:
    """A rate limit: who is counted together, over which time, and what becomes of who asks too often."""
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


def managed(rule: Rule, what: str, limits: Limits) -> None:
    """A managed WAF ruleset that is executed, or an exception from one."""
    if rule.action == "skip":
        only(rule.parameters, ("ruleset", "rulesets", "rules"), f"{what}: actionParameters")
        if not any(rule.parameters.get(key) for key in ("ruleset", "rulesets", "rules")):
            raise CloudflareError(f"{what}: an exception needs ruleset, rulesets or rules")
        return
    ruleset = _execute(rule, what)
    if ruleset not in limits.managed:
        raise CloudflareError(f"{what}: the plan has no managed ruleset {ruleset!r}", 20119)


def ddos(rule: Rule, what: str, limits: Limits) -> None:
    """The override of the managed DDoS rules; below Enterprise there is one, for all traffic."""
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
