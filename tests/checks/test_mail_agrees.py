"""Our verdicts over single records, beside those of pyspf, dkimpy and checkdmarc."""

import base64

import dkim as dkimpy
import pytest
from checkdmarc import dmarc as checkdmarc
from checkdmarc import mta_sts, smtp_tls_reporting
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from checks.contract import Dmarc
from checks.model import Status
from checks.probes.dns import Answer, resolver_at
from checks.probes.mail import DkimFacts
from checks.rules import dmarc
from checks.rules.mail_policies import policy_fields
from checks.rules.mail_records import key_problems, spf_record_problems, tags_of
from tests.checks.mail_oracles import spf_says

APEX = "tidewriters.example"


def answer(*records: str) -> Answer:
    return Answer(name=APEX, type="TXT", resolver="127.0.0.1:53", records=records, names=(APEX,), ttl=300)


SPF = [
    ("ip4:192.0.2.0/24 -all", True),
    ("ip4:192.0.2.1 ip6:2001:db8::/32 ~all", True),
    ("a mx -all", True),
    ("a/24//64 mx:mail.tidewriters.example/30 -all", True),
    ("exists:%{i}.list.example -all", True),
    ("redirect=other.example", True),
    ("exp=why.example -all", True),
    ("some=thing -all", True),
    ("ip4:192.0.2.300 -all", False),
    ("ip4:192.0.2.0/33 -all", False),
    ("ip6:192.0.2.1 -all", False),
    ("ip4 -all", False),
    ("include: -all", False),
    ("include -all", False),
    ("exists -all", False),
    ("a:b.example/240 -all", False),
    ("all:now", False),
    ("moo:x.example -all", False),
    ("ip4:192.0.2.1, ip4:192.0.2.2 -all", False),
    ("redirect=other.example redirect=another.example", False),
]


@pytest.mark.parametrize(("terms", "good"), SPF, ids=[terms for terms, _ in SPF])
def test_spf_is_valid_where_pyspf_says_so(look, names, monkeypatch, terms, good):
    """pyspf stops at the first match, so the client is one that no term matches."""
    record = f"v=spf1 {terms}"
    names.set(APEX, "TXT", f'"{record}"')
    for name in (APEX, "mail.tidewriters.example", "b.example"):
        names.set(name, "A", "192.0.2.1")
        names.set(name, "MX", f"10 {name}.")
    for name in ("other.example", "another.example"):
        names.set(name, "TXT", '"v=spf1 -all"')

    theirs = spf_says(look(), "203.0.113.9", f"a@{APEX}", "mx.example", monkeypatch)

    assert (spf_record_problems(record) == []) == good == (theirs != "permerror")


def rsa_key(bits: int) -> str:
    return encoded(rsa.generate_private_key(65537, bits).public_key())


