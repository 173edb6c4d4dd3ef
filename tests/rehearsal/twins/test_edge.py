import gzip
import threading
from typing import Any

import httpx
import pytest

from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.server import LOOPBACK
from tests.rehearsal.twins.declared import ZONE, block, hsts, limit, redirect
from tests.rehearsal.twins.edge_world import API, APP, WWW, World, answering


def test_a_declared_host_is_reached_by_its_name_over_tls(world: World):
    response = world.get(f"https://{APP}/pricing?a=1")
    assert response.status_code == 200
    assert "Welcome" in response.text
    assert response.headers["server"] == "cloudflare"
    assert response.headers["cf-ray"].endswith("-LCL")
    assert response.headers["cf-cache-status"] == "DYNAMIC"
    assert world.seen() == ["/pricing?a=1"]


def test_the_origin_sees_host_client_and_scheme(world: World):
    world.get(f"https://{APP}/", headers={"cf-connecting-ip": "198.51.100.1", "x-forwarded-for": "198.51.100.2"})
    headers = world.origin.visits()[0].headers
    assert headers["host"] == APP
    assert headers["cf-connecting-ip"] == "127.0.0.1"
    assert headers["x-forwarded-for"] == "198.51.100.2, 127.0.0.1"
    assert headers["x-forwarded-proto"] == "https"
    assert headers["cf-visitor"] == '{"scheme":"https"}'


def test_it_speaks_http2(world: World, authority: CertificateAuthority):
    port = world.edge.ports[443]
    with httpx.Client(verify=authority.trust(), http2=True, trust_env=False) as client:
        response = client.get(f"https://{LOOPBACK}:{port}/", headers={"host": APP}, extensions={"sni_hostname": APP})
    assert (response.http_version, response.status_code) == ("HTTP/2", 200)
    assert world.origin.visits()[0].host == APP


def test_trace_ends_at_the_edge(world: World):
    assert world.ask("TRACE", f"https://{APP}/", cookie="a=1").status_code == 405
    assert world.seen() == []


def test_a_body_reaches_the_origin_and_comes_back_byte_for_byte(world: World, serve):
    seen: list[Any] = []
    compressed = gzip.compress(b'{"a": 1}')
    world.origins[API] = serve(answering(200, [(b"content-encoding", b"gzip"), (b"x-own", b"\xe9")], compressed, seen))
    sent = b'{"id":"evt_1",  "spacing": "kept", "bytes": "\xff\x00"}'
    with world.client.stream("POST", f"https://{API}/webhooks/stripe?x=%7e", content=sent) as response:
        assert b"".join(response.iter_raw()) == compressed
        assert response.headers["content-encoding"] == "gzip"
        assert int(response.headers["content-length"]) == len(compressed)
    scope, body = seen[0]
    assert body == sent
    assert scope["raw_path"] == b"/webhooks/stripe"
    assert scope["query_string"] == b"x=%7e"


def test_the_origins_paths_are_not_rewritten(world: World):
    world.client.send(httpx.Request("GET", f"https://{APP}/", extensions={"target": b"/a/../b//c%7e"}))
    assert world.seen() == ["/a/../b//c%7e"]


def test_a_host_that_is_not_declared_leads_nowhere(world: World):
    with pytest.raises(httpx.ConnectError, match="no address"):
        world.get(f"https://missing.{ZONE}/")


def test_a_host_that_is_not_proxied_is_no_host_of_the_edge(world: World):
    world.declared.record(f"direct.{ZONE}", content="127.0.0.1")
    response = world.get(f"https://direct.{ZONE}/")
    assert (response.status_code, response.text) == (409, "error code: 1001")


def test_a_proxied_host_without_an_origin_is_a_dns_error(world: World):
    assert world.get(f"https://{API}/").status_code == 530


def test_a_redirect_keeps_path_and_query(world: World):
    target = {"expression": f'concat("https://", "{ZONE}", http.request.uri.path)'}
    world.declared.ruleset("http_request_dynamic_redirect", redirect(f'(http.host eq "{WWW}")', target))
    response = world.get(f"https://{WWW}/a/b?c=1&d=2")
    assert response.status_code == 301
    assert response.headers["location"] == f"https://{ZONE}/a/b?c=1&d=2"
    assert world.seen() == []


def test_the_first_redirect_that_matches_wins(world: World):
    first = redirect("ssl", {"value": "https://first.example/"}, statusCode=302.0)
    second = {**redirect("ssl", {"value": "https://second.example/"}), "ref": "second"}
    world.declared.ruleset("http_request_dynamic_redirect", {**second, "ref": "off", "enabled": False}, first, second)
    response = world.get(f"https://{APP}/")
    assert (response.status_code, response.headers["location"]) == (302, "https://first.example/")


def test_http_is_redirected_where_a_rule_says_so_and_blocked_where_another_does(world: World):
    target = {"expression": 'concat("https://", http.host, http.request.uri.path)'}
    world.declared.ruleset(
        "http_request_dynamic_redirect", redirect(f'(not ssl and http.host in {{"{ZONE}" "{APP}"}})', target)
    )
    world.declared.ruleset("http_request_firewall_custom", block(f'(not ssl and http.host in {{"{API}"}})'))
    redirected, refused = world.get(f"http://{APP}/x?y=1"), world.get(f"http://{API}/health")
    assert (redirected.status_code, redirected.headers["location"]) == (301, f"https://{APP}/x?y=1")
    assert refused.status_code == 403
    assert "location" not in refused.headers


def test_without_such_rules_http_reaches_the_origin(world: World, serve):
    world.origins[API] = serve(answering(200, [], b"in the clear"))
    assert world.get(f"http://{API}/").text == "in the clear"
    assert world.get(f"http://{APP}/").status_code == 308  # the app's own redirect


