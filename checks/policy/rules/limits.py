"""Plan limits: what a zone's Cloudflare plan takes, so that a deployment does not end half-way.

Which plan it is says a cloudflare_zone_subscription of the zone, else the variable LAUNCH_READY_ZONE_PLAN, else it is
the free one. Sources, under developers.cloudflare.com: the availability tables of rules/, waf/custom-rules/,
waf/rate-limiting-rules/, cache/how-to/cache-rules/ and dns/manage-dns-records/.
"""

import os

from _judging import Plan, Policy, Resource

RECORD, RULESET, ZONE = "cloudflare_dns_record", "cloudflare_ruleset", "cloudflare_zone"
VARIABLE = "LAUNCH_READY_ZONE_PLAN"
_PLANS = ("free", "pro", "business", "enterprise")
_RULES = {
    "http_request_firewall_custom": (5, 20, 100, 1000),
    "http_ratelimit": (1, 2, 5, 100),
    "http_request_dynamic_redirect": (10, 25, 50, 300),
    "http_request_cache_settings": (10, 25, 50, 300),
    "http_config_settings": (10, 25, 50, 300),
    "http_request_origin": (10, 25, 50, 300),
}
# Kinds of transform rules share one quota.
_TRANSFORMS = ("http_request_transform", "http_request_late_transform", "http_response_headers_transform")
_TRANSFORM_RULES = (10, 25, 50, 300)
_RECORDS = (200, 3500, 3500, 3500)


class Rules(Policy):
    """The plan refuses one rule more than it has."""

    ID = "CKV_LR_17"
    NAME = "A ruleset has no more rules than the zone's plan takes"
    TYPES = (RULESET,)

    def concerns(self, resource: Resource) -> bool:
        """Phases with a quota."""
        return resource.get("phase") in (*_RULES, *_TRANSFORMS) and resource.get("kind") == "zone"

    def judge(self, resource: Resource) -> list[str]:
        """See Policy."""
        phase, name = str(resource.get("phase")), _plan_of(resource, resource.plan)
        shared = phase in _TRANSFORMS
        limit = (_TRANSFORM_RULES if shared else _RULES[phase])[_PLANS.index(name)]
        counted = [one for one in resource.plan.of_type(RULESET) if _shares(one, resource)] if shared else [resource]
        count = sum(len(one.blocks("rules")) for one in counted)
        return [f"{count} rules of phase {phase}; the plan {name!r} takes {limit}"] if count > limit else []


class Records(Policy):
    """The plan refuses one record more than it has."""

    ID = "CKV_LR_18"
    NAME = "A zone has no more records than its plan takes"
    TYPES = (ZONE,)

    def judge(self, resource: Resource) -> list[str]:
        """See Policy."""
        name = _plan_of(resource, resource.plan)
        count, limit = len(resource.referred_by(RECORD)), _RECORDS[_PLANS.index(name)]
        return [f"{count} records; the plan {name!r} takes {limit}"] if count > limit else []


def _shares(one: Resource, other: Resource) -> bool:
    same = one.get("zone_id") == other.get("zone_id")
    return one.get("phase") in _TRANSFORMS and same


def _plan_of(resource: Resource, plan: Plan) -> str:
    for one in plan.of_type("cloudflare_zone_subscription"):
        if one.address != resource.address and (one.references & {resource.address, *resource.references}):
            found = str(one.get("rate_plan", "id")).lower()
            return found if found in _PLANS else "free"
    given = os.environ.get(VARIABLE, "free")
    return given if given in _PLANS else "free"


for policy in (Rules, Records):
    policy()
