"""What a plan asks of rules that a zone had when it was adopted: they must be writable again as they are."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infra.edge import expressions
from infra.edge.extra_rules import ParameterError, arguments, texts
from infra.edge.phases import PHASES
from infra.edge.sections import ExtraRule, ssl_fault
from infra.plans import PLANS, Plan, PlanName, larger_plan
from infra.problems import Problem, any_of, problem, repeated

Extra = Mapping[str, tuple[ExtraRule, ...]]


def extra_rules_are_rules(extra_rules: Extra) -> Iterator[Problem]:
    """Every phase and parameter is one that Cloudflare knows."""
    for phase, rules in extra_rules.items():
        if phase not in PHASES:
            yield problem(f"extraRules.{phase}", "rules", f"the phases are {', '.join(PHASES)}", "Correct the name.")
        for ref in repeated(rule.ref for rule in rules):
            yield problem(f"extraRules.{phase}", ref, "each rule has a ref of its own", "Rename one of them.")
        for index, rule in enumerate(rules):
            try:
                arguments(rule)
            except ParameterError as error:
                remedy = "Write it as Pulumi's documentation of a Ruleset has it."
                yield problem(f"extraRules.{phase}[{index}].{error.path}", "a value", error.limit, remedy)


def extra_rules_keep_ssl_strict(extra_rules: Extra) -> Iterator[Problem]:
    """A configuration rule would weaken for some requests what the zone's setting is for all."""
    for index, rule in enumerate(extra_rules.get("http_config_settings", ())):
        mode = (rule.action_parameters or {}).get("ssl")
        if mode is not None and (fault := ssl_fault(str(mode))):
            key = f"extraRules.http_config_settings[{index}].actionParameters.ssl"
            yield problem(key, mode, fault, f"Take rule {rule.ref} out, and give the origin a valid certificate.")


def extra_rules_fit_the_plan(extra_rules: Extra, zone_plan: PlanName) -> Iterator[Problem]:
    """Regular expressions, actions, and what is limited and kept depend on the plan."""
    for phase, rules in extra_rules.items():
        for index, rule in enumerate(rules):
            key = f"extraRules.{phase}[{index}]"
            yield from _language_fits(key, rule, zone_plan)
            if phase == "http_ratelimit":
                yield from _limit_fits(key, rule, zone_plan)
            if phase == "http_request_cache_settings":
                yield from _cache_fits(key, rule, zone_plan)


def _language_fits(key: str, rule: ExtraRule, zone_plan: PlanName) -> Iterator[Problem]:
    plan = PLANS[zone_plan]
    if not plan.regex and any(expressions.uses_regex(text) for text in texts(rule)):
        limit = f"plan {zone_plan!r} has no regular expressions, which rule {rule.ref} uses"
        remedy = f"Use wildcard or starts_with; {larger_plan(lambda other: other.regex)}."
        yield problem(f"{key}.expression", rule.expression, limit, remedy)
    if not plan.log_action and rule.action == "log":
        limit = f"plan {zone_plan!r} has no action log for rule {rule.ref}"
        remedy = f"Use another; {larger_plan(lambda other: other.log_action)}."
        yield problem(f"{key}.action", "log", limit, remedy)
    if not plan.block_response and rule.action == "block" and (rule.action_parameters or {}).get("response"):
        limit = f"plan {zone_plan!r} answers with its own page alone, and rule {rule.ref} with another"
        remedy = f"Leave it out; {larger_plan(lambda other: other.block_response)}."
        yield problem(f"{key}.actionParameters.response", "a response", limit, remedy)


def _limit_fits(key: str, rule: ExtraRule, zone_plan: PlanName) -> Iterator[Problem]:
    plan, used = PLANS[zone_plan], expressions.fields(rule.expression)
    if not plan.limits_by(*used):
        limit = f"the limits of plan {zone_plan!r} cannot read every field that rule {rule.ref} reads"
        remedy = larger_plan(lambda other: other.limits_by(*used))
        yield problem(f"{key}.expression", ", ".join(sorted(used)), limit, f"Leave one out; {remedy}.")
    timed: Mapping[str, Callable[[Plan], tuple[int, ...]]] = {
        "period": lambda other: other.rate_limit_periods,
        "mitigationTimeout": lambda other: _mitigations(other, rule),
    }
    for name, allowed in timed.items():
        seconds = (rule.ratelimit or {}).get(name)
        if seconds is not None and seconds not in allowed(plan):
            limit = f"plan {zone_plan!r} has {any_of(allowed(plan))} seconds there for rule {rule.ref}"
            remedy = larger_plan(lambda other, allowed=allowed, seconds=seconds: seconds in allowed(other))
            yield problem(f"{key}.ratelimit.{name}", seconds, limit, f"Use one of these; {remedy}.")


def _mitigations(plan: Plan, rule: ExtraRule) -> tuple[int, ...]:
    """A challenge is over when it is solved, so it has no time of its own."""
    return (0,) if rule.action.endswith("challenge") else plan.rate_limit_mitigations


def _cache_fits(key: str, rule: ExtraRule, zone_plan: PlanName) -> Iterator[Problem]:
    plan, parameters = PLANS[zone_plan], rule.action_parameters or {}
    edge_ttl: Mapping[str, Any] = parameters.get("edgeTtl") or {}
    cache_key: Mapping[str, Any] = parameters.get("cacheKey") or {}
    seconds = edge_ttl.get("default")
    if seconds is not None and seconds < plan.min_edge_ttl:
        limit = f"plan {zone_plan!r} keeps what rule {rule.ref} caches at least {plan.min_edge_ttl} seconds"
        remedy = larger_plan(lambda other: other.min_edge_ttl <= seconds)
        yield problem(f"{key}.actionParameters.edgeTtl.default", seconds, limit, f"Raise it; {remedy}.")
    if edge_ttl.get("statusCodeTtls") and not plan.cache_by_status:
        limit = f"plan {zone_plan!r} does not cache by status, which rule {rule.ref} does"
        remedy = f"Leave it out; {larger_plan(lambda other: other.cache_by_status)}."
        yield problem(f"{key}.actionParameters.edgeTtl.statusCodeTtls", "times", limit, remedy)
    for name in ("customKey", "cacheByDeviceType"):
        if cache_key.get(name) and not plan.custom_cache_key:
            limit = f"plan {zone_plan!r} has no cache key of one's own, which rule {rule.ref} has"
            remedy = f"Leave it out; {larger_plan(lambda other: other.custom_cache_key)}."
            yield problem(f"{key}.actionParameters.cacheKey.{name}", "a key", limit, remedy)


CHECKS = (extra_rules_are_rules, extra_rules_keep_ssl_strict, extra_rules_fit_the_plan)
