"""Several zones of one account at the edge: each with its certificate, TLS versions and rules."""

import socket
import ssl
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.edge.client_hello import IncompleteError, server_name
from rehearsal.twins.server import LOOPBACK
from rehearsal.twins.zone import Kind
from tests.rehearsal.twins.declared import ACCOUNT, ZONE, limit, redirect
from tests.rehearsal.twins.edge_world import APP, World

PARKED = "tidewriters.net"


@pytest.fixture
def parked(world: World) -> str:
    """The id of a second zone, whose apex the edge answers for without any origin."""
    zone = world.declared.twin.create(Kind.ZONE, {"account": {"id": ACCOUNT}, "name": PARKED, "type": "full"})
    record = {"zoneId": zone.id, "name": PARKED, "type": "AAAA", "content": "100::", "ttl": 1.0, "proxied": True}
    world.declared.twin.create(Kind.RECORD, record)
    return zone.id


def declare(world: World, what: Kind, zone_id: str, **inputs: Any) -> None:
    world.declared.twin.create(what, {"zoneId": zone_id, **inputs})


def test_each_zone_has_its_own_rules(world: World, parked: str):
    rules = [redirect("true", {"expression": f'concat("https://{ZONE}", http.request.uri.path)'})]
    phase = "http_request_dynamic_redirect"
    declare(world, Kind.RULESET, parked, kind="zone", name=phase, phase=phase, rules=rules)
    response = world.get(f"https://{PARKED}/a?b=1")
    assert (response.status_code, response.headers["location"]) == (301, f"https://{ZONE}/a?b=1")
    assert world.get(f"https://{APP}/").status_code == 200


def test_zones_count_apart_what_rules_of_the_same_name_limit(world: World, parked: str):
    phase, rule = "http_ratelimit", limit("/", 1)
    world.declared.ruleset(phase, rule)
    declare(world, Kind.RULESET, parked, kind="zone", name=phase, phase=phase, rules=[rule])
    statuses = [world.get(f"https://{host}/").status_code for host in (APP, PARKED, APP, PARKED)]
    assert statuses == [200, 522, 429, 429]


def test_a_name_without_an_origin_times_out_behind_the_edge(world: World, parked: str):
    world.origins[PARKED] = world.origin.origin
    assert world.get(f"https://{PARKED}/").status_code == 522


def handshake(world: World, authority: CertificateAuthority, host: str, most: ssl.TLSVersion) -> str | None:
    context = authority.trust()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # or this side would refuse the old versions, and prove nothing
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = most
    with (
        socket.create_connection((LOOPBACK, world.edge.ports[443])) as raw,
        context.wrap_socket(raw, server_hostname=host) as connection,
    ):
        return connection.version()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the old versions are the point
def test_each_zone_decides_which_versions_it_speaks(world: World, authority: CertificateAuthority, parked: str):
    world.declared.setting("min_tls_version", "1.2")
    declare(world, Kind.SETTING, parked, settingId="tls_1_3", value="off")
    assert handshake(world, authority, PARKED, ssl.TLSVersion.TLSv1_1) == "TLSv1.1"
    assert handshake(world, authority, PARKED, ssl.TLSVersion.TLSv1_3) == "TLSv1.2"
    assert handshake(world, authority, APP, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol version"):
        handshake(world, authority, APP, ssl.TLSVersion.TLSv1_1)


def test_a_host_of_another_zone_is_not_reached_over_this_ones_connection_name(
    world: World, authority: CertificateAuthority, parked: str
):
    """The certificate is that of the name in the handshake; the Host header says whose rules hold."""
    url = f"https://{LOOPBACK}:{world.edge.ports[443]}/"
    with httpx.Client(verify=authority.trust(), trust_env=False) as client:
        response = client.get(url, headers={"host": PARKED}, extensions={"sni_hostname": APP})
    assert response.status_code == 522


def test_a_name_in_no_zone_or_too_deep_has_no_certificate(world: World, authority: CertificateAuthority, parked: str):
    for host in ("elsewhere.example", f"a.b.{PARKED}"):
        with pytest.raises(ssl.SSLError, match=r"(?i)handshake failure"):
            handshake(world, authority, host, ssl.TLSVersion.TLSv1_3)
    assert handshake(world, authority, f"a.{PARKED}", ssl.TLSVersion.TLSv1_3) == "TLSv1.3"


def hello(name: str | None) -> bytes:
    """What a client says first."""
    context = ssl.create_default_context()
    context.check_hostname = False
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def test_the_name_is_read_from_the_clients_first_message():
    assert server_name(hello(APP)) == APP
    assert server_name(hello(None)) is None
    assert server_name(b"GET / HTTP/1.1\r\n") is None


def test_a_message_in_several_records_is_put_together():
    whole = hello(APP)
    body = whole[5:]
    records = [body[start : start + 100] for start in range(0, len(body), 100)]
    split = b"".join(whole[:3] + len(record).to_bytes(2) + record for record in records)
    assert server_name(split) == APP


HELLO = hello(APP)


@given(st.integers(0, len(HELLO) - 1))
def test_part_of_a_message_is_waited_for(length: int):
    with pytest.raises(IncompleteError):
        server_name(HELLO[:length])


@given(st.integers(5, len(HELLO) - 1), st.integers(0, 255))
def test_a_damaged_message_is_read_without_another_error(at: int, value: int):
    damaged = HELLO[:at] + bytes([value]) + HELLO[at + 1 :]
    try:
        found = server_name(damaged)
    except IncompleteError:
        return
    assert found is None or isinstance(found, str)
