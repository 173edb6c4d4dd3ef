"""What one whole run of the checks amounts to."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from checks.contract import Unprotected
from checks.model import Entry, Finding, Journey, Severity, Status

READY, NOT_READY = "READY", "NOT READY"
REHEARSED, NOT_REHEARSED = "REHEARSED", "NOT REHEARSED"

EXIT_READY, EXIT_FAILURES, EXIT_USAGE, EXIT_NOT_VERIFIED, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

UNVERIFIED = frozenset({Status.ERROR, Status.NOT_RUN})


@dataclass(frozen=True, kw_only=True)
class Report:
    """Findings of one run, what the run did not cover, and the verdict on the launch.

    A live launch is READY or NOT READY, a rehearsal REHEARSED or NOT REHEARSED. `fail_on` is the least severity
    whose failure keeps a live launch back; a rehearsal accepts nothing but PASS (and what is only live).
    `not_covered` are the checklist entries that no check verifies, each with its reason;
    `unprotected` is what was wanted of the edge and the zone's plan does not give.
    """

    rehearsal: bool
    domain: str
    stack: str
    started: datetime
    seconds: float
    findings: tuple[Finding, ...]
    not_covered: tuple[Entry, ...]
    contract_sha256: str
    fail_on: Severity = Severity.HIGH
    unused_waivers: tuple[str, ...] = ()
    journeys: tuple[Journey, ...] = ()
    twin_gaps: tuple[str, ...] = ()
    unprotected: tuple[Unprotected, ...] = ()

    def rehearsed_with(self, journeys: tuple[Journey, ...], twin_gaps: tuple[str, ...]) -> "Report":
        """The same report with what a rehearsal adds: its journeys and the known gaps of its twins."""
        return replace(self, journeys=journeys, twin_gaps=twin_gaps)

    def counts(self) -> dict[Status, int]:
        """How many findings ended in each status; every status is a key."""
        counted = Counter(finding.status for finding in self.findings)
        return {status: counted[status] for status in Status}

    def must_fix(self) -> tuple[Finding, ...]:
        """What keeps the launch back, worst first."""
        return tuple(sorted((f for f in self.findings if self._blocks(f)), key=lambda f: (f.severity.rank, f.id)))

    def unverified(self) -> tuple[Finding, ...]:
        """What could not be verified though it should have been."""
        return tuple(finding for finding in self.findings if finding.status in UNVERIFIED)

    def only_live(self) -> tuple[Finding, ...]:
        """What a rehearsal cannot show."""
        return tuple(finding for finding in self.findings if finding.status is Status.ONLY_LIVE)

    def not_applicable(self) -> tuple[Finding, ...]:
        """What is optional and not declared."""
        return tuple(finding for finding in self.findings if finding.status is Status.NOT_APPLICABLE)

    def failed_journeys(self) -> tuple[Journey, ...]:
        """The journeys that did not end as expected."""
        return tuple(journey for journey in self.journeys if not journey.passed)

    def exit_code(self) -> int:
        """0 good, 1 something must be fixed, 3 something could not be verified (or nothing ran)."""
        if self.must_fix() or self.failed_journeys():
            return EXIT_FAILURES
        verified = [f for f in self.findings if f.status not in UNVERIFIED | {Status.ONLY_LIVE, Status.NOT_APPLICABLE}]
        if self.unverified() or not verified or (self.rehearsal and not self.journeys):
            return EXIT_NOT_VERIFIED
        return EXIT_READY

    @property
    def good(self) -> bool:
        """Whether the verdict is READY or REHEARSED."""
        return self.exit_code() == EXIT_READY

    @property
    def verdict(self) -> str:
        """READY, NOT READY, REHEARSED or NOT REHEARSED."""
        if self.rehearsal:
            return REHEARSED if self.good else NOT_REHEARSED
        return READY if self.good else NOT_READY

    def sentence(self) -> str:
        """The verdict in one sentence, with what it rests on."""
        counts = self.counts()
        parts = [f"{counts[Status.PASS]} of {len(self.findings)} checks pass"]
        parts += [f"{len(self.must_fix())} must be fixed"] if self.must_fix() else []
        parts += [f"{len(self.unverified())} could not be verified"] if self.unverified() else []
        parts += [f"{len(self.only_live())} can only be verified live"] if self.rehearsal else []
        absent = counts[Status.NOT_APPLICABLE]
        parts += [f"{absent} {'does' if absent == 1 else 'do'} not apply"] if absent else []
        if self.rehearsal:
            passed = len(self.journeys) - len(self.failed_journeys())
            parts.append(f"{passed} of {len(self.journeys)} journeys pass")
        return f"{self.verdict}: {', '.join(parts)}."

    def _blocks(self, finding: Finding) -> bool:
        if self.rehearsal:
            return finding.status in {Status.FAIL, Status.WARN}
        return finding.status is Status.FAIL and finding.severity.rank <= self.fail_on.rank
