import pytest

from tests.rehearsal.twins.declared import ZONE, caching
from tests.rehearsal.twins.edge_world import API, APP, World, answering

STATIC = caching(
    'starts_with(http.request.uri.path, "/_next/static/")', edgeTtl={"mode": "override_origin", "default": 86_400.0}
)


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
