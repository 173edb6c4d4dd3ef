import socket
import struct
from collections.abc import Generator
from contextlib import suppress

import dns.dnssec
import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from rehearsal.errors import TwinError
from rehearsal.twins.dns import DnsTwin
from rehearsal.twins.server import LOOPBACK, listen
from rehearsal.twins.zone import ZoneTwin
from tests.rehearsal.twins.declared import ORIGIN_ADDRESS, ZONE, Declaration

SPF = "v=spf1 include:_spf.mail.example -all"


@pytest.fixture
def declared() -> Declaration:
    declared = Declaration()
    declared.proxied(ZONE)
    declared.proxied(f"www.{ZONE}", "CNAME", ZONE)
    declared.record(ZONE, "MX", "in1.mail.example", priority=10.0)
    declared.record(ZONE, "TXT", f'"{SPF}"')
    return declared


@pytest.fixture
def twin(declared: Declaration) -> Generator[DnsTwin]:
    with DnsTwin(declared.twin) as twin:
        yield twin


def ask(twin: DnsTwin, name: str, kind: str, *, tcp: bool = False, dnssec: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, kind, want_dnssec=dnssec, payload=1232 if dnssec else None)
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, LOOPBACK, port=twin.port, timeout=5)


def values(response: dns.message.Message) -> list[str]:
    return [f"{dns.rdatatype.to_text(rrset.rdtype)} {data.to_text()}" for rrset in response.answer for data in rrset]


@pytest.mark.parametrize("tcp", [False, True])
def test_proxied_names_lead_to_the_edge_and_hide_the_origin(twin: DnsTwin, tcp: bool):
    for name in (ZONE, f"www.{ZONE}", f"WWW.{ZONE.upper()}"):
        assert values(ask(twin, name, "A", tcp=tcp)) == [f"A {LOOPBACK}"]
    assert values(ask(twin, f"www.{ZONE}", "CNAME")) == []


def test_unproxied_records_are_served_as_declared(declared: Declaration, twin: DnsTwin):
    declared.record(f"status.{ZONE}", "CNAME", "stats.uptime.example")
    declared.record(f"direct.{ZONE}", ttl=1)
    declared.record(
        f"_imaps._tcp.{ZONE}", "SRV", None, data={"priority": 0, "weight": 1, "port": 993, "target": "mail.example"}
    )
    declared.record(ZONE, "CAA", None, data={"flags": 0, "tag": "issue", "value": "letsencrypt.org"})
    assert values(ask(twin, f"status.{ZONE}", "A")) == ["CNAME stats.uptime.example."]
    direct = ask(twin, f"direct.{ZONE}", "A")
    assert (values(direct), direct.answer[0].ttl) == ([f"A {ORIGIN_ADDRESS}"], 300)
    assert values(ask(twin, ZONE, "MX")) == ["MX 10 in1.mail.example."]
    assert values(ask(twin, ZONE, "TXT")) == [f'TXT "{SPF}"']
    assert values(ask(twin, f"_imaps._tcp.{ZONE}", "SRV")) == ["SRV 0 1 993 mail.example."]
    assert values(ask(twin, ZONE, "CAA")) == ['CAA 0 issue "letsencrypt.org"']


def test_an_alias_within_the_zone_is_followed(declared: Declaration, twin: DnsTwin):
    declared.record(f"alias.{ZONE}", "CNAME", f"www.{ZONE}")
    assert values(ask(twin, f"alias.{ZONE}", "A")) == [f"CNAME www.{ZONE}.", f"A {LOOPBACK}"]


def test_an_alias_at_the_apex_is_flattened():
    declared = Declaration()
    declared.record(ZONE, "CNAME", f"direct.{ZONE}")
    declared.record(f"direct.{ZONE}")
    with DnsTwin(declared.twin) as twin:
        assert values(ask(twin, ZONE, "A")) == [f"A {ORIGIN_ADDRESS}"]


