"""The order of phases, and what each does that changes or ends a request."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.twins.edge.bulk_redirects import Index
from rehearsal.twins.rules import Request
from rehearsal.twins.zone import Kind, RedirectItem
from tests.rehearsal.twins.declared import ACCOUNT, ZONE, block, limit, redirect
from tests.rehearsal.twins.edge_world import API, APP, WWW, World, answering

FREE_RULESET = "77454fe2d30c4220b5701f6fdfb893ba"


def rewriting(expression: str, **uri: Any) -> dict[str, Any]:
    return {"ref": "u", "expression": expression, "action": "rewrite", "actionParameters": {"uri": uri}}


def skipping(expression: str, **parameters: Any) -> dict[str, Any]:
    return {"ref": "s", "expression": expression, "action": "skip", "actionParameters": parameters}


def executing(**parameters: Any) -> dict[str, Any]:
    parameters = {"id": FREE_RULESET, **parameters}
    return {"ref": "m", "expression": "true", "action": "execute", "actionParameters": parameters}


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


def bulk(world: World, *items: dict[str, Any]) -> None:
    """Bulk redirects from and to whole URLs."""
    redirects = [{"redirect": item} for item in items]
    world.declared.twin.create(
        Kind.LIST, {"accountId": ACCOUNT, "kind": "redirect", "name": "moved", "items": redirects}
    )
    rule = {
        "ref": "moved",
        "expression": "http.request.full_uri in $moved",
        "action": "redirect",
        "actionParameters": {"fromList": {"name": "moved", "key": "http.request.full_uri"}},
    }
    phase = "http_request_redirect"
    inputs = {"accountId": ACCOUNT, "kind": "root", "name": phase, "phase": phase, "rules": [rule]}
    world.declared.twin.create(Kind.RULESET, inputs)


def test_bulk_redirects_match_exactly_unless_told_otherwise(world: World):
    bulk(world, {"sourceUrl": f"{APP}/a", "targetUrl": "https://new.example/b?x=1", "statusCode": 302.0})
    response = world.get(f"https://{APP}/a?q=1")
    assert (response.status_code, response.headers["location"]) == (302, "https://new.example/b?x=1")
    assert [world.get(f"https://{APP}{path}").status_code for path in ("/a/b", "/A", "/")] == [404, 404, 200]
    assert world.get(f"https://{ZONE}/a").status_code == 404


def test_bulk_redirects_take_subpaths_subdomains_and_queries_along(world: World):
    switches = {"subpathMatching": True, "preservePathSuffix": True, "includeSubdomains": True}
    bulk(
        world,
        {"sourceUrl": f"{ZONE}/blog", "targetUrl": "https://new.example/b", **switches, "preserveQueryString": True},
    )
    locations = [
        world.get(f"https://{APP}{path}").headers.get("location")
        for path in ("/blog", "/blog/x/y?q=1", "/blogger", "/blog/")
    ]
    assert locations == ["https://new.example/b", "https://new.example/b/x/y?q=1", None, "https://new.example/b"]


def test_the_most_specific_bulk_redirect_wins(world: World):
    below = {"subpathMatching": True, "preservePathSuffix": False}
    bulk(
        world,
        {"sourceUrl": f"{ZONE}/", "targetUrl": "https://new.example/any", "includeSubdomains": True, **below},
        {"sourceUrl": f"{APP}/", "targetUrl": "https://new.example/app", **below},
        {"sourceUrl": f"https://{APP}/", "targetUrl": "https://new.example/tls", **below},
        {"sourceUrl": f"{ZONE}/a", "targetUrl": "https://new.example/a", "includeSubdomains": True, **below},
    )
    asked = [f"https://{ZONE}/x", f"http://{APP}/x", f"https://{APP}/x", f"https://{APP}/a/x"]
    assert [world.get(url).headers["location"].rpartition("/")[2] for url in asked] == ["any", "app", "tls", "a"]


def test_bulk_redirects_come_after_the_firewall(world: World):
    bulk(world, {"sourceUrl": f"{APP}/a", "targetUrl": "https://new.example/"})
    world.declared.ruleset("http_request_firewall_custom", block('http.request.uri.path eq "/a"'))
    assert world.get(f"https://{APP}/a").status_code == 403


hosts = st.sampled_from(["a.example", "b.a.example", "c.b.a.example", "xa.example"])
paths = st.lists(st.sampled_from(["x", "y", ""]), max_size=3).map(lambda parts: "/" + "/".join(parts))
items = st.builds(
    RedirectItem,
    source_url=st.tuples(st.sampled_from(["", "http://", "https://"]), hosts, paths).map("".join),
    target_url=st.just("https://new.example/"),
    status_code=st.just(301),
    include_subdomains=st.booleans(),
    subpath_matching=st.booleans(),
    preserve_query_string=st.just(False),
    preserve_path_suffix=st.just(False),
)


def covers(item: RedirectItem, scheme: str, host: str, path: str) -> tuple[int, bool, int, bool] | None:
    """How specifically an entry covers a request, read off its URL; None where it does not."""
    own_scheme, _, rest = item.source_url.rpartition("://")
    own_host, _, own_path = rest.partition("/")
    own_path = f"/{own_path}"
    named = host == own_host or (item.include_subdomains and host.endswith(f".{own_host}"))
    placed = path == own_path or (item.subpath_matching and path.startswith(own_path.rstrip("/") + "/"))
    if own_scheme not in ("", scheme) or not named or not placed:
        return None
    return len(own_path), host == own_host, len(own_host), bool(own_scheme)


@given(st.lists(items, max_size=12, unique_by=lambda item: item.source_url), hosts, paths)
def test_an_index_finds_what_looking_at_every_entry_finds(listed: list[RedirectItem], host: str, path: str):
    request = Request(method="GET", scheme="https", host=host, path=path, raw_path=path)
    covering = {item.source_url: weight for item in listed if (weight := covers(item, "https", host, path))}
    found = Index(listed).find(request)
    assert (found.source_url if found else None) == max(covering, key=covering.__getitem__, default=None)


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


def test_a_redirect_that_has_nowhere_to_lead_to_lets_the_request_pass(world: World):
    target = {"expression": 'concat("https://", http.request.headers["x-to"][0], "/")'}
    world.declared.ruleset("http_request_dynamic_redirect", redirect("true", target))
    led = world.get(f"https://{APP}/", headers={"x-to": "new.example"})
    assert (led.status_code, led.headers["location"]) == (301, "https://new.example/")
    assert world.get(f"https://{APP}/").status_code == 200


def test_a_query_goes_before_the_fragment_of_a_redirects_target(world: World):
    world.declared.ruleset("http_request_dynamic_redirect", redirect("true", {"value": "https://new.example/a?b=1#c"}))
    assert world.get(f"https://{APP}/?d=2").headers["location"] == "https://new.example/a?b=1&d=2#c"
