"""What of the edge reaches the resources and the contract: `tests/infra/test_edge_rules.py` has what the rules do."""

from typing import Any

import pulumi_cloudflare as cloudflare
import pytest

from infra.edge.contract import edge, rungs
from infra.edge.phases import Phase
from infra.edge.zone_rules import zone_rules
from infra.edge.zone_settings import zone_settings
from infra.settings import Stack
from rehearsal.graph import Graph
from tests.infra.conftest import Deployed
from tests.infra.test_config import loaded

SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
RULESET = "cloudflare:index/ruleset:Ruleset"
HOSTS = ("tidewriters.example", "app.tidewriters.example", "ops.tidewriters.example")


def rules(graph: Graph, name: str) -> dict[str, dict]:
    return {rule["ref"]: rule for rule in graph.get(RULESET, name).inputs["rules"]}


def declared(**changes: Any) -> Stack:
    return loaded(**changes)


def rule(stack: Stack, phase: Phase, ref: str) -> cloudflare.RulesetRuleArgs:
    [found] = [rule for rule in zone_rules(stack)[phase] if rule.ref == ref]
    return found


def headers(stack: Stack, ref: str) -> dict[str, Any]:
    parameters = rule(stack, "http_response_headers_transform", ref).action_parameters
    assert isinstance(parameters, cloudflare.RulesetRuleActionParametersArgs)
    assert isinstance(parameters.headers, dict)
    return parameters.headers


def test_the_settings_are_these(graph: Graph) -> None:
    found = {setting.inputs["settingId"]: setting.inputs["value"] for setting in graph.of_type(SETTING)}
    header = {"enabled": True, "max_age": 31536000, "include_subdomains": True, "preload": False, "nosniff": True}
    found.pop("tls_client_auth", None)  # belongs to the origin's certificate
    assert found == {
        "ssl": "strict",
        "min_tls_version": "1.2",
        "tls_1_3": "on",
        "always_use_https": "off",
        "security_header": {"strict_transport_security": header},
    }


@pytest.mark.parametrize(
    ("rung", "max_age", "subdomains", "preload"),
    [
        ("minutes", 300, False, False),
        ("week", 604800, False, False),
        ("month", 2592000, False, False),
        ("year", 31536000, True, False),
        ("preload", 63072000, True, True),
    ],
)
def test_hsts_climbs_in_steps(rung: str, max_age: int, subdomains: bool, preload: bool) -> None:
    stack = declared(hsts={"rung": rung, "target": "preload", "by": "2027-03-01"})
    header = zone_settings(stack)["security_header"]["strict_transport_security"]
    assert (header["max_age"], header["include_subdomains"], header["preload"]) == (max_age, subdomains, preload)
    [entry] = [entry for entry in rungs(stack) if entry["ladder"] == "hsts"]
    reached = rung == "preload"
    assert entry == {"ladder": "hsts", "rung": rung, "target": "preload", "reached": reached, "by": "2027-03-01"}


def test_other_settings_are_declared_as_they_are_written() -> None:
    found = zone_settings(declared(settings={"early_hints": "on", "browser_cache_ttl": 0}))
    assert (found["early_hints"], found["browser_cache_ttl"]) == ("on", 0)


def test_each_phase_has_one_ruleset(graph: Graph) -> None:
    zone = graph.get("cloudflare:index/zone:Zone", "zone")
    ours = [ruleset for ruleset in graph.of_type(RULESET) if zone.urn in str(ruleset.dependencies)]
    phases = [ruleset.inputs["phase"] for ruleset in ours]
    assert len(set(phases)) == len(phases)
    assert {"http_request_firewall_custom", "http_ratelimit", "http_response_headers_transform"} <= set(phases)


def test_static_files_are_kept_as_long_as_declared_and_by_browsers_as_long_as_the_origin_says(graph: Graph) -> None:
    assert rules(graph, "cache")["static-files"]["actionParameters"] == {
        "cache": True,
        "edgeTtl": {"mode": "override_origin", "default": 86400},
        "browserTtl": {"mode": "respect_origin"},
        "cacheKey": {"cacheDeceptionArmor": True},
    }
    assert rules(graph, "cache")["never-cached"]["actionParameters"] == {"cache": False}


def test_the_rate_limit_is_what_the_free_plan_can_count(graph: Graph) -> None:
    rule = rules(graph, "rate-limits")["rate-limit-sign-in"]
    assert rule["expression"] == '(starts_with(http.request.uri.path, "/auth/"))'
    assert rule["ratelimit"] == {
        "characteristics": ["ip.src", "cf.colo.id"],
        "period": 10,
        "requestsPerPeriod": 20,
        "mitigationTimeout": 10,
    }


def test_a_longer_wait_is_declared_where_the_plan_has_it() -> None:
    limit = {"name": "sign-in", "paths": ["/auth/"], "hosts": ["app"], "periodSeconds": 60, "mitigationSeconds": 3600}
    stack = declared(zonePlan="pro", rateLimits=[limit])
    counted = rule(stack, "http_ratelimit", "rate-limit-sign-in").ratelimit
    assert isinstance(counted, cloudflare.RulesetRuleRatelimitArgs)
    assert (counted.period, counted.mitigation_timeout) == (60, 3600)
    [said] = edge(stack)["rate_limits"]
    assert (said["hosts"], said["mitigation_seconds"]) == (["app.tidewriters.example"], 3600)


def test_every_page_says_what_browsers_may_do_with_it(graph: Graph) -> None:
    changes = rules(graph, "response-headers")["security-headers"]["actionParameters"]["headers"]
    assert {name: change["value"] for name, change in changes.items()} == {
        "x-content-type-options": "nosniff",
        "referrer-policy": "strict-origin-when-cross-origin",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), usb=()",
        "x-frame-options": "DENY",
    }
    assert {change["operation"] for change in changes.values()} == {"set"}


@pytest.mark.parametrize(
    ("rung", "header"),
    [("report-only", "content-security-policy-report-only"), ("enforce", "content-security-policy")],
)
def test_a_policy_is_reported_before_it_is_enforced(rung: str, header: str) -> None:
    stack = declared(csp={"rung": rung, "target": "enforce", "by": "2027-03-01"})
    assert set(headers(stack, "csp-1")) == {header}
    assert {(entry["host"], entry["enforced"]) for entry in edge(stack)["csp"]} == {
        (host, rung == "enforce") for host in HOSTS
    }


def test_a_stack_in_test_mode_is_kept_out_of_search_engines() -> None:
    keys = {"stripeApiKey": "rk_test_a", "stripeReadKey": "rk_test_b"}
    stack = declared(livemode=False, **keys)
    assert headers(stack, "noindex")["x-robots-tag"].value == "noindex"
    assert edge(stack)["noindex_hosts"] == list(HOSTS)


def test_the_api_takes_calls_from_the_apps_own_pages_and_never_with_cookies(deployed: Deployed) -> None:
    cors = deployed.inputs["aws:apigatewayv2/api:Api", "http-api"]["corsConfiguration"]
    assert cors == {
        "allowCredentials": False,
        "allowOrigins": ["https://tidewriters.example", "https://app.tidewriters.example"],
        "allowMethods": ["GET", "POST"],
        "allowHeaders": ["authorization", "content-type"],
        "maxAge": 600,
    }
    assert deployed.contract["edge"]["cors"]["origins"] == cors["allowOrigins"]


def test_an_api_that_no_page_calls_answers_no_preflight() -> None:
    stack = declared(cors={"origins": []})
    assert stack.cors_origins == ()
    assert edge(stack)["cors"] is None
