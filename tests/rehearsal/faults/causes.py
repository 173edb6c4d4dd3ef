"""What goes wrong while the journeys are told; each cause ends with its block, which is the recovery."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from rehearsal.twins.aws_faults import Fault, FaultKind, throttling
from rehearsal.twins.vendor import Vendor
from tests.rehearsal.faults.stage import Stage

SEED = 20_261_121
LOOK_SECONDS = 0.02

Hits = Counter[str]  # what was done, and how often
Work = Callable[[threading.Event], None]  # done until it ends or the event is set

SLOW_TABLE = (
    Fault(service="dynamodb", action="TransactWriteItems", kind=FaultKind.DELAY, delay_seconds=0.3, probability=0.5),
    Fault(service="dynamodb", action="UpdateItem", kind=FaultKind.DELAY, delay_seconds=0.1, probability=0.5),
)
RANDOM_KILLS = {"apply": 7, "sync-kit": 3}
CUT_SHORT = ("Worker process died", "Worker process exited", "Broken pipe")

QUEUE_FAULTS = (
    Fault(service="sqs", action="SendMessage", probability=0.3, times=20),
    throttling("sqs", "SendMessage", probability=0.2, times=10),
    Fault(service="sqs", action="SendMessageBatch", probability=0.7, times=20),
    Fault(service="sqs", action="ReceiveMessage", probability=0.3, times=20),
    throttling("sqs", "DeleteMessageBatch", probability=0.3, times=6),
)

TABLE_FAULTS = (
    Fault(service="dynamodb", action="TransactWriteItems", kind=FaultKind.CONFLICT, probability=0.3, times=30),
    Fault(service="dynamodb", action="TransactWriteItems", probability=0.2, times=12),
    throttling("dynamodb", "BatchGetItem", probability=0.2, times=15),
    throttling("dynamodb", "UpdateItem", probability=0.3, times=25),
    Fault(service="dynamodb", action="GetItem", probability=0.1, times=15),
    Fault(service="dynamodb", action="Query", probability=0.5, times=6),
    Fault(service="dynamodb", action="Query", kind=FaultKind.STALE),
)

KIT_FAULTS: Sequence[dict[str, Any]] = (
    {"status": 503},
    {"status": 429},  # as Kit answers it: without Retry-After
    {"delay_seconds": 0.7},
    {"status": 502, "after_effect": True},
) * 2
SLACK_FAULTS: Sequence[dict[str, Any]] = (
    {"status": 429, "retry_after": 2},
    {"status": 500, "after_effect": True},
    {"status": 429, "retry_after": 1},
)


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One kind of trouble: `making` makes it, and counts what it did under the names in `does`."""

    name: str
    making: Callable[[Stage], AbstractContextManager[Hits]]
    does: frozenset[str]
    breaks_kit: bool = False


@contextmanager
def workers_killed(stage: Stage) -> Generator[Hits]:
    """SIGKILL for workers at random moments, and while a vendor has a call that it has not answered."""
    hits: Hits = Counter()
    twins = stage.deployed.twins
    twins.aws.inject(*SLOW_TABLE)  # so that many are at work when they are killed
    aimed = (_kills_callers(stage, vendor, name, hits) for vendor, name in ((twins.kit, "kit"), (twins.slack, "slack")))
    with _beside(_kills_at_random(stage, hits), *aimed):
        yield hits
    twins.aws.inject()
    hits["runs cut short"] = sum(any(end in text for end in CUT_SHORT) for text in stage.said.texts)


def _kills_at_random(stage: Stage, hits: Hits) -> Work:
    draw = random.Random(SEED)
    functions = [name for name, times in RANDOM_KILLS.items() for _ in range(times)]
    draw.shuffle(functions)

    def kill(stopping: threading.Event) -> None:
        for function in functions:
            stopping.wait(draw.uniform(0.3, 1.2))
            while not (pids := stage.workers(function)):
                if stopping.wait(LOOK_SECONDS):
                    return
            os.kill(draw.choice(pids), signal.SIGKILL)
            hits[f"{function} killed"] += 1

    return kill


