"""Nothing lost, nothing twice: `python -m bench.chaos` breaks the pipeline at random points and looks at what is left.

Events of made-up customers, shuffled and some of them twice, go through apply, sync and sweep over a table and queues
of the local AWS, while calls are refused, answers are lost and workers die before or after a call. Then everything is
let go on until nothing is due, and held against what the same events amount to when each is told once, in order.
"""

import argparse
import io
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from bench.worlds import local_aws
from handlers.adapters.aws import AwsError
from handlers.core.desired import Desired, Notice, labels
from handlers.core.errors import VendorError
from handlers.core.history import History
from handlers.core.membership import membership
from handlers.core.nodes import MemberNode
from handlers.ports import Recovery
from tests.handlers import story
from tests.handlers.crew import Crew, Vendor
from tests.handlers.pipeline_world import World
from tests.handlers.story import DAY, MONTH, START, Event

NOW = START + 2 * DAY  # notices are three days old at most
GOES_ON_SECONDS = 2 * DAY  # of the world's clock, for tries and leases to run out
STEP_SECONDS = 300
CALLS_BETWEEN_FAULTS = 40  # on average, at the table and the queues
VENDOR_CALLS_BETWEEN_FAULTS = 8


class KilledError(BaseException):
    """The worker is gone: nothing catches this."""


@dataclass
class Chaos:
    """Decides at each call whether something breaks; counts what did."""

    draw: random.Random
    left: int
    seen: Counter[str] = field(default_factory=Counter)

    def strikes(self, *causes: str, one_of: int = CALLS_BETWEEN_FAULTS) -> str | None:
        """One of `causes`, or None for a call that goes well, as all but `one_of` many do."""
        if self.left <= 0 or self.draw.random() > 1 / one_of:
            return None
        self.left -= 1
        cause = self.draw.choice(causes)
        self.seen[cause] += 1
        return cause


class Breaking:
    """A client of AWS whose calls break as `chaos` says."""

    def __init__(self, client: Any, chaos: Chaos, name: str) -> None:
        self._client, self._chaos, self._name = client, chaos, name

    def __getattr__(self, operation: str) -> Any:
        """The operation, which may break."""
        real = getattr(self._client, operation)
        if operation == "close":
            return real

        def call(**request: Any) -> Any:
            return self._call(real, request)

        return call

    def _call(self, real: Any, request: Mapping[str, Any]) -> Any:
        refused, lost = f"{self._name} refuses", f"{self._name} answers to nobody"
        cause = self._chaos.strikes("worker killed before a call", "worker killed after a call", refused, lost)
        if cause == refused:
            raise AwsError("injected", code="InternalServerError")
        if cause == "worker killed before a call":
            raise KilledError
        answer = real(**request)
        if cause == "worker killed after a call":
            raise KilledError
        if cause == lost:
            raise AwsError("injected: no answer")
        return answer


@dataclass
class ChaoticVendor(Vendor):
    """A vendor that keeps what it is told, and breaks as `chaos` says."""

    chaos: Chaos = field(default_factory=lambda: Chaos(random.Random(0), 0))  # noqa: S311
    labels: dict[str, frozenset[str]] = field(default_factory=dict)
    posted: Counter[str] = field(default_factory=Counter)

    def bring(self, desired: Desired, remote: Any) -> dict[str, str]:  # noqa: ARG002 - the protocol's signature
        """Show `desired`, unless something breaks."""
        cause = self._strikes()
        self.labels[desired.member_id] = desired.labels
        self._afterwards(cause)
        return {"subscriber_id": desired.member_id}

    def send(self, notice: Notice) -> dict[str, str]:
        """Post, unless something breaks."""
        cause = self._strikes()
        self.posted[notice.key] += 1
        self._afterwards(cause)
        return {"ts": notice.key}

    def _strikes(self) -> str | None:
        down, gone = f"{self.name} answers 503", f"worker killed before {self.name}"
        lost, late = f"{self.name} answers to nobody", f"worker killed after {self.name}"
        cause = self.chaos.strikes(down, gone, lost, late, one_of=VENDOR_CALLS_BETWEEN_FAULTS)
        if cause == down:
            raise VendorError(f"{self.name}: HTTP 503", permanent=False)
        if cause == gone:
            raise KilledError
        return cause

    def _afterwards(self, cause: str | None) -> None:
        if cause is not None and cause.startswith("worker killed"):
            raise KilledError
        if cause is not None:
            raise VendorError(f"{self.name}: no answer", permanent=False, unknown=True)


