"""Fifty purchases, each event told three times in random order, to vendors that fail a third of their calls:
`python -m bench.purchases` prints who was told twice, who was left out, and the calls made against the fewest possible.

A vendor that fails says no before anything has happened; what an answer that is lost does is in `bench.chaos`.
"""

import argparse
import io
import random
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

from bench.chaos import NOW, Chaos, ChaoticVendor, Found, Pipeline, judge
from bench.worlds import local_aws
from handlers.core.desired import Desired, Notice
from handlers.core.errors import VendorError
from handlers.ports import Recovery
from tests.handlers import story
from tests.handlers.story import MONTH, START, Event

TIMES = 3
FAILING = 1 / 3


@dataclass
class Unreliable(ChaoticVendor):
    """A vendor that keeps what it is told, and refuses a third of its calls."""

    calls: int = 0
    refused: int = 0

    def bring(self, desired: Desired, remote: Any) -> dict[str, str]:
        """Show `desired`, or refuse."""
        self._refuse()
        return super().bring(desired, remote)

    def send(self, notice: Notice) -> dict[str, str]:
        """Post, or refuse."""
        self._refuse()
        return super().send(notice)

    def _refuse(self) -> None:
        self.calls += 1
        if self.chaos.draw.random() < FAILING:
            self.refused += 1
            raise VendorError(f"{self.name}: HTTP 503", permanent=False)


def purchases(count: int) -> list[Event]:
    """What Stripe tells of `count` purchases; every second one is given back, so that operations hear of it."""
    told: list[Event] = []
    for number in range(count):
        customer, sub, at = f"cus_{number}", f"sub_{number}", START + number
        invoice, payment = f"in_{number}", f"pi_{number}"
        told += [
            story.subscription(at=at, id_=sub, customer=customer, user=f"user_{number}", period_end=at + MONTH),
            story.session(at=at + 3, id=f"cs_{number}", subscription=sub, customer=customer, user=f"user_{number}"),
            story.invoice("paid", at=at + 2, id_=invoice, subscription=sub, customer=customer, created=at),
            story.invoice_payment(at=at + 2, invoice=invoice, payment=payment, id=f"inpay_{number}"),
        ]
        if number % 2:
            told.append(story.refund(at=at + 50, id=f"re_{number}", payment=payment, customer=customer))
    return told


def told_to_vendors(count: int, seed: int) -> tuple[Pipeline, Found]:
    """One run over a table and queues of the local AWS."""
    draw = random.Random(seed)  # noqa: S311 - the same run for a seed
    chaos = Chaos(draw, 0)
    told = purchases(count)
    with local_aws(story.POLICY) as world, redirect_stdout(io.StringIO()):
        world.clock.now = NOW
        pipeline = Pipeline(
            world=world,
            chaos=chaos,
            kit=Unreliable(name="kit", chaos=chaos),
            slack=Unreliable(name="slack", recovery=Recovery.AT_MOST_ONCE, chaos=chaos),
        )
        shuffled = [*told] * TIMES
        draw.shuffle(shuffled)
        pipeline.run(shuffled)
        pipeline.go_on()
        return pipeline, judge(pipeline, told)


def report(pipeline: Pipeline, found: Found, count: int) -> Iterator[str]:
    """The table, as lines."""
    notices = len(pipeline.slack.posted)
    yield f"{count} purchases, each event {TIMES} times in random order, a third of the vendors' calls refused"
    yield f"{'':<12}{'calls':>8}{'refused':>9}{'fewest possible':>17}"
    for vendor, fewest in ((pipeline.kit, count), (pipeline.slack, notices)):
        if isinstance(vendor, Unreliable):
            yield f"{vendor.name:<12}{vendor.calls:>8}{vendor.refused:>9}{fewest:>17}"
    for name, wrong in vars(found).items():
        yield f"{name.replace('_', ' '):<40}{wrong:>8}{'' if wrong == 0 else '  WRONG'}"


def main() -> int:
    """Print the table; 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--purchases", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    pipeline, found = told_to_vendors(chosen.purchases, chosen.seed)
    for line in report(pipeline, found, chosen.purchases):
        sys.stdout.write(line + "\n")
    return 1 if any(vars(found).values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