def encoded(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


GOOD_KEY = rsa_key(2048)
DKIM = [
    (f"v=DKIM1; k=rsa; p={GOOD_KEY}", True),
    (f"k=rsa;p={GOOD_KEY}", True),
    (f"p={GOOD_KEY}", True),
    (f"v=DKIM1; s=email; p={GOOD_KEY}", True),
    (f"v=DKIM1;p={GOOD_KEY[:64]} {GOOD_KEY[64:]};", True),
    (f"v=DKIM2; p={GOOD_KEY}", False),
    (f"v=DKIM1; k=dsa; p={GOOD_KEY}", False),
    ("v=DKIM1; k=rsa; p=AAAA", False),
    ("v=DKIM1; k=rsa", False),
    ("v=DKIM1; p=", False),
    (f"v=DKIM1; p={encoded(ec.generate_private_key(ec.SECP256R1()).public_key())}", False),
    ("", False),
]


@pytest.mark.parametrize(("record", "good"), DKIM, ids=[record[:30] for record, _ in DKIM])
def test_a_key_is_one_where_dkimpy_says_so(record, good):
    keys = answer(*([record] if record else []))
    fact = DkimFacts(selector="s1", declared="", published=keys, key=keys)

    assert (key_problems(fact)[0] == []) == good == _dkimpy_reads(record)


def _dkimpy_reads(record: str) -> bool:
    try:
        return bool(dkimpy.evaluate_pk("s1", record)[0])
    except (dkimpy.KeyFormatError, ValueError, IndexError, KeyError, TypeError):  # what it raises for what is no key
        return False


DMARC = [
    (f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{APEX}", True),
    (f"v=DMARC1;p=reject;sp=quarantine;np=reject;rua=mailto:dmarc@{APEX}", True),
    (f"v=DMARC1; p=none; t=y; rua=mailto:dmarc@{APEX}", True),
    (f"v=DMARC1; p=reject; adkim=s; aspf=s; rua=mailto:dmarc@{APEX}", True),
    (f"v=DMARC1; p=reject; pct=20; rua=mailto:dmarc@{APEX}", False),
    (f"v=DMARC1; p=reject; ri=3600; rua=mailto:dmarc@{APEX}", False),
    (f"v=DMARC1; p=reject; rf=afrf; rua=mailto:dmarc@{APEX}", False),
    (f"v=DMARC1; p=refuse; rua=mailto:dmarc@{APEX}", False),
    (f"v=DMARC1; p=reject; sp=maybe; rua=mailto:dmarc@{APEX}", False),
    (f"p=reject; v=DMARC1; rua=mailto:dmarc@{APEX}", False),
    (f"v=dmarc1; p=reject; rua=mailto:dmarc@{APEX}", False),
    (f"v=DMARC1; p=reject; rua=dmarc@{APEX}", False),
    ("v=spf1 -all", False),
]


@pytest.mark.parametrize(("record", "good"), DMARC, ids=[record for record, _ in DMARC])
def test_a_policy_is_one_where_checkdmarc_says_so(look, names, declared, record, good):
    """Removed tags are a warning there and a failure here: whoever wrote pct= believes that it does something."""
    names.set(APEX, "MX", f"10 mx.{APEX}.")
    ours = _ours(declared, record)

    assert ours == good == _checkdmarc_takes(record, look())


def _ours(declared, record: str) -> bool:
    """The two rules over a record, where it is what was declared."""
    tags = tags_of(record)
    policy = Dmarc.model_construct(
        domain=APEX,
        name=f"_dmarc.{APEX}",
        policy=tags.get("p", "none"),
        subdomains=tags.get("sp"),
        nonexistent=tags.get("np"),
        testing=tags.get("t") == "y",
        rua=tuple(part for part in tags.get("rua", "").split(",") if part),
        authorisations=(),
    )
    subject = declared.model_copy(update={"mail": declared.mail.model_copy(update={"dmarc": (policy,)})})
    verdicts = (dmarc.dmarc(subject, (answer(record),)), dmarc.dmarc_rua(subject, (answer(record),)))
    return all(verdict.status is Status.PASS for verdict in verdicts)


def _checkdmarc_takes(record: str, scope) -> bool:
    try:
        found = checkdmarc.parse_dmarc_record(record, APEX, resolver=resolver_at(scope.vantage.resolver))
    except (checkdmarc.DMARCError, checkdmarc.DMARCRecordNotFound):
        return False
    return not any("was removed in RFC 9989" in warning for warning in found["warnings"])


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_a_policy_of_mta_sts_is_read_as_checkdmarc_reads_it(newline):
    text = newline.join(["version: STSv1", "mode: enforce", "mx: a.example", "mx: *.b.example", "max_age: 604800", ""])

    theirs = mta_sts.parse_mta_sts_policy(text)["policy"]

    ours = policy_fields(text)
    assert ours["mode"] == [theirs["mode"]]
    assert ours["mx"] == theirs["mx"]
    assert ours["max_age"] == [str(theirs["max_age"])]


def test_where_reports_about_tls_go_is_read_as_checkdmarc_reads_it():
    record = f"v=TLSRPTv1; rua=mailto:tls@{APEX},https://tls.example/report"

    theirs = smtp_tls_reporting.parse_smtp_tls_reporting_record(record)

    assert theirs["tags"]["rua"]["value"] == tags_of(record)["rua"].split(",")
