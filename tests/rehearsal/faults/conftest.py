"""Stacks in trouble, one at a time, and a table of what was done to them."""

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import pytest

from rehearsal.journeys import JOURNEYS, running
from rehearsal.journeys.model import JourneyResult
from tests.rehearsal.faults.causes import CAUSES, Cause, Hits
from tests.rehearsal.faults.stage import Stage, staged

ROWS = pytest.StashKey[list[tuple[str, ...]]]()
HURRIED = {"grace_runs_out"}  # it is about what shows within seconds, and here things may take minutes
HEAD = ("cause", "journeys", "seconds", "tries again and what became of them", "what was done")


@dataclass(frozen=True, kw_only=True)
class Run:
    """All journeys, told while one cause of trouble was in force, and left until nothing was due any more."""

    cause: Cause
    stage: Stage
    hits: Hits
    told: list[JourneyResult]
    redriven: int
    seconds: float

    def again(self) -> Hits:
        """How often something was tried again, by who did."""
        lines = {name: self.stage.lines(name) for name in ("apply", "sync-kit", "sync-slack")}
        syncs = [*lines["sync-kit"], *lines["sync-slack"]]
        return Hits(
            {
                "Stripe": self.stage.refusals().total(),
                "apply": sum(line.get("message") == "an event will be tried again" for line in lines["apply"]),
                "duplicates": sum(line.get("result") == "duplicate" for line in lines["apply"]),
                "conflicts": sum(line.get("WriteConflict", 0) for line in lines["apply"]),
                "nudges lost": sum(line.get("message") == "nudges were not sent" for line in lines["apply"]),
                "sync": sum(line.get("result") in {"will retry", "store failed"} for line in syncs),
                "parked": sum(line.get("action") == "escalate" for line in syncs),
                "redriven": self.redriven,
            }
        )

    def row(self) -> tuple[str, ...]:
        """The run's line of the table, as HEAD names its columns."""
        passed = f"{sum(journey.passed for journey in self.told)} of {len(self.told)}"
        return self.cause.name, passed, f"{self.seconds:.0f}", _counts(self.again()), _counts(self.hits)


@pytest.fixture(scope="module", params=CAUSES, ids=lambda cause: cause.name)
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Each cause on a stack of its own."""
    cause: Cause = request.param
    began = time.monotonic()
    with staged() as stage:
        with cause.making(stage) as hits:
            journeys = [
                journey
                for journey in JOURNEYS
                if journey.name not in HURRIED and not (journey.alone and cause.breaks_kit)
            ]
            told = running.run(journeys, stage.world, lambda _: None)
        redriven = stage.settle()
        made = Run(cause=cause, stage=stage, hits=hits, told=told, redriven=redriven, seconds=time.monotonic() - began)
        request.config.stash.setdefault(ROWS, []).append(made.row())
        yield made


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A stack of one module's own, without trouble until a test makes some."""
    with staged() as made:
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Generator[None]:
    """Print the table of what was done and how it ended."""
    rows = config.stash.get(ROWS, [])
    if rows:
        terminalreporter.section("faults by cause")
        table = [HEAD, *rows]
        widths = [max(len(row[column]) for row in table) for column in range(len(HEAD) - 1)]
        for row in table:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            terminalreporter.write_line("  ".join([*cells, row[-1]]))
    return (yield)


def _counts(hits: Hits) -> str:
    return ", ".join(f"{name} {times}" for name, times in hits.items() if times) or "-"
