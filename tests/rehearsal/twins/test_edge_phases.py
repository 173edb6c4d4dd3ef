"""What phases change of requests and answers on their way."""

from typing import Any

import httpx
import pytest

from rehearsal.twins.zone import Kind
from tests.rehearsal.twins.declared import ZONE, block, redirect
from tests.rehearsal.twins.edge_world import API, APP, WWW, World, answering


def rewriting(expression: str, **uri: Any) -> dict[str, Any]:
    return {"ref": "u", "expression": expression, "action": "rewrite", "actionParameters": {"uri": uri}}


def test_a_redirect_comes_before_the_firewall(world: World):
    world.declared.ruleset("http_request_firewall_custom", block("ssl"))
    world.declared.ruleset(
        "http_request_dynamic_redirect", redirect(f'(http.host eq "{WWW}")', {"value": f"https://{ZONE}/"})
    )
    assert world.get(f"https://{WWW}/").status_code == 301
    assert world.get(f"https://{APP}/").status_code == 403


def test_the_firewall_sees_the_path_that_was_rewritten_and_the_one_that_was_asked_for(world: World):
    world.declared.ruleset(
        "http_request_transform", rewriting('http.request.uri.path eq "/old"', path={"value": "/pricing"})
    )
    assert world.get(f"https://{APP}/old").status_code == 200
    assert world.seen() == ["/pricing"]
    both = 'http.request.uri.path eq "/pricing" and raw.http.request.uri.path eq "/old"'
    world.declared.ruleset("http_request_firewall_custom", block(both))
    assert world.get(f"https://{APP}/old").status_code == 403
    assert world.get(f"https://{APP}/pricing").status_code == 200


def test_a_rewrite_computes_path_and_query(world: World):
    path = {"expression": 'concat("/about", substring(http.request.uri.path, 5, 99))'}
    query = {"value": "from=team"}
    world.declared.ruleset(
        "http_request_transform", rewriting('starts_with(http.request.uri.path, "/team")', path=path, query=query)
    )
    world.get(f"https://{APP}/team/x?a=1")
    assert world.seen() == ["/about/x?from=team"]
    asked = 'raw.http.request.uri eq "/team/x?a=1" and http.request.uri.args["from"][0] eq "team"'
    world.declared.ruleset("http_request_firewall_custom", block(asked))
    assert world.get(f"https://{APP}/team/x?a=1").status_code == 403


def test_request_headers_are_changed_on_their_way_to_the_origin(world: World):
    headers = {
        "X-Ray": {"operation": "set", "expression": "cf.ray_id"},
        "X-Fixed": {"operation": "set", "value": "yes"},
        "X-Gone": {"operation": "remove"},
    }
    rule = {"ref": "h", "expression": "true", "action": "rewrite", "actionParameters": {"headers": headers}}
    world.declared.ruleset("http_request_late_transform", rule)
    response = world.get(f"https://{APP}/", headers={"x-gone": "1", "x-fixed": "no"})
    seen = world.origin.visits()[0].headers
    assert (seen["x-ray"], seen["x-fixed"]) == (response.headers["cf-ray"], "yes")
    assert "x-gone" not in seen


def test_a_configuration_rule_sets_ssl_for_what_it_matches(world: World):
    rule = {"ref": "c", "expression": f'http.host eq "{APP}"', "action": "set_config", "actionParameters": {}}
    world.declared.ruleset("http_config_settings", {**rule, "actionParameters": {"ssl": "flexible"}})
    assert world.get(f"https://{APP}/").status_code == 308  # the app redirects plain http
    assert world.get(f"https://{ZONE}/").status_code == 200


@pytest.mark.parametrize(("operation", "values"), [("add", ["own", "ours"]), ("set", ["ours"]), ("remove", [])])
def test_a_response_header_is_added_beside_set_in_place_or_removed(world: World, serve, operation, values):
    world.origins[API] = serve(answering(200, [(b"x-a", b"own")]))
    change = {"operation": operation, **({} if operation == "remove" else {"value": "ours"})}
    rule = {"ref": "h", "expression": 'http.response.headers["x-a"][0] eq "own"', "action": "rewrite"}
    world.declared.ruleset(
        "http_response_headers_transform", {**rule, "actionParameters": {"headers": {"X-A": change}}}
    )
    assert world.get(f"https://{API}/").headers.get_list("x-a") == values


