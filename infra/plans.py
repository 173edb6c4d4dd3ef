"""What each Cloudflare plan allows, as far as this program declares it. Periods and times are in seconds.

Sources, under developers.cloudflare.com: the availability tables of Rules (rules/, with single and bulk redirects,
cache, configuration, origin and transform rules), WAF custom rules and managed rules (waf/), rate limiting rules
(waf/rate-limiting-rules/), cache rules (minimum edge TTL, custom cache keys, cache by status), DNS records
(dns/manage-dns-records/) and health checks (health-checks/).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

PlanName = Literal["free", "pro", "business", "enterprise"]
ORDER: tuple[PlanName, ...] = get_args(PlanName)  # each allows what those before it allow

MINUTE, HOUR, DAY = 60, 3600, 86_400
FREE_RULESET = "Cloudflare Managed Free Ruleset"
MANAGED_RULESET = "Cloudflare Managed Ruleset"
OWASP_RULESET = "Cloudflare OWASP Core Ruleset"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The limits of one plan; `rate_limit_fields` None means that an expression may read every field."""

    redirect_rules: int
    cache_rules: int
    config_rules: int
    origin_rules: int
    transform_rules: int
    firewall_rules: int
    regex: bool
    log_action: bool
    block_response: bool
    rate_limit_rules: int
    rate_limit_periods: tuple[int, ...]
    rate_limit_mitigations: tuple[int, ...]
    rate_limit_fields: frozenset[str] | None
    managed_rulesets: tuple[str, ...]
    skips_bot_rules: bool  # super bot fight mode is a phase that a rule may skip; plain bot fight mode is not
    bulk_redirect_rules: int
    bulk_redirect_lists: int
    bulk_redirect_urls: int
    health_checks: int
    min_edge_ttl: int
    dns_records: int
    custom_cache_key: bool
    cache_by_status: bool

    def limits_by(self, *fields: str) -> bool:
        """Whether the expression of a rate limit may read all of these."""
        return self.rate_limit_fields is None or self.rate_limit_fields.issuperset(fields)


# The path, and whether the caller is a bot that Cloudflare knows and vouches for, which has two names.
_FREE_FIELDS = frozenset({"http.request.uri.path", "cf.client.bot", "cf.bot_management.verified_bot"})
_PRO_FIELDS = _FREE_FIELDS | {"http.host", "http.request.uri", "http.request.full_uri", "http.request.uri.query"}
_BUSINESS_FIELDS = _PRO_FIELDS | {"http.request.method", "ip.src", "http.user_agent"}
_PRO_PERIODS = (10, MINUTE)
_BUSINESS_PERIODS = (*_PRO_PERIODS, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE)
_PRO_MITIGATIONS = (*_BUSINESS_PERIODS, HOUR)
_PAID_RULESETS = (MANAGED_RULESET, OWASP_RULESET)

PLANS: dict[PlanName, Plan] = {
    "free": Plan(
        redirect_rules=10,
        cache_rules=10,
        config_rules=10,
        origin_rules=10,
        transform_rules=10,
        firewall_rules=5,
        regex=False,
        log_action=False,
        block_response=False,
        rate_limit_rules=1,
        rate_limit_periods=(10,),
        rate_limit_mitigations=(10,),
        rate_limit_fields=_FREE_FIELDS,
        managed_rulesets=(FREE_RULESET,),
        skips_bot_rules=False,
        bulk_redirect_rules=15,
        bulk_redirect_lists=5,
        bulk_redirect_urls=10_000,
        health_checks=0,
        min_edge_ttl=2 * HOUR,
        dns_records=200,
        custom_cache_key=False,
        cache_by_status=False,
    ),
    "pro": Plan(
        redirect_rules=25,
        cache_rules=25,
        config_rules=25,
        origin_rules=25,
        transform_rules=25,
        firewall_rules=20,
        regex=False,
        log_action=False,
        block_response=True,
        rate_limit_rules=2,
        rate_limit_periods=_PRO_PERIODS,
        rate_limit_mitigations=_PRO_MITIGATIONS,
        rate_limit_fields=_PRO_FIELDS,
        managed_rulesets=_PAID_RULESETS,
        skips_bot_rules=True,
        bulk_redirect_rules=15,
        bulk_redirect_lists=5,
        bulk_redirect_urls=25_000,
        health_checks=10,
        min_edge_ttl=HOUR,
        dns_records=3500,
        custom_cache_key=False,
        cache_by_status=False,
    ),
    "business": Plan(
        redirect_rules=50,
        cache_rules=50,
        config_rules=50,
        origin_rules=50,
        transform_rules=50,
        firewall_rules=100,
        regex=True,
        log_action=False,
        block_response=True,
        rate_limit_rules=5,
        rate_limit_periods=_BUSINESS_PERIODS,
        rate_limit_mitigations=(*_PRO_MITIGATIONS, DAY),
        rate_limit_fields=_BUSINESS_FIELDS,
        managed_rulesets=_PAID_RULESETS,
        skips_bot_rules=True,
        bulk_redirect_rules=15,
        bulk_redirect_lists=5,
        bulk_redirect_urls=50_000,
        health_checks=50,
        min_edge_ttl=1,
        dns_records=3500,
        custom_cache_key=False,
        cache_by_status=False,
    ),
    "enterprise": Plan(
        redirect_rules=300,
        cache_rules=300,
        config_rules=300,
        origin_rules=300,
        transform_rules=300,
        firewall_rules=1000,
        regex=True,
        log_action=True,
        block_response=True,
        rate_limit_rules=100,
        rate_limit_periods=(*_BUSINESS_PERIODS, HOUR, 65_535),
        rate_limit_mitigations=(*_PRO_MITIGATIONS, DAY),
        rate_limit_fields=None,
        managed_rulesets=_PAID_RULESETS,
        skips_bot_rules=True,
        bulk_redirect_rules=50,
        bulk_redirect_lists=25,
        bulk_redirect_urls=1_000_000,
        health_checks=1000,
        min_edge_ttl=1,
        dns_records=3500,
        custom_cache_key=True,
        cache_by_status=True,
    ),
}


def first_plan(allows: Callable[[Plan], bool]) -> PlanName | None:
    """The smallest plan that allows it; None where none does."""
    return next((name for name in ORDER if allows(PLANS[name])), None)


def larger_plan(allows: Callable[[Plan], bool]) -> str:
    """What to do about a declaration that exceeds its plan, as the end of a remedy: which plan would allow it."""
    name = first_plan(allows)
    return f"zonePlan {name} allows it" if name else "no plan allows it"
