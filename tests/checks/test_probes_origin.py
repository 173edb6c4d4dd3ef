"""The API's origin, asked around the edge: a server on loopback that takes or refuses clients."""

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme

from checks.errors import ProbeError
from checks.probes import origin
from checks.rules import origin as rules
from tests.checks.exchanges import changed_edge
from tests.checks.loopback import WebServer, unused_port

API = "api.tidewriters.example"
PULL = {"host": API, "certificate": "2026-11", "fingerprint": "ab" * 32, "not_after": "2027-12-23T00:00:00Z"}


@pytest.fixture
def serve(authority: trustme.CA) -> Iterator[Callable[..., int]]:
    """Starts an origin; with `trusted`, it takes clients of that authority alone."""
    servers: list[WebServer] = []

    def start(trusted: trustme.CA | None = None, status: int = 200, newest: ssl.TLSVersion | None = None) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = newest or ssl.TLSVersion.TLSv1_3
        authority.issue_cert(API).configure_cert(context)
        if trusted:
            trusted.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        servers.append(WebServer(lambda *_: (status, {}, '{"status": "ok"}'), tls=context))
        return servers[-1].port

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def edge(names: Any, authority: trustme.CA) -> Iterator[int]:
    """An edge that answers the health route."""
    names.set(API, "A", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(API).configure_cert(context)
    with WebServer(lambda *_: (200, {}, '{"status": "ok"}'), tls=context) as server:
        yield server.port


@pytest.fixture
def ask(look: Any, edge: int, ca_file: str, declared: Any) -> Callable[[int], Any]:
    """The facts with the origin at a port, and their verdict for a launch whose origin asks for our certificate."""

    def asked(port: int) -> tuple[Any, Any]:
        scope = look(ports={443: edge}, ca_file=ca_file, origins={API: ("127.0.0.1", port)})
        facts = origin.origins(scope)
        asking = changed_edge(declared, origin_pulls=(type("Pull", (), PULL),))
        return facts, rules.pulls(asking, facts)

    return asked


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_origin_that_asks_for_our_certificate_refuses_everybody_else(
    ask: Any, serve: Any, newest: ssl.TLSVersion
) -> None:
    facts, verdict = ask(serve(trustme.CA(), newest=newest))
    assert [(fact.certificate, fact.status) for fact in facts.direct] == [("none", None), ("a stranger's", None)]
    assert all(fact.reason for fact in facts.direct)
    assert verdict.status == "pass", verdict.actual


def test_an_origin_that_answers_anybody_fails(ask: Any, serve: Any) -> None:
    facts, verdict = ask(serve())
    assert [fact.status for fact in facts.direct] == [200, 200]
    assert verdict.status == "fail"
    assert f"{API}, certificate none: answered 200" in verdict.actual


def test_an_origin_that_refuses_with_an_answer_has_not_refused_in_the_handshake(ask: Any, serve: Any) -> None:
    _, verdict = ask(serve(status=403))
    assert verdict.status == "fail"
    assert "certificate none: answered 403" in verdict.actual
    assert "stranger" not in verdict.actual  # API Gateway answers 403 to a certificate that it does not trust


def test_an_origin_that_is_not_there_gives_no_verdict(ask: Any) -> None:
    with pytest.raises(ProbeError, match="cannot connect to the origin"):
        ask(unused_port())


def test_the_record_of_the_host_says_where_its_origin_is(look: Any, edge: int, ca_file: str, declared: Any) -> None:
    target = next(host.content for host in declared.hosts if host.name == API)
    with pytest.raises(ProbeError, match=f"{target} has no address"):
        origin.origins(look(ports={443: edge}, ca_file=ca_file))
