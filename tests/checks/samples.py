"""Findings and reports for tests of reports."""

from datetime import UTC, datetime
from typing import Any

from checks.contract import Unprotected
from checks.model import Entry, Finding, Journey, Severity, Status
from checks.report import Report


def finding(check_id: str, status: Status, severity: Severity = Severity.HIGH, **changes: Any) -> Finding:
    facts: dict[str, Any] = {
        "id": check_id,
        "title": "one record",
        "severity": severity,
        "status": status,
        "expected": "one record ending in -all",
        "actual": "0 SPF records" if status is Status.FAIL else "as expected",
        "standard": "RFC 7208",
        "fix": "declare the senders",
        "command": "dig +noall +answer tidewriters.example TXT",
        "evidence": ("tidewriters.example TXT: no such record",),
        "seconds": 0.125,
    }
    return Finding(**{**facts, **changes})


def report(**changes: Any) -> Report:
    facts: dict[str, Any] = {
        "rehearsal": False,
        "domain": "tidewriters.example",
        "stack": "prod",
        "started": datetime(2026, 11, 21, 9, 40, tzinfo=UTC),
        "seconds": 2.5,
        "findings": (finding("mail.spf", Status.PASS),),
        "not_covered": (
            Entry(
                id="dns.caa",
                severity=Severity.MEDIUM,
                criterion="issue=CAs actually used",
                source="RFC 8659",
                not_covered="not declared: the program declares no CAA record",
            ),
        ),
        "contract_sha256": "c" * 64,
    }
    return Report(**{**facts, **changes})


NASTY = "<script>alert('[bold]1[/bold]')</script> \x07 & \u2028"


def live_report() -> Report:
    """A live launch in which every status occurs and texts try to break out."""
    return report(
        findings=(
            finding("dns.hosts", Status.PASS),
            finding("dns.ttl", Status.FAIL, Severity.LOW),
            finding("mail.spf", Status.FAIL, actual=NASTY, evidence=(NASTY, "[red]not markup[/red]")),
            finding("mail.dkim", Status.WAIVED, waiver="J. Doe, until 2027-01-31: vendor is slow"),
            finding("mail.dmarc", Status.WARN),
            finding("sec.env", Status.FAIL, Severity.CRITICAL),
            finding("stripe.endpoint", Status.NOT_RUN, Severity.CRITICAL, actual="not looked at: give a key"),
            finding("tls.chain", Status.ERROR, Severity.CRITICAL, actual="could not verify: timed out"),
        ),
        unprotected=(Unprotected(name="search", what="20 requests in 60 s", why="the free plan has one rate limit"),),
        unused_waivers=("mail.mx (J. Doe, until 2027-01-31: moved)",),
    )


def rehearsal_report() -> Report:
    """A rehearsal that went well."""
    return report(
        rehearsal=True,
        findings=(
            finding("dns.registrar", Status.ONLY_LIVE, actual="an invented domain has no registrar"),
            finding("http.security-txt", Status.NOT_APPLICABLE, actual="none is declared"),
            finding("mail.spf", Status.PASS),
        ),
    ).rehearsed_with(
        (Journey(name="a member joins", passed=True, expected="active", actual="active", seconds=1.25),),
        ("the local AWS runs FIFO event-source mappings one batch at a time",),
    )
