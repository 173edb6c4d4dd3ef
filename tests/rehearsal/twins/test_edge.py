import gzip
import socket
import ssl
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from rehearsal.route import Route
from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.dns import DnsTwin
from rehearsal.twins.edge import Edge, Origin
from rehearsal.twins.origin import OriginTwin
from rehearsal.twins.server import LOOPBACK, Server
from rehearsal.twins.zone import ZoneTwin
from tests.rehearsal.twins.declared import ZONE, Declaration, block, caching, hsts, limit, redirect

APP, API, WWW = f"app.{ZONE}", f"api.{ZONE}", f"www.{ZONE}"
STATIC = caching(
    'starts_with(http.request.uri.path, "/_next/static/")', edgeTtl={"mode": "override_origin", "default": 86_400.0}
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """A declared zone with edge, DNS and the app's origin before it."""

    declared: Declaration
    edge: Edge
    dns: DnsTwin
    origin: OriginTwin
    clock: Clock
    origins: dict[str, Origin]
    ca_file: str
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Route(self.dns.port, self.edge.ports, self.ca_file).client()

    def get(self, url: str, **others: Any) -> httpx.Response:
        return self.client.get(url, **others)

    def get_anew(self, url: str) -> httpx.Response:
        """On a connection of its own, whose handshake is for this name."""
        with Route(self.dns.port, self.edge.ports, self.ca_file).client() as client:
            return client.get(url)

    def seen(self) -> list[str]:
        return [visit.target for visit in self.origin.visits()]


@pytest.fixture
def world(authority: CertificateAuthority) -> Generator[World]:
    declared, clock = Declaration(), Clock()
    declared.setting("ssl", "strict")
    for host in (ZONE, APP, API):
        declared.proxied(host)
    declared.proxied(WWW, "CNAME", ZONE)
    origins: dict[str, Origin] = {}
    with OriginTwin(authority, [ZONE, APP]) as origin, Edge(declared.twin, authority, origins, clock=clock) as edge:
        origins.update(dict.fromkeys((ZONE, APP), origin.origin))
        with DnsTwin(declared.twin) as dns:
            world = World(declared, edge, dns, origin, clock, origins, str(authority.file))
            yield world
            world.client.close()


@pytest.fixture
def serve() -> Generator[Any]:
    """Starts plain HTTP applications as origins; gives the Origin."""
    servers: list[Server] = []

    def start(app: Any) -> Origin:
        server = Server(app)
        servers.append(server)
        return Origin(http=f"http://{LOOPBACK}:{server.start()}", plain_only=True)

    yield start
    for server in servers:
        server.stop()


def answering(
    status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"", seen: list[Any] | None = None
) -> Any:
    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        request = await receive()
        if seen is not None:
            seen.append((scope, request.get("body", b"")))
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    return app


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


def test_the_certificate_covers_the_apex_and_one_label_only(world: World):
    world.declared.proxied(f"a.b.{ZONE}")
    assert world.get(f"https://{ZONE}/").status_code == 200
    with pytest.raises(httpx.ConnectError, match=r"(?i)handshake failure"):
        world.get_anew(f"https://a.b.{ZONE}/")


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


def test_static_files_are_kept_and_pages_are_not(world: World):
    world.declared.ruleset("http_request_cache_settings", STATIC)
    url = f"https://{APP}/_next/static/chunks/main.js"
    first, second = world.get(url), world.get(url)
    assert [first.headers["cf-cache-status"], second.headers["cf-cache-status"]] == ["MISS", "HIT"]
    assert second.text == first.text
    assert (second.headers["age"], second.headers["cache-control"]) == ("0", "public, max-age=31536000, immutable")
    assert [world.get(f"https://{APP}/").headers["cf-cache-status"] for _ in range(2)] == ["DYNAMIC", "DYNAMIC"]
    assert world.seen().count("/_next/static/chunks/main.js") == 1


def test_what_is_kept_expires(world: World):
    world.declared.ruleset("http_request_cache_settings", STATIC)
    url = f"https://{APP}/_next/static/a.css"
    world.get(url)
    world.clock.now += 86_399
    assert world.get(url).headers["age"] == "86399"
    world.clock.now += 1
    assert world.get(url).headers["cf-cache-status"] == "EXPIRED"
    assert world.get(url).headers["cf-cache-status"] == "HIT"


def test_host_and_query_are_part_of_what_is_kept(world: World):
    statuses = [
        world.get(url).headers["cf-cache-status"]
        for url in (
            f"https://{APP}/_next/static/a.js?v=1",
            f"https://{APP}/_next/static/a.js?v=2",
            f"https://{ZONE}/_next/static/a.js?v=1",
        )
    ]
    assert statuses == ["MISS", "MISS", "MISS"]


def test_private_pages_that_look_like_files_are_not_kept(world: World):
    for _ in range(2):
        response = world.get(f"https://{APP}/account/x.css")
        assert response.headers["cf-cache-status"] == "BYPASS"
        assert "age" not in response.headers


def test_a_cookie_is_never_kept(world: World, serve):
    headers = [(b"set-cookie", b"a=1"), (b"cache-control", b"public, max-age=600")]
    world.origins[API] = serve(answering(200, headers))
    assert world.get(f"https://{API}/x.js").headers["cf-cache-status"] == "BYPASS"
    world.declared.ruleset("http_request_cache_settings", STATIC)
    overridden = [world.get(f"https://{API}/_next/static/x.js") for _ in range(2)]
    assert [response.headers["cf-cache-status"] for response in overridden] == ["MISS", "HIT"]
    assert all("set-cookie" not in response.headers for response in overridden)


def test_what_needed_authorization_is_not_kept(world: World):
    for _ in range(2):
        response = world.get(f"https://{APP}/robots.txt", headers={"authorization": "Bearer x"})
        assert response.headers["cf-cache-status"] == "BYPASS"


@pytest.mark.parametrize(
    ("cache_control", "status", "shown"),
    [
        (b"public, max-age=60", 200, "MISS"),
        (b"max-age=0", 200, "BYPASS"),
        (b"no-cache", 200, "BYPASS"),
        (b"s-maxage=60, max-age=0", 200, "MISS"),
        (b"", 200, "MISS"),
        (b"", 404, "MISS"),
        (b"", 500, "BYPASS"),
    ],
)
def test_without_a_rule_the_origin_decides_what_is_kept(world: World, serve, cache_control, status, shown):
    headers = [(b"cache-control", cache_control)] if cache_control else []
    world.origins[API] = serve(answering(status, headers))
    assert world.get(f"https://{API}/x.png").headers["cf-cache-status"] == shown


def test_the_zones_browser_ttl_raises_what_the_origin_says_of_files(world: World, serve):
    world.origins[API] = serve(answering(200, [(b"cache-control", b"public, max-age=60")]))
    assert world.get(f"https://{API}/a.png").headers["cache-control"] == "public, max-age=14400"
    assert world.get(f"https://{API}/a").headers["cache-control"] == "public, max-age=60"
    world.declared.setting("browser_cache_ttl", 0)
    assert world.get(f"https://{API}/b.png").headers["cache-control"] == "public, max-age=60"


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


@pytest.mark.parametrize(("mode", "status"), [("strict", 526), ("full", 200)])
def test_strict_refuses_an_origin_whose_certificate_nobody_trusts(
    world: World, authority: CertificateAuthority, tmp_path, mode, status
):
    world.declared.setting("ssl", mode)
    with OriginTwin(CertificateAuthority(tmp_path), [APP], trusted=authority) as stranger:
        world.origins[APP] = stranger.origin
        assert world.get(f"https://{APP}/").status_code == status


def test_strict_refuses_an_origin_whose_certificate_is_for_another_name(world: World, authority: CertificateAuthority):
    with OriginTwin(authority, [f"other.{ZONE}"]) as other:
        world.origins[APP] = other.origin
        assert world.get(f"https://{APP}/").status_code == 526


def test_strict_over_an_origin_without_trust_is_refused(world: World):
    world.origins[APP] = Origin(https=world.origin.origin.https)
    assert world.get(f"https://{APP}/").status_code == 526


def test_flexible_over_an_origin_that_insists_on_https_loops(world: World):
    world.declared.setting("ssl", "flexible")
    response = world.get(f"https://{APP}/a")
    assert (response.status_code, response.headers["location"]) == (308, f"https://{APP}/a")


def test_ssl_off_takes_visitors_to_http(world: World):
    world.declared.setting("ssl", "off")
    response = world.get(f"https://{APP}/a?b=1")
    assert (response.status_code, response.headers["location"]) == (301, f"http://{APP}/a?b=1")


def test_an_origin_that_is_down_or_speaks_nonsense_has_cloudflares_status(
    world: World, authority: CertificateAuthority
):
    with socket.create_server((LOOPBACK, 0)) as closed:
        port = closed.getsockname()[1]
    world.origins[API] = Origin(http=f"http://{LOOPBACK}:{port}", plain_only=True)
    assert world.get(f"https://{API}/").status_code == 521
    plain = world.origin.origin.http
    assert plain is not None
    world.origins[API] = Origin(https=plain.replace("http:", "https:"), trust=authority.trust())
    assert world.get(f"https://{API}/").status_code == 525
    with nonsense() as port:
        world.origins[API] = Origin(http=f"http://{LOOPBACK}:{port}", plain_only=True)
        assert world.get(f"https://{API}/").status_code == 520


@contextmanager
def nonsense() -> Generator[int]:
    """A port that answers one request with what is no HTTP."""
    with socket.create_server((LOOPBACK, 0)) as listening:

        def talk() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"nonsense\r\n\r\n")

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


