"""Whole zones as the DNS twin publishes them: several in one account, signed, large, with delegations."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.twins.dns import DnsTwin
from rehearsal.twins.dns.served import ServedZone, index
from tests.rehearsal.twins.declared import ORIGIN_ADDRESS, ZONE, Declaration

PARKED = "tidewriters.net"
# One of each type that comes in `data`, and how a zone file writes it.
TYPES: dict[str, tuple[dict[str, Any], str]] = {
    "CAA": ({"flags": 0.0, "tag": "issue", "value": "pki.goog; cansignhttpexchanges=yes"},
            '0 issue "pki.goog; cansignhttpexchanges=yes"'),
    "CERT": ({"type": 1, "keyTag": 9, "algorithm": 13, "certificate": "AQID"}, "PKIX 9 ECDSAP256SHA256 AQID"),
    "DNSKEY": ({"flags": 256, "protocol": 3, "algorithm": 13, "publicKey": "AQID"}, "256 3 13 AQID"),
    "HTTPS": ({"priority": 1, "target": ".", "value": 'alpn="h3,h2"'}, '1 . alpn="h3,h2"'),
    "LOC": ({"latDegrees": 37, "latMinutes": 46, "latSeconds": 46, "latDirection": "N", "longDegrees": 122,
             "longMinutes": 23, "longSeconds": 35, "longDirection": "W", "altitude": 0, "size": 100,
             "precisionHorz": 0, "precisionVert": 0},
            "37 46 46.000 N 122 23 35.000 W 0.00m 100.00m 0.00m 0.00m"),
    "NAPTR": ({"order": 100, "preference": 10, "flags": "s", "service": "SIP+D2U", "regex": "",
               "replacement": f"_sip._udp.{ZONE}"}, f'100 10 "s" "SIP+D2U" "" _sip._udp.{ZONE}.'),
    "SMIMEA": ({"usage": 3, "selector": 0, "matchingType": 0, "certificate": "AB12"}, "3 0 0 ab12"),
    "SRV": ({"priority": 10, "weight": 5, "port": 5060, "target": "sip.mail.example"}, "10 5 5060 sip.mail.example."),
    "SSHFP": ({"algorithm": 4, "type": 2, "fingerprint": "AB" * 32}, f"4 2 {'ab' * 32}"),
    "SVCB": ({"priority": 0, "target": "svc.mail.example"}, "0 svc.mail.example."),
    "TLSA": ({"usage": 3, "selector": 1, "matchingType": 1, "certificate": "CD" * 32}, f"3 1 1 {'cd' * 32}"),
}  # fmt: skip


def served(declared: Declaration, zone: str = ZONE) -> ServedZone:
    found = DnsTwin(declared.twin).zone_of(dns.name.from_text(zone))
    assert found is not None
    return found


def ask(twin: DnsTwin, name: str, kind: str, *, signed: bool = False) -> dns.message.Message:
    wire = twin.answer(dns.message.make_query(name, kind, want_dnssec=signed).to_wire(), udp=False)
    assert wire is not None
    return dns.message.from_wire(wire)


def answers(response: dns.message.Message) -> list[str]:
    return [data.to_text() for rrset in response.answer for data in rrset]


@pytest.fixture
def odd() -> Declaration:
    """Everything that makes signing hard: wildcards, empty names, delegations, every type."""
    declared = Declaration()
    declared.proxied(ZONE)
    declared.record(f"*.wild.{ZONE}", "TXT", '"any"')
    declared.record(f"a.b.c.{ZONE}")
    declared.record(f"_dmarc.{ZONE}", "TXT", '"v=DMARC1; p=reject"')
    declared.record(f"long.{ZONE}", "TXT", f'"{"x" * 255}" "{"y" * 200}"')
    declared.record(f"accent.{ZONE}", "TXT", r'"\195\169 \"quoted\" \\ \000"')
    declared.record(f"null.{ZONE}", "MX", ".", priority=0.0)
    declared.record(f"büro.{ZONE}")
    declared.record(f"team.{ZONE}", "NS", "ns1.mail.example")
    declared.record(f"safe.{ZONE}", "NS", "ns1.mail.example")
    digest = {"keyTag": 1, "algorithm": 13, "digestType": 2, "digest": "AB" * 32}
    declared.record(f"safe.{ZONE}", "DS", None, data=digest)
    declared.record(f"glue.team.{ZONE}")
    for kind, (data, _) in TYPES.items():
        declared.record(f"of-{kind}.{ZONE}", kind, None, data=data)
    declared.record(f"of-uri.{ZONE}", "URI", None, priority=10.0, data={"weight": 1, "target": "ftp://mail.example/"})
    declared.record(f"of-ptr.{ZONE}", "PTR", "host.mail.example")
    declared.record(f"of-key.{ZONE}", "OPENPGPKEY", "AQIDBA==")
    return declared


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_served_as_a_zone_file_writes_it(odd: Declaration, kind: str):
    assert answers(ask(DnsTwin(odd.twin), f"of-{kind}.{ZONE}", kind)) == [TYPES[kind][1]]


def test_the_other_types_are_served_too(odd: Declaration):
    twin = DnsTwin(odd.twin)
    assert answers(ask(twin, f"of-uri.{ZONE}", "URI")) == ['10 1 "ftp://mail.example/"']
    assert answers(ask(twin, f"of-ptr.{ZONE}", "PTR")) == ["host.mail.example."]
    assert answers(ask(twin, f"of-key.{ZONE}", "OPENPGPKEY")) == ["AQIDBA=="]
    assert answers(ask(twin, f"null.{ZONE}", "MX")) == ["0 ."]
    assert answers(ask(twin, f"accent.{ZONE}", "TXT")) == [r'"\195\169 \"quoted\" \\ \000"']
    assert answers(ask(twin, f"xn--bro-hoa.{ZONE}", "A")) == [ORIGIN_ADDRESS]
    assert [len(part) for part in ask(twin, f"long.{ZONE}", "TXT").answer[0][0].strings] == [255, 200]


def signatures_hold(zone: ServedZone) -> set[str]:
    """The `name type` of every record set that is this zone's to sign; each has a signature that validates."""
    keys: Any = {
        zone.origin: dns.rrset.from_rdata_list(zone.origin, 3600, list(zone.records(zone.origin, DNSKEY) or ()))
    }
    held = set()
    for name, node in zone.zone.nodes.items():
        cut = zone.cut(name)
        for rdataset in node.rdatasets:
            ours = cut is None or (name == cut and rdataset.rdtype in (DS, NSEC))
            if rdataset.rdtype == RRSIG:
                continue
            signature = zone.records(name, RRSIG, rdataset.rdtype)
            assert (signature is not None) == ours, (name, rdataset.rdtype)
            if signature is not None:
                dns.dnssec.validate((name, rdataset), (name, signature), keys)
                held.add(f"{name.to_text()} {dns.rdatatype.to_text(rdataset.rdtype)}")
    return held


