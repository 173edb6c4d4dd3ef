import pytest

from checks.probes.caching import AssetFacts
from checks.rules import caching
from tests.checks.exchanges import exchange, passes

APEX = "https://tidewriters.example"
ASSET = f"{APEX}/_next/static/app.js"
LONG = "public, max-age=31536000, immutable"


def asset(
    status: str = "HIT", control: str = LONG, code: int = 200, unnamed: str = "BYPASS", **headers: str
) -> AssetFacts:
    second = exchange(ASSET, code, cf_cache_status=status, cache_control=control, **headers)
    bare = exchange(f"{APEX}/_next/static/x", 404, cf_cache_status=unnamed)
    return AssetFacts(page=exchange(APEX), unnamed=bare, pairs=((second, second),))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (asset(), None),
        (asset("MISS"), "cf-cache-status MISS the second time"),
        (asset("DYNAMIC"), "cf-cache-status DYNAMIC"),
        (asset(control="public, max-age=14400, immutable"), "max-age=14400"),
        (asset(control="public, max-age=31536000"), "not immutable"),
        (asset(code=404), "-> 404"),
        (asset(unnamed="MISS"), None),
        (asset(unnamed="DYNAMIC"), "no cache rule covers it"),
        (asset(unnamed=""), "no cache rule covers it"),
    ],
)
def test_static(declared, facts, said):
    assert passes(caching.static(declared, facts), said)


def test_static_paths_must_be_declared(declared):
    cache = declared.edge.cache.model_copy(update={"static_paths": ()})
    bare = declared.model_copy(update={"edge": declared.edge.model_copy(update={"cache": cache})})

    assert passes(caching.static(bare, asset()), "no static path is declared")


@pytest.mark.parametrize(
    ("control", "cached", "said"),
    [
        ("no-cache", "DYNAMIC", None),
        ("private, no-store", "DYNAMIC", None),
        ("public, max-age=0, must-revalidate", "DYNAMIC", None),
        ("", "DYNAMIC", "Cache-Control (none)"),
        ("public, max-age=3600", "DYNAMIC", "browsers may keep the page"),
        ("no-cache, immutable", "DYNAMIC", "the page is immutable"),
        ("no-cache", "HIT", "cf-cache-status HIT"),
    ],
)
def test_html(declared, control, cached, said):
    assert passes(caching.html(declared, (exchange(APEX, cache_control=control, cf_cache_status=cached),)), said)


def test_a_page_that_is_not_served_fails(declared):
    assert passes(caching.html(declared, (exchange(APEX, 500, cache_control="no-cache"),)), "-> 500")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"cf_cache_status": "DYNAMIC"}, None),
        ({"cache_control": "private, no-store"}, None),
        ({"cf_cache_status": "HIT"}, "cf-cache-status HIT"),
        ({"cf_cache_status": "MISS"}, "cf-cache-status MISS"),
        ({"age": "3"}, "Age 3"),
        ({"cache_control": "public"}, "Cache-Control public"),
        ({"cache_control": "max-age=60"}, "Cache-Control max-age=60"),
        ({"cache_control": "s-maxage=60"}, "Cache-Control s-maxage=60"),
    ],
)
def test_private(declared, headers, said):
    assert passes(caching.private(declared, (exchange(f"{APEX}/v1", 403, **headers),)), said)


def test_a_page_says_to_a_session_what_it_says_to_strangers(declared):
    page, account = (
        exchange(f"{APEX}{path}", cache_control="public, max-age=0", cf_cache_status="DYNAMIC")
        for path in ("/", "/account")
    )

    assert passes(caching.private(declared, (page,)), None)
    assert passes(caching.private(declared, (account,)), "Cache-Control public")
    assert passes(caching.private(declared, (exchange(f"{APEX}/", cf_cache_status="HIT"),)), "cf-cache-status HIT")


def test_other_hosts_may_lead_elsewhere_but_not_be_kept(declared):
    moved = exchange("https://app.tidewriters.example/", 302, location="/login", cache_control="no-store")

    assert passes(caching.html(declared, (exchange(APEX, cache_control="no-cache"), moved)), None)
    assert passes(caching.html(declared, (moved,)), "-> 302")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"cf_cache_status": "DYNAMIC"}, None),
        ({}, None),
        ({"cf_cache_status": "MISS"}, "cf-cache-status MISS"),
        ({"cf_cache_status": "HIT"}, "cf-cache-status HIT"),
        ({"cf_cache_status": "BYPASS"}, "no rule of the edge leaves it out"),
        ({"cf_cache_status": "DYNAMIC", "age": "7"}, "Age 7"),
    ],
)
def test_deception(declared, headers, said):
    assert passes(caching.deception(declared, (exchange(f"{APEX}/account/x.css", **headers),)), said)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"cf_cache_status": "HIT"}, None),
        ({"cf_cache_status": "DYNAMIC", "set_cookie": "a=b"}, None),
        ({"cf_cache_status": "HIT", "set_cookie": "a=b"}, "sets a cookie from the cache"),
    ],
)
def test_cookie(declared, headers, said):
    assert passes(caching.cookie(declared, (exchange(ASSET, **headers),)), said)
