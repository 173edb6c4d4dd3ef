import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from checks.errors import ProbeError
from checks.probes import mail, spf
from checks.rules import dmarc as dmarc_rules
from checks.rules import mail as rules
from checks.rules import mail_policies as policy_rules
from tests.checks.loopback import unused_port

APEX = "tidewriters.example"


@pytest.fixture
def published(names, declared):
    """A zone that holds every declared mail record."""
    for mx in declared.mail.mx:
        names.set(mx.domain, "MX", *(f"{one.priority} {one.host}." for one in mx.exchangers))
        for one in mx.exchangers:
            names.set(one.host, "A", "192.0.2.25")
    for spf_record in declared.mail.spf:
        names.set(spf_record.domain, "TXT", f'"{spf_record.value}"')
    for include in ("_spf.mailhost.example", "amazonses.com"):
        names.set(include, "TXT", '"v=spf1 ip4:192.0.2.0/24 -all"')
    for dkim in declared.mail.dkim:
        names.set(dkim.name, "CNAME", f"{dkim.value}.")
        names.set(dkim.value, "TXT", rsa_record(2048))
    for path in declared.mail.return_paths:
        names.set(path.name, "MX", f"{path.priority} {path.value}.")
    names.set(f"_dmarc.{APEX}", "TXT", f'"v=DMARC1; p=quarantine; rua=mailto:dmarc@{APEX}"')
    names.set(declared.mail.tls_rpt.name, "TXT", f'"v=TLSRPTv1; rua={declared.mail.tls_rpt.rua[0]}"')
    return names


def rsa_record(bits: int) -> str:
    return rsa_text(rsa.generate_private_key(65537, bits).public_key())


def rsa_text(key: rsa.RSAPublicKey) -> str:
    """A key record as a zone file has it."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"
    return " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255))


CHECKS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "mx": (mail.mx, rules.mx),
    "mx hosts": (mail.mx_hosts, rules.mx_hosts),
    "spf": (mail.spf, rules.spf),
    "spf limit": (spf.costs, rules.spf_limit),
    "dkim": (mail.dkim, rules.dkim),
    "dkim key": (mail.dkim, rules.dkim_key),
    "dmarc": (mail.dmarc, dmarc_rules.dmarc),
    "dmarc rua": (mail.dmarc, dmarc_rules.dmarc_rua),
    "dmarc report": (mail.report_authorisations, dmarc_rules.dmarc_report),
    "return path": (mail.return_paths, rules.return_path),
    "tls reports": (mail.tls_rpt, policy_rules.tls_rpt),
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_zone_that_holds_what_is_declared_passes(look, published, declared, name):
    probe, rule = CHECKS[name]

    assert rule(declared, probe(look())).status == "pass"


BREAKS = {
    "mx": lambda names: names.set(APEX, "MX"),
    "mx hosts": lambda names: names.set("mx1.mailhost.example", "A"),
    "spf": lambda names: names.set(APEX, "TXT"),
    "spf limit": lambda names: names.set("_spf.mailhost.example", "TXT", f'"v=spf1 {chain(10)} -all"'),
    "dkim": lambda names: names.set(f"s1._domainkey.{APEX}", "CNAME"),
    "dkim key": lambda names: names.set("s1.dkim.mailhost.example", "TXT", rsa_record(1024)),
    "dmarc": lambda names: names.set(f"_dmarc.{APEX}", "TXT", '"v=DMARC1; p=none"'),
    "dmarc rua": lambda names: names.set(f"_dmarc.{APEX}", "TXT", '"v=DMARC1; p=quarantine"'),
    "return path": lambda names: names.set(f"send.mail.{APEX}", "MX", "10 mail.elsewhere.example."),
    "tls reports": lambda names: names.set(f"_smtp._tls.{APEX}", "TXT", '"v=TLSRPTv1; rua=mailto:a@b.example"'),
    "dmarc report": lambda names: names.set(
        f"_dmarc.{APEX}", "TXT", '"v=DMARC1; p=quarantine; rua=mailto:us@reports.example!10m"'
    ),
}


def chain(count: int) -> str:
    return " ".join(f"a:e{number}.mail.example" for number in range(count))


@pytest.mark.parametrize("name", CHECKS)
def test_each_break_is_seen(look, published, declared, name):
    BREAKS[name](published)
    probe, rule = CHECKS[name]

    assert rule(declared, probe(look())).status == ("warn" if name == "dkim key" else "fail")


def test_a_report_service_that_agrees_is_found(look, published, declared):
    published.set(f"_dmarc.{APEX}", "TXT", '"v=DMARC1; p=quarantine; rua=mailto:us@reports.example"')
    published.set(f"{APEX}._report._dmarc.reports.example", "TXT", '"v=DMARC1"')

    assert dmarc_rules.dmarc_report(declared, mail.report_authorisations(look())).status == "pass"


@pytest.mark.parametrize("probe", [mail.mx, spf.costs])
def test_a_dead_resolver_is_no_verdict(look, probe):
    with pytest.raises(ProbeError, match="no answer"):
        probe(look(0.3, resolver=("127.0.0.1", unused_port())))


def test_without_a_dmarc_record_no_report_address_is_known(look):
    with pytest.raises(ProbeError, match="has no record"):
        mail.report_authorisations(look())