DNSKEY, DS, NSEC, RRSIG = (dns.rdatatype.from_text(kind) for kind in ("DNSKEY", "DS", "NSEC", "RRSIG"))


def chain(zone: ServedZone) -> list[dns.name.Name]:
    """The names that the NSEC records lead through, from the apex back to the apex."""
    names = [zone.origin]
    while True:
        record = zone.records(names[-1], NSEC)
        assert record is not None, names[-1]
        if record[0].next == zone.origin:
            return names
        names.append(record[0].next)


def test_a_signed_zone_is_signed_whole(odd: Declaration):
    odd.dnssec()
    zone = served(odd)
    held = signatures_hold(zone)
    assert {f"{ZONE}. SOA", f"{ZONE}. DNSKEY", f"*.wild.{ZONE}. TXT", f"safe.{ZONE}. DS", f"team.{ZONE}. NSEC"} <= held
    assert f"team.{ZONE}. NS" not in held
    owners = {name for name in zone.zone.nodes if zone.cut(name) in (None, name)}
    assert chain(zone) == sorted(owners)


def test_a_signature_that_does_not_hold_is_noticed(odd: Declaration):
    odd.dnssec()
    zone = served(odd)
    forged = zone.zone.find_rdataset(dns.name.from_text(f"a.b.c.{ZONE}"), "A")
    forged.add(dns.rdata.from_text("IN", "A", "192.0.2.66"), 300)
    with pytest.raises(dns.dnssec.ValidationFailure):
        signatures_hold(zone)


def test_an_independent_verifier_accepts_the_signed_zone(odd: Declaration, tmp_path: Path):
    """ldns-verify-zone where the machine has it (Debian's ldnsutils); the test above needs nothing but dnspython."""
    odd.dnssec()
    file = tmp_path / f"{ZONE}.zone"
    served(odd).zone.to_file(str(file), relativize=False)
    text = file.read_text()
    forged = tmp_path / "forged.zone"
    forged.write_text(text.replace(f" A {ORIGIN_ADDRESS}", " A 192.0.2.66"))
    verifier = shutil.which("ldns-verify-zone")
    if verifier is not None:
        codes = [subprocess.run([verifier, str(one)], check=False, timeout=30).returncode for one in (file, forged)]
        assert codes[0] == 0
        assert codes[1] != 0
    assert f"{ZONE}. 3600 IN DNSKEY 257 3 13" in text


