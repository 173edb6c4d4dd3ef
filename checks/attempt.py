"""Tries one check: retries what could not be observed, confirms what failed, records what came out."""

import time
import traceback
from collections.abc import Callable
from dataclasses import replace

from checks.errors import NeedsInput, NotDeclared, ProbeError
from checks.model import Check, Finding, Status, Verdict
from checks.redaction import recordable
from checks.scope import Scope

TRIES = 2
PAUSE_SECONDS = 0.2
EVIDENCE_LENGTH = 2000  # characters of one line of evidence


def tries(check: Check) -> int:
    """How often a check may be tried; one that changes something, once."""
    return 1 if check.mutates else TRIES


def attempt(check: Check, scope: Callable[[float], Scope]) -> Finding:
    """The finding of one check after as many tries as it needs.

    ERROR is tried again. FAIL is confirmed: one that then passes is WARN, "flaky". Nothing else repeats.
    """
    if check.only_live and scope(check.timeout).vantage.rehearsal:
        return record(check, scope, _only_live(check), seconds=0.0, attempts=0)
    started = time.monotonic()
    first = verdict = _once(check, scope)
    made = 1
    while made < tries(check) and verdict.status in {Status.ERROR, Status.FAIL}:
        time.sleep(PAUSE_SECONDS)
        verdict = _once(check, scope)
        made += 1
    if first.status is Status.FAIL and verdict.status is Status.PASS:
        verdict = replace(
            first, status=Status.WARN, actual=f"flaky: failed, then passed without a change: {first.actual}"
        )
    return record(check, scope, verdict, seconds=time.monotonic() - started, attempts=made)


def record(
    check: Check, scope: Callable[[float], Scope], verdict: Verdict, *, seconds: float, attempts: int
) -> Finding:
    """The finding that a verdict makes; every text is redacted here, before anybody can print it."""
    return Finding(
        id=check.id,
        title=check.entry.criterion,
        severity=verdict.severity or check.entry.severity,
        status=verdict.status,
        expected=recordable(verdict.expected),
        actual=recordable(verdict.actual),
        standard=check.entry.source,
        fix=check.fix,
        command=recordable(check.command(scope(check.timeout))),
        evidence=tuple(recordable(line)[:EVIDENCE_LENGTH] for line in verdict.evidence),
        seconds=round(seconds, 3),
        attempts=attempts,
    )


def abandoned(check: Check, seconds: float) -> Finding:
    """The finding of a check that did not come back."""
    return Finding(
        id=check.id,
        title=check.entry.criterion,
        severity=check.entry.severity,
        status=Status.ERROR,
        expected=f"a verdict within {check.timeout * tries(check):.0f} s",
        actual=f"still running after {seconds:.1f} s, abandoned",
        standard=check.entry.source,
        fix="run this check alone; if it hangs again, what it asks does not answer and does not refuse either",
        command=f"launch-ready check --contract contract.json --only {check.id}",
        seconds=round(seconds, 3),
    )


def _only_live(check: Check) -> Verdict:
    return Verdict(status=Status.ONLY_LIVE, expected=check.entry.criterion, actual=check.only_live or "")


def _once(check: Check, scope: Callable[[float], Scope]) -> Verdict:
    attempt_scope = scope(check.timeout)
    try:
        return check.rule(attempt_scope.contract, check.probe(attempt_scope))
    except NeedsInput as missing:
        return Verdict(status=Status.NOT_RUN, expected=check.entry.criterion, actual=f"not looked at: {missing}")
    except NotDeclared as absent:
        return Verdict(status=Status.NOT_APPLICABLE, expected=check.entry.criterion, actual=str(absent))
    except (ProbeError, TimeoutError) as error:
        return _unverified(check, str(error) or type(error).__name__)
    except Exception as error:  # noqa: BLE001 - a check that breaks must be reported as such, not end the run
        trace = traceback.format_exc(limit=-3).splitlines()
        return _unverified(check, f"the check itself broke: {type(error).__name__}: {error}", tuple(trace))


def _unverified(check: Check, reason: str, evidence: tuple[str, ...] = ()) -> Verdict:
    return Verdict(
        status=Status.ERROR, expected=check.entry.criterion, actual=f"could not verify: {reason}", evidence=evidence
    )
