"""The web checks against a small edge: each passes, and each break of the edge is seen by its check."""

import ssl
import threading
from collections import Counter
from urllib.parse import urlsplit

import pytest

from checks import catalogue
from checks.runner import run_checks
from tests.checks.loopback import WebServer

APEX = "tidewriters.example"
HSTS = "max-age=31536000; includeSubDomains"
PAGE = '<html><script src="/_next/static/app.js"></script><a href="/elsewhere">x</a></html>'
SECRET = "whsec_0123456789abcdef0123456789abcdef"
CHECKED = (
    "redir.https",
    "redir.canonical",
    "redir.chain",
    "redir.api",
    "tls.chain",
    "tls.hsts",
    "http.exposed",
    "cache.static",
    "cache.html",
    "cache.private",
    "edge.waf",
    "edge.rate",
    "edge.webhook",
    "wh.unsigned",
    "wh.stale",
    "api.health",
)


class SmallEdge:
    """What a proper edge answers; `broken` switches single things off."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.lock = threading.Lock()

    def works(self, part: str) -> bool:
        return part not in self.broken

    def plain(self, method, host, path, headers, body):
        if host.startswith("api."):
            return (403, {}, "") if self.works("api") else (301, {"location": f"https://{host}{path}"}, "")
        if not self.works("https"):
            return 200, {}, PAGE
        target = APEX if host.startswith("www.") else host
        return 301, {"location": f"https://{target}{path}"}, ""

    def secure(self, method, host, path, headers, body):
        status, sent, text = self.answer(method, host, urlsplit(path).path, path, headers, body)
        if self.works("hsts"):
            sent = {**sent, "strict-transport-security": HSTS}
        return status, sent, text

    def answer(self, method, host, path, whole, headers, body):
        if host.startswith("www.") and self.works("www"):
            return 301, {"location": f"https://{APEX}{whole}"}, ""
        if path.startswith(("/.env", "/.git/")):
            return (403, {"cf-ray": "1-AMS"}, "") if self.works("waf") else (404, {}, "")
        if host.startswith("api."):
            return self.api(method, path, headers, body)
        if path.startswith("/auth/"):
            return self.limited(path)
        if path.startswith("/_next/static/"):
            return self.static(path)
        status = "HIT" if not self.works("html") else "DYNAMIC"
        return 200, {"cache-control": "no-cache", "cf-cache-status": status}, PAGE

    def api(self, method, path, headers, body):
        if path == "/health":
            return (200, {"age": "5"} if not self.works("private") else {}, '{"status": "ok"}')
        if method == "GET":
            return 403, {}, ""
        if not self.works("challenge"):
            return 403, {"cf-mitigated": "challenge"}, ""
        return (400 if self.works("signature") else 200), {}, "{}"

    def limited(self, path):
        with self.lock:
            self.asked["auth"] += 1
        over = self.asked["auth"] > 20 and self.works("rate")
        return (429, {"retry-after": "10"}, "") if over else (404, {}, "")

    def static(self, path):
        if "." not in path:
            return 404, {"cf-cache-status": "BYPASS" if self.works("cache rule") else "DYNAMIC"}, ""
        with self.lock:
            self.asked[path] += 1
        hit = self.asked[path] > 1 and self.works("cache")
        control = "public, max-age=31536000, immutable"
        return 200, {"cache-control": control, "cf-cache-status": "HIT" if hit else "MISS"}, "js"


@pytest.fixture
def edge():
    return SmallEdge()


@pytest.fixture
def run(edge, names, look, authority, ca_file, declared):
    """Runs checks against the small edge; gives the findings by id."""
    for host in declared.hosts:
        names.set(host.name, "A", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(APEX, f"*.{APEX}").configure_cert(context)

    def call(*ids):
        scope = {"ports": {80: plain.port, 443: secure.port}, "ca_file": ca_file, "signing_secret": SECRET}
        found = run_checks(catalogue.chosen(ids), lambda seconds: look(seconds, **scope))
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
        ("hsts", "tls.hsts"),
        ("waf", "edge.waf"),
        ("rate", "edge.rate"),
        ("cache", "cache.static"),
        ("cache rule", "cache.static"),
        ("html", "cache.html"),
        ("private", "cache.private"),
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


def test_a_page_without_assets_is_no_verdict(run, monkeypatch):
    monkeypatch.setattr("tests.checks.test_probes_web.PAGE", "<html></html>")

    finding = run("cache.static")["cache.static"]

    assert finding.status == "error"
    assert "links nothing below /_next/static/" in finding.actual


def test_without_the_signing_secret_staleness_is_not_verified(run, look, declared, names):
    (finding,) = run_checks(catalogue.chosen(("wh.stale",)), look)

    assert finding.status == "not run"
    assert "signing secret" in finding.actual