def test_each_zone_of_the_account_is_served_with_its_own_key(odd: Declaration):
    parked = odd.another(PARKED)
    parked.record(f"*._domainkey.{PARKED}", "TXT", '"v=DKIM1; p="')
    parked.record(PARKED, "MX", ".", priority=0.0)
    first, second = odd.dnssec(), parked.dnssec()
    twin = DnsTwin(odd.twin)
    assert answers(ask(twin, f"any._domainkey.{PARKED}", "TXT")) == ['"v=DKIM1; p="']
    assert answers(ask(twin, ZONE, "MX")) == []
    for name, entry in ((ZONE, first), (PARKED, second)):
        (ds,) = answers(ask(twin, name, "DS"))  # the parent's part
        assert entry.outputs["ds"].upper().endswith(ds.upper())
        signatures_hold(served(odd, name))
    assert ask(twin, "tidewriters.org", "A").rcode() == dns.rcode.REFUSED


def test_an_unsigned_zone_has_no_ds_record_at_its_parent(odd: Declaration):
    response = ask(DnsTwin(odd.twin), ZONE, "DS")
    assert (response.rcode(), answers(response)) == (dns.rcode.NOERROR, [])


def test_a_delegated_name_is_referred_to_its_servers(odd: Declaration):
    odd.dnssec()
    twin = DnsTwin(odd.twin)
    for name in (f"team.{ZONE}", f"deep.team.{ZONE}", f"glue.team.{ZONE}"):
        response = ask(twin, name, "A", signed=True)
        assert (response.rcode(), answers(response)) == (dns.rcode.NOERROR, [])
        assert not response.flags & dns.flags.AA
        types = {dns.rdatatype.to_text(rrset.rdtype) for rrset in response.authority}
        assert types == {"NS", "NSEC", "RRSIG"}  # no DS record, and the proof of it
    secure = ask(twin, f"x.safe.{ZONE}", "A", signed=True)
    assert {rrset.rdtype for rrset in secure.authority} >= {DS}
    assert len(answers(ask(twin, f"safe.{ZONE}", "DS"))) == 1


def test_name_servers_of_the_apex_are_cloudflares_whatever_is_declared(odd: Declaration):
    before = answers(ask(DnsTwin(odd.twin), ZONE, "NS"))
    odd.record(ZONE, "NS", "ns.mail.example")
    assert set(answers(ask(DnsTwin(odd.twin), ZONE, "NS"))) == set(before)


def test_a_setting_does_not_sign_the_zone_anew_and_a_record_does(odd: Declaration):
    odd.dnssec()
    twin, apex = DnsTwin(odd.twin), dns.name.from_text(ZONE)
    before = twin.zone_of(apex)
    odd.setting("ssl", "strict")
    assert twin.zone_of(apex) is before
    odd.record(f"new.{ZONE}")
    assert twin.zone_of(apex) is not before
    assert answers(ask(twin, f"new.{ZONE}", "A")) == [ORIGIN_ADDRESS]


def test_a_large_zone_is_searched_by_index(monkeypatch: pytest.MonkeyPatch):
    """A thousand records: an answer, a denial and a wildcard look at none of the others."""
    declared = Declaration("pro")
    for number in range(1000):
        declared.record(f"h{number}.part{number % 40}.{ZONE}")
    declared.dnssec()
    twin = DnsTwin(declared.twin)
    zone = twin.zone_of(dns.name.from_text(ZONE))
    assert zone is not None
    compared = 0
    original = dns.name.Name.fullcompare

    def counted(self: dns.name.Name, other: dns.name.Name) -> Any:
        nonlocal compared
        compared += 1
        return original(self, other)

    monkeypatch.setattr(dns.name.Name, "fullcompare", counted)
    assert answers(ask(twin, f"h7.part7.{ZONE}", "A", signed=True))[0] == ORIGIN_ADDRESS
    assert ask(twin, f"none.part7.{ZONE}", "A", signed=True).rcode() == dns.rcode.NXDOMAIN
    assert 0 < compared < 200


label = st.sampled_from(["a", "b", "*", "_c"])
names = st.lists(label, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, ZONE]))


@given(held=st.lists(names, max_size=6), asked=names)
def test_the_index_finds_what_a_search_of_every_name_finds(held: list[str], asked: str):
    """RFC 4592 section 3.3.1: the name itself, else the wildcard right below the closest name that exists."""
    origin, name = dns.name.from_text(ZONE), dns.name.from_text(asked)
    zone = dns.zone.Zone(origin, relativize=False)
    for one in (ZONE, *held):
        zone.find_rdataset(dns.name.from_text(one), "NSEC", create=True)
    found = index(zone, origin, None)

    def exists(candidate: dns.name.Name) -> bool:
        return any(node.is_subdomain(candidate) for node in zone.nodes)

    closest = name
    while not exists(closest):
        closest = closest.parent()
    wildcard = dns.name.Name((b"*",)).concatenate(closest)
    expected = name if closest == name else wildcard if wildcard in zone.nodes else None
    assert (found.source(name), found.closest(name)) == (expected, closest)
    assert found.denial(name) == max(node for node in zone.nodes if node <= name)
