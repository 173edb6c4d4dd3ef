import datetime as dt
import ssl
import warnings

import pytest
import trustme

from checks.errors import ProbeError
from checks.probes import tls
from checks.rules import tls as rules
from tests.checks.loopback import WebServer, unused_port

HOST = "tidewriters.example"


@pytest.fixture(autouse=True)
def address(names):
    names.set(HOST, "A", "127.0.0.1")


@pytest.fixture
def serve(authority):
    """Starts a TLS server for some names; the settings are those of its certificate and context."""
    servers = []

    def start(*identities, ca=None, oldest=None, newest=None, **settings):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (ca or authority).issue_cert(*(identities or (HOST,)), **settings).configure_cert(context)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the old versions are the point
            context.minimum_version = oldest or ssl.TLSVersion.TLSv1_2
            context.maximum_version = newest or ssl.TLSVersion.TLSv1_3
        servers.append(WebServer(lambda *_: (200, {}, ""), tls=context))
        return {443: servers[-1].port}

    yield start
    for server in servers:
        server.stop()


def test_a_good_certificate_is_trusted(look, serve, ca_file):
    assert tls.trust(look(ports=serve(), ca_file=ca_file), HOST).trusted


def test_what_is_wrong_with_a_certificate_is_told(look, serve, ca_file):
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    cases = {
        "certificate has expired": serve(not_after=long_ago),
        "Hostname mismatch": serve("other.example"),
        "unable to get local issuer certificate": serve(ca=trustme.CA()),
    }
    for said, ports in cases.items():
        facts = tls.trust(look(ports=ports, ca_file=ca_file), HOST)
        assert not facts.trusted
        assert said in facts.failure


@pytest.mark.parametrize(
    ("oldest", "newest", "accepted", "status"),
    [
        (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3, {"1.2", "1.3"}, "pass"),
        (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_3, {"1.0", "1.1", "1.2", "1.3"}, "fail"),
        (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, {"1.2"}, "fail"),
    ],
)
def test_every_version_is_offered(look, serve, declared, oldest, newest, accepted, status):
    facts = tls.versions(look(ports=serve(oldest=oldest, newest=newest)), HOST)

    assert facts.accepted == accepted
    assert rules.versions(declared, (facts,)).status == status


@pytest.mark.parametrize(("kind", "key"), [(trustme.KeyType.RSA, "RSA 2048"), (trustme.KeyType.ECDSA, "EC 256")])
def test_a_certificate_is_read(look, serve, kind, key):
    end = dt.datetime(2031, 5, 1, tzinfo=dt.UTC)

    facts = tls.certificate(look(ports=serve(HOST, f"www.{HOST}", key_type=kind, not_after=end)), HOST)

    assert (facts.key, facts.not_after, facts.names, facts.scts) == (key, end, (HOST, f"www.{HOST}"), 0)
    assert facts.signature_hash == "sha256"


@pytest.mark.parametrize("probe", [tls.trust, tls.versions, tls.certificate])
def test_a_host_that_does_not_answer_is_no_verdict(look, probe):
    with pytest.raises(ProbeError, match="cannot connect to"):
        probe(look(ports={443: unused_port()}), HOST)


def test_a_name_without_address_is_no_verdict(look, names):
    names.set(HOST, "A")

    with pytest.raises(ProbeError, match="has no address"):
        tls.trust(look(), HOST)


def test_every_host_that_serves_https_is_visited(look):
    assert tls.secure_hosts(look()) == (f"api.{HOST}", f"app.{HOST}", HOST, f"www.{HOST}")
