import hashlib
import json
from datetime import date

import pytest

import checks
from checks.errors import UsageError
from checks.model import Status
from checks.vantage import Vantage
from checks.waivers import Waiver
from tests.checks.loopback import unused_port

REHEARSAL = Vantage(rehearsal=True)


@pytest.fixture
def nowhere() -> Vantage:
    """A vantage from which nothing answers."""
    return Vantage(resolver=("127.0.0.1", unused_port()), rehearsal=True)


def test_a_report_names_what_it_is_about(document):
    report = checks.run(document, REHEARSAL, only=["edge.ssl"])

    assert (report.domain, report.stack, report.rehearsal) == ("tidewriters.example", "prod", True)
    assert [(finding.id, finding.status) for finding in report.findings] == [("edge.ssl", Status.PASS)]
    text = json.dumps(document, sort_keys=True)
    assert report.contract_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert "app.update" in {entry.id for entry in report.not_covered}


def test_results_are_heard_as_they_come(document):
    heard = []

    checks.run(document, REHEARSAL, only=["edge.ssl", "tls.key"], on_result=heard.append)

    assert {finding.id for finding in heard} == {"edge.ssl", "tls.key"}


def test_a_weakened_declaration_fails_although_it_is_what_was_declared(document):
    document["edge"]["ssl"] = "flexible"

    report = checks.run(document, Vantage(), only=["edge.ssl"])

    assert (report.verdict, report.exit_code()) == ("NOT READY", 1)


def test_a_waived_failure_does_not_keep_a_launch_back(document):
    document["edge"]["ssl"] = "full"
    waiver = Waiver(id="edge.ssl", owner="J. Doe", reason="origin moves", expires=date(2026, 12, 1))

    accepted = checks.run(document, Vantage(), only=["edge.ssl"], accepted=[waiver], today=date(2026, 12, 1))
    expired = checks.run(document, Vantage(), only=["edge.ssl"], accepted=[waiver], today=date(2026, 12, 2))

    assert (accepted.verdict, accepted.findings[0].status) == ("READY", Status.WAIVED)
    assert (expired.verdict, expired.exit_code()) == ("NOT READY", 1)


def test_a_world_that_does_not_answer_is_not_verified(document, nowhere, monkeypatch):
    monkeypatch.setattr("checks.probes.dns.LIFETIME_SECONDS", 0.2)

    report = checks.run(document, nowhere, only=["mail.spf", "mail.dmarc", "redir.https"])

    assert {finding.status for finding in report.findings} == {Status.ERROR}
    assert report.exit_code() == 3


def test_no_check_run_is_no_pass(document):
    assert checks.run(document, REHEARSAL, only=[]).exit_code() == 3


def test_an_invalid_contract_and_an_unknown_check_are_refused(document):
    with pytest.raises(UsageError, match="there is no check"):
        checks.run(document, REHEARSAL, only=["mail.typo"])
    del document["domain"]
    with pytest.raises(UsageError, match="'domain' is a required property"):
        checks.run(document, REHEARSAL)
