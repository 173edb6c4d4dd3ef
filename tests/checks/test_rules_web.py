import pytest

from checks.probes.web import AssetFacts, BurstFacts
from checks.rules import web
from tests.checks.exchanges import exchange, passes

APEX = "https://tidewriters.example"
ASSET = f"{APEX}/_next/static/app.js"
LONG = "public, max-age=31536000, immutable"


def limited(declared, **change):
    limits = (declared.edge.rate_limits[0].model_copy(update=change),) if change else ()
    return declared.model_copy(update={"edge": declared.edge.model_copy(update={"rate_limits": limits})})


@pytest.mark.parametrize(
    ("statuses", "said"),
    [([403, 404, 301], None), ([403, 200], "-> 200"), ([], "no host to visit")],
)
def test_exposed(declared, statuses, said):
    visits = tuple(exchange(f"{APEX}/.env", status, location="/") for status in statuses)

    assert passes(web.exposed(declared, visits), said)


@pytest.mark.parametrize(
    ("visits", "said"),
    [
        ([exchange(f"{APEX}/.env", 403, cf_ray="1-AMS")], None),
        ([exchange(f"{APEX}/.env", 403, cf_ray="1"), exchange("https://www.x/.env", 301, location="/")], None),
        ([exchange(f"{APEX}/.env", 404, cf_ray="1-AMS")], "-> 404"),
        ([exchange(f"{APEX}/.env", 403)], "without cf-ray"),
        ([exchange("https://www.x/.env", 301, location="/")], "nothing was refused"),
        ([], "nothing was refused"),
    ],
)
def test_waf(declared, visits, said):
    assert passes(web.waf(declared, tuple(visits)), said)


REFUSED = exchange(f"{APEX}/auth/", 429, retry_after="10")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (BurstFacts(path="/auth/", statuses=(*[404] * 20, 429), refused=REFUSED), None),
        (BurstFacts(path="/auth/", statuses=(404,) * 22, refused=None), "22 quick requests to /auth/ and none refused"),
        (BurstFacts(path="/auth/", statuses=(429,), refused=exchange(APEX, 429)), "429 without Retry-After"),
    ],
)
def test_rate(declared, facts, said):
    assert passes(web.rate(declared, facts), said)


def test_a_limit_that_is_not_declared_or_too_wide_fails(declared):
    facts = BurstFacts(path="/auth/", statuses=(404, 429), refused=REFUSED)

    assert passes(web.rate(limited(declared), facts), "no rate limit is declared")
    assert passes(web.rate(limited(declared, requests=101), facts), "101 requests are allowed, at most 100")


@pytest.mark.parametrize(
    ("refused", "after", "said"),
    [(REFUSED, 404, None), (REFUSED, 429, "-> 429"), (None, 404, "nothing was refused")],
)
def test_recovery(declared, refused, after, said):
    burst = BurstFacts(path="/auth/", statuses=(429,), refused=refused)

    assert passes(web.recovery(declared, (burst, exchange(f"{APEX}/auth/", after))), said)


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
        (asset(set_cookie="a=b"), "sets a cookie"),
        (asset(unnamed="MISS"), None),
        (asset(unnamed="DYNAMIC"), "no cache rule covers it"),
        (asset(unnamed=""), "no cache rule covers it"),
    ],
)
def test_static(declared, facts, said):
    assert passes(web.static(declared, facts), said)


def test_static_paths_must_be_declared(declared):
    cache = declared.edge.cache.model_copy(update={"static_paths": ()})
    bare = declared.model_copy(update={"edge": declared.edge.model_copy(update={"cache": cache})})

    assert passes(web.static(bare, asset()), "no static path is declared")


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
    assert passes(web.html(declared, exchange(APEX, cache_control=control, cf_cache_status=cached)), said)


def test_a_page_that_is_not_served_fails(declared):
    assert passes(web.html(declared, exchange(APEX, 500, cache_control="no-cache")), "-> 500")


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
    assert passes(web.private(declared, (exchange(f"{APEX}/v1", 403, **headers),)), said)


@pytest.mark.parametrize(
    ("visit", "said"),
    [
        (exchange(APEX, 400, method="POST"), None),
        (exchange(APEX, 403, method="POST", cf_mitigated="challenge"), "cf-mitigated: challenge"),
        (exchange(APEX, 301, method="POST", location="/"), "-> 301"),
        (exchange(APEX, 200, method="POST"), "-> 200"),
    ],
)
def test_webhook(declared, visit, said):
    assert passes(web.webhook(declared, visit), said)
