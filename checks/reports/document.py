"""The report as a JSON document: the machine's view, and what the sign-off's digest is over."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from checks.model import Finding
from checks.report import Report

VERSION = 2


def document(report: Report) -> dict[str, Any]:
    """The report's document, as `checks/report.schema.json` defines it."""
    return {
        "version": VERSION,
        "mode": "rehearsal" if report.rehearsal else "live",
        "verdict": report.verdict,
        "sentence": report.sentence(),
        "exit_code": report.exit_code(),
        "domain": report.domain,
        "stack": report.stack,
        "started": report.started.isoformat(timespec="seconds"),
        "seconds": report.seconds,
        "contract_sha256": report.contract_sha256,
        "fail_on": report.fail_on.value,
        "counts": {status.value: count for status, count in report.counts().items()},
        "findings": [_finding(finding) for finding in report.findings],
        "not_covered": [
            {
                "id": entry.id,
                "severity": entry.severity.value,
                "criterion": entry.criterion,
                "source": entry.source,
                "reason": entry.not_covered,
            }
            for entry in report.not_covered
        ],
        "journeys": [asdict(journey) for journey in report.journeys],
        "twin_gaps": list(report.twin_gaps),
        "unprotected": [gap.model_dump() for gap in report.unprotected],
        "unused_waivers": list(report.unused_waivers),
    }


def render(report: Report) -> str:
    """The document as text, ending in a newline."""
    return json.dumps(document(report), indent=2, ensure_ascii=False) + "\n"


def digest(text: str) -> str:
    """The SHA-256 of a rendered document in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def changes(report: Report, previous: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """What ended differently from a previous document: (id, status then, status now), "" where it was not there."""
    before = {finding["id"]: finding["status"] for finding in previous.get("findings", ())}
    after = {finding.id: finding.status.value for finding in report.findings}
    ids = list(dict.fromkeys((*before, *after)))
    return tuple(
        (one, before.get(one, ""), after.get(one, "")) for one in ids if before.get(one, "") != after.get(one, "")
    )


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "area": finding.area,
        "title": finding.title,
        "severity": finding.severity.value,
        "status": finding.status.value,
        "expected": finding.expected,
        "actual": finding.actual,
        "evidence": list(finding.evidence),
        "standard": finding.standard,
        "fix": finding.fix,
        "command": finding.command,
        "seconds": finding.seconds,
        "attempts": finding.attempts,
        "waiver": finding.waiver,
    }
