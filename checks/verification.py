"""Runs the checks over a contract from a vantage: the package's front door."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from checks import catalogue, contract, waivers
from checks.model import Finding, Severity
from checks.report import Report
from checks.runner import run_checks
from checks.scope import Deadline, Scope
from checks.vantage import Vantage


def run(
    document: Mapping[str, Any],
    vantage: Vantage,
    *,
    only: Sequence[str] | None = None,
    on_result: Callable[[Finding], None] | None = None,
    accepted: Iterable[waivers.Waiver] = (),
    fail_on: Severity = Severity.HIGH,
    today: date | None = None,
) -> Report:
    """The report of every check (or of `only` these ids or areas) on the contract `document`.

    `on_result` hears each finding as it ends, before waivers. Raises UsageError for a contract that is not valid
    and for an unknown check.
    """
    parsed = contract.parse(document)
    checks = catalogue.chosen(tuple(only) if only is not None else None)
    started, clock = datetime.now(UTC), time.monotonic()
    findings = run_checks(checks, lambda seconds: Scope(parsed, vantage, Deadline.after(seconds)), on_result)
    accepted = tuple(accepted)
    findings = waivers.apply(findings, accepted, today or started.date())
    return Report(
        rehearsal=vantage.rehearsal,
        domain=parsed.domain,
        stack=parsed.stack,
        started=started,
        seconds=round(time.monotonic() - clock, 3),
        findings=findings,
        not_covered=catalogue.not_covered(),
        contract_sha256=hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest(),
        fail_on=fail_on,
        unused_waivers=waivers.unused(findings, accepted),
        unprotected=parsed.edge.unprotected,
    )


def load_waivers(path: Path) -> tuple[waivers.Waiver, ...]:
    """The waivers in a file, see `checks.waivers.load`. Raises UsageError."""
    return waivers.load(path, (check.id for check in catalogue.all_checks()))
