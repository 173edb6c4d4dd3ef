import pytest

from checks.model import Status
from checks.probes.http import Exchange
from checks.probes.pages import RobotsFacts
from checks.rules import pages
from tests.checks.exchanges import changed, changed_edge, exchange, passes

APEX = "tidewriters.example"
HOME = f"https://{APEX}/"
GOOD = "__Host-session=abc; Path=/; Secure; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize(
    ("cookie", "said"),
    [
        (GOOD, None),
        ("theme=dark; Secure", None),
        ("theme=dark", "cookie theme is not Secure"),
        (GOOD.replace("; Secure", ""), "is not Secure"),
        (GOOD.replace("; HttpOnly", ""), "is not HttpOnly"),
        (GOOD.replace("; SameSite=Lax", ""), "SameSite (none)"),
        (GOOD.replace("Lax", "None"), "SameSite none"),
        (GOOD.replace("Path=/", "Path=/app"), "not for Path=/"),
        (GOOD + "; Domain=tidewriters.example", "not for Path=/ of its own host alone"),
    ],
)
def test_cookies(declared, cookie, said):
    cache = declared.edge.cache.model_copy(update={"session_cookies": ("__Host-session",)})
    visit = Exchange(method="GET", url=HOME, status=200, headers=(("Set-Cookie", cookie),))

    verdict = pages.cookies(changed_edge(declared, cache=cache), (visit,))

    assert passes(verdict, said)
    assert "abc" not in "".join(verdict.evidence)


def test_a_session_without_the_prefix_fails(declared):
    cache = declared.edge.cache.model_copy(update={"session_cookies": ("sid",)})
    visit = exchange(HOME, set_cookie="sid=abc; Path=/; Secure; HttpOnly; SameSite=Strict")

    assert passes(pages.cookies(changed_edge(declared, cache=cache), (visit,)), "cookie sid has no __Host- prefix")


CDN = "https://cdn.example/lib@1.2.3/lib.js"
PIN = 'integrity="sha384-x" crossorigin="anonymous"'


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("<p>nothing</p>", Status.PASS, "0 files"),
        (
            '<script src="/own.js"></script><link rel=stylesheet href="https://app.tidewriters.example/a.css">',
            "pass",
            "0 ",
        ),
        ('<script src="https://js.stripe.com/basil/stripe.js"></script>', Status.PASS, "0 files"),
        (f'<script src="{CDN}" {PIN}></script>', Status.PASS, "1 files"),
        (f'<img src="{CDN}"><a href="https://elsewhere.example/">x</a>', Status.PASS, "0 files"),
        (f'<script src="{CDN}"></script>', Status.FAIL, "without integrity"),
        (f'<script src="{CDN}" integrity="sha384-x"></script>', Status.FAIL, "without integrity and crossorigin"),
        ('<link rel="stylesheet" href="//cdn.example/3.1/a.css">', Status.FAIL, "without integrity"),
        ('<script src="https://cdn.example/latest.js"></script>', Status.WARN, "cannot be pinned"),
    ],
)
def test_sri(declared, body, status, said):
    verdict = pages.sri(declared, (exchange(HOME, body=body),))

    assert verdict.status == status
    assert said in verdict.actual


@pytest.mark.parametrize(
    ("visit", "said"),
    [
        (exchange(HOME, 405, method="TRACE", server="cloudflare"), None),
        (exchange(HOME, 501, method="TRACE"), None),
        (exchange(HOME, 200, method="TRACE"), "TRACE https://tidewriters.example/ -> 200"),
        (exchange(HOME, 200, server="nginx/1.25.3"), "server: nginx/1.25.3"),
        (exchange(HOME, 200, x_powered_by="PHP/8.3"), "x-powered-by: PHP/8.3"),
        (exchange(HOME, 200, x_powered_by="Next.js"), None),
    ],
)
def test_methods(declared, visit, said):
    assert passes(pages.methods(declared, (visit,)), said)


@pytest.mark.parametrize(
    ("visit", "said"),
    [
        (exchange(HOME, 404, body="<h1>Not found</h1>"), None),
        (exchange(f"https://api.{APEX}/x", 404), None),
        (exchange(f"https://api.{APEX}/x", 403), None),
        (exchange(HOME, 403), "-> 403"),
        (exchange(HOME, 200), "-> 200"),
        (exchange(HOME, 500), "-> 500"),
        (exchange(HOME, 404, body="Traceback (most recent call last):"), "shows a stack trace: Traceback"),
        (
            exchange(HOME, 404, body="Error: x\n    at handler (/srv/app/index.js:10:5)"),
            "shows a stack trace: at handler",
        ),
        (exchange(HOME, 404, body="Cannot find /srv/node_modules/next"), "shows a stack trace"),
    ],
)
def test_errors(declared, visit, said):
    assert passes(pages.errors(declared, (visit,)), said)


def told(host=APEX, page=None, robots=""):
    shown = page or exchange(f"https://{host}/")
    return RobotsFacts(host=host, page=shown, robots=exchange(f"https://{host}/robots.txt", body=robots))


NOINDEX = exchange(HOME, x_robots_tag="noindex, nofollow")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (told(robots="User-agent: *\nAllow: /\n"), None),
        (told(robots="User-agent: *\nDisallow: /private\n"), None),
        (told(robots="User-agent: BadBot\nDisallow: /\n"), None),
        (told(robots="User-agent: *\nDisallow: /  # not yet\n"), "forbids everything in robots.txt"),
        (told(robots="User-agent: *\nUser-agent: GoodBot\nDisallow: /\n"), "forbids everything"),
        (told(page=NOINDEX), "says noindex"),
        (told(page=exchange(HOME, body='<meta name="robots" content="noindex">')), "says noindex"),
        (told(page=exchange(HOME, 401)), "says noindex"),
    ],
)
def test_production_may_be_found(declared, facts, said):
    assert passes(pages.noindex(declared, (facts,)), said)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (exchange(f"https://app.{APEX}/"), "app.tidewriters.example may be listed"),
        (exchange(f"https://app.{APEX}/", x_robots_tag="googlebot: noindex"), None),
        (exchange(f"https://app.{APEX}/", x_robots_tag="none"), None),
        (exchange(f"https://app.{APEX}/", 401), None),
        (exchange(f"https://app.{APEX}/", 302, location="https://tidewriters.cloudflareaccess.com/"), None),
        (exchange(f"https://app.{APEX}/", 302, location="/login"), "may be listed"),
    ],
)
def test_what_must_be_hidden_is(declared, page, said):
    hidden = changed_edge(declared, noindex_hosts=(f"app.{APEX}",))
    testing = changed(declared, livemode=False)

    assert passes(pages.noindex(hidden, (told(), told(f"app.{APEX}", page))), said)
    assert passes(pages.noindex(testing, (told(page=NOINDEX), told(f"app.{APEX}", page))), said)
