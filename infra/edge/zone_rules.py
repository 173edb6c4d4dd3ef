"""All rules of the zone by phase, made before anything is declared, so that what a plan refuses fails the preview."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pulumi_cloudflare as cloudflare

from infra.edge import cache, expressions, firewall, headers, managed, rate_limits
from infra.edge.extra_rules import arguments
from infra.edge.phases import PHASES, RULESETS, Phase
from infra.plans import PLANS, Plan, PlanName, larger_plan
from infra.problems import ConfigError, Problem, problem, repeated
from infra.redirects import single
from infra.settings import Stack

Rules = Mapping[Phase, tuple[cloudflare.RulesetRuleArgs, ...]]
_OWN: Mapping[Phase, Callable[[Stack], list[cloudflare.RulesetRuleArgs]]] = {
    "ddos_l7": managed.ddos_rules,
    "http_request_dynamic_redirect": single.rules,
    "http_request_firewall_custom": firewall.rules,
    "http_ratelimit": rate_limits.rules,
    "http_request_firewall_managed": managed.rules,
    "http_request_cache_settings": cache.rules,
    "http_response_headers_transform": headers.rules,
}
_ALWAYS_FIRST: Mapping[Phase, Callable[[Stack], cloudflare.RulesetRuleArgs]] = {
    "http_request_firewall_custom": firewall.stripe_passes,
}


def zone_rules(stack: Stack) -> Rules:
    """The rules of every phase that has some. ConfigError names each rule that the zone's plan would refuse."""
    rules = {phase: found for phase in PHASES if (found := _of_phase(stack, phase))}
    if problems := list(_problems(rules, stack.settings.zone_plan)):
        raise ConfigError(stack.name, (replace(entry, key=f"{stack.project}:{entry.key}") for entry in problems))
    return rules


def _of_phase(stack: Stack, phase: Phase) -> tuple[cloudflare.RulesetRuleArgs, ...]:
    """The rule for Stripe, those of the zone from before that come first, ours, and the others from before."""
    extra = stack.settings.extra_rules.get(phase, ())
    placed = {place: [arguments(rule) for rule in extra if rule.position == place] for place in ("first", "last")}
    first = [_ALWAYS_FIRST[phase](stack)] if phase in _ALWAYS_FIRST else []
    own = _OWN[phase](stack) if phase in _OWN else []
    return (*first, *placed["first"], *own, *placed["last"])


def _problems(rules: Rules, plan: PlanName) -> Iterator[Problem]:
    for phase, found in rules.items():
        yield from _too_many(phase, found, plan)
        for ref in repeated(str(rule.ref) for rule in found):
            yield problem(f"extraRules.{phase}", ref, "the program has a rule of that ref itself", "Rename yours.")
        for rule in found:
            yield from _too_long(phase, rule)


def _too_many(phase: Phase, rules: tuple[cloudflare.RulesetRuleArgs, ...], plan: PlanName) -> Iterator[Problem]:
    ruleset = RULESETS[phase]
    if ruleset.limit is None or len(rules) <= ruleset.limit(PLANS[plan]):
        return
    refs = ", ".join(str(rule.ref) for rule in rules)
    limit = f"ruleset {ruleset.name} has {refs}; plan {plan!r} allows {ruleset.limit(PLANS[plan])} in {phase}"
    yield problem(ruleset.key, f"{len(rules)} rules", limit, f"Declare fewer; {_allowing(ruleset.limit, len(rules))}.")


def _allowing(limit: Callable[[Plan], int], wanted: int) -> str:
    return larger_plan(lambda plan: limit(plan) >= wanted)


def _too_long(phase: Phase, rule: cloudflare.RulesetRuleArgs) -> Iterator[Problem]:
    """Cloudflare refuses long expressions when the rule is written, too late to be a preview."""
    length = len(str(rule.expression))
    if length > expressions.MAX_LENGTH:
        limit = f"the expression of rule {rule.ref} has at most {expressions.MAX_LENGTH} characters"
        yield problem(RULESETS[phase].key, f"{length} characters", limit, "List fewer or shorter entries.")