def test_always_use_https_redirects_every_host(world: World):
    world.declared.setting("always_use_https", "on")
    response = world.get(f"http://{API}/a?b=1")
    assert (response.status_code, response.headers["location"]) == (301, f"https://{API}/a?b=1")


@pytest.mark.parametrize("path", ["/.env", "/.env.local", "//.env", "/%2eenv", "/a/../.env", "/./.env"])
def test_a_blocked_path_is_blocked_however_it_is_spelt(world: World, path: str):
    world.declared.ruleset("http_request_firewall_custom", block('starts_with(http.request.uri.path, "/.env")'))
    request = httpx.Request("GET", f"https://{APP}/", extensions={"target": path.encode()})
    response = world.client.send(request)
    assert response.status_code == 403
    assert "cf-ray" in response.headers
    assert "cf-mitigated" not in response.headers
    assert world.get(f"https://{APP}/environment").status_code == 404


def test_a_challenge_says_that_it_is_one(world: World):
    world.declared.ruleset("http_request_firewall_custom", {**block("ssl"), "action": "managed_challenge"})
    response = world.get(f"https://{APP}/")
    assert (response.status_code, response.headers["cf-mitigated"]) == (403, "challenge")


@pytest.mark.parametrize("plan", ["enterprise"])
def test_skip_and_log_let_a_request_pass(world: World):
    world.declared.ruleset(
        "http_request_firewall_custom",
        {"ref": "log", "expression": "ssl", "action": "log"},
        {
            "ref": "skip",
            "expression": 'http.request.uri.path eq "/auth/open"',
            "action": "skip",
            "actionParameters": {"ruleset": "current", "phases": ["http_ratelimit"]},
        },
        block('starts_with(http.request.uri.path, "/auth/")'),
    )
    world.declared.ruleset("http_ratelimit", limit("/auth/", 1))
    assert [world.get(f"https://{APP}/auth/open").status_code for _ in range(3)] == [200, 200, 200]
    assert world.get(f"https://{APP}/auth/login").status_code == 403


def test_the_limit_is_reached_after_the_allowed_requests_and_ends(world: World):
    world.declared.ruleset("http_ratelimit", limit("/auth/", 3))
    assert [world.get(f"https://{APP}/auth/login").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = world.get(f"https://{APP}/auth/login")
    assert refused.headers["retry-after"] == "10"
    assert world.get(f"https://{APP}/").status_code == 200
    world.clock.now += 9
    assert world.get(f"https://{APP}/auth/login").headers["retry-after"] == "1"
    world.clock.now += 1
    assert world.get(f"https://{APP}/auth/login").status_code == 200


def test_the_limit_counts_over_a_sliding_window(world: World):
    world.declared.ruleset("http_ratelimit", limit("/auth/", 2))
    for _ in range(6):
        assert world.get(f"https://{APP}/auth/login").status_code == 200
        world.clock.now += 5


def test_the_limit_counts_each_address_apart(world: World, authority: CertificateAuthority):
    world.declared.ruleset("http_ratelimit", limit("/auth/", 1))
    assert [world.get(f"https://{APP}/auth/").status_code for _ in range(2)] == [200, 429]
    transport = httpx.HTTPTransport(verify=authority.trust(), local_address="127.0.0.2")
    with httpx.Client(transport=transport) as other:
        url = f"https://{LOOPBACK}:{world.edge.ports[443]}/auth/"
        response = other.get(url, headers={"host": APP}, extensions={"sni_hostname": APP})
    assert response.status_code == 200


def test_concurrent_requests_are_counted_one_by_one(world: World):
    world.declared.ruleset("http_ratelimit", limit("/auth/", 10))
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(world.get(f"https://{APP}/auth/").status_code))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 10 + [429] * 6


def test_head_is_answered_from_what_get_stored_without_a_body(world: World):
    url = f"https://{APP}/_next/static/a.js"
    world.get(url)
    response = world.client.head(url)
    assert (response.headers["cf-cache-status"], response.content) == ("HIT", b"")
    assert world.client.post(url).headers["cf-cache-status"] == "DYNAMIC"


def test_hsts_is_on_every_answer_over_tls_and_on_none_over_http(world: World):
    world.declared.setting("security_header", hsts(nosniff=True, preload=True))
    world.declared.ruleset("http_request_firewall_custom", block('http.request.uri.path eq "/.env"'))
    for path, status in (("/", 200), ("/.env", 403), ("/missing", 404)):
        response = world.get(f"https://{APP}{path}")
        assert response.status_code == status
        assert response.headers.get_list("strict-transport-security") == [
            "max-age=31536000; includeSubDomains; preload"
        ]
        assert response.headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in world.get(f"http://{APP}/").headers


def test_response_headers_are_transformed_by_rules(world: World):
    headers = {
        "X-Frame-Options": {"operation": "set", "value": "DENY"},
        "X-Ray": {"operation": "add", "expression": 'concat("ray-", cf.ray_id)'},
        "ETag": {"operation": "remove"},
    }
    rule = {
        "ref": "h",
        "expression": "http.response.code eq 200",
        "action": "rewrite",
        "actionParameters": {"headers": headers},
    }
    world.declared.ruleset("http_response_headers_transform", rule)
    found, missing = world.get(f"https://{APP}/"), world.get(f"https://{APP}/missing")
    assert found.headers["x-frame-options"] == "DENY"
    assert found.headers["x-ray"] == f"ray-{found.headers['cf-ray']}"
    assert "etag" not in found.headers
    assert "x-frame-options" not in missing.headers
