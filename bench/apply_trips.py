"""How many round trips to the table one event of a known member takes: `python -m bench.apply_trips`.

Each event is applied to a member of its own, whose purchase was told before, in the usual order, in the reverse one and
in shuffled ones: about the same objects again, and about the next invoice or payment. Counted on the functions' own
client, against the local AWS. The exit code is 1 where a type of event takes more than the target.
"""

import argparse
import itertools
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.known_members import POLICY, Bought, purchases
from bench.memory_table import MemoryTable
from bench.worlds import copy, in_memory, local_aws, round_trips, take
from handlers.settings import STRIPE_EVENTS
from tests.handlers.pipeline_world import World
from tests.handlers.story import DAY, START, Event

TARGET = 3
FOLLOWING = 20  # purchases that go where their customer goes


@dataclass
class Row:
    """One type of event."""

    kind: str
    cases: int = 0
    reads: int = 0  # the most of any case
    writes: int = 0
    most: int = 0  # of any kind, in one case
    worst: str = ""  # what the member bought there

    def add(self, calls: Mapping[str, int], bought: str) -> None:
        """Count one case."""
        self.cases += 1
        self.reads = max(self.reads, calls.get("batch_get_item", 0))
        self.writes = max(self.writes, calls.get("transact_write_items", 0))
        if sum(calls.values()) > self.most:
            self.most, self.worst = sum(calls.values()), bought

    @property
    def met(self) -> bool:
        """Whether every case was within the target; none is not."""
        return 0 < self.most <= TARGET

    @property
    def line(self) -> str:
        """For the table."""
        verdict = "met" if self.met else "MISSED"
        figures = f"{self.cases:>6}{self.reads:>7}{self.writes:>8}{self.most:>7}{TARGET:>8}"
        return f"{self.kind:40}{figures} {verdict:8}{self.worst}"


HEADER = (
    f"{'round trips of one event':40}{'cases':>6}{'reads':>7}{'writes':>8}{'most':>7}{'target':>8}{'':9}for example"
)


def rows(world: World, orders: int, kinds: Sequence[str] = STRIPE_EVENTS) -> Iterator[Row]:
    """A row for each type of event; `orders` ways of telling what was before."""
    world.clock.now = START + DAY + 60
    numbers = itertools.count(1, 100)
    for kind in kinds:
        row = Row(kind)
        for order, renewal in itertools.product(range(orders), (0, 1)):
            for bought in purchases(next(numbers)):
                event = bought.event(kind, renewal=renewal)
                if event is not None:
                    row.add(_after(ordered(bought.usual(), order), world, event), bought.name)
        yield row
    yield _moved(world, next(numbers))


def _moved(world: World, number: int) -> Row:
    row = Row(f"customer.updated: {FOLLOWING} purchases move")
    bought = Bought(number=number, what="payment", named_by="customer")
    row.add(_after([*bought.usual(), *bought.bought_again(FOLLOWING - 1)], world, bought.moved()), bought.name)
    return row


def _after(told: Iterable[Event], world: World, event: Event) -> Mapping[str, int]:
    """The round trips of `event` after `told`, which goes into the table without any."""
    table = MemoryTable()
    before = in_memory(POLICY, table)
    before.clock = world.clock
    take(before, *told)
    copy(table, world)
    return round_trips(world, event)


def ordered(told: Sequence[Event], order: int) -> list[Event]:
    """As usual (0), the other way round (1), or shuffled, the same way each time."""
    if order < 2:
        return list(told)[:: -1 if order else 1]
    shuffled = list(told)
    random.Random(order).shuffle(shuffled)  # noqa: S311 (no secret)
    return shuffled


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=3, help="orders of what was told before (default 3)")
    orders = max(1, parser.parse_args().orders)
    met = True
    with local_aws(POLICY) as world:
        print(HEADER, flush=True)
        for row in rows(world, orders):
            print(row.line, flush=True)
            met = met and row.met
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
