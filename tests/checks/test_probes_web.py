"""The web checks against a small edge: each passes, and each break of the edge is seen by its check."""

import ssl

import pytest

from checks import catalogue, contract
from checks.runner import run_checks
from tests.checks.loopback import WebServer
from tests.checks.small_edge import APEX, OLD, SmallEdge, widen

SECRET = "whsec_0123456789abcdef0123456789abcdef"
CHECKED = (
    *("redir.https", "redir.canonical", "redir.chain", "redir.api", "redir.paths", "redir.retired", "redir.open"),
    *("tls.chain", "tls.hsts"),
    *("http.csp", "http.frame", "http.nosniff", "http.referrer", "http.coop", "http.headers", "http.cookies"),
    *("http.sri", "http.methods", "http.exposed", "http.errors", "http.noindex", "http.security-txt", "app.links"),
    *("cache.static", "cache.html", "cache.private", "cache.deception", "cache.cookie"),
    *("edge.waf", "edge.waf-managed", "edge.rate", "edge.webhook", "edge.cors", "edge.preflight", "edge.access"),
    *("edge.maintenance", "edge.documents", "wh.unsigned", "wh.stale", "api.health"),
)


@pytest.fixture
def edge():
    return SmallEdge()


@pytest.fixture
def subject(document):
    widen(document)
    return contract.parse(document)


@pytest.fixture
def run(edge, names, look, authority, ca_file, subject):
    """Runs checks against the small edge; gives the findings by id."""
    for name in {*(host.name for host in subject.hosts), OLD, f"www.{OLD}"}:
        names.set(name, "A", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(APEX, f"*.{APEX}", OLD, f"*.{OLD}").configure_cert(context)

    def call(*ids, of=subject):
        scope = {"ports": {80: plain.port, 443: secure.port}, "ca_file": ca_file, "signing_secret": SECRET}
        found = run_checks(catalogue.chosen(ids), lambda seconds: look(seconds, of, **scope))
        return {finding.id: finding for finding in found}

    with WebServer(edge.plain) as plain, WebServer(edge.secure, tls=context) as secure:
        yield call


def test_a_proper_edge_passes_every_check(run):
    findings = run(*CHECKED)

    assert {check_id: finding.actual for check_id, finding in findings.items() if finding.status != "pass"} == {}
    assert set(findings) == set(CHECKED)


@pytest.mark.parametrize(
    ("part", "check_id"),
    [
        ("https", "redir.https"),
        ("www", "redir.canonical"),
        ("api", "redir.api"),
        ("paths", "redir.paths"),
        ("retired", "redir.retired"),
        ("open", "redir.open"),
        ("hsts", "tls.hsts"),
        ("content-security-policy", "http.csp"),
        ("content-security-policy", "http.frame"),
        ("nosniff", "http.nosniff"),
        ("referrer-policy", "http.referrer"),
        ("referrer-policy", "http.headers"),
        ("cross-origin-opener-policy", "http.coop"),
        ("cookies", "http.cookies"),
        ("trace", "http.methods"),
        ("errors", "http.errors"),
        ("robots", "http.noindex"),
        ("security.txt", "http.security-txt"),
        ("documents", "app.links"),
        ("documents", "edge.documents"),
        ("waf", "edge.waf"),
        ("managed", "edge.waf-managed"),
        ("rate", "edge.rate"),
        ("access", "edge.access"),
        ("maintenance", "edge.maintenance"),
        ("cors", "edge.cors"),
        ("preflight", "edge.preflight"),
        ("cache", "cache.static"),
        ("cache rule", "cache.static"),
        ("html", "cache.html"),
        ("private", "cache.private"),
        ("deception", "cache.deception"),
        ("cookie kept", "cache.cookie"),
        ("challenge", "edge.webhook"),
        ("signature", "wh.unsigned"),
        ("signature", "wh.stale"),
    ],
)
def test_each_break_is_seen_by_its_check(run, edge, part, check_id):
    edge.broken.add(part)

    finding = run(check_id)[check_id]

    assert finding.status == "fail", finding.actual
    assert finding.evidence


def test_what_another_site_gives_a_page_is_seen(run, edge):
    edge.page += '<script src="https://cdn.example/lib@1.2.3/lib.js"></script>'

    assert run("http.sri")["http.sri"].status == "fail"


def test_a_page_without_assets_is_no_verdict(run, edge):
    edge.page = "<html></html>"

    finding = run("cache.static")["cache.static"]

    assert finding.status == "error"
    assert "links nothing below /_next/static/" in finding.actual


def test_what_is_not_declared_does_not_apply(run, declared):
    optional = (
        *("redir.paths", "redir.retired", "edge.documents", "app.links", "edge.preflight", "edge.waf-managed"),
        *("cache.deception", "http.csp-rung", "tls.hsts-rung", "dns.records"),
    )
    assert {finding.status for finding in run(*optional, of=declared).values()} == {"not applicable"}


def test_a_limit_that_lifts_soon_is_waited_for(run, edge):
    edge.asked["auth"], edge.retry_after = 20, "0"

    assert run("edge.rate")["edge.rate"].status == "pass"


def test_a_limit_that_holds_for_long_is_no_verdict(run, edge):
    edge.asked["auth"], edge.retry_after = 20, "3600"

    finding = run("edge.rate")["edge.rate"]

    assert finding.status == "error"
    assert "refuses this address from before: run again in 3600 seconds" in finding.actual


def test_without_the_signing_secret_staleness_is_not_verified(look):
    (finding,) = run_checks(catalogue.chosen(("wh.stale",)), look)

    assert finding.status == "not run"
    assert "signing secret" in finding.actual
