"""What a check is, what it finds and what a whole run adds up to. Pure data, no I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from checks.scope import Scope


class Severity(StrEnum):
    """How much a failure matters to a launch, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical, rising as it matters less."""
        return list(Severity).index(self)


class Status(StrEnum):
    """How a check ended. Only PASS is green."""

    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    ERROR = "error"  # could not be verified: the world did not answer as a verdict needs
    NOT_RUN = "not run"  # could not be verified: an input (a key, a credential) was not given
    ONLY_LIVE = "only live"  # a rehearsal's stand-ins cannot show this
    NOT_APPLICABLE = "not applicable"  # what it is about is optional, and not declared
    WAIVED = "waived"  # failed, and an owner accepted it until a date


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a rule concludes from facts: PASS, WARN or FAIL, with what it wanted and what it saw."""

    status: Status
    expected: str
    actual: str
    evidence: tuple[str, ...] = ()
    severity: Severity | None = None  # where this finding matters less than the worst that the check can find


def judge(
    expected: str,
    *,
    seen: str,
    problems: list[str] | tuple[str, ...] = (),
    warnings: list[str] | tuple[str, ...] = (),
    evidence: tuple[str, ...] = (),
    severity: Severity | None = None,
) -> Verdict:
    """FAIL when there are problems, else WARN when there are warnings, else PASS with what was `seen`."""
    if problems:
        return Verdict(
            status=Status.FAIL, expected=expected, actual="; ".join(problems), evidence=evidence, severity=severity
        )
    if warnings:
        return Verdict(status=Status.WARN, expected=expected, actual="; ".join(warnings), evidence=evidence)
    return Verdict(status=Status.PASS, expected=expected, actual=seen, evidence=evidence)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the checklist: what must hold, how much it matters, who says so."""

    id: str
    severity: Severity
    criterion: str
    source: str
    not_covered: str = ""  # why no check exists; empty where one does

    @property
    def area(self) -> str:
        """The part of the launch that the id names: "mail" of "mail.spf"."""
        return self.id.split(".", 1)[0]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A checklist entry that is verified: a probe gathers facts from the world, a pure rule judges them.

    `probe` may raise ProbeError (status ERROR), NeedsInput (NOT_RUN) or NotDeclared (NOT_APPLICABLE). A check that
    `mutates` is tried exactly once. Checks with the same `serial` name never run at the same time; one that is `last`
    starts when all others are over. `timeout` is in seconds, for one try.
    """

    entry: Entry
    probe: Callable[[Scope], Any]
    rule: Callable[[Any, Any], Verdict]
    fix: str
    command: Callable[[Scope], str]
    only_live: str | None = None
    mutates: bool = False
    serial: str | None = None
    last: bool = False
    timeout: float = 15.0

    @property
    def id(self) -> str:
        """The checklist id."""
        return self.entry.id

    @property
    def rehearsable(self) -> bool:
        """Whether a rehearsal's twins can show what this check verifies."""
        return self.only_live is None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The recorded outcome of one check; every text in it has been redacted."""

    id: str
    title: str
    severity: Severity
    status: Status
    expected: str
    actual: str
    standard: str
    fix: str
    command: str
    evidence: tuple[str, ...] = ()
    seconds: float = 0.0
    attempts: int = 1
    waiver: str = ""  # "owner, until date: reason"

    @property
    def area(self) -> str:
        """The part of the launch that the id names."""
        return self.id.split(".", 1)[0]


@dataclass(frozen=True, kw_only=True)
class Journey:
    """One customer journey that a rehearsal drove, as the report shows it."""

    name: str
    passed: bool
    expected: str
    actual: str
    seconds: float
