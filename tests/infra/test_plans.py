from dataclasses import fields

import pytest

from infra.plans import ORDER, PLANS, Plan, first_plan, larger_plan

# The availability tables of developers.cloudflare.com, read again by hand: limit to its value on each plan.
AVAILABLE = {
    "redirect_rules": (10, 25, 50, 300),
    "cache_rules": (10, 25, 50, 300),
    "config_rules": (10, 25, 50, 300),
    "origin_rules": (10, 25, 50, 300),
    "transform_rules": (10, 25, 50, 300),
    "firewall_rules": (5, 20, 100, 1000),
    "regex": (False, False, True, True),
    "log_action": (False, False, False, True),
    "block_response": (False, True, True, True),
    "rate_limit_rules": (1, 2, 5, 100),
    "skips_bot_rules": (False, True, True, True),
    "bulk_redirect_rules": (15, 15, 15, 50),
    "bulk_redirect_lists": (5, 5, 5, 25),
    "bulk_redirect_urls": (10_000, 25_000, 50_000, 1_000_000),
    "health_checks": (0, 10, 50, 1000),
    "min_edge_ttl": (7200, 3600, 1, 1),
    "dns_records": (200, 3500, 3500, 3500),
    "custom_cache_key": (False, False, False, True),
    "cache_by_status": (False, False, False, True),
}
LONGEST = {  # seconds: the longest period that is counted, the longest time for which an address is refused
    "rate_limit_periods": (10, 60, 600, 65_535),
    "rate_limit_mitigations": (10, 3600, 86_400, 86_400),
}


@pytest.mark.parametrize("limit", AVAILABLE)
def test_a_limit_is_what_cloudflare_documents(limit: str) -> None:
    assert tuple(getattr(PLANS[name], limit) for name in ORDER) == AVAILABLE[limit]


@pytest.mark.parametrize("limit", LONGEST)
def test_the_longest_time_is_what_cloudflare_documents(limit: str) -> None:
    assert tuple(max(getattr(PLANS[name], limit)) for name in ORDER) == LONGEST[limit]


def test_every_limit_is_held_against_the_documentation() -> None:
    elsewhere = {"rate_limit_fields", "managed_rulesets"}
    assert {field.name for field in fields(Plan)} == {*AVAILABLE, *LONGEST, *elsewhere}


@pytest.mark.parametrize(
    ("field", "plan"),
    [
        ("http.request.uri.path", "free"),
        ("cf.client.bot", "free"),
        ("http.host", "pro"),
        ("http.request.uri.query", "pro"),
        ("http.request.method", "business"),
        ("ip.src", "business"),
        ("http.user_agent", "business"),
        ("http.request.headers", "enterprise"),
    ],
)
def test_rate_limits_read_a_field_from_a_plan_on(field: str, plan: str) -> None:
    assert first_plan(lambda limits: limits.limits_by(field)) == plan


def test_a_larger_plan_never_allows_less() -> None:
    smaller = PLANS["free"]
    for larger in (PLANS[name] for name in ORDER[1:]):
        for limit, least in (("min_edge_ttl", -1), *((name, 1) for name in AVAILABLE if name != "min_edge_ttl")):
            assert least * getattr(larger, limit) >= least * getattr(smaller, limit), limit
        assert set(larger.rate_limit_periods) >= set(smaller.rate_limit_periods)
        assert set(larger.rate_limit_mitigations) >= set(smaller.rate_limit_mitigations)
        smaller = larger


def test_a_remedy_names_the_smallest_plan_that_would_do_or_says_that_there_is_none() -> None:
    assert larger_plan(lambda plan: plan.firewall_rules >= 21) == "zonePlan business allows it"
    assert larger_plan(lambda plan: plan.firewall_rules >= 1001) == "no plan allows it"
