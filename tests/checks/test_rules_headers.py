import pytest

from checks.contract import Csp, Header
from checks.probes.http import Exchange
from checks.probes.pages import TypedExchange
from checks.rules import headers
from tests.checks.exchanges import changed_edge, exchange, passes

APEX = "tidewriters.example"
HOME = f"https://{APEX}/"
STRICT = "default-src 'self'; script-src 'self' https://js.stripe.com; object-src 'none'; base-uri 'none'"


def declaring(declared, *, enforced=True, policy=STRICT):
    return changed_edge(declared, csp=(Csp(host=APEX, enforced=enforced, policy=policy),))


@pytest.mark.parametrize(
    ("enforced", "served", "said"),
    [
        (True, {"content_security_policy": STRICT}, None),
        (False, {"content_security_policy_report_only": STRICT}, None),
        (True, {"content_security_policy_report_only": STRICT}, "0 content-security-policy headers"),
        (False, {"content_security_policy": STRICT}, "0 content-security-policy-report-only headers"),
        (True, {"content_security_policy": STRICT + "; img-src *"}, "is not the declared one"),
        (True, {}, "0 content-security-policy headers"),
    ],
)
def test_csp_is_the_declared_one_on_its_rung(declared, enforced, served, said):
    visits = (exchange(HOME, **served),)

    assert passes(headers.csp(declaring(declared, enforced=enforced), visits), said)


def test_a_page_without_a_declared_policy_enforces_one_of_its_own(declared):
    assert passes(headers.csp(declared, (exchange(HOME, content_security_policy=STRICT),)), None)
    assert passes(headers.csp(declared, (exchange(HOME),)), "0 content-security-policy headers")


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (STRICT, []),
        ("default-src 'none'; script-src 'nonce-abc' 'unsafe-inline' 'strict-dynamic' https:; base-uri 'none'", []),
        ("default-src 'none'; base-uri 'none'", []),
        ("object-src 'none'; base-uri 'none'", ["scripts may come from anywhere: neither script-src nor default-src"]),
        (STRICT.replace("'self' https", "'unsafe-inline' https"), ["script-src 'unsafe-inline'"]),
        (STRICT.replace("'self' https", "https: https"), ["script-src https:"]),
        (STRICT.replace("'self' https", "'unsafe-eval' https"), ["script-src 'unsafe-eval'"]),
        (STRICT.replace("object-src 'none'", "object-src 'self'"), ["object-src is not 'none'"]),
        (STRICT.replace("; object-src 'none'", ""), ["object-src is not 'none'"]),
        (STRICT.replace("base-uri 'none'", "base-uri 'self'"), ["base-uri is not 'none'"]),
        (f"script-src *; {STRICT}", ["script-src *"]),
    ],
)
def test_what_a_policy_allows_that_it_should_not(policy, said):
    assert headers.weaknesses(headers.parse_policy(policy)) == said


@pytest.mark.parametrize(
    ("served", "said"),
    [
        ({"content_security_policy": "frame-ancestors 'none'"}, None),
        ({"content_security_policy": "frame-ancestors 'self' https://app.tidewriters.example"}, None),
        ({"x_frame_options": "deny"}, None),
        ({"x_frame_options": "SAMEORIGIN", "content_security_policy_report_only": "frame-ancestors *"}, None),
        ({"content_security_policy_report_only": "frame-ancestors 'none'"}, "may be framed by anybody"),
        ({"content_security_policy": "frame-ancestors *", "x_frame_options": "DENY"}, "may be framed by anybody"),
        ({"content_security_policy": "frame-ancestors https:"}, "may be framed by anybody"),
        ({"x_frame_options": "ALLOW-FROM https://evil.example"}, "may be framed by anybody"),
        ({}, "may be framed by anybody"),
    ],
)
def test_frame(declared, served, said):
    assert passes(headers.frame(declared, (exchange(HOME, **served),)), said)


@pytest.mark.parametrize(
    ("wanted", "served", "said"),
    [
        ("text/html", {"content_type": "text/html; charset=utf-8"}, None),
        ("application/json", {"content_type": "application/json"}, None),
        ("", {"content_type": "image/svg+xml"}, None),
        ("text/html", {"content_type": "text/html"}, "text/html without a charset"),
        ("text/css", {"content_type": "text/html; charset=utf-8"}, "Content-Type text/html, expected text/css"),
        ("", {}, "no Content-Type"),
    ],
)
def test_nosniff_and_types(declared, wanted, served, said):
    answer = exchange(HOME, x_content_type_options="nosniff", **served)

    assert passes(headers.nosniff(declared, (TypedExchange(answer=answer, type=wanted),)), said)


def test_every_answer_says_nosniff(declared):
    bare = TypedExchange(answer=exchange(HOME, 404, content_type="application/json"), type="")

    assert passes(headers.nosniff(declared, (bare,)), "no X-Content-Type-Options: nosniff")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("strict-origin-when-cross-origin", None),
        ("No-Referrer", None),
        ("no-referrer, strict-origin-when-cross-origin", None),
        ("no-referrer, unsafe-url", "Referrer-Policy no-referrer, unsafe-url"),
        ("no-referrer-when-downgrade", "no-referrer-when-downgrade"),
        ("", "Referrer-Policy (none)"),
    ],
)
def test_referrer(declared, value, said):
    visit = exchange(HOME, referrer_policy=value) if value else exchange(HOME)

    assert passes(headers.referrer(declared, (visit,)), said)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("same-origin", None),
        ('same-origin-allow-popups; report-to="x"', None),
        ("unsafe-none", "unsafe-none"),
        ("", "(none)"),
    ],
)
def test_coop(declared, value, said):
    visit = exchange(HOME, cross_origin_opener_policy=value) if value else exchange(HOME)

    assert passes(headers.coop(declared, (visit,)), said)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["camera=()"], None),
        (["camera=(self)"], "permissions-policy is camera=(self), declared camera=()"),
        (["camera=()", "camera=()"], "permissions-policy is camera=(), camera=()"),
        ([], "permissions-policy is (none)"),
    ],
)
def test_each_declared_header_is_there_once(declared, values, said):
    subject = changed_edge(declared, headers=(Header(host=APEX, name="permissions-policy", value="camera=()"),))
    served = tuple(("Permissions-Policy", value) for value in values)
    visit = Exchange(method="GET", url=HOME, status=200, headers=served)

    assert passes(headers.declared(subject, (visit,)), said)
