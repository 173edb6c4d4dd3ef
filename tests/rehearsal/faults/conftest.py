"""Stacks in trouble, one at a time, and what was done to them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from rehearsal.journeys import JOURNEYS, running
from rehearsal.journeys.model import JourneyResult
from tests.rehearsal.faults.causes import CAUSES, Cause, Hits
from tests.rehearsal.faults.stage import Stage, staged

LEFT_OUT = {
    "grace_runs_out",  # it is about what shows within seconds, and here things may take minutes
    "thin_event",  # the stand-in tells of it once by hand, where Stripe would try again
    "reconciled",  # what is asked here is that nothing be lost, and there it is lost on purpose
    "secret_rolled",  # the webhook refuses on purpose
}
# Their events go ways on which others that are told meet the same trouble, and each takes a second of every cause.
ALIKE = {
    "collection_paused",
    "customer_deleted",
    "dispute_lost",
    "dispute_won",
    "impostor",
    "paid_later",
    "paid_never",
    "part_refund",
    "refund_fails",
    "same_email",
    "signed_link",
    "trial",
    "two_customers",
}


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

    def row(self) -> dict[str, str]:
        """The run's line of the table that is printed in the end."""
        passed = f"{sum(journey.passed for journey in self.told)} of {len(self.told)}"
        return {
            "cause": self.cause.name,
            "journeys": passed,
            "seconds": f"{self.seconds:.0f}",
            "tries again and what became of them": _counts(self.again()),
            "what was done": _counts(self.hits),
        }


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
                if journey.name not in LEFT_OUT | ALIKE and not (journey.alone and cause.breaks_kit)
            ]
            told = running.run(journeys, stage.world, lambda _: None)
        redriven = stage.settle()
        seconds = time.monotonic() - began
        yield Run(cause=cause, stage=stage, hits=hits, told=told, redriven=redriven, seconds=seconds)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A stack of one module's own, without trouble until a test makes some."""
    with staged() as made:
        yield made


def _counts(hits: Hits) -> str:
    return ", ".join(f"{name} {times}" for name, times in hits.items() if times) or "-"
