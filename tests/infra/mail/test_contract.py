"""What is declared, told in the contract and published, passes the checks of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from checks import contract as checked
from checks.probes import mail as probes
from checks.rules import dmarc as dmarc_rules
from checks.rules import mail as rules
from checks.rules import mail_policies as policy_rules
from checks.scope import Deadline, Scope
from checks.vantage import Vantage
from infra.mail import contract, published
from infra.mail.sections import Mail
from infra.names.text import quoted
from tests.checks.loopback import NameServer
from tests.infra.conftest import ROOT
from tests.infra.mail.declared import DOMAIN, SENDERS, mail, sender

DOCUMENT = json.loads((ROOT / "tests/checks/contract.json").read_text(encoding="utf-8"))
EVERYTHING: dict[str, Any] = {
    "mtaSts": {"mode": "enforce"},
    "tlsRpt": [f"mailto:tls@{DOMAIN}"],
    "bimi": {"logo": f"https://{DOMAIN}/logo.svg"},
    "dmarc": {
        "rung": "quarantine",
        "by": "2027-03-01",
        "nonexistent": "reject",
        "rua": [f"mailto:dmarc@{DOMAIN}", "mailto:us@reports.example"],
        "domains": {"d3": "reject"},
    },
}


@pytest.fixture
def names() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.stop()


def told(declared: Mail) -> checked.Contract:
    """The contract of a stack with this mail, as the checks read it."""
    return checked.parse({**DOCUMENT, "mail": contract.mail(declared, DOMAIN, "recorded")})


def publish(names: NameServer, declared: Mail) -> None:
    for record in published.records(declared, DOMAIN):
        content = quoted(record.content) if record.type == "TXT" else record.content
        content = content.rstrip(".") + "." if record.type in ("MX", "CNAME") else content
        value = content if record.priority is None else f"{record.priority} {content}"
        names.set(record.name, record.type, *names.records.get((record.name, record.type), []), value)


@pytest.mark.parametrize(
    "declared",
    [
        Mail(),
        mail(*(sender(via, f"d{number}") for number, via in enumerate(SENDERS)), **EVERYTHING),
        mail(sender("microsoft365"), receive={"via": "microsoft365", "host": "x.mail.protection.outlook.com"}),
    ],
    ids=["nothing", "everything", "at the apex"],
)
def test_what_is_declared_passes_the_checks(names: NameServer, declared: Mail) -> None:
    subject = told(declared)
    publish(names, declared)
    scope = Scope(subject, Vantage(resolver=("127.0.0.1", names.port), rehearsal=True), Deadline.after(10))
    found = {
        "mx": rules.mx(subject, probes.mx(scope)),
        "spf": rules.spf(subject, probes.spf(scope)),
        "dmarc": dmarc_rules.dmarc(subject, probes.dmarc(scope)),
        "rua": dmarc_rules.dmarc_rua(subject, probes.dmarc(scope)),
    }
    if subject.mail.senders:
        found["dkim"] = rules.dkim(subject, probes.dkim(scope))
    if subject.mail.return_paths:
        found["return paths"] = rules.return_path(subject, probes.return_paths(scope))
    if subject.mail.tls_rpt:
        found["reports about TLS"] = policy_rules.tls_rpt(subject, probes.tls_rpt(scope))
    assert {name: verdict.actual for name, verdict in found.items() if verdict.status != "pass"} == {}


def test_who_must_agree_to_take_reports_and_what_spf_costs_is_told() -> None:
    declared = told(
        mail(
            sender("google"), sender("mailgun", "mg"), **{**EVERYTHING, "dmarc": {"rua": ["mailto:us@reports.example"]}}
        )
    ).mail
    assert [one.authorisations for one in declared.dmarc] == [(f"{DOMAIN}._report._dmarc.reports.example",)]
    assert [(one.domain, one.lookups, one.counted_from) for one in declared.spf] == [
        (DOMAIN, 1, "recorded"),
        (f"mg.{DOMAIN}", 5, "recorded"),
    ]


@pytest.mark.parametrize(
    ("policy", "rung", "reached"),
    [
        ({}, "reject", True),
        ({"rung": "none", "by": "2027-03-01"}, "none", False),
        ({"rung": "quarantine", "target": "quarantine"}, "quarantine", True),
        ({"testing": True, "by": "2027-03-01"}, "reject", False),
        ({"subdomains": "none", "by": "2027-03-01"}, "reject", False),
    ],
)
def test_a_rung_is_reached_when_all_of_it_is_meant(policy: dict[str, Any], rung: str, reached: bool) -> None:
    entry = contract.rung(mail(dmarc=policy).dmarc)
    assert (entry["ladder"], entry["rung"], entry["reached"]) == ("dmarc", rung, reached)
    assert entry["by"] == policy.get("by")