def test_what_is_declared_later_is_served_and_what_is_deleted_is_not(declared: Declaration, twin: DnsTwin):
    name = f"later.{ZONE}"
    assert ask(twin, name, "A").rcode() == dns.rcode.NXDOMAIN
    entry = declared.record(name)
    assert values(ask(twin, name, "A")) == [f"A {ORIGIN_ADDRESS}"]
    declared.twin.delete(entry.id)
    assert ask(twin, name, "A").rcode() == dns.rcode.NXDOMAIN


def test_a_missing_name_and_a_missing_type_are_told_apart(declared: Declaration, twin: DnsTwin):
    declared.record(f"a.deep.{ZONE}")
    for name, rcode in (
        (f"x.{ZONE}", dns.rcode.NXDOMAIN),
        (ZONE, dns.rcode.NOERROR),
        (f"deep.{ZONE}", dns.rcode.NOERROR),
    ):
        response = ask(twin, name, "AAAA")
        assert (response.rcode(), response.answer) == (rcode, [])
        assert response.authority[0].rdtype == dns.rdatatype.SOA
        assert response.flags & dns.flags.AA


def test_wildcards_answer_for_names_that_do_not_exist(declared: Declaration, twin: DnsTwin):
    declared.record(f"*.{ZONE}", content="203.0.113.77")
    declared.record(f"a.deep.{ZONE}")
    assert values(ask(twin, f"any.{ZONE}", "A")) == ["A 203.0.113.77"]
    assert values(ask(twin, f"two.any.{ZONE}", "A")) == ["A 203.0.113.77"]
    assert values(ask(twin, f"www.{ZONE}", "TXT")) == []  # www exists
    assert ask(twin, f"b.deep.{ZONE}", "A").rcode() == dns.rcode.NXDOMAIN  # deep exists, the wildcard is above it


def test_it_is_authoritative_for_its_zone_and_asks_nobody(twin: DnsTwin):
    for name in ("example.com", "mail.example", f"not{ZONE}"):
        assert ask(twin, name, "A").rcode() == dns.rcode.REFUSED
    response = ask(twin, ZONE, "A")
    assert response.flags & dns.flags.AA
    assert not response.flags & dns.flags.RA


def test_without_a_zone_everything_is_refused():
    with DnsTwin(ZoneTwin()) as twin:
        assert ask(twin, ZONE, "SOA").rcode() == dns.rcode.REFUSED


def test_soa_and_ns_are_cloudflares_and_the_serial_grows(declared: Declaration, twin: DnsTwin):
    before = ask(twin, ZONE, "SOA").answer[0][0]
    servers = sorted(value.removeprefix("NS ").rstrip(".") for value in values(ask(twin, ZONE, "NS")))
    assert servers == declared.zone.outputs["nameServers"]
    assert before.mname.to_text().rstrip(".") in servers
    declared.record(f"x.{ZONE}")
    assert ask(twin, ZONE, "SOA").answer[0][0].serial > before.serial


@pytest.mark.parametrize("kind", ["AXFR", "IXFR"])
def test_the_zone_is_not_given_away(twin: DnsTwin, kind: str):
    query = dns.message.make_query(ZONE, kind)
    assert dns.query.tcp(query, LOOPBACK, port=twin.port, timeout=5).rcode() == dns.rcode.REFUSED


def test_any_is_answered_with_one_synthesised_record(twin: DnsTwin):
    assert values(ask(twin, ZONE, "ANY")) == ['HINFO "RFC8482" ""']


def test_a_long_answer_is_cut_over_udp_and_whole_over_tcp(declared: Declaration, twin: DnsTwin):
    key = "k" * 255
    declared.record(f"s1._domainkey.{ZONE}", "TXT", f'"{key}" "{key}"')
    name = f"s1._domainkey.{ZONE}"
    cut = ask(twin, name, "TXT")
    assert cut.flags & dns.flags.TC
    assert cut.answer == []
    assert values(ask(twin, name, "TXT", tcp=True)) == [f'TXT "{key}" "{key}"']


def test_txt_keeps_quotes_backslashes_and_bytes_beyond_ascii(declared: Declaration, twin: DnsTwin):
    declared.record(f"odd.{ZONE}", "TXT", '"a\\"b\\\\c; d é"')
    rdata = ask(twin, f"odd.{ZONE}", "TXT").answer[0][0]
    assert rdata.strings == ('a"b\\c; d é'.encode(),)


