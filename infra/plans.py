"""What each Cloudflare plan allows, as far as this program declares it.

Source: developers.cloudflare.com, the availability tables of Redirect Rules, WAF custom rules, Rate limiting rules
and Cache (minimum edge TTL). Periods and times are in seconds.
"""

from dataclasses import dataclass
from typing import Literal

PlanName = Literal["free", "pro", "business", "enterprise"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The limits of one plan."""

    redirect_rules: int
    cache_rules: int
    firewall_rules: int
    rate_limit_rules: int
    rate_limit_periods: tuple[int, ...]
    rate_limit_mitigation: int  # what this program declares: the longest wait that the shortest period deserves
    min_edge_ttl: int
    dns_records: int


_MINUTE_PERIODS = (10, 60)
PLANS: dict[PlanName, Plan] = {
    "free": Plan(
        redirect_rules=10,
        cache_rules=10,
        firewall_rules=5,
        rate_limit_rules=1,
        rate_limit_periods=(10,),
        rate_limit_mitigation=10,
        min_edge_ttl=7200,
        dns_records=200,
    ),
    "pro": Plan(
        redirect_rules=25,
        cache_rules=25,
        firewall_rules=20,
        rate_limit_rules=2,
        rate_limit_periods=_MINUTE_PERIODS,
        rate_limit_mitigation=60,
        min_edge_ttl=3600,
        dns_records=3500,
    ),
    "business": Plan(
        redirect_rules=50,
        cache_rules=50,
        firewall_rules=100,
        rate_limit_rules=5,
        rate_limit_periods=(*_MINUTE_PERIODS, 120, 300, 600),
        rate_limit_mitigation=60,
        min_edge_ttl=1,
        dns_records=3500,
    ),
    "enterprise": Plan(
        redirect_rules=300,
        cache_rules=300,
        firewall_rules=1000,
        rate_limit_rules=100,
        rate_limit_periods=(*_MINUTE_PERIODS, 120, 300, 600, 3600),
        rate_limit_mitigation=60,
        min_edge_ttl=1,
        dns_records=3500,
    ),
}
