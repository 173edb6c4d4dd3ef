"""How many events a second apply takes in batches of ten: `python -m bench.apply_batch`.

Against the local AWS, one transaction an event, by one worker, as the function does it with a batch of its queue. With
events of ten members in a batch, and with ten events of one.
"""

import argparse
import io
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import redirect_stdout

from bench.known_members import POLICY, Bought
from bench.worlds import local_aws
from tests.handlers.pipeline_world import World
from tests.handlers.story import DAY, START, Event

BATCH = 10  # the most that a FIFO queue hands over at once
HEADER = f"{'batches of ten':28}{'batches':>9}{'events/s, median':>18}{'p25':>8}{'p75':>8}{'ms a batch':>12}"


def report(batches: int) -> Iterator[str]:
    """The lines to print; each kind of batch in turn, so that whatever else the machine does meets both alike."""
    yield HEADER
    kinds = {"ten members": _of_ten_members(), "one member": _of_one_member()}
    took: dict[str, list[float]] = {name: [] for name in kinds}
    with local_aws(POLICY) as world:
        world.clock.now = START + DAY
        for turn in range(batches + 1):
            for name, told in kinds.items():
                seconds = _take(world, [next(told) for _ in range(BATCH)])
                if turn:  # the first makes the table and the queues
                    took[name].append(seconds)
    for name, all_seconds in took.items():
        rates = [BATCH / seconds for seconds in all_seconds]
        low, median, high = statistics.quantiles(rates, n=4, method="inclusive") if batches > 1 else rates * 3
        each = 1000 * statistics.median(all_seconds)
        yield f"{name:28}{batches:>9}{median:18.0f}{low:8.0f}{high:8.0f}{each:12.1f}"


def _take(world: World, told: list[Event]) -> float:
    """Seconds for one batch, which has to be taken whole."""
    records = [
        {"messageId": event["id"], "body": json.dumps(event), "attributes": {"MessageGroupId": str(place)}}
        for place, event in enumerate(told)
    ]
    apply = world.apply
    with redirect_stdout(io.StringIO()):
        begun = time.perf_counter()
        answer = apply.handle({"Records": records}, lambda: 60_000)
        seconds = time.perf_counter() - begun
    if answer["batchItemFailures"]:
        raise SystemExit(f"bench: apply did not take {len(answer['batchItemFailures'])} of {BATCH} events")
    return seconds


def _of_ten_members() -> Iterator[Event]:
    """Ten purchases at a time, event by event."""
    number = 1
    while True:
        lives = [_bought(number + place) for place in range(BATCH)]
        for events in zip(*lives, strict=True):
            yield from events
        number += BATCH


def _of_one_member() -> Iterator[Event]:
    """One purchase after the other."""
    number = -1
    while True:
        yield from _bought(number)
        number -= 1


def _bought(number: int) -> list[Event]:
    return Bought(number=number, what="subscription", named_by="object").usual()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=60, help="batches of each kind (default 60)")
    for text in report(max(1, parser.parse_args().batches)):
        print(text, flush=True)


if __name__ == "__main__":
    main()