def test_what_is_no_query_is_answered_by_form_and_not_with_silence(twin: DnsTwin):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.connect((LOOPBACK, twin.port))
        client.send(b"\x12\x34\x01\x00\x00\x01" + bytes(6))
        assert client.recv(512)[:4] == b"\x12\x34\x81\x01"
        update = dns.message.make_query(ZONE, "A")
        update.set_opcode(dns.opcode.STATUS)
        client.send(update.to_wire())
        assert dns.message.from_wire(client.recv(512)).rcode() == dns.rcode.NOTIMP


def test_several_queries_share_one_tcp_connection(twin: DnsTwin):
    wire = dns.message.make_query(ZONE, "A").to_wire()
    with socket.create_connection((LOOPBACK, twin.port)) as connection:
        for _ in range(3):
            connection.sendall(struct.pack("!H", len(wire)) + wire)
            (length,) = struct.unpack("!H", connection.recv(2))
            assert values(dns.message.from_wire(connection.recv(length))) == [f"A {LOOPBACK}"]


def verified(section: list[dns.rrset.RRset], keys: dns.rrset.RRset) -> set[str]:
    """The types in `section` whose signatures hold."""
    checked = set()
    for rrset in section:
        if rrset.rdtype == dns.rdatatype.RRSIG:
            continue
        signatures = next(
            other
            for other in section
            if other.rdtype == dns.rdatatype.RRSIG and (other.name, other.covers) == (rrset.name, rrset.rdtype)
        )
        dns.dnssec.validate(rrset, signatures, {keys.name: keys})
        checked.add(dns.rdatatype.to_text(rrset.rdtype))
    return checked


def test_a_zone_with_dnssec_is_signed_and_its_ds_record_leads_to_its_key(declared: Declaration, twin: DnsTwin):
    entry = declared.dnssec(status="active")
    response = ask(twin, ZONE, "DNSKEY", dnssec=True)
    keys = next(rrset for rrset in response.answer if rrset.rdtype == dns.rdatatype.DNSKEY)
    assert verified(response.answer, keys) == {"DNSKEY"}
    made = dns.dnssec.make_ds(dns.name.from_text(ZONE), keys[0], "SHA256")
    assert entry.outputs["ds"].endswith(made.to_text())
    assert (entry.outputs["keyTag"], entry.outputs["digest"]) == (made.key_tag, made.digest.hex().upper())
    for name, kind in ((ZONE, "A"), (ZONE, "TXT"), (f"www.{ZONE}", "A")):
        signed = ask(twin, name, kind, dnssec=True)
        assert verified(signed.answer, keys) == {kind}
    missing = ask(twin, f"x.{ZONE}", "A", dnssec=True)
    assert missing.rcode() == dns.rcode.NXDOMAIN
    assert verified(missing.authority, keys) == {"SOA", "NSEC"}


def test_signatures_are_left_out_unless_asked_for(declared: Declaration, twin: DnsTwin):
    entry = declared.dnssec()
    assert values(ask(twin, ZONE, "A")) == [f"A {LOOPBACK}"]
    declared.twin.delete(entry.id)
    unsigned = ask(twin, ZONE, "A", dnssec=True)
    assert [rrset.rdtype for rrset in unsigned.answer] == [dns.rdatatype.A]


def test_a_port_in_use_is_named():
    taken = listen("other", 0)
    taken.listen()
    with taken, pytest.raises(TwinError, match="dns cannot listen"):
        DnsTwin(ZoneTwin(), port=taken.getsockname()[1]).start()


def test_it_stops_while_a_client_holds_a_connection(declared: Declaration):
    twin = DnsTwin(declared.twin)
    port = twin.start()
    with socket.create_connection((LOOPBACK, port)) as idle:
        twin.stop()
        idle.settimeout(5)
        with suppress(ConnectionResetError):  # when it was closed before it was accepted
            assert idle.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, port))
