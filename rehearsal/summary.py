"""What the command line says at the end of a rehearsal, to a person."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from rehearsal.journeys.model import JourneyResult, in_words
from rehearsal.rehearse import Outcome
from rehearsal.result import Result

_SLOWEST = 3
_EVIDENCE_LINES = 6


def print_kept(document: Mapping[str, Any]) -> None:
    """What a person needs to play on with the twins, as one JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def print_result(outcome: Outcome, console: Console | None = None) -> None:
    """Failures with their evidence, where the time went, the report's path; the verdict comes last."""
    console = console or Console(highlight=False, soft_wrap=True)
    result = outcome.result
    for journey in result.journeys:
        if not journey.passed:
            _lines(console, f"journey {journey.name}", _about_journey(journey, result.stack))
    for finding in outcome.report.must_fix() + outcome.report.unverified():
        facts = [("expected", finding.expected), ("actual", finding.actual), *_evidence(finding.evidence)]
        closer = f"launch-ready rehearse --stack {result.stack} --keep, then: {finding.command}"
        title = f"check {finding.id} ({finding.status.value}, {finding.severity.value})"
        _lines(console, title, [*facts, ("fix", finding.fix), ("closer", closer)])
    for name, text in _totals(outcome):
        console.print(f"{name:<11} {escape(text)}")
    colour = "green" if result.verdict == "REHEARSED" else "red"
    console.print(f"[bold {colour}]{escape(result.sentence)}[/]")


def _lines(console: Console, title: str, facts: Iterable[tuple[str, str]]) -> None:
    console.print(f"[red]✗ {escape(title)}[/]")
    for name, text in facts:
        console.print(f"    {name:<9} {escape(text)}")


def _about_journey(journey: JourneyResult, stack: str) -> list[tuple[str, str]]:
    return [
        ("story", journey.title),
        ("step", journey.step),
        ("expected", in_words(journey.expected)),
        ("actual", in_words(journey.actual)),
        *_evidence(journey.evidence),
        ("closer", f"launch-ready rehearse --stack {stack} --journey {journey.name} --keep"),
    ]


def _evidence(lines: Sequence[str]) -> list[tuple[str, str]]:
    """The first line, which is the error if there was one, and the newest ones."""
    shown = lines if len(lines) <= _EVIDENCE_LINES else (lines[0], *lines[1 - _EVIDENCE_LINES :])
    return [("evidence", line) for line in shown]


def _totals(outcome: Outcome) -> list[tuple[str, str]]:
    result = outcome.result
    slowest = sorted(result.stages, key=lambda stage: -stage.seconds)[:_SLOWEST]
    stages = ", ".join(f"{stage.name} {stage.seconds:.1f} s" for stage in slowest)
    return [
        ("resources", f"{result.resources} declared and brought to the twins"),
        *_adoption(result),
        ("lag", _lag(result)),
        ("slowest", f"{stages}; {result.seconds:.1f} s in all"),
        *_choice(result),
        ("report", str(outcome.report_page)),
    ]


def _adoption(result: Result) -> list[tuple[str, str]]:
    if not result.changes:
        return []
    counted = f"{result.adopted} of them were in the zone before; what the deployment did to it:"
    return [("adopted", counted), *(("", line) for line in result.changes)]


def _lag(result: Result) -> str:
    lag = result.lag_ms
    if not lag["count"]:
        return "no event changed a member"
    return f"p50 {lag['p50']} ms, p95 {lag['p95']} ms over {lag['count']} events (accepted to readable)"


def _choice(result: Result) -> list[tuple[str, str]]:
    told = len(result.journeys)
    if told >= result.journeys_known:
        return []
    return [("chosen", f"{told} of {result.journeys_known} journeys; the others were not run")]