def transforming(world: World, *, request: tuple[str, ...] = (), response: tuple[str, ...] = ()) -> None:
    """Switch Managed Transforms on."""
    enabled = [[{"id": one, "enabled": True} for one in ids] for ids in (request, response)]
    inputs = {"managedRequestHeaders": enabled[0], "managedResponseHeaders": enabled[1]}
    world.declared.twin.create(Kind.TRANSFORMS, {"zoneId": world.declared.zone.id, **inputs})


@pytest.mark.parametrize("plan", ["enterprise"])
def test_managed_transforms_add_and_take_what_they_are_named_after(world: World, serve):
    world.origins[API] = serve(answering(200, [(b"x-powered-by", b"Next.js")]))
    assert world.get(f"https://{API}/").headers["x-powered-by"] == "Next.js"
    transforming(
        world, request=("add_true_client_ip_headers",), response=("remove_x-powered-by_header", "add_security_headers")
    )
    answer = world.get(f"https://{API}/")
    assert "x-powered-by" not in answer.headers
    assert (answer.headers["x-content-type-options"], answer.headers["x-frame-options"]) == ("nosniff", "SAMEORIGIN")
    world.get(f"https://{APP}/", headers={"x-rehearsal-client": "192.0.2.9"})
    assert world.origin.visits()[-1].headers["true-client-ip"] == "192.0.2.9"


def test_the_origin_is_not_told_the_visitors_address_where_a_transform_removes_it(world: World):
    transforming(world, request=("remove_visitor_ip_headers",))
    world.get(f"https://{APP}/", headers={"x-forwarded-for": "192.0.2.1", "x-real-ip": "192.0.2.1"})
    headers = world.origin.visits()[0].headers
    assert not {"cf-connecting-ip", "x-forwarded-for", "x-real-ip"} & set(headers)


@pytest.mark.parametrize(
    ("kind", "scope", "blocked", "sent"),
    [
        ("cloudflare", "incoming", True, "/a/..//%2eenv"),
        ("cloudflare", "both", True, "/.env"),
        ("rfc3986", "both", False, "//.env"),
        ("cloudflare", "none", False, "/a/..//%2eenv"),
    ],
)
def test_the_zone_decides_what_is_normalised_for_whom(world: World, kind: str, scope: str, blocked: bool, sent: str):
    zone = {"zoneId": world.declared.zone.id}
    world.declared.twin.create(Kind.NORMALIZATION, {**zone, "type": kind, "scope": scope})

    def status() -> int:
        target = {"target": b"/a/..//%2eenv"}
        return world.client.send(httpx.Request("GET", f"https://{APP}/", extensions=target)).status_code

    assert (status(), world.seen()) == (404, [sent])
    world.declared.ruleset("http_request_firewall_custom", block('http.request.uri.path eq "/.env"'))
    assert status() == (403 if blocked else 404)


def test_a_redirect_that_has_nowhere_to_lead_to_lets_the_request_pass(world: World):
    target = {"expression": 'concat("https://", http.request.headers["x-to"][0], "/")'}
    world.declared.ruleset("http_request_dynamic_redirect", redirect("true", target))
    led = world.get(f"https://{APP}/", headers={"x-to": "new.example"})
    assert (led.status_code, led.headers["location"]) == (301, "https://new.example/")
    assert world.get(f"https://{APP}/").status_code == 200


def test_a_query_goes_before_the_fragment_of_a_redirects_target(world: World):
    world.declared.ruleset("http_request_dynamic_redirect", redirect("true", {"value": "https://new.example/a?b=1#c"}))
    assert world.get(f"https://{APP}/?d=2").headers["location"] == "https://new.example/a?b=1&d=2#c"
