"""A vendor that answers late or never holds nobody else: `python -m bench.slow_vendor`.

Members join while one worker serves Kit and another Slack, each its own queue, as deployed. In every other round Slack
takes `--seconds` for each call. Printed is how long Kit's part takes, from the event to what Kit shows, and the ratio
of the two kinds of round, which take turns in one run.
"""

import argparse
import io
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

from bench.worlds import local_aws
from handlers.adapters.aws import DynamoDb
from handlers.core.desired import Notice
from handlers.ports import Recovery
from tests.handlers import story
from tests.handlers.crew import Crew, Vendor
from tests.handlers.pipeline_world import World
from tests.handlers.story import START


@dataclass
class Late(Vendor):
    """A vendor that takes its time."""

    seconds: float = 0.0

    def send(self, notice: Notice) -> dict[str, str]:
        """Post, late."""
        time.sleep(self.seconds)
        return super().send(notice)


class Worker:
    """One destination's function, which takes nudges off its queue until it is told to end."""

    def __init__(self, world: World, vendor: Vendor) -> None:
        self._world = replace(world)
        vars(self._world).update(dynamodb=DynamoDb(world.environ), queue_urls=world.queue_urls)
        self.vendor = vendor
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Worker":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish what is begun, and end."""
        self._ended.set()
        self._thread.join()
        self._world.close()

    def _work(self) -> None:
        crew = Crew(self._world, self.vendor)
        while not self._ended.is_set():
            for nudge in self._world.messages(self.vendor.name):
                crew.sync(nudge)
            time.sleep(0.01)


def lag(world: World, kit: Vendor, number: int) -> float:
    """Seconds from an event to what Kit shows; operations are told of a failed payment at the same moment."""
    user, sub = f"user_{number}", f"sub_{number}"
    of: dict[str, Any] = {"id": f"cs_{number}", "subscription": sub, "customer": f"cus_{number}", "user": user}
    failed: dict[str, Any] = {"id_": f"in_{number}", "subscription": sub, "customer": f"cus_{number}", "at": START + 50}
    begun = time.perf_counter()
    world.deliver(
        story.subscription(id_=sub, customer=f"cus_{number}", user=user),
        story.session(**of),
        story.invoice("payment_failed", billing_reason="subscription_cycle", **failed),
    )
    while not any(desired.member_id == user for desired in kit.shown):
        time.sleep(0.002)
    return time.perf_counter() - begun


def measured(rounds: int, members: int, seconds: float) -> tuple[list[float], list[float]]:
    """Lags while Slack is quick and while it is late, in turns."""
    quick: list[float] = []
    late: list[float] = []
    with local_aws(story.POLICY) as world, redirect_stdout(io.StringIO()):
        kit, slack = Vendor(), Late(name="slack", recovery=Recovery.AT_MOST_ONCE)
        with Worker(world, kit), Worker(world, slack):
            for turn in range(2 * rounds):
                slack.seconds = seconds if turn % 2 else 0.0
                lags = [lag(world, kit, turn * members + number) for number in range(members)]
                (late if turn % 2 else quick).extend(lags)
            slack.seconds = 0.0
    return quick, late


def report(quick: Sequence[float], late: Sequence[float], seconds: float) -> Iterator[str]:
    """The table, as lines."""
    yield f"{'Kit, from event to shown, ms':<34}{'p50':>8}{'p95':>8}"
    for name, lags in (("Slack quick", quick), (f"Slack takes {seconds:.0f} s", late)):
        yield f"{name:<34}{statistics.median(lags) * 1000:>8.0f}{_p95(lags) * 1000:>8.0f}"
    yield f"{'ratio':<34}{statistics.median(late) / statistics.median(quick):>8.2f}{_p95(late) / _p95(quick):>8.2f}"


def _p95(lags: Sequence[float]) -> float:
    return statistics.quantiles(lags, n=20, method="inclusive")[-1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--members", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    quick, late = measured(chosen.rounds, chosen.members, chosen.seconds)
    for line in report(quick, late, chosen.seconds):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
