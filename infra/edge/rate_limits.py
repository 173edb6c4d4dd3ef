"""Rate limits: phase http_ratelimit. A plan counts few of them, so the declared priority decides which.

https://developers.cloudflare.com/waf/rate-limiting-rules/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi_cloudflare as cloudflare

from infra.edge import expressions
from infra.edge.sections import RateLimit
from infra.plans import PLANS, Plan, PlanName, larger_plan
from infra.settings import Stack

PHASE = "http_ratelimit"
USUAL_MITIGATION = 60  # seconds: what a person waits, and what makes guessing slow; a plan may allow less
COUNTED_BY = ["ip.src", "cf.colo.id"]  # the second is mandatory: counters are kept in each place apart


@dataclass(frozen=True)
class Limits:
    """The declared limits that the plan has room for, most important first, and the others."""

    counted: tuple[RateLimit, ...]
    left_out: tuple[RateLimit, ...]


def limits(stack: Stack) -> Limits:
    """What the plan has room for; rules that the zone had before take theirs first."""
    room = PLANS[stack.settings.zone_plan].rate_limit_rules - len(stack.settings.extra_rules.get(PHASE, ()))
    return by_priority(stack.settings.rate_limits, room)


def by_priority(wanted: Sequence[RateLimit], room: int) -> Limits:
    """`wanted` parted where the room ends: by priority, then as declared."""
    ordered = sorted(wanted, key=lambda limit: limit.priority)
    kept = max(0, room)
    return Limits(tuple(ordered[:kept]), tuple(ordered[kept:]))


def rules(stack: Stack) -> list[cloudflare.RulesetRuleArgs]:
    """The limits that are counted. None of them names an API host or covers one of the program's routes."""
    return [_rule(stack, limit) for limit in limits(stack).counted]


def expression(limit: RateLimit, hosts: Sequence[str]) -> str:
    """The requests that count: by path alone where no host is named, which is all that the free plan can say."""
    return expressions.below(hosts, limit.paths) if hosts else expressions.path_starts_with(limit.paths)


def mitigation(limit: RateLimit, plan: Plan) -> int:
    """Seconds for which an address that asked too often is refused."""
    if limit.mitigation_seconds is not None:
        return limit.mitigation_seconds
    return max(seconds for seconds in plan.rate_limit_mitigations if seconds <= USUAL_MITIGATION)


def declared(stack: Stack) -> list[dict[str, Any]]:
    """What the contract says of the limits that are counted."""
    plan = PLANS[stack.settings.zone_plan]
    return [
        {
            "name": limit.name,
            "hosts": [stack.host(label) for label in limit.hosts],
            "paths": list(limit.paths),
            "requests": limit.requests,
            "period_seconds": limit.period_seconds,
            "mitigation_seconds": mitigation(limit, plan),
        }
        for limit in limits(stack).counted
    ]


def unprotected(stack: Stack) -> list[dict[str, str]]:
    """What the contract says of those that the plan has no room for."""
    wanted = len(stack.settings.rate_limits) + len(stack.settings.extra_rules.get(PHASE, ()))
    plan: PlanName = stack.settings.zone_plan
    why = f"plan {plan!r} counts {PLANS[plan].rate_limit_rules} of {wanted} limits"
    remedy = larger_plan(lambda other: other.rate_limit_rules >= wanted)
    return [
        {"name": f"rate-limit-{limit.name}", "what": _sentence(limit), "why": f"{why}; {remedy}"}
        for limit in limits(stack).left_out
    ]


def _sentence(limit: RateLimit) -> str:
    return f"at most {limit.requests} requests in {limit.period_seconds} s for {', '.join(limit.paths)}"


def _rule(stack: Stack, limit: RateLimit) -> cloudflare.RulesetRuleArgs:
    return cloudflare.RulesetRuleArgs(
        ref=f"rate-limit-{limit.name}",
        description=f"From one address {_sentence(limit)}",
        expression=expression(limit, [stack.host(label) for label in limit.hosts]),
        action="block",
        enabled=True,
        ratelimit=cloudflare.RulesetRuleRatelimitArgs(
            characteristics=COUNTED_BY,
            period=limit.period_seconds,
            requests_per_period=limit.requests,
            mitigation_timeout=mitigation(limit, PLANS[stack.settings.zone_plan]),
        ),
    )
