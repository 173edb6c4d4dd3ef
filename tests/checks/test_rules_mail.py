import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from checks.contract import Contract
from checks.model import Status
from checks.probes.dns import Answer
from checks.probes.mail import DkimFacts
from checks.probes.spf import SpfCost
from checks.rules import dmarc, mail

DOMAIN = "tidewriters.example"
GOOD_SPF = "v=spf1 include:_spf.mailhost.example -all"


@pytest.fixture
def declared(declared):
    """The contract with one SPF record, that of the domain."""
    return changed(declared, spf=declared.mail.spf[:1])


def changed(declared: Contract, **parts: Any) -> Contract:
    return declared.model_copy(update={"mail": declared.mail.model_copy(update=parts)})


def answer(*records: str, name: str = DOMAIN, kind: str = "TXT", names: tuple[str, ...] = ()) -> Answer:
    return Answer(name=name, type=kind, resolver="127.0.0.1:53", records=records, names=names or (name,), ttl=300)


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ((GOOD_SPF, "unrelated"), None),
        ((), "0 SPF records"),
        ((GOOD_SPF, "v=spf1 -all"), "2 SPF records"),
        (("v=spf1 include:_spf.mailhost.example +all",), "+all lets anybody send"),
        (("v=spf1 include:_spf.mailhost.example ?all",), "?all lets anybody send"),
        (("v=spf1 include:_spf.mailhost.example",), "no all term"),
        (("v=spf1 ptr -all",), "ptr is slow"),
        (("v=spf1 ip4:0.0.0.0/0 -all",), "ip4:0.0.0.0/0 lets anybody send"),
        (("v=spf1 include:_spf.other.example -all",), "declared 'v=spf1 include:_spf.mailhost.example -all'"),
        (("V=SPF1 -ALL",), "publishes 'V=SPF1 -ALL'"),
        (("v=spf10 -all",), "0 SPF records"),
    ],
)
def test_spf(declared, records, said):
    verdict = mail.spf(declared, (answer(*records),))

    assert (verdict.status is Status.PASS) == (said is None)
    assert (said or "") in verdict.actual


def test_a_weak_spf_fails_also_where_it_is_what_was_declared(declared):
    weak = changed(declared, spf=(declared.mail.spf[0].model_copy(update={"value": "v=spf1 +all"}),))

    assert mail.spf(weak, (answer("v=spf1 +all"),)).status is Status.FAIL


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("v=DMARC1; p=quarantine; rua=mailto:dmarc@tidewriters.example", None),
        ("v = DMARC1 ; p = quarantine", None),
        ("v=DMARC1; p=none", "published p=none, declared p=quarantine"),
        ("v=DMARC1; p=reject", "published p=reject, declared p=quarantine"),
        ("v=DMARC1; p=quarantine; sp=none", "published sp=none, declared no sp="),
        ("v=DMARC1; p=quarantine; np=none", "published np=none, declared no np="),
        ("v=DMARC1; p=quarantine; pct=20", "pct= was removed"),
        ("v=DMARC1; p=quarantine; t=y", "t=y"),
        ("v=DMARC1; rua=mailto:a@b.example", "p=(missing) is no policy"),
        ("v=DMARC1; p=refuse", "p=refuse is no policy"),
        ("v=dmarc1; p=quarantine", "0 DMARC records"),
        ("v=DMARC10; p=quarantine", "0 DMARC records"),
        ("p=quarantine; v=DMARC1", "0 DMARC records"),
        ("v=spf1 -all", "0 DMARC records"),
    ],
)
def test_dmarc(declared, record, said):
    verdict = dmarc.dmarc(declared, (answer(record, name=f"_dmarc.{DOMAIN}"),))

    assert (verdict.status is Status.PASS) == (said is None)
    assert (said or "") in verdict.actual


@pytest.mark.parametrize(
    ("record", "status"),
    [
        ("v=DMARC1; p=none; np=reject; t=y", Status.PASS),
        ("v=DMARC1; p=none; np=reject", Status.FAIL),
        ("v=DMARC1; p=none; t=y", Status.FAIL),
    ],
)
def test_the_lowest_rung_of_dmarc_is_what_must_be_live_where_it_is_declared(declared, record, status):
    rung = {"policy": "none", "nonexistent": "reject", "testing": True}
    watching = changed(declared, dmarc=(declared.mail.dmarc[0].model_copy(update=rung),))

    assert dmarc.dmarc(watching, (answer(record),)).status is status


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("v=DMARC1; p=reject; rua=mailto:dmarc@tidewriters.example", None),
        ("v=DMARC1; p=reject; rua=mailto:a@b.example", "declared mailto:dmarc@tidewriters.example"),
        ("v=DMARC1; p=reject", "no rua="),
        ("v=DMARC1; p=reject; rua=a@b.example", "'a@b.example' is not a mailto: address"),
    ],
)
def test_dmarc_reports(declared, record, said):
    verdict = dmarc.dmarc_rua(declared, (answer(record, name=f"_dmarc.{DOMAIN}"),))

    assert (verdict.status is Status.PASS) == (said is None)
    assert (said or "") in verdict.actual


