from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.replay.history import Event
from rehearsal.replay.ledger import PATIENCE_SECONDS, QUIET_SECONDS, await_all, entries

EVENTS = {
    f"evt_{n}": Event(id=f"evt_{n}", type="x", body=b"%d" % n, created=n, livemode=True, line=n) for n in range(3)
}


def entry(id_: str, digest: str = "") -> dict[str, Any]:
    return {"pk": {"S": f"EVENT#{id_}"}, "sk": {"S": "LEDGER"}, "digest": {"S": digest}}


def test_an_event_is_in_the_ledger_by_its_id_or_by_the_digest_of_what_could_not_be_read():
    items = [
        entry("evt_0"),
        entry("unreadable-1", EVENTS["evt_1"].digest),
        entry("evt_of_somebody_else"),
        {"pk": {"S": "EVENT#evt_2"}, "sk": {"S": "PAYLOAD"}},
        {"pk": {"S": "MEMBER#evt_2"}, "sk": {"S": "MEMBER"}},
    ]
    assert entries(items, EVENTS) == {"evt_0": "evt_0", "evt_1": "unreadable-1"}


@dataclass
class Pipeline:
    """A pipeline at chosen moments: until when its queue has something, and when the ledger gets which events."""

    queued_until: float
    recorded_at: Mapping[str, float]
    now: float = 0.0
    said: list[str] = field(default_factory=list)

    def drained(self) -> bool:
        return self.now >= self.queued_until

    def scan(self) -> Sequence[Mapping[str, Any]]:
        return [entry(id_) for id_, at in self.recorded_at.items() if self.now >= at]

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def waited(self) -> float:
        await_all(EVENTS, self.scan, self.drained, waiting=self.said.append, clock=lambda: self.now, pause=self.pause)
        return self.now


def test_it_ends_when_the_queue_is_empty_and_the_ledger_has_all():
    assert 5 <= Pipeline(5, {"evt_0": 1, "evt_1": 2, "evt_2": 4}).waited() < 5.5
    assert 8 <= Pipeline(5, {"evt_0": 1, "evt_1": 2, "evt_2": 8}).waited() < 8.5


def test_it_ends_when_nothing_is_queued_and_nothing_new_comes():
    pipeline = Pipeline(5, {"evt_0": 1, "evt_1": 7})
    assert 7 + QUIET_SECONDS <= pipeline.waited() < 8 + QUIET_SECONDS
    assert pipeline.said[-1] == "2 of 3 are in the ledger"


def test_it_ends_when_its_time_is_up():
    assert PATIENCE_SECONDS <= Pipeline(10_000, {}).waited() < PATIENCE_SECONDS + 5
