"""The order of phases: of two that would both end a request, the one that comes first does."""

from itertools import pairwise

import pytest

from rehearsal.twins.zone import Kind
from tests.rehearsal.twins.declared import ACCOUNT, ZONE, limit, redirect
from tests.rehearsal.twins.edge_world import APP, World

MARKER = "launch-ready-waf-free"
URL = f"https://{APP}/auth/login?q={MARKER}"


def single(world: World) -> None:
    world.declared.ruleset("http_request_dynamic_redirect", redirect("true", {"value": "https://single.example/"}))


def custom(world: World) -> None:
    rule = {"ref": "b", "expression": "true", "action": "managed_challenge"}
    world.declared.ruleset("http_request_firewall_custom", rule)


def limited(world: World) -> None:
    world.declared.ruleset("http_ratelimit", limit("/auth/", 1))


def managed(world: World) -> None:
    parameters = {"id": "77454fe2d30c4220b5701f6fdfb893ba"}
    rule = {"ref": "m", "expression": "true", "action": "execute", "actionParameters": parameters}
    world.declared.ruleset("http_request_firewall_managed", rule)


def access(world: World) -> None:
    policy = {"accountId": ACCOUNT, "name": "p", "decision": "allow", "includes": [{"emailDomain": {"domain": ZONE}}]}
    made = world.declared.twin.create(Kind.ACCESS_POLICY, policy)
    inputs = {"accountId": ACCOUNT, "type": "self_hosted", "name": "a", "domain": APP, "policies": [{"id": made.id}]}
    world.declared.twin.create(Kind.ACCESS_APPLICATION, inputs)


def bulk(world: World) -> None:
    moved = {"redirect": {"sourceUrl": f"{APP}/auth/login", "targetUrl": "https://bulk.example/"}}
    world.declared.twin.create(Kind.LIST, {"accountId": ACCOUNT, "kind": "redirect", "name": "moved", "items": [moved]})
    parameters = {"fromList": {"name": "moved", "key": "http.request.full_uri"}}
    rule = {"ref": "r", "expression": "http.request.full_uri in $moved", "action": "redirect"}
    phase = "http_request_redirect"
    inputs = {"accountId": ACCOUNT, "kind": "root", "name": phase, "phase": phase}
    world.declared.twin.create(Kind.RULESET, {**inputs, "rules": [{**rule, "actionParameters": parameters}]})


def seen(world: World) -> str:
    """Which phase ended a second request, the first one having been counted."""
    world.get(URL)
    response = world.get(URL)
    location = response.headers.get("location", "")
    if response.status_code == 403:
        return "custom" if "cf-mitigated" in response.headers else "managed"
    hosts = {"single.example": "single", "bulk.example": "bulk", "cloudflareaccess.com": "access"}
    named = next((name for host, name in hosts.items() if host in location), "origin")
    return "limited" if response.status_code == 429 else named


ORDER = {
    "single": single,
    "custom": custom,
    "limited": limited,
    "managed": managed,
    "access": access,
    "bulk": bulk,
}


@pytest.mark.parametrize(("first", "second"), list(pairwise(ORDER)))
def test_the_earlier_phase_ends_the_request(world: World, first: str, second: str):
    for name in (second, first):
        ORDER[name](world)
        assert seen(world) == name


def test_each_phase_is_tried_where_no_earlier_one_ends_the_request(world: World):
    assert seen(world) == "origin"


def test_a_configuration_rule_sees_the_path_that_was_rewritten(world: World):
    rewriting = {"ref": "u", "expression": 'http.request.uri.path eq "/old"', "action": "rewrite"}
    to_pricing = {"actionParameters": {"uri": {"path": {"value": "/pricing"}}}}
    world.declared.ruleset("http_request_transform", {**rewriting, **to_pricing})
    setting = {"ref": "c", "expression": 'http.request.uri.path eq "/pricing"', "action": "set_config"}
    world.declared.ruleset("http_config_settings", {**setting, "actionParameters": {"ssl": "flexible"}})
    assert world.get(f"https://{APP}/old").status_code == 308  # plain http to the origin, which redirects it


def test_a_redirect_sees_the_path_before_it_is_rewritten(world: World):
    rewriting = {"ref": "u", "expression": 'http.request.uri.path eq "/old"', "action": "rewrite"}
    to_pricing = {"actionParameters": {"uri": {"path": {"value": "/pricing"}}}}
    world.declared.ruleset("http_request_transform", {**rewriting, **to_pricing})
    moved = redirect('http.request.uri.path eq "/pricing"', {"value": "https://single.example/"})
    world.declared.ruleset("http_request_dynamic_redirect", moved)
    assert [world.get(f"https://{APP}{path}").status_code for path in ("/old", "/pricing")] == [200, 301]