def lives(people: int) -> list[Event]:
    """Five to eight events of each of many people: joined, and then paid, failed, refunded, disputed or left."""
    told: list[Event] = []
    for number in range(people):
        told += _life(number, f"user_{number}", f"cus_{number}", f"sub_{number}", START + number)
    return told


def _life(number: int, user: str, customer: str, sub: str, at: int) -> Iterator[Event]:
    of: dict[str, Any] = {"id_": sub, "customer": customer, "user": user}
    invoice, payment = f"in_{number}", f"pi_{number}"
    yield story.subscription(at=at, **of, period_end=at + MONTH)
    yield story.session(at=at + 3, id=f"cs_{number}", subscription=sub, customer=customer, user=user)
    yield story.invoice("paid", at=at + 2, id_=invoice, subscription=sub, customer=customer, created=at)
    yield story.invoice_payment(at=at + 2, invoice=invoice, payment=payment, id=f"inpay_{number}")
    yield story.event("customer.updated", at=at + 9, id=customer, email=f"{user}@mail.example", metadata={})
    match number % 4:
        case 0:
            yield story.refund(at=at + 50, id=f"re_{number}", payment=payment, customer=customer)
            yield story.charge_refunded(at=at + 51, payment=payment, customer=customer)
        case 1:
            again: dict[str, Any] = {
                "id_": f"in_{number}_2",
                "subscription": sub,
                "customer": customer,
                "created": at + 70,
            }
            yield story.invoice("payment_failed", at=at + 70, billing_reason="subscription_cycle", **again)
            yield story.subscription("updated", at=at + 70, **of, status="past_due", latest_invoice=again["id_"])
        case 2:
            yield story.subscription("deleted", at=at + 80, **of, status="canceled", ended_at=at + 80)
        case _:
            yield story.event(
                "charge.dispute.created", at=at + 90, id=f"dp_{number}", payment_intent=payment, created=at + 90
            )


