import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import pytest
import trustme

from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.edge import Edge, Origin
from rehearsal.twins.origin import OriginTwin
from rehearsal.twins.server import LOOPBACK, Server
from rehearsal.twins.zone import Kind, ZoneTwin
from tests.rehearsal.twins.declared import ZONE
from tests.rehearsal.twins.edge_world import API, APP, World, answering


def test_the_certificate_covers_the_apex_and_one_label_only(world: World):
    world.declared.proxied(f"a.b.{ZONE}")
    assert world.get(f"https://{ZONE}/").status_code == 200
    with pytest.raises(httpx.ConnectError, match=r"(?i)handshake failure"):
        world.get_anew(f"https://a.b.{ZONE}/")


@pytest.mark.parametrize(("mode", "status"), [("strict", 526), ("full", 200), ("origin_pull", 526)])
@pytest.mark.parametrize("plan", ["enterprise"])
def test_strict_refuses_an_origin_whose_certificate_nobody_trusts(
    world: World, authority: CertificateAuthority, tmp_path, mode, status
):
    world.declared.setting("ssl", mode)
    with OriginTwin(CertificateAuthority(tmp_path), [APP], trusted=authority) as stranger:
        world.origins[APP] = stranger.origin
        assert world.get(f"https://{APP}/").status_code == status


def test_strict_refuses_an_origin_whose_certificate_is_for_another_name(world: World, authority: CertificateAuthority):
    with OriginTwin(authority, [f"other.{ZONE}"]) as other:
        world.origins[APP] = other.origin
        assert world.get(f"https://{APP}/").status_code == 526


def test_strict_over_an_origin_without_trust_is_refused(world: World):
    world.origins[APP] = Origin(https=world.origin.origin.https)
    assert world.get(f"https://{APP}/").status_code == 526


def test_flexible_over_an_origin_that_insists_on_https_loops(world: World):
    world.declared.setting("ssl", "flexible")
    response = world.get(f"https://{APP}/a")
    assert (response.status_code, response.headers["location"]) == (308, f"https://{APP}/a")


def test_ssl_off_takes_visitors_to_http(world: World):
    world.declared.setting("ssl", "off")
    response = world.get(f"https://{APP}/a?b=1")
    assert (response.status_code, response.headers["location"]) == (301, f"http://{APP}/a?b=1")


def test_an_origin_that_is_down_or_speaks_nonsense_has_cloudflares_status(
    world: World, authority: CertificateAuthority
):
    with socket.create_server((LOOPBACK, 0)) as closed:
        port = closed.getsockname()[1]
    world.origins[API] = Origin(http=f"http://{LOOPBACK}:{port}")
    down = world.get(f"http://{API}/")
    assert (down.status_code, down.headers.get("cf-cache-status")) == (521, None)
    plain = world.origin.origin.http
    assert plain is not None
    world.origins[API] = Origin(https=plain.replace("http:", "https:"), trust=authority.trust())
    assert world.get(f"https://{API}/").status_code == 525
    with nonsense() as port:
        world.origins[API] = Origin(http=f"http://{LOOPBACK}:{port}")
        assert world.get(f"http://{API}/").status_code == 520


@contextmanager
def nonsense() -> Generator[int]:
    """A port that answers one request with what is no HTTP."""
    with socket.create_server((LOOPBACK, 0)) as listening:

        def talk() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"nonsense\r\n\r\n")

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


def handshake(world: World, authority: CertificateAuthority, version: ssl.TLSVersion, host: str = APP) -> str | None:
    context = authority.trust()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # or this side would refuse the old versions, and prove nothing
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = version
    with (
        socket.create_connection((LOOPBACK, world.edge.ports[443])) as raw,
        context.wrap_socket(raw, server_hostname=host) as connection,
    ):
        return connection.version()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the old versions are the point
def test_the_zone_decides_which_tls_versions_are_spoken(world: World, authority: CertificateAuthority):
    old = ssl.TLSVersion.TLSv1_1
    assert handshake(world, authority, old) == "TLSv1.1"  # Cloudflare's default takes it
    world.declared.setting("min_tls_version", "1.2")
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol version"):
        handshake(world, authority, old)
    assert handshake(world, authority, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    assert handshake(world, authority, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    world.declared.setting("tls_1_3", "off")
    assert handshake(world, authority, ssl.TLSVersion.TLSv1_3) == "TLSv1.2"


def test_before_there_is_a_zone_no_handshake_succeeds(authority: CertificateAuthority):
    with (
        Edge(ZoneTwin(), authority, {}) as edge,
        socket.create_connection((LOOPBACK, edge.ports[443])) as raw,
        pytest.raises(ssl.SSLError),
    ):
        authority.trust().wrap_socket(raw, server_hostname=APP)


def test_an_origin_that_insists_on_a_client_certificate_gets_the_one_of_its_host(
    world: World, authority: CertificateAuthority
):
    ours, others = trustme.CA(), trustme.CA()
    world.declared.setting("tls_client_auth", "on")
    with insisting(authority, ours) as origin:
        world.origins.update({APP: origin, API: origin})
        assert world.get(f"https://{APP}/").status_code == 525
        pulls = {"enabled": True, "hostname": APP, "certId": certificate(world, others)}
        zone = {"zoneId": world.declared.zone.id}
        declared = world.declared.twin.create(Kind.PULL_HOSTS, {**zone, "configs": [pulls]})
        assert world.get(f"https://{APP}/").status_code == 525
        changed = {**pulls, "certId": certificate(world, ours)}
        world.declared.twin.update(declared.id, {**zone, "configs": [changed]})
        assert world.get(f"https://{APP}/").status_code == 200
        assert world.get(f"https://{API}/").status_code == 525


def certificate(world: World, issuer: trustme.CA) -> str:
    """The id of a declared client certificate."""
    issued = issuer.issue_cert("edge.tidewriters.example")
    pem = "".join(part.bytes().decode() for part in issued.cert_chain_pems)
    key = issued.private_key_pem.bytes().decode()
    inputs = {"zoneId": world.declared.zone.id, "certificate": pem, "privateKey": key}
    return world.declared.twin.create(Kind.PULL_CERTIFICATE, inputs).id


@contextmanager
def insisting(authority: CertificateAuthority, clients: trustme.CA) -> Generator[Origin]:
    """An origin for both hosts that speaks to clients of `clients` only."""
    context = authority.serve(APP, API)
    context.verify_mode = ssl.CERT_REQUIRED
    clients.configure_trust(context)
    with Server(answering(200, []), tls=context) as server:
        yield Origin(https=f"https://{LOOPBACK}:{server.port}", trust=authority.trust())
