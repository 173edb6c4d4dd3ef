"""What Cloudflare allows on each plan, as far as the twin holds it against a zone.

Availability tables of developers.cloudflare.com: DNS records, Rules, WAF custom rules, Rate limiting rules, Cache.
This is the twin's own copy on purpose: the declaration's limits are held against it.
"""

from dataclasses import dataclass
from typing import Literal

Plan = Literal["free", "pro", "business", "enterprise"]
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one plan; times in seconds. `rate_fields` None means any field."""

    records: int
    least_ttl: int
    rules: dict[str, int]  # phase -> rules
    regex: bool
    block_response: bool  # whether a WAF rule may answer with a response of its own
    rate_periods: tuple[int, ...]
    rate_mitigations: tuple[int, ...]
    rate_fields: frozenset[str] | None
    least_edge_ttl: int


def _rules(*, each: int, custom: int, rate: int) -> dict[str, int]:
    return {
        "http_request_dynamic_redirect": each,
        "http_request_cache_settings": each,
        "http_response_headers_transform": each,
        "http_request_firewall_custom": custom,
        "http_ratelimit": rate,
    }


_PATH = frozenset({"http.request.uri.path"})
_PRO_FIELDS = _PATH | {"http.host", "http.request.uri", "http.request.full_uri", "http.request.uri.query"}
_BUSINESS_FIELDS = _PRO_FIELDS | {"http.request.method", "ip.src", "http.user_agent"}
_PRO_PERIODS = (10, _MINUTE)
_BUSINESS_PERIODS = (*_PRO_PERIODS, 120, 300, 600)
_PRO_MITIGATIONS = (10, _MINUTE, 120, 300, 600, _HOUR)

LIMITS: dict[Plan, Limits] = {
    "free": Limits(
        records=200,
        least_ttl=60,
        rules=_rules(each=10, custom=5, rate=1),
        regex=False,
        block_response=False,
        rate_periods=(10,),
        rate_mitigations=(10,),
        rate_fields=_PATH,
        least_edge_ttl=2 * _HOUR,
    ),
    "pro": Limits(
        records=3500,
        least_ttl=60,
        rules=_rules(each=25, custom=20, rate=2),
        regex=False,
        block_response=True,
        rate_periods=_PRO_PERIODS,
        rate_mitigations=_PRO_MITIGATIONS,
        rate_fields=_PRO_FIELDS,
        least_edge_ttl=_HOUR,
    ),
    "business": Limits(
        records=3500,
        least_ttl=60,
        rules=_rules(each=50, custom=100, rate=5),
        regex=True,
        block_response=True,
        rate_periods=_BUSINESS_PERIODS,
        rate_mitigations=(*_PRO_MITIGATIONS, _DAY),
        rate_fields=_BUSINESS_FIELDS,
        least_edge_ttl=1,
    ),
    "enterprise": Limits(
        records=3500,
        least_ttl=30,
        rules=_rules(each=300, custom=1000, rate=100),
        regex=True,
        block_response=True,
        rate_periods=(*_BUSINESS_PERIODS, _HOUR),
        rate_mitigations=(*_PRO_MITIGATIONS, _DAY),
        rate_fields=None,
        least_edge_ttl=1,
    ),
}