@dataclass
class Pipeline:
    """The functions over one world, broken by `chaos`."""

    world: World
    chaos: Chaos
    kit: ChaoticVendor
    slack: ChaoticVendor

    def run(self, told: list[Event]) -> None:
        """Hand the events over until each was taken; what a killed worker had comes back."""
        waiting = list(told)
        while waiting:
            batch = [waiting.pop(self.chaos.draw.randrange(min(20, len(waiting)))) for _ in range(min(5, len(waiting)))]
            waiting += self._refused(batch)
            if self.chaos.draw.random() < 0.3:
                self.sync()

    def sync(self) -> None:
        """Each destination takes the nudges that wait."""
        for vendor in (self.kit, self.slack):
            for nudge in self.world.messages(vendor.name):
                try:
                    Crew(self.world, vendor).sync(nudge)
                except KilledError:
                    continue  # SQS would hand it over again; the sweep finds the record anyway

    def go_on(self) -> None:
        """Time passes, minute by minute as far as anything happens, until nothing is due."""
        end = self.world.clock.now + GOES_ON_SECONDS
        while self.world.clock.now < end:
            self.world.clock.now += STEP_SECONDS
            try:
                swept = self.world.sweep.run(lambda: 60_000.0)
            except (KilledError, AwsError):
                continue
            while self._messages():
                self.sync()
            if not any(swept.values()) and self.chaos.left <= 0 and not self._due():
                return

    def _refused(self, batch: list[Event]) -> list[Event]:
        try:
            failed = set(self.world.deliver(*batch))
        except KilledError:
            return batch
        return [event for place, event in enumerate(batch) if f"m{place}" in failed]

    def _messages(self) -> bool:
        sqs = self.world.connect("sqs")
        for name in ("kit", "slack"):
            url = self.world.queue_urls[name]
            told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            if int(told["Attributes"]["ApproximateNumberOfMessages"]):
                return True
        return False

    def _due(self) -> bool:
        later = int(self.world.clock.now + GOES_ON_SECONDS)
        return any(
            item["kind"] in {"DELIVERY", "NOTICE"}
            for shard in range(4)
            for item in self.world.store.due(shard, later, 250)
        )


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is wrong at the end; nothing should be."""

    events_lost: int
    members_wrong: int
    destinations_wrong: int
    told_twice: int
    told_to_nobody: int  # neither posted nor given to a person


def judge(pipeline: Pipeline, told: list[Event]) -> Found:
    """The end against the events told once each and in order."""
    world, now = pipeline.world, int(pipeline.world.clock.now)
    model = History(policy=world.policy, reading=world.policy.reading()).tell(told, now).members
    wrong = lag = 0
    for user, member in model.items():
        stored = world.store.member(user)
        node = stored.node if stored else None
        expected = membership(member.grants, world.policy, now)
        held = membership(node.grants, world.policy, now) if isinstance(node, MemberNode) else None
        wrong += held != expected
        lag += pipeline.kit.labels.get(user) != labels(expected)
    ledger = [event for event in told if world.item(f"EVENT#{event['id']}", "LEDGER") is None]
    notices = list(_notices(world))
    return Found(
        events_lost=len(ledger),
        members_wrong=wrong,
        destinations_wrong=lag,
        told_twice=sum(count - 1 for count in pipeline.slack.posted.values() if count > 1),
        told_to_nobody=sum(
            1
            for notice in notices
            if not notice.get("parked") and not pipeline.slack.posted[notice["notice"]["M"]["key"]["S"]]
        ),
    )


def _notices(world: World) -> Iterator[dict[str, Any]]:
    pages = world.connect("dynamodb").get_paginator("scan").paginate(TableName=world.name)
    for page in pages:
        yield from (item for item in page["Items"] if item.get("kind") == {"S": "NOTICE"})


def chaotic(people: int, faults: int, seed: int) -> tuple[Pipeline, list[Event], Found]:
    """One run: `faults` of all kinds over the events of `people`."""
    draw = random.Random(seed)  # noqa: S311 - the same chaos for a seed
    chaos = Chaos(draw, faults)
    told = lives(people)
    with local_aws(story.POLICY) as world, redirect_stdout(io.StringIO()):
        world.clock.now = NOW
        real = world.dynamodb, world.sqs, world.queue_urls
        vars(world)["dynamodb"] = Breaking(real[0], chaos, "the table")
        vars(world)["sqs"] = Breaking(real[1], chaos, "the queue")
        pipeline = Pipeline(
            world=world,
            chaos=chaos,
            kit=ChaoticVendor(name="kit", chaos=chaos),
            slack=ChaoticVendor(name="slack", recovery=Recovery.AT_MOST_ONCE, chaos=chaos),
        )
        shuffled = [*told, *draw.sample(told, len(told) // 10)]
        draw.shuffle(shuffled)
        pipeline.run(shuffled)
        pipeline.go_on()
        chaos.left = 0
        pipeline.go_on()
        return pipeline, told, judge(pipeline, told)


def report(pipeline: Pipeline, told: list[Event], found: Found) -> Iterator[str]:
    """The table by cause, and what is left wrong, as lines."""
    yield f"{'cause':<40}{'times':>8}"
    for cause, count in sorted(pipeline.chaos.seen.items()):
        yield f"{cause:<40}{count:>8}"
    yield f"{'all':<40}{pipeline.chaos.seen.total():>8}"
    yield ""
    yield f"{len(told)} events, a tenth of them twice, in random order"
    for name, count in vars(found).items():
        yield f"{name.replace('_', ' '):<40}{count:>8}{'' if count == 0 else '  WRONG'}"


def main() -> int:
    """Print the table; 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=450)
    parser.add_argument("--faults", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    pipeline, told, found = chaotic(chosen.people, chosen.faults, chosen.seed)
    for line in report(pipeline, told, found):
        sys.stdout.write(line + "\n")
    return 1 if any(vars(found).values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
