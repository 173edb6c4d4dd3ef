"""What of the edge reaches the resources: `tests/infra/test_edge_rules.py` has what the rules do."""

import pytest

from rehearsal.graph import Graph
from tests.infra.conftest import Deployed, deploy

SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
RULESET = "cloudflare:index/ruleset:Ruleset"
HOSTS = ("tidewriters.example", "app.tidewriters.example", "ops.tidewriters.example")


def rules(graph: Graph, name: str) -> dict[str, dict]:
    return {rule["ref"]: rule for rule in graph.get(RULESET, name).inputs["rules"]}


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
    deployed = deploy(hsts={"rung": rung, "target": "preload", "by": "2027-03-01"})
    header = deployed.inputs[SETTING, "security-header"]["value"]["strict_transport_security"]
    assert (header["max_age"], header["include_subdomains"], header["preload"]) == (max_age, subdomains, preload)
    [entry] = [entry for entry in deployed.contract["rungs"] if entry["ladder"] == "hsts"]
    reached = rung == "preload"
    assert entry == {"ladder": "hsts", "rung": rung, "target": "preload", "reached": reached, "by": "2027-03-01"}


def test_other_settings_are_declared_as_they_are_written() -> None:
    deployed = deploy(settings={"early_hints": "on", "browser_cache_ttl": 0})
    assert deployed.inputs[SETTING, "early-hints"]["value"] == "on"
    assert deployed.inputs[SETTING, "browser-cache-ttl"]["value"] == 0


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
    deployed = deploy(zonePlan="pro", rateLimits=[limit])
    [rule] = deployed.inputs[RULESET, "rate-limits"]["rules"]
    assert (rule["ratelimit"]["period"], rule["ratelimit"]["mitigationTimeout"]) == (60, 3600)
    [said] = deployed.contract["edge"]["rate_limits"]
    assert (said["hosts"], said["mitigation_seconds"]) == (["app.tidewriters.example"], 3600)


def test_every_page_says_what_browsers_may_do_with_it(graph: Graph) -> None:
    headers = rules(graph, "response-headers")["security-headers"]["actionParameters"]["headers"]
    assert {name: change["value"] for name, change in headers.items()} == {
        "x-content-type-options": "nosniff",
        "referrer-policy": "strict-origin-when-cross-origin",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), usb=()",
        "x-frame-options": "DENY",
    }
    assert {change["operation"] for change in headers.values()} == {"set"}


@pytest.mark.parametrize(
    ("rung", "header"),
    [("report-only", "content-security-policy-report-only"), ("enforce", "content-security-policy")],
)
def test_a_policy_is_reported_before_it_is_enforced(rung: str, header: str) -> None:
    deployed = deploy(csp={"rung": rung, "target": "enforce", "by": "2027-03-01"})
    found = {rule["ref"]: rule for rule in deployed.inputs[RULESET, "response-headers"]["rules"]}
    assert set(found["csp-1"]["actionParameters"]["headers"]) == {header}
    said = deployed.contract["edge"]["csp"]
    assert {(entry["host"], entry["enforced"]) for entry in said} == {(host, rung == "enforce") for host in HOSTS}


def test_a_stack_in_test_mode_is_kept_out_of_search_engines() -> None:
    keys = {"stripeApiKey": "rk_test_a", "stripeReadKey": "rk_test_b"}
    deployed = deploy(livemode=False, tenants=[], **keys)
    found = {rule["ref"]: rule for rule in deployed.inputs[RULESET, "response-headers"]["rules"]}
    assert found["noindex"]["actionParameters"]["headers"]["x-robots-tag"]["value"] == "noindex"
    assert deployed.contract["edge"]["noindex_hosts"] == list(HOSTS)


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
    deployed = deploy(cors={"origins": []})
    assert "corsConfiguration" not in deployed.inputs["aws:apigatewayv2/api:Api", "http-api"]
    assert deployed.contract["edge"]["cors"] is None