def _kills_callers(stage: Stage, vendor: Vendor, name: str, hits: Hits) -> Work:
    """Slow one call down, and kill the function's workers when the vendor has acted on it but not answered yet."""

    def kill(stopping: threading.Event) -> None:
        vendor.fail(delay_seconds=2.0, times=1)
        while not any(call.status is None for call in vendor.calls()):
            if stopping.wait(LOOK_SECONDS):
                return
        for pid in stage.workers(f"sync-{name}"):
            os.kill(pid, signal.SIGKILL)
        hits[f"sync-{name} killed in a call"] += 1

    return kill


@contextmanager
def vendors_failing(stage: Stage) -> Generator[Hits]:
    """Kit and Slack each fail in several ways, one call at a time, Kit with good calls in between."""
    hits: Hits = Counter()
    twins = stage.deployed.twins
    with _beside(_fails(twins.kit, "kit", KIT_FAULTS, 4, hits), _fails(twins.slack, "slack", SLACK_FAULTS, 0, hits)):
        yield hits
    twins.kit.recover()
    twins.slack.recover()


def _fails(vendor: Vendor, name: str, faults: Sequence[dict[str, Any]], good_calls: int, hits: Hits) -> Work:
    """One fault after the other, each for one call that comes after `good_calls` good ones."""

    def calls_reach(number: int, stopping: threading.Event) -> bool:
        while len(vendor.calls()) < number:
            if stopping.wait(LOOK_SECONDS):
                return False
        return True

    def fail(stopping: threading.Event) -> None:
        for fault in faults:
            if not calls_reach(len(vendor.calls()) + good_calls, stopping):
                return
            called = len(vendor.calls())
            vendor.fail(**fault, times=1)
            if not calls_reach(called + 1, stopping):
                return
            hits[_vendor_fault(name, fault)] += 1

    return fail


def _vendor_fault(name: str, fault: dict[str, Any]) -> str:
    return f"{name} " + " ".join(f"{what}={value}" for what, value in fault.items())


def injected(faults: Sequence[Fault]) -> Callable[[Stage], AbstractContextManager[Hits]]:
    """A share of the calls to AWS fails."""

    @contextmanager
    def making(stage: Stage) -> Generator[Hits]:
        hits: Hits = Counter()
        aws = stage.deployed.twins.aws
        aws.inject(*faults)
        yield hits
        for fault, times in zip(faults, aws.fault_hits(), strict=True):
            hits[_aws_fault(fault)] += times
        aws.inject()

    return making


def _aws_fault(fault: Fault) -> str:
    return f"{fault.action} {fault.code if fault.kind is FaultKind.ERROR else fault.kind}"


@contextmanager
def _beside(*works: Work) -> Generator[None]:
    """Do all `works`, each on a thread of its own, until the block ends."""
    stopping = threading.Event()
    threads = [threading.Thread(target=work, args=(stopping,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


CAUSES = (
    Cause(
        name="workers killed",
        making=workers_killed,
        does=frozenset(f"{name} killed" for name in RANDOM_KILLS)
        | {"sync-kit killed in a call", "sync-slack killed in a call", "runs cut short"},
        breaks_kit=True,
    ),
    Cause(name="SQS failing", making=injected(QUEUE_FAULTS), does=frozenset(map(_aws_fault, QUEUE_FAULTS))),
    Cause(name="DynamoDB failing", making=injected(TABLE_FAULTS), does=frozenset(map(_aws_fault, TABLE_FAULTS))),
    Cause(
        name="Kit and Slack failing",
        making=vendors_failing,
        does=frozenset(_vendor_fault("kit", fault) for fault in KIT_FAULTS)
        | {_vendor_fault("slack", fault) for fault in SLACK_FAULTS},
        breaks_kit=True,
    ),
)
