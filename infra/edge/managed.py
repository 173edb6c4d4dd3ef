"""Rulesets that Cloudflare maintains: its managed rules by plan, and the override of the one against floods.

https://developers.cloudflare.com/waf/managed-rules/ and
https://developers.cloudflare.com/ddos-protection/managed-rulesets/http/
"""

from collections.abc import Mapping

import pulumi_cloudflare as cloudflare

from infra.edge import expressions
from infra.plans import FREE_RULESET, MANAGED_RULESET, OWASP_RULESET, PLANS, larger_plan
from infra.settings import Stack

# The same in every account; the refs are ours.
RULESET_IDS: Mapping[str, tuple[str, str]] = {
    FREE_RULESET: ("managed-free", "77454fe2d30c4220b5701f6fdfb893ba"),
    MANAGED_RULESET: ("managed-cloudflare", "efb7b8c949ac4650a09736fc376e9aee"),
    OWASP_RULESET: ("managed-owasp", "4814384a9e5d4991b9815dcfc25d2f1f"),
}
DDOS_RULESET = "4d21379b4f9f4bb088e0729962c8b3cf"


def names(stack: Stack) -> tuple[str, ...]:
    """The managed rulesets that are deployed."""
    return PLANS[stack.settings.zone_plan].managed_rulesets if stack.settings.waf.managed else ()


def rules(stack: Stack) -> list[cloudflare.RulesetRuleArgs]:
    """Phase http_request_firewall_managed: each ruleset for every request that no rule before has let skip it."""
    return [_execute(RULESET_IDS[name][0], name, RULESET_IDS[name][1]) for name in names(stack)]


def ddos_rules(stack: Stack) -> list[cloudflare.RulesetRuleArgs]:
    """Phase ddos_l7: the ruleset runs anyway, so a rule is there only to override it."""
    ddos = stack.settings.ddos
    if not ddos.overrides:
        return []
    changes = cloudflare.RulesetRuleActionParametersOverridesArgs(
        action=ddos.action, sensitivity_level=None if ddos.sensitivity == "default" else ddos.sensitivity
    )
    return [_execute("ddos", "HTTP DDoS Attack Protection, as overridden", DDOS_RULESET, changes)]


def unprotected(stack: Stack) -> list[dict[str, str]]:
    """The managed rulesets that were wanted and that the plan does not have."""
    plan = stack.settings.zone_plan
    if not stack.settings.waf.managed or OWASP_RULESET in PLANS[plan].managed_rulesets:
        return []
    remedy = larger_plan(lambda other: OWASP_RULESET in other.managed_rulesets)
    what = f"the {MANAGED_RULESET} and the {OWASP_RULESET}"
    return [{"name": "managed-firewall", "what": what, "why": f"plan {plan!r} has the {FREE_RULESET} alone; {remedy}"}]


def _execute(
    ref: str,
    description: str,
    ruleset: str,
    overrides: cloudflare.RulesetRuleActionParametersOverridesArgs | None = None,
) -> cloudflare.RulesetRuleArgs:
    return cloudflare.RulesetRuleArgs(
        ref=ref,
        description=description,
        expression=expressions.EVERY_REQUEST,
        action="execute",
        enabled=True,
        action_parameters=cloudflare.RulesetRuleActionParametersArgs(id=ruleset, overrides=overrides),
    )
