import pytest

from checks.contract import Record
from checks.errors import NotDeclared
from checks.probes import records
from checks.rules import records as rules
from tests.checks.exchanges import changed, passes

APEX = "tidewriters.example"


def record(kind, content, name=APEX, *, proxied=False):
    return Record(name=name, type=kind, content=content, ttl=1, proxied=proxied, priority=None)


LONG = "k=" + "a" * 400


@pytest.fixture
def subject(declared, names):
    names.set(APEX, "TXT", '"site=abc"', f'"{LONG[:255]}" "{LONG[255:]}"')
    names.set(f"_sip._tcp.{APEX}", "SRV", "1 1 5060 sip.example.")
    names.set(f"shop.{APEX}", "A", "127.0.0.1")
    return changed(
        declared,
        records=(
            record("TXT", LONG),
            record("TXT", "site=abc"),
            record("SRV", "1 1 5060 sip.example.", f"_sip._tcp.{APEX}"),
            record("CNAME", "shops.example.", f"shop.{APEX}", proxied=True),
        ),
    )


def test_declared_records_are_found_with_their_strings_joined(look, subject):
    facts = records.records(look(subject=subject))

    assert [(fact.name, fact.type, len(fact.declared)) for fact in facts] == [
        (f"_sip._tcp.{APEX}", "SRV", 1),
        (f"shop.{APEX}", "CNAME", 1),
        (APEX, "TXT", 2),
    ]
    assert passes(rules.records(subject, facts), None)


def test_a_record_that_was_removed_is_seen(look, names, subject):
    names.set(APEX, "TXT", '"site=abc"')

    assert passes(rules.records(subject, records.records(look(subject=subject))), "lacks k=aaa")


def test_no_other_record_is_not_judged(look):
    with pytest.raises(NotDeclared, match="no record is declared beside"):
        records.records(look())


def test_authorities_are_read(look, names):
    names.set(APEX, "CAA", '0 issue "pki.goog; x=1"', '0 iodef "mailto:a@b.example"')

    (answer,) = records.caa(look())

    assert answer.records == ('0 iodef "mailto:a@b.example"', '0 issue "pki.goog; x=1"')


def test_a_tenant_leaves_the_authorities_to_the_zones_owner(look, declared):
    tenant = changed(declared, zone=declared.zone.model_copy(update={"role": "tenant"}))

    with pytest.raises(NotDeclared, match="owner"):
        records.caa(look(subject=tenant))
