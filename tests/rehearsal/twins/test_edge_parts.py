"""Parts of the edge that need no connection, and the app's origin behind it."""

from collections.abc import Generator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.twins.ca import CertificateAuthority, universal_names
from rehearsal.twins.edge import Edge, app
from rehearsal.twins.edge.exchange import Exchange
from rehearsal.twins.edge.normalise import normalised
from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.edge.rate_limits import RateLimits
from rehearsal.twins.origin import OriginTwin
from rehearsal.twins.rules import Request
from rehearsal.twins.server import LOOPBACK
from rehearsal.twins.zone import ZoneTwin
from rehearsal.twins.zone.plans import Plan
from tests.rehearsal.twins.declared import ZONE, Declaration, limit
from tests.rehearsal.twins.edge_world import World

APP = f"app.{ZONE}"


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/", "/"),
        ("/a/./b/../c", "/a/c"),
        ("/../../a", "/a"),
        ("/a/..", "/"),
        ("/a/.", "/a/"),
        ("//a///b", "/a/b"),
        ("/a\\b", "/a/b"),
        ("/%2eenv", "/.env"),
        ("/%2E%2e/a", "/a"),
        ("/%7euser%2Fa%2f", "/~user%2Fa%2F"),
        ("/%41", "/A"),
        ("/%zz", "/%zz"),
        ("", "/"),
    ],
)
def test_a_path_is_normalised_as_documented(path: str, normal: str):
    assert normalised(path) == normal


@given(st.text(st.sampled_from("/.%2eE\\aA~-5c"), max_size=20).map(lambda rest: "/" + rest))
def test_a_normal_path_has_no_dots_or_double_slashes_left(path: str):
    normal = normalised(path)
    assert normal.startswith("/")
    assert not {"..", "."} & set(normal.split("/"))
    assert "//" not in normal
    assert "\\" not in normal


def exchange(path: str = "/auth/", client: str = "192.0.2.1") -> Exchange:
    request = Request(method="GET", scheme="https", host=APP, path=path, raw_path=path, client=client)
    return Exchange.of(request, b"", APP)


def passage(rule: dict[str, Any], plan: Plan = "free") -> Passage:
    declared = Declaration(plan)
    declared.ruleset("http_ratelimit", rule)
    zone = declared.twin.zone_for(APP)
    assert zone is not None
    return Passage(zone=zone, exchange=exchange(), record=lambda event: None)


AUTH = passage(limit("/auth/", 3))


@given(st.lists(st.floats(0, 4, allow_nan=False), max_size=40))
@settings(deadline=None)
def test_no_client_ever_passes_more_often_than_the_rule_allows_in_its_period(pauses: list[float]):
    now = [0.0]
    limits, passed = RateLimits(lambda: now[0]), []
    for pause in pauses:
        now[0] += pause
        if limits.check(AUTH) is None:
            passed.append(now[0])
    assert all(sum(at - 10 < other <= at for other in passed) <= 3 for at in passed)


@given(st.integers(1, 30))
@settings(deadline=None)
def test_slow_clients_are_never_refused(count: int):
    now = [0.0]
    limits = RateLimits(lambda: now[0])
    for _ in range(count):
        assert limits.check(AUTH) is None
        now[0] += 10 / 3 + 0.001


def test_a_rule_that_only_logs_refuses_nobody():
    limits, logged = RateLimits(lambda: 0.0), passage(limit("/auth/", 1, action="log"), "enterprise")
    assert [limits.check(logged) for _ in range(5)] == [None] * 5


def test_a_body_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch, authority: CertificateAuthority):
    monkeypatch.setattr(app, "_MOST_BODY_OCTETS", 1000)
    declared = Declaration()
    declared.proxied(APP)
    with Edge(declared.twin, authority, {}) as edge:
        url = f"http://{LOOPBACK}:{edge.ports[80]}/"
        statuses = [
            httpx.post(url, content=b"x" * size, headers={"host": APP}, trust_env=False).status_code
            for size in (1000, 1001)
        ]
    assert statuses == [530, 413]


