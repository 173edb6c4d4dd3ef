"""What the command line says at the end of a rehearsal, to a person."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from rehearsal.journeys.model import in_words
from rehearsal.rehearse import Outcome

_SLOWEST = 3
_EVIDENCE_LINES = 6


def print_kept(document: Mapping[str, Any]) -> None:
    """What a person needs to play on with the twins, as one JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def print_result(outcome: Outcome) -> None:
    """Failures with their evidence, where the time went, the report's path; the verdict comes last."""
    console = Console(stderr=False, highlight=False, soft_wrap=True)
    result = outcome.result
    for journey in result.journeys:
        if not journey.passed:
            console.print(f"[red]✗ journey {escape(journey.name)}[/]: {escape(journey.title)}")
            console.print(f"    step      {escape(journey.step)}")
            console.print(f"    expected  {escape(in_words(journey.expected))}")
            console.print(f"    actual    {escape(in_words(journey.actual))}")
            for line in journey.evidence[-_EVIDENCE_LINES:]:
                console.print(f"    evidence  {escape(line)}")
            console.print(f"    closer    launch-ready rehearse --stack {result.stack} --journey {journey.name} --keep")
    for finding in outcome.report.must_fix() + outcome.report.unverified():
        console.print(f"[red]✗ check {escape(finding.id)}[/] ({finding.status}, {finding.severity})")
        console.print(f"    expected  {escape(finding.expected)}")
        console.print(f"    actual    {escape(finding.actual)}")
        console.print(f"    fix       {escape(finding.fix)}")
    slowest = ", ".join(
        f"{stage.name} {stage.seconds:.1f} s"
        for stage in sorted(result.stages, key=lambda stage: -stage.seconds)[:_SLOWEST]
    )
    lag = result.lag_ms
    console.print(f"resources   {result.resources} declared and brought to the twins")
    console.print(
        f"lag         p50 {lag['p50']} ms, p95 {lag['p95']} ms over {lag['count']} events (accepted to readable)"
    )
    console.print(f"slowest     {slowest}; {result.seconds:.1f} s in all")
    console.print(f"report      {escape(str(outcome.report_page))}")
    if len(result.journeys) < result.journeys_known:
        console.print(
            f"chosen      {len(result.journeys)} of {result.journeys_known} journeys; the others were not run"
        )
    colour = "green" if result.verdict == "REHEARSED" else "red"
    console.print(f"[bold {colour}]{escape(outcome.report.sentence())}[/]")
