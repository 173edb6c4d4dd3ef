"""What Cloudflare allows on each plan, as far as the twin holds it against a zone.

Availability tables of developers.cloudflare.com: DNS records, Rules, WAF custom rules, Rate limiting rules, Cache.
This is the twin's own copy on purpose: the declaration's limits are held against it.
"""

from dataclasses import dataclass
from typing import Literal

Plan = Literal["free", "pro", "business", "enterprise"]
ORDER: tuple[Plan, ...] = ("free", "pro", "business", "enterprise")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
FREE_RULESET = "77454fe2d30c4220b5701f6fdfb893ba"
CLOUDFLARE_RULESET = "efb7b8c949ac4650a09736fc376e9aee"
OWASP_RULESET = "4814384a9e5d4991b9815dcfc25d2f1f"
DDOS_RULESET = "4d21379b4f9f4bb088e0729962c8b3cf"
_PAID_RULESETS = frozenset({FREE_RULESET, CLOUDFLARE_RULESET, OWASP_RULESET})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one plan; times in seconds. `rate_fields` and `rate_characteristics` None mean any."""

    records: int
    least_ttl: int
    rules: dict[str, int]  # phase -> rules
    lists: int  # in the account
    list_urls: int  # in all redirect lists of the account together
    healthchecks: int
    managed: frozenset[str]  # ids of the managed WAF rulesets
    log: bool  # whether a custom rule may only log
    cache_keys: bool  # custom cache keys, cache by status code
    regex: bool
    block_response: bool  # whether a WAF rule may answer with a response of its own
    rate_periods: tuple[int, ...]
    rate_mitigations: tuple[int, ...]
    rate_fields: frozenset[str] | None
    rate_characteristics: frozenset[str] | None
    rate_counting: bool  # whether a counting expression of its own is allowed
    least_edge_ttl: int


def _rules(*, each: int, custom: int, rate: int, bulk: int = 15, ddos: int = 1) -> dict[str, int]:
    return {
        "http_request_transform": each,
        "http_request_late_transform": each,
        "http_request_dynamic_redirect": each,
        "http_request_redirect": bulk,
        "http_request_cache_settings": each,
        "http_config_settings": each,
        "http_response_headers_transform": each,
        "http_request_firewall_custom": custom,
        "http_request_firewall_managed": custom,  # executes and exceptions; no limit of their own is documented
        "http_ratelimit": rate,
        "ddos_l7": ddos,
    }


_PATH = frozenset({"http.request.uri.path", "cf.client.bot", "cf.bot_management.verified_bot"})
_PRO_FIELDS = _PATH | {"http.host", "http.request.uri", "http.request.full_uri", "http.request.uri.query"}
_BUSINESS_FIELDS = _PRO_FIELDS | {"http.request.method", "ip.src", "http.user_agent"}
_ADDRESS = frozenset({"cf.colo.id", "ip.src"})
_PRO_PERIODS = (10, _MINUTE)
_BUSINESS_PERIODS = (*_PRO_PERIODS, 120, 300, 600)
_PRO_MITIGATIONS = (10, _MINUTE, 120, 300, 600, _HOUR)

LIMITS: dict[Plan, Limits] = {
    "free": Limits(
        records=200,
        least_ttl=60,
        rules=_rules(each=10, custom=5, rate=1),
        lists=5,
        list_urls=10_000,
        healthchecks=0,
        managed=frozenset({FREE_RULESET}),
        log=False,
        cache_keys=False,
        regex=False,
        block_response=False,
        rate_periods=(10,),
        rate_mitigations=(10,),
        rate_fields=_PATH,
        rate_characteristics=_ADDRESS,
        rate_counting=False,
        least_edge_ttl=2 * _HOUR,
    ),
    "pro": Limits(
        records=3500,
        least_ttl=60,
        rules=_rules(each=25, custom=20, rate=2),
        lists=5,
        list_urls=25_000,
        healthchecks=10,
        managed=_PAID_RULESETS,
        log=False,
        cache_keys=False,
        regex=False,
        block_response=True,
        rate_periods=_PRO_PERIODS,
        rate_mitigations=_PRO_MITIGATIONS,
        rate_fields=_PRO_FIELDS,
        rate_characteristics=_ADDRESS,
        rate_counting=False,
        least_edge_ttl=_HOUR,
    ),
    "business": Limits(
        records=3500,
        least_ttl=60,
        rules=_rules(each=50, custom=100, rate=5),
        lists=5,
        list_urls=50_000,
        healthchecks=50,
        managed=_PAID_RULESETS,
        log=False,
        cache_keys=False,
        regex=True,
        block_response=True,
        rate_periods=_BUSINESS_PERIODS,
        rate_mitigations=(*_PRO_MITIGATIONS, _DAY),
        rate_fields=_BUSINESS_FIELDS,
        rate_characteristics=_ADDRESS | {"cf.unique_visitor_id"},
        rate_counting=True,
        least_edge_ttl=1,
    ),
    "enterprise": Limits(
        records=3500,
        least_ttl=30,
        rules=_rules(each=300, custom=1000, rate=100, bulk=50, ddos=10),
        lists=25,
        list_urls=1_000_000,
        healthchecks=1000,
        managed=_PAID_RULESETS,
        log=True,
        cache_keys=True,
        regex=True,
        block_response=True,
        rate_periods=(*_BUSINESS_PERIODS, _HOUR),
        rate_mitigations=(*_PRO_MITIGATIONS, _DAY),
        rate_fields=None,
        rate_characteristics=None,
        rate_counting=True,
        least_edge_ttl=1,
    ),
}