@pytest.fixture
def origin(authority: CertificateAuthority) -> Generator[OriginTwin]:
    with OriginTwin(authority, [APP]) as origin:
        yield origin


def ask(origin: OriginTwin, authority: CertificateAuthority, method: str, path: str) -> httpx.Response:
    base = origin.origin.https
    with httpx.Client(verify=authority.trust(), trust_env=False) as client:
        return client.request(method, f"{base}{path}", headers={"host": APP}, extensions={"sni_hostname": APP})


@pytest.mark.parametrize(
    ("method", "path", "status", "cache_control"),
    [
        ("GET", "/", 200, "public, max-age=0, must-revalidate"),
        ("HEAD", "/pricing", 200, "public, max-age=0, must-revalidate"),
        ("GET", "/_next/static/chunks/a.js", 200, "public, max-age=31536000, immutable"),
        ("GET", "/_next/static/nothing", 404, "private, no-store"),
        ("GET", "/auth/login", 200, "private, no-store"),
        ("POST", "/auth/login", 401, "private, no-store"),
        ("GET", "/account/x.css", 200, "private, no-store"),
        ("GET", "/api/status", 200, "private, no-store"),
        ("GET", "/api/nothing", 404, "private, no-store"),
        ("GET", "/.env", 404, "private, no-store"),
        ("GET", "/launch-ready-broken", 500, "private, no-store"),
        ("TRACE", "/", 405, "private, no-store"),
        ("DELETE", "/pricing", 405, "private, no-store"),
    ],
)
def test_the_origin_says_what_may_be_kept(origin, authority, method, path, status, cache_control):
    response = ask(origin, authority, method, path)
    assert (response.status_code, response.headers["cache-control"]) == (status, cache_control)
    assert (response.content == b"") == (method == "HEAD")


def test_a_page_that_the_visitor_has_is_not_sent_again(world: World):
    tag = world.get(f"https://{APP}/").headers["etag"]
    again = world.get(f"https://{APP}/", headers={"if-none-match": f'W/"x", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["cache-control"] == "public, max-age=0, must-revalidate"


def test_who_is_signed_in_sees_a_page_that_nobody_else_may_keep(world: World):
    session = world.get(f"https://{APP}/auth/login").headers["set-cookie"].partition(";")[0]
    theirs, nobodys = (world.get(f"https://{APP}/", headers={"cookie": one}) for one in (session, "__Host-session=x"))
    assert ("Welcome back" in theirs.text, theirs.headers["cache-control"]) == (True, "private, no-store")
    assert "Welcome back" not in nobodys.text


def test_an_error_says_nothing_of_the_code(origin: OriginTwin, authority: CertificateAuthority):
    text = ask(origin, authority, "GET", "/launch-ready-broken").text
    assert "Something went wrong" in text
    assert not any(trace in text for trace in ("Traceback", "node_modules", "Error:", ".js:"))


def test_the_origin_gives_sessions_in_safe_cookies(origin: OriginTwin, authority: CertificateAuthority):
    cookie = ask(origin, authority, "GET", "/auth/login").headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_the_authority_covers_what_universal_ssl_covers():
    assert universal_names(ZONE) == (ZONE, f"*.{ZONE}")


def test_the_authoritys_file_holds_no_private_key(authority: CertificateAuthority):
    text = authority.file.read_text(encoding="ascii")
    assert "BEGIN CERTIFICATE" in text
    assert "PRIVATE KEY" not in text


def test_two_authorities_do_not_trust_each_other(authority: CertificateAuthority, tmp_path: Any):
    with (
        OriginTwin(CertificateAuthority(tmp_path), [APP]) as stranger,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        ask(stranger, authority, "GET", "/")


def test_a_zone_without_a_name_has_no_hosts():
    assert ZoneTwin().zone_for(APP) is None