def handshake(world: World, authority: CertificateAuthority, version: ssl.TLSVersion, host: str = APP) -> str | None:
    context = authority.trust()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # or this side would refuse the old versions, and prove nothing
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = version
    with (
        socket.create_connection((LOOPBACK, world.edge.ports[443])) as raw,
        context.wrap_socket(raw, server_hostname=host) as connection,
    ):
        return connection.version()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the old versions are the point
def test_the_zone_decides_which_tls_versions_are_spoken(world: World, authority: CertificateAuthority):
    old = ssl.TLSVersion.TLSv1_1
    assert handshake(world, authority, old) == "TLSv1.1"  # Cloudflare's default takes it
    world.declared.setting("min_tls_version", "1.2")
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol version"):
        handshake(world, authority, old)
    assert handshake(world, authority, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    assert handshake(world, authority, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    world.declared.setting("tls_1_3", "off")
    assert handshake(world, authority, ssl.TLSVersion.TLSv1_3) == "TLSv1.2"


def test_before_there_is_a_zone_no_handshake_succeeds(authority: CertificateAuthority):
    with (
        Edge(ZoneTwin(), authority, {}) as edge,
        socket.create_connection((LOOPBACK, edge.ports[443])) as raw,
        pytest.raises(ssl.SSLError),
    ):
        authority.trust().wrap_socket(raw, server_hostname=APP)
