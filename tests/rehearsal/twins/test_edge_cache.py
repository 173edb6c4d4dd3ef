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


def test_what_is_kept_expires(world: World, serve):
    world.origins[API] = serve(answering(200, []))
    world.declared.ruleset("http_request_cache_settings", STATIC)
    url = f"https://{API}/_next/static/a.css"
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


def test_what_expired_is_asked_about_and_served_when_it_has_not_changed(world: World):
    world.declared.ruleset("http_request_cache_settings", STATIC)
    url = f"https://{APP}/_next/static/a.css"
    first = world.get(url)
    world.clock.now += 86_400
    again = world.get(url)
    assert (again.headers["cf-cache-status"], again.text) == ("REVALIDATED", first.text)
    assert world.origin.visits()[-1].headers["if-none-match"] == first.headers["etag"]
    assert world.get(url).headers["cf-cache-status"] == "HIT"


def test_a_visitor_who_has_what_is_kept_is_told_so(world: World):
    world.declared.ruleset("http_request_cache_settings", STATIC)
    url = f"https://{APP}/_next/static/a.css"
    tag = world.get(url).headers["etag"]
    again = world.get(url, headers={"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["cf-cache-status"]) == (304, b"", "HIT")
    assert len(world.seen()) == 1


def test_a_rule_for_sessions_keeps_the_cache_out(world: World):
    everything = {**STATIC, "ref": "all", "expression": f'http.host eq "{APP}"'}
    never = {
        **caching('http.cookie contains "__Host-session="', cache=False),
        "ref": "never",
    }
    world.declared.ruleset("http_request_cache_settings", everything, never)
    url, session = f"https://{APP}/pricing", {"cookie": "__Host-session=rehearsal"}
    assert [world.get(url).headers["cf-cache-status"] for _ in range(2)] == ["MISS", "HIT"]
    theirs = [world.get(url, headers=session) for _ in range(2)]
    assert [one.headers["cf-cache-status"] for one in theirs] == ["DYNAMIC", "DYNAMIC"]
    assert all("Welcome back" in one.text for one in theirs)
    assert "Welcome back" not in world.get(url).text


@pytest.mark.parametrize(
    ("path", "content_type", "armored", "shown"),
    [
        ("/account/x.css", "text/html", True, "BYPASS"),
        ("/account/x.css", "text/html", False, "MISS"),
        ("/a.css", "text/css; charset=utf-8", True, "MISS"),
        ("/a.js", "application/javascript", True, "MISS"),
        ("/a.jpg", "image/webp", True, "MISS"),
        ("/a.gif", "video/webm", True, "MISS"),
        ("/a.pdf", "application/octet-stream", True, "MISS"),
        ("/a.pdf", "text/html", True, "BYPASS"),
    ],
)
def test_cache_deception_armor_holds_names_against_contents(world: World, serve, path, content_type, armored, shown):
    world.origins[API] = serve(answering(200, [(b"content-type", content_type.encode())]))
    world.declared.ruleset("http_request_cache_settings", caching("true", cacheKey={"cacheDeceptionArmor": armored}))
    assert world.get(f"https://{API}{path}").headers["cf-cache-status"] == shown


@pytest.mark.parametrize(
    ("ttl", "told"),
    [
        ({"mode": "respect_origin"}, "public, max-age=60"),
        ({"mode": "override_origin", "default": 3600.0}, "max-age=3600"),
        ({"mode": "bypass"}, "max-age=0"),
    ],
)
def test_a_rule_decides_what_browsers_are_told(world: World, serve, ttl, told):
    world.origins[API] = serve(answering(200, [(b"cache-control", b"public, max-age=60")]))
    world.declared.ruleset("http_request_cache_settings", caching("true", browserTtl=ttl))
    assert world.get(f"https://{API}/a.png").headers["cache-control"] == told


def test_what_the_origin_does_not_ask_for_is_not_kept_where_a_rule_says_so(world: World, serve):
    world.declared.ruleset("http_request_cache_settings", caching("true", edgeTtl={"mode": "bypass_by_default"}))
    world.origins[API] = serve(answering(200, []))
    assert world.get(f"https://{API}/a.png").headers["cf-cache-status"] == "BYPASS"
    world.origins[API] = serve(answering(200, [(b"cache-control", b"max-age=60")]))
    assert world.get(f"https://{API}/b.png").headers["cf-cache-status"] == "MISS"


def test_the_order_of_arguments_may_be_no_difference(world: World, serve):
    world.origins[API] = serve(answering(200, []))
    rule = caching("true", cacheKey={"ignoreQueryStringsOrder": True})
    world.declared.ruleset("http_request_cache_settings", rule)
    urls = [f"https://{API}/a.png?{query}" for query in ("a=1&b=2", "b=2&a=1", "b=2&a=2")]
    assert [world.get(url).headers["cf-cache-status"] for url in urls] == ["MISS", "HIT", "MISS"]


@pytest.mark.parametrize("plan", ["enterprise"])
def test_a_rule_may_say_by_status_how_long_an_answer_is_kept(world: World, serve):
    spans = [
        {"statusCodeRange": {"from": 200.0, "to": 299.0}, "value": 600.0},
        {"statusCode": 404.0, "value": 0.0},
    ]
    ttl = {"mode": "respect_origin", "statusCodeTtls": spans}
    world.declared.ruleset("http_request_cache_settings", caching("true", edgeTtl=ttl))
    world.origins[API] = serve(answering(203, [(b"cache-control", b"no-store")]))
    assert [world.get(f"https://{API}/a").headers["cf-cache-status"] for _ in range(2)] == ["MISS", "HIT"]
    world.clock.now += 600
    assert world.get(f"https://{API}/a").headers["cf-cache-status"] == "EXPIRED"
    world.origins[API] = serve(answering(404, []))
    assert world.get(f"https://{API}/b").headers["cf-cache-status"] == "BYPASS"
