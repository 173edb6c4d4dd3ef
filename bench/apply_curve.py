"""Whether applying the n-th event of one member gets slower with n: `python -m bench.apply_curve`.

An old member's next event and a new member's early one of the same kind take turns, so that both meet the same machine;
with each row another new member begins. First a member with subscriptions alone, of which there is always one that has
not ended; then one who buys something for one payment beside each as well, and keeps it. Medians: processor time with
the table in this process; then, for one row more, time by the clock with the table in the local AWS. The exit code is 1
where the last row in memory, or the member's item, is beyond its target.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench import long_life
from bench.memory_table import MemoryTable
from bench.worlds import copy, in_memory, local_aws
from handlers.adapters.items import LedgerEntry, node_key
from handlers.core import events
from handlers.core.nodes import Kind, Ref
from tests.handlers.pipeline_world import World
from tests.handlers.story import Event

OLD = "old"
TARGET = 1.3
LOCAL = 6  # chapters, about 200 events
ITEM_LIMIT = 400 * 1024  # bytes of one item in DynamoDB
HEADER = (
    f"{'events of the old member':30}{'old, ms':>9}{'new, ms':>9}{'ratio':>7}{'of sums':>9}"
    f"{'nodes read':>12}{'bytes written':>15}{'member item, bytes':>20}"
)


@dataclass
class Spent:
    """What the events of one member in one row took, each."""

    milliseconds: list[float] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    written: list[int] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Milliseconds."""
        return statistics.median(self.milliseconds)


@dataclass
class Row:
    """The old member's events `first` to `last`, and as many of a new member."""

    name: str
    old: Spent
    new: Spent
    item: int  # bytes of the old member's item after it

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return self.old.median / self.new.median

    @property
    def line(self) -> str:
        """For the table."""
        sums = sum(self.old.milliseconds) / sum(self.new.milliseconds)
        nodes, written = statistics.mean(self.old.nodes), statistics.mean(self.old.written)
        return (
            f"{self.name:30}{self.old.median:9.3f}{self.new.median:9.3f}{self.ratio:7.2f}{sums:9.2f}"
            f"{nodes:12.2f}{written:15.0f}{self.item:20}"
        )


class Curve:
    """The old member's life in `world`, row after row of so many `chapters`."""

    def __init__(self, world: World, table: MemoryTable, chapters: int, *, once: bool) -> None:
        self.world, self.table = world, table
        self.chapters, self.once = chapters, once
        self.objects: set[str] = set()
        self.told = 0
        self._old = long_life.chapters(OLD, once=once)
        self._news = 0

    def row(self) -> Row:
        """The next events."""
        return self._row("in memory", self.chapters, self.world)

    def row_in(self, world: World, chapters: int) -> Row:
        """Some events more, in another `world` that holds what was told so far."""
        return self._row("local AWS", chapters, world)

    def _row(self, where: str, chapters: int, world: World) -> Row:
        old, new, first = Spent(), Spent(), self.told + 1
        self._news += 1
        newcomer = long_life.chapters(f"new{self._news}", once=self.once)
        for _ in range(chapters):
            for event, early in zip(next(self._old), next(newcomer), strict=True):
                self._apply(event, old, world)
                self._apply(early, new, world)
                self.objects.add(event["data"]["object"]["id"])
                self.told += 1
        return Row(f"{first:>6} to {self.told:<6} {where}", old, new, self._item())

    def _apply(self, event: Event, spent: Spent, world: World) -> None:
        table = self.table
        facts = events.facts(event, world.policy.reading())
        assert facts is not None, event["type"]
        world.clock.now = event["created"] + 60
        recorder, entry = world.recorder, _entry(event)
        read, written = table.keys_read, table.bytes_written
        clock = time.process_time if world is self.world else time.perf_counter
        begun = clock()
        recorder.record(facts, at=event["created"], ledger=entry)
        spent.milliseconds.append(1000 * (clock() - begun))
        spent.nodes.append(table.keys_read - read)
        spent.written.append(table.bytes_written - written)

    def _item(self) -> int:
        """Bytes of the old member's item, as JSON: more than DynamoDB counts."""
        key = node_key(Ref(Kind.MEMBER, OLD))
        return len(self.table.items[f"{key['pk']['S']}\n{key['sk']['S']}"])


def _entry(event: Event) -> LedgerEntry:
    return LedgerEntry(
        event=event["id"],
        type=event["type"],
        created=event["created"],
        livemode=True,
        digest="0" * 64,
        outcome="applied",
        payload=json.dumps(event, separators=(",", ":")).encode(),
    )


def report(rows: int, chapters: int, *, once: bool, local: int) -> Iterator[str]:
    """The lines to print, the last one of `local` chapters in the local AWS; then whether the targets are met."""
    table = MemoryTable()
    curve = Curve(in_memory(long_life.POLICY, table), table, chapters, once=once)
    yield HEADER
    for _ in range(rows):
        last = curve.row()
        yield last.line
    if local:
        with local_aws(long_life.POLICY) as world:
            copy(table, world)
            yield curve.row_in(world, local).line
    met = last.ratio <= TARGET and last.item < ITEM_LIMIT
    yield (
        f"{curve.told} events of {len(curve.objects)} objects: the last row in memory {last.ratio:.2f} times a new "
        f"member's, target {TARGET}; the item has {last.item} of {ITEM_LIMIT} bytes: {'met' if met else 'MISSED'}"
    )


def main() -> None:
    """Print both curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10, help="about 1,000 events each (default 10)")
    rows = max(1, parser.parse_args().rows)
    met = True
    for once in (False, True):
        print("subscriptions and one-time purchases" if once else "subscriptions", flush=True)
        text = ""
        for text in report(rows, long_life.CYCLE + (0 if once else 6), once=once, local=LOCAL):
            print(text, flush=True)
        met = met and text.endswith(": met")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
