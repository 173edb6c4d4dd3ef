"""The chain of a zone that is signed for real, and what breaks it."""

import time

import dns.dnssec
import dns.name
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from checks.errors import NotDeclared, ProbeError
from checks.model import Severity, Status
from checks.probes import dnssec
from checks.rules import dnssec as rules
from tests.checks.exchanges import changed
from tests.checks.loopback import unused_port

APEX = "tidewriters.example"
OWNER = dns.name.from_text(APEX)
DAY = 86400


class SignedZone:
    """Publishes records with signatures of one key, and the DS that the parent would have."""

    def __init__(self, names, private=None, algorithm="ECDSAP256SHA256"):
        self.names = names
        self.private = private or ec.generate_private_key(ec.SECP256R1())
        self.key = dns.dnssec.make_dnskey(self.private.public_key(), algorithm, flags=257)
        self.publish("DNSKEY", self.key.to_text())
        self.publish("SOA", "ada.ns.cloudflare.com. dns.cloudflare.com. 7 14400 3600 604800 1800")
        self.publish("A", "192.0.2.1")
        self.name_key("SHA256")

    def name_key(self, *digests):
        made = [dns.dnssec.make_ds(OWNER, self.key, digest, policy=dns.dnssec.allow_all_policy) for digest in digests]
        self.names.set(APEX, "DS", *(one.to_text() for one in made))

    def publish(self, kind, *values, since=-DAY, until=30 * DAY):
        records = dns.rrset.from_text(OWNER, 300, "IN", kind, *values)
        now = time.time()
        signature = dns.dnssec.sign(
            records, self.private, OWNER, self.key, inception=now + since, expiration=now + until
        )
        self.names.set(APEX, kind, *values)
        self.names.set(APEX, f"RRSIG {kind}", signature.to_text())


@pytest.fixture
def zone(names):
    return SignedZone(names)


@pytest.fixture
def judged(look, declared):
    def call():
        return rules.dnssec(declared, dnssec.chain(look()))

    return call


def test_a_signed_zone_holds_from_the_parents_ds_on(zone, judged):
    verdict = judged()

    assert (verdict.status, verdict.actual) == (Status.PASS, "3 signed sets hold")
    assert any("SOA: valid, until" in line for line in verdict.evidence)


def forge(zone, kind="A"):
    zone.names.set(APEX, kind, "192.0.2.66")


def unsign(zone):
    zone.names.set(APEX, "RRSIG SOA")


def roll(zone):
    """A new key whose DS nobody gave to the parent."""
    before = zone.names.records[APEX, "DS"]
    SignedZone(zone.names)
    zone.names.set(APEX, "DS", *before)


def drop_keys(zone):
    zone.names.set(APEX, "DNSKEY")


def forge_keys(zone):
    """The parent's key is there, but did not sign the set: another one stands in it unsigned."""
    other = dns.dnssec.make_dnskey(ec.generate_private_key(ec.SECP256R1()).public_key(), "ECDSAP256SHA256")
    zone.names.set(APEX, "DNSKEY", zone.key.to_text(), other.to_text())


def run_out(zone):
    zone.publish("A", "192.0.2.1", since=-30 * DAY, until=2 * DAY)


def live_too_long(zone):
    zone.publish("A", "192.0.2.1", until=200 * DAY)


def on_demand_run_out(zone):
    zone.publish("A", "192.0.2.1", since=-DAY, until=3600)


def expire(zone):
    zone.publish("A", "192.0.2.1", since=-3 * DAY, until=-DAY)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (forge, "tidewriters.example A: "),
        (unsign, "tidewriters.example SOA: no signature"),
        (roll, "no key of the zone is one that the parent names"),
        (drop_keys, "the parent names a key, but the zone has none"),
        (forge_keys, "the zone's keys are not signed by the key that the parent names"),
        (run_out, "tidewriters.example A: the signature ends on"),
        (live_too_long, "the signature lives for 201 days, at most 180"),
        (on_demand_run_out, "the signature ends on"),
        (expire, "tidewriters.example A: "),
    ],
)
def test_what_breaks_the_chain_is_critical(zone, judged, mistake, said):
    mistake(zone)

    verdict = judged()

    assert verdict.status is Status.FAIL
    assert verdict.severity is None
    assert said in verdict.actual


def test_signatures_made_on_demand_live_for_a_day_or_two(zone, judged):
    zone.publish("A", "192.0.2.1", since=-DAY, until=DAY)

    assert judged().status is Status.PASS


def test_resolvers_must_vouch_for_the_parents_ds_where_there_is_a_parent(zone, look, declared):
    facts = dnssec.chain(look(rehearsal=False))

    assert "do not vouch for the parent's DS" in rules.dnssec(declared, facts).actual


@pytest.mark.parametrize("wanted", [True, False])
def test_a_zone_that_is_not_signed_fails_mildly(names, look, declared, wanted):
    names.set(APEX, "A", "192.0.2.1")
    subject = changed(declared, zone=declared.zone.model_copy(update={"dnssec": wanted}))

    verdict = rules.dnssec(subject, dnssec.chain(look()))

    assert (verdict.status, verdict.severity) == (Status.FAIL, Severity.MEDIUM)
    assert ("though it is declared" in verdict.actual) is wanted
    with pytest.raises(NotDeclared, match="the zone is not signed"):
        dnssec.signed_chain(look())


def test_a_ds_that_the_parent_lacks_fails_mildly(zone, judged):
    zone.names.set(APEX, "DS")

    verdict = judged()

    assert (verdict.status, verdict.severity) == (Status.FAIL, Severity.MEDIUM)
    assert "enter the zone's at the registrar" in verdict.actual


def test_strong_keys_and_digests_pass(zone, look, declared):
    verdict = rules.algorithms(declared, dnssec.signed_chain(look()))

    assert (verdict.status, verdict.actual) == (Status.PASS, f"key {dns.dnssec.key_id(zone.key)}: algorithm 13")


@pytest.mark.parametrize(
    ("bits", "algorithm", "said"),
    [(2048, "RSASHA256", None), (1024, "RSASHA256", "RSA of 1024 bits"), (2048, "RSASHA512", "algorithm 10")],
)
def test_weak_keys_are_seen(names, look, declared, bits, algorithm, said):
    SignedZone(names, rsa.generate_private_key(65537, bits), algorithm)

    verdict = rules.algorithms(declared, dnssec.signed_chain(look()))

    assert said in verdict.actual if said else verdict.status is Status.PASS


def test_weak_digests_and_iterations_are_seen(zone, look, declared):
    zone.name_key("SHA1", "SHA256")
    zone.publish("NSEC3PARAM", "1 0 10 AABB")

    verdict = rules.algorithms(declared, dnssec.signed_chain(look()))

    assert verdict.actual == "DS digest type 1; NSEC3 with 10 iterations"


def test_a_resolver_that_does_not_answer_is_no_verdict(look, monkeypatch):
    monkeypatch.setattr("checks.probes.dns.TRY_SECONDS", 0.05)
    with pytest.raises(ProbeError, match="no answer for"):
        dnssec.chain(look(resolver=("127.0.0.1", unused_port())))
