import ssl
import threading

import pytest

from checks.errors import ProbeError
from checks.probes import http
from tests.checks.loopback import WebServer, unused_port

APEX = "tidewriters.example"


@pytest.fixture(autouse=True)
def address(names):
    names.set(APEX, "A", "127.0.0.1")
    names.set(f"www.{APEX}", "A", "127.0.0.1")


@pytest.fixture
def secure(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(APEX, f"www.{APEX}").configure_cert(context)
    return context


def respond(method, host, path, headers, body):
    if host.startswith("www."):
        return 301, {"location": f"https://{APEX}{path}"}, ""
    return 200, [("x-one", "a"), ("x-one", "b")], f"{method} {host} {path} {body.decode()}"


def test_names_and_certificates_stay_while_addresses_and_ports_are_the_vantages(look, secure, ca_file):
    with WebServer(respond, tls=secure) as server:
        scope = look(ports={443: server.port}, ca_file=ca_file)
        with http.Browser(scope) as browser:
            answer = browser.ask(f"https://{APEX}/a?b=c", method="POST", body=b"hello")

    assert (answer.status, answer.body) == (200, f"POST {APEX} /a?b=c hello")
    assert answer.headers_named("X-One") == ("a", "b")
    assert answer.header("x-one") == "a, b"
    assert answer.line() == f"POST https://{APEX}/a?b=c -> 200"


def test_a_redirect_is_told_and_followed_only_on_request(look, secure, ca_file):
    with WebServer(respond, tls=secure) as server:
        scope = look(ports={443: server.port}, ca_file=ca_file)
        with http.Browser(scope) as browser:
            first = browser.ask(f"https://www.{APEX}/x")
            hops = browser.follow(f"https://www.{APEX}/x")

    assert (first.status, first.location) == (301, f"https://{APEX}/x")
    assert [hop.url for hop in hops] == [f"https://www.{APEX}/x", f"https://{APEX}/x"]


def test_a_loop_is_left(look):
    def again(method, host, path, headers, body):
        return 302, {"location": path}, ""

    with WebServer(again) as server, http.Browser(look(ports={80: server.port})) as browser:
        assert len(browser.follow(f"http://{APEX}/x", limit=3)) == 3


def test_an_untrusted_certificate_is_no_verdict(look, secure):
    with (
        WebServer(respond, tls=secure) as server,
        http.Browser(look(ports={443: server.port})) as browser,
        pytest.raises(ProbeError, match="certificate verify failed"),
    ):
        browser.ask(f"https://{APEX}/")


def test_a_refused_connection_is_an_answer_only_where_it_may_be(look):
    with http.Browser(look(ports={80: unused_port()})) as browser:
        refused = browser.ask(f"http://{APEX}/", may_refuse=True)
        assert (refused.status, refused.failure) == (0, "connection refused")
        with pytest.raises(ProbeError, match="refused"):
            browser.ask(f"http://{APEX}/")


def test_a_name_without_address_is_no_verdict(look):
    with http.Browser(look()) as browser, pytest.raises(ProbeError, match="the name has no address"):
        browser.ask(f"http://gone.{APEX}/", may_refuse=True)


def test_a_silent_server_costs_no_more_than_the_deadline(look):
    def wait(*_):
        release.wait(5)
        return 200, {}, ""

    release = threading.Event()
    with WebServer(wait) as server, http.Browser(look(0.3, ports={80: server.port})) as browser:
        with pytest.raises(ProbeError, match="timed out"):
            browser.ask(f"http://{APEX}/")
        release.set()


def test_a_long_answer_is_read_up_to_a_limit(look):
    long = "x" * (http.BODY_LIMIT + 9)

    with WebServer(lambda *_: (200, {}, long)) as server, http.Browser(look(ports={80: server.port})) as browser:
        assert len(browser.ask(f"http://{APEX}/").body) == http.BODY_LIMIT
