"""Custom and managed rules of the firewall, and what they skip."""

from typing import Any

import pytest

from tests.rehearsal.twins.declared import block, limit
from tests.rehearsal.twins.edge_world import APP, World

FREE_RULESET = "77454fe2d30c4220b5701f6fdfb893ba"


def skipping(expression: str, **parameters: Any) -> dict[str, Any]:
    return {"ref": "s", "expression": expression, "action": "skip", "actionParameters": parameters}


def executing(**parameters: Any) -> dict[str, Any]:
    parameters = {"id": FREE_RULESET, **parameters}
    return {"ref": "m", "expression": "true", "action": "execute", "actionParameters": parameters}


def test_under_attack_everybody_is_challenged_but_for_what_a_rule_spares(world: World):
    world.declared.setting("security_level", "under_attack")
    spared = skipping('http.request.uri.path eq "/auth/hook"', products=["securityLevel"])
    world.declared.ruleset("http_request_firewall_custom", spared)
    challenged = world.get(f"https://{APP}/")
    assert (challenged.status_code, challenged.headers["cf-mitigated"]) == (403, "challenge")
    assert world.get(f"https://{APP}/auth/hook").status_code == 200
    rule = {"ref": "c", "expression": 'http.request.uri.path eq "/about"', "action": "set_config"}
    world.declared.ruleset("http_config_settings", {**rule, "actionParameters": {"securityLevel": "medium"}})
    assert world.get(f"https://{APP}/about").status_code == 200


def test_a_custom_rule_skips_the_phases_that_it_names_and_no_others(world: World):
    world.declared.ruleset(
        "http_request_firewall_custom",
        skipping('http.request.uri.path eq "/auth/hook"', phases=["http_ratelimit"]),
        block('http.user_agent eq "bad"'),
    )
    world.declared.ruleset("http_ratelimit", limit("/auth/", 1))
    assert [world.get(f"https://{APP}/auth/hook").status_code for _ in range(3)] == [200, 200, 200]
    assert [world.get(f"https://{APP}/auth/login").status_code for _ in range(2)] == [200, 429]
    assert world.get(f"https://{APP}/auth/hook", headers={"user-agent": "bad"}).status_code == 403


def test_what_the_firewall_does_is_recorded_unless_a_skip_rule_says_otherwise(world: World):
    quiet = {**skipping('http.request.uri.path eq "/a"', ruleset="current"), "ref": "quiet"}
    loud = {**skipping('http.request.uri.path eq "/b"', ruleset="current"), "ref": "loud"}
    world.declared.ruleset("http_request_firewall_custom", {**quiet, "logging": {"enabled": False}}, loud, block("ssl"))
    for path in ("/a", "/b", "/c"):
        world.get(f"https://{APP}{path}")
    found = [(event.ref, event.action, event.path) for event in world.edge.events()]
    assert found == [("loud", "skip", "/b"), ("b", "block", "/c")]


@pytest.mark.parametrize("where", ["query", "header", "body"])
def test_a_managed_ruleset_blocks_its_marker_wherever_it_is(world: World, where: str):
    world.declared.ruleset("http_request_firewall_managed", executing())
    marker, url = "launch-ready-waf-free", f"https://{APP}/auth/login"
    responses = {
        "query": lambda: world.get(f"{url}?q={marker}"),
        "header": lambda: world.get(url, headers={"x-note": f"a {marker}"}),
        "body": lambda: world.client.post(url, content=f"note={marker}"),
    }
    assert world.get(url).status_code == 200
    assert responses[where]().status_code == 403


def test_what_every_plans_managed_rules_know_is_found_however_it_is_encoded(world: World):
    world.declared.ruleset("http_request_firewall_managed", executing())
    for query in ("q=%24%7Bjndi%3Aldap%3A%2F%2F127.0.0.1%2Fa%7D", "q=${jndi:ldap://127.0.0.1/a}"):
        assert world.get(f"https://{APP}/?{query}").status_code == 403


def test_a_managed_ruleset_that_is_not_executed_blocks_nothing(world: World):
    world.declared.ruleset("http_request_firewall_managed", executing(overrides={"enabled": False}))
    for marker in ("launch-ready-waf-free", "launch-ready-waf-owasp"):
        assert world.get(f"https://{APP}/?q={marker}").status_code == 200


def test_an_exception_spares_requests_the_managed_rulesets(world: World):
    exception = skipping('http.request.uri.path eq "/pricing"', ruleset="current")
    world.declared.ruleset("http_request_firewall_managed", exception, executing())
    statuses = [
        world.get(f"https://{APP}{path}?q=launch-ready-waf-free").status_code for path in ("/pricing", "/about")
    ]
    assert statuses == [200, 403]


def test_an_exception_names_the_rulesets_that_it_spares(world: World):
    query = "?q=launch-ready-waf-free"
    spared = skipping('http.request.uri.path eq "/pricing"', rulesets=[FREE_RULESET])
    other = skipping('http.request.uri.path eq "/about"', rulesets=["efb7b8c949ac4650a09736fc376e9aee"])
    world.declared.ruleset("http_request_firewall_managed", spared, {**other, "ref": "other"}, executing())
    assert [world.get(f"https://{APP}{path}{query}").status_code for path in ("/pricing", "/about")] == [200, 403]


@pytest.mark.parametrize(("action", "status"), [("managed_challenge", 403), ("log", 200)])
def test_an_override_decides_what_a_managed_ruleset_does(world: World, action: str, status: int):
    world.declared.ruleset("http_request_firewall_managed", executing(overrides={"action": action}))
    response = world.get(f"https://{APP}/?q=launch-ready-waf-free")
    assert response.status_code == status
    assert ("cf-mitigated" in response.headers) is (action == "managed_challenge")
    assert [event.ref for event in world.edge.events()] == ["m"]


def test_a_skip_of_the_phase_leaves_later_rules_out(world: World):
    world.declared.ruleset("http_request_firewall_custom", skipping("ssl", phase="current"), block("true"))
    assert (world.get(f"https://{APP}/").status_code, world.get(f"http://{APP}/").status_code) == (200, 403)
