import socket
import ssl
import threading

import pytest

from checks.errors import ProbeError
from checks.probes import ciphers
from checks.rules import tls as rules
from tests.checks.loopback import WebServer, unused_port

HOST = "tidewriters.example"


@pytest.fixture(autouse=True)
def address(names):
    names.set(HOST, "A", "127.0.0.1")


@pytest.fixture
def serve(authority):
    """Starts a TLS server that takes these ciphers, in OpenSSL's words, in this order."""
    servers = []

    def start(offered="DEFAULT:@SECLEVEL=0", *, prefers=True, newest=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(context)
        context.set_ciphers(offered)
        context.maximum_version = newest
        if not prefers:
            context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        servers.append(WebServer(lambda *_: (200, {}, ""), tls=context))
        return {443: servers[-1].port}

    yield start
    for server in servers:
        server.stop()


def test_a_modern_server_takes_no_weak_cipher_and_prefers_a_good_one(look, serve, declared):
    facts = ciphers.ciphers(look(ports=serve()), HOST)

    assert facts.weak == ()
    assert facts.preferred in ciphers.GOOD
    assert rules.ciphers(declared, (facts,)).status == "pass"


@pytest.mark.parametrize(
    ("offered", "weak"),
    [
        ("ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0", {"TLS_ECDHE_ECDSA_WITH_NULL_SHA"}),
        ("AECDH-AES128-SHA:@SECLEVEL=0", {"TLS_ECDH_anon_WITH_AES_128_CBC_SHA"}),
        (
            "ECDHE-ECDSA-NULL-SHA:AECDH-AES128-SHA:DEFAULT:@SECLEVEL=0",
            {"TLS_ECDHE_ECDSA_WITH_NULL_SHA", "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"},
        ),
    ],
)
def test_weak_ciphers_are_offered_and_seen_taken(look, serve, declared, offered, weak):
    facts = ciphers.ciphers(look(ports=serve(offered, newest=ssl.TLSVersion.TLSv1_2)), HOST)

    assert set(facts.weak) == weak
    assert rules.ciphers(declared, (facts,)).status == "fail"


def test_a_server_that_leaves_the_choice_to_the_worst_client_is_seen(look, serve, declared):
    facts = ciphers.ciphers(look(ports=serve(prefers=False)), HOST)

    assert facts.preferred == "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
    assert "prefers TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA" in rules.ciphers(declared, (facts,)).actual


@pytest.fixture
def answering():
    """A server that answers each connection with these octets and closes it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def start(octets):
        def talk():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(octets)

        threading.Thread(target=talk, daemon=True).start()
        return {443: listener.getsockname()[1]}

    yield start
    listener.close()


def test_a_server_that_closes_has_refused(look, answering):
    facts = ciphers.ciphers(look(ports=answering(b"")), HOST)

    assert (facts.weak, facts.preferred) == ((), "")


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"\x17\x03\x03\x00\x01x", "answered a TLS handshake with a record of type 23"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "record of type 72"),
        (
            b"\x16\x03\x03\x00\x2a" + b"\x02" + b"\x00" * 38 + b"\x13\x01" + b"\x00",
            "took 0x1301, which was not offered",
        ),
    ],
)
def test_what_is_no_handshake_is_no_verdict(look, answering, octets, said):
    with pytest.raises(ProbeError, match=said):
        ciphers.ciphers(look(ports=answering(octets)), HOST)


def test_a_host_that_does_not_answer_is_no_verdict(look):
    with pytest.raises(ProbeError, match="cannot connect to"):
        ciphers.ciphers(look(ports={443: unused_port()}), HOST)


def test_every_weak_cipher_has_its_own_number():
    numbers = [number for group in (ciphers.WEAK, ciphers.LESSER, ciphers.GOOD) for number in group.values()]

    assert len(numbers) == len(set(numbers)) == len(ciphers.NAMES)