@pytest.mark.parametrize(("records", "status"), [(("v=DMARC1",), Status.PASS), ((), Status.FAIL)])
def test_outside_report_addresses(declared, records, status):
    assert dmarc.dmarc_report(declared, (answer(*records),)).status is status


@pytest.mark.parametrize(
    ("records", "said"),
    [
        (("10 mx1.mailhost.example.", "20 mx2.mailhost.example."), None),
        ((), "has no MX record"),
        (("10 mx1.mailhost.example.",), "declared [(10, 'mx1.mailhost.example'), (20,"),
        (("10 192.0.2.1.",), "is an address, not a host name"),
    ],
)
def test_mx(declared, records, said):
    verdict = mail.mx(declared, (answer(*records, kind="MX"),))

    assert (verdict.status is Status.PASS) == (said is None)
    assert (said or "") in verdict.actual


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((answer("192.0.2.1", name="mx1.x", kind="A"), answer(name="mx1.x", kind="AAAA")), None),
        ((answer(name="mx1.x", kind="A"),), "mx1.x has no address"),
        ((answer("192.0.2.1", name="mx1.x", kind="A", names=("mx1.x", "y")),), "mx1.x is a CNAME"),
        ((), "no exchanger is published"),
    ],
)
def test_mx_hosts(declared, facts, said):
    verdict = mail.mx_hosts(declared, facts)

    assert (verdict.status is Status.PASS) == (said is None)
    assert (said or "") in verdict.actual


@pytest.mark.parametrize(
    ("cost", "status"),
    [
        (SpfCost(domain=DOMAIN, lookups=7, voids=2), Status.PASS),
        (SpfCost(domain=DOMAIN, lookups=8, voids=0), Status.WARN),
        (SpfCost(domain=DOMAIN, lookups=10, voids=0), Status.WARN),
        (SpfCost(domain=DOMAIN, lookups=11, voids=0), Status.FAIL),
        (SpfCost(domain=DOMAIN, lookups=1, voids=3), Status.FAIL),
        (SpfCost(domain=DOMAIN, lookups=0, voids=0, error="loops"), Status.FAIL),
    ],
)
def test_spf_limit(declared, cost, status):
    assert mail.spf_limit(declared, (cost,)).status is status


def selector(published: tuple[str, ...], declared: str = "s1.dkim.mailhost.example", key: str = "") -> DkimFacts:
    name = f"s1._domainkey.{DOMAIN}"
    keys = (key,) if key else ()
    return DkimFacts(
        selector="s1", declared=declared, published=answer(*published, name=name), key=answer(*keys, name=name)
    )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((selector(("s1.dkim.mailhost.example.",)),), None),
        ((selector(("v=DKIM1; p=AAAA",), declared='"v=DKIM1; " "p=AAAA"'),), None),
        ((selector(()),), "no such record"),
        ((selector(("elsewhere.example.",)),), "declared s1.dkim.mailhost.example"),
    ],
)
def test_dkim(declared, facts, said):
    verdict = mail.dkim(declared, facts)

    assert (verdict.status is Status.PASS) == (said is None)
    assert (said or "") in verdict.actual


def test_a_sender_without_a_selector_signs_nothing(declared):
    verdict = mail.dkim(changed(declared, dkim=declared.mail.dkim[:1]), ())

    assert verdict.actual == f"no selector is declared for resend at mail.{DOMAIN}"


def rsa_key(bits: int) -> str:
    der = (
        rsa.generate_private_key(65537, bits)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"


def elliptic_key() -> str:
    der = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return f"v=DKIM1; p={base64.b64encode(der).decode()}"


ED25519 = base64.b64encode(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()


@pytest.mark.parametrize(
    ("key", "status", "said"),
    [
        (rsa_key(2048), Status.PASS, ""),
        (f"v=DKIM1; k=ed25519; p={ED25519}", Status.PASS, ""),
        (rsa_key(1024), Status.WARN, "RSA 1024 bits"),
        ("v=DKIM1; k=ed25519; p=AAAA", Status.FAIL, "32 bytes"),
        (rsa_key(2048) + "; t=y:s", Status.FAIL, "t=y"),
        ("v=DKIM1; p=", Status.FAIL, "revoked"),
        ("v=DKIM1; p=!!!", Status.FAIL, "not base64"),
        (elliptic_key(), Status.FAIL, "not the declared RSA key"),
        ("", Status.FAIL, "holds no key"),
    ],
    ids=["rsa", "ed25519", "short rsa", "short ed25519", "testing", "revoked", "not base64", "elliptic", "none"],
)
def test_dkim_key(declared, key, status, said):
    verdict = mail.dkim_key(declared, (selector((), key=key),))

    assert verdict.status is status
    assert said in verdict.actual
