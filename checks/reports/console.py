"""The report on a terminal. Nothing in it is read as markup: evidence may hold brackets."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from checks.model import Finding, Severity, Status
from checks.report import Report
from checks.reports.areas import areas

STYLES = {
    Status.PASS: "green",
    Status.FAIL: "red",
    Status.WARN: "yellow",
    Status.ERROR: "magenta",
    Status.NOT_RUN: "magenta",
    Status.ONLY_LIVE: "dim",
    Status.NOT_APPLICABLE: "dim",
    Status.WAIVED: "yellow",
}
SHOWN = frozenset({Status.FAIL, Status.WARN, Status.ERROR, Status.NOT_RUN})


def show(report: Report, console: Console) -> None:
    """Print the verdict, the areas, what must be fixed with its evidence, and the failed journeys."""
    console.print(Text(report.sentence(), style="bold green" if report.good else "bold red"))
    console.print(_areas_table(report))
    for finding in _worst_first(report):
        for text in finding_lines(finding):
            console.print(text)
    for journey in report.failed_journeys():
        console.print(Text(f"journey {journey.name}: expected {journey.expected}, got {journey.actual}", style="red"))
    for gap in report.unprotected:
        console.print(Text(f"not protected on this plan: {gap.name}: {gap.what}: {gap.why}", style="yellow"))
    for line in report.unused_waivers:
        console.print(Text(f"waiver no longer needed: {line}", style="yellow"))
    if report.not_covered:
        count = len(report.not_covered)
        console.print(Text(f"{count} checklist entries have no check; the report says why for each.", style="dim"))


def finding_lines(finding: Finding) -> tuple[Text, ...]:
    """A finding that is not good: what, wanted, seen, fix, how to look closer."""
    head = Text(f"{finding.status.value} ", style=STYLES[finding.status])
    head.append(f"{finding.id} ({finding.severity.value}): {finding.title}", style="bold")
    rows = (
        ("expected", finding.expected),
        ("actual", finding.actual),
        ("fix", finding.fix),
        ("look", finding.command),
    )
    return (head, *(Text(f"  {name:<9}{value}") for name, value in rows if value))


def _areas_table(report: Report) -> Table:
    table = Table(
        "area", "pass", "must fix", "not verified", "only live", "not declared", "other", box=None, header_style="dim"
    )
    for area in areas(report):
        counts = (area.passed, area.must_fix, area.unverified, area.only_live, area.not_applicable, area.other)
        table.add_row(Text(area.title), *(Text(str(count) if count else "·") for count in counts))
    return table


def _worst_first(report: Report) -> list[Finding]:
    order = list(Severity)
    shown = [finding for finding in report.findings if finding.status in SHOWN]
    return sorted(shown, key=lambda finding: (finding.status is not Status.FAIL, order.index(finding.severity)))
