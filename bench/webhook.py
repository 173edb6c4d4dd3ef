"""How our webhook function compares with the usual one (stripe + boto3): `python -m bench.webhook`.

Fresh interpreters, the two taking turns in one run; ratios against the targets. Absolute figures are those of the
machine. Ours runs from its deployed bundle; AWS is a process on loopback that answers what is canned, over TLS.
"""

import argparse
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import stripe

from bench.canned_aws import canned_aws
from bench.processes import ROOT, Measured, fresh, taking_turns
from bench.table import header, line
from bench.webhook_calls import SECRET
from infra import bundle

OURS, USUAL = "handlers.entrypoints.webhook", "bench.usual_webhook"

# From the first line of the program to the answer: imports, the secret, one event verified and sent.
FIRST_ACK = """
import time; begun = time.perf_counter()
import json, sys
from {module} import handler
answer = handler(json.load(sys.stdin), None)
took = time.perf_counter() - begun
assert answer["statusCode"] == 200, answer
from bench.memory import peak_megabytes
print("FIGURES", took * 1000, peak_megabytes())
"""
BARE = "from bench.memory import peak_megabytes; print('FIGURES', peak_megabytes())"
IN_MEMORY = """
import json, sys
from bench.webhook_calls import {side}, in_memory
print("FIGURES", in_memory({side}(), json.load(sys.stdin), {calls}))
"""
ACK = """
import json, sys
from bench.webhook_calls import p50
from {module} import handler
print("FIGURES", p50(lambda request: handler(request, None), json.load(sys.stdin), {calls}))
"""

LAMBDA = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "EVENTS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/events.fifo",
    "SIGNING_SECRET_ID": "signing",
}


class Event(NamedTuple):
    """One of the tests' events, indented as Stripe's are; a subscription may have its item `items` times."""

    kind: str
    items: int = 1

    @property
    def body(self) -> str:
        """What Stripe would post."""
        event = json.loads((ROOT / "tests" / "events" / f"{self.kind}.json").read_text())
        if self.items > 1:
            event["data"]["object"]["items"]["data"] *= self.items
        return json.dumps(event, indent=2)

    @property
    def name(self) -> str:
        """For the table."""
        return f"{len(self.body) / 1000:.1f} kB"

    def request(self) -> dict[str, Any]:
        """The POST as API Gateway hands it over, signed now."""
        header = stripe.WebhookSignature.generate_signature_header(self.body, SECRET)
        return {
            "rawPath": "/webhooks/stripe",
            "requestContext": {"http": {"method": "POST"}},
            "headers": {"stripe-signature": header},
            "body": self.body,
            "isBase64Encoded": False,
        }


EVENTS = (
    Event("refund.created"),
    Event("customer.subscription.updated"),
    Event("customer.subscription.updated", items=4),
    Event("customer.subscription.updated", items=30),
)


def report(rounds: int, calls: int, events: Sequence[Event] = EVENTS) -> Iterator[str]:
    """The lines to print, from `rounds` processes of each kind, with `calls` of a function that has started."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        task = folder / "task"
        with zipfile.ZipFile(io.BytesIO(bundle.archive(ROOT, OURS))) as zipped:
            zipped.extractall(task)
        environ = LAMBDA | stack.enter_context(canned_aws(folder, SECRET))
        yield header("ours", "stripe + boto3")
        yield from _start(task, environ, rounds)
        for event in events:
            yield _handler(event, task, rounds, calls)
        for event in events:
            yield _ack(event, task, environ, rounds, calls)


def _start(task: Path, environ: dict[str, str], rounds: int) -> Iterator[str]:
    sides = [
        Measured(FIRST_ACK.format(module=OURS), task, environ),
        Measured(FIRST_ACK.format(module=USUAL), environ=environ),
    ]
    (bare,) = fresh(Measured(BARE))
    (ours, our_peak), (usual, usual_peak) = taking_turns(sides, rounds, EVENTS[1].request)
    yield line("start to first ack, ms", ours, usual, 0.15)
    above = [[peak - bare for peak in peaks] for peaks in (our_peak, usual_peak)]
    yield line("memory over a bare interpreter, MB", *above, 0.4)
    yield line("memory, resident, MB", our_peak, usual_peak, 0.4)


def _handler(event: Event, task: Path, rounds: int, calls: int) -> str:
    sides = [
        Measured(IN_MEMORY.format(side="ours", calls=calls), task),
        Measured(IN_MEMORY.format(side="usual", calls=calls)),
    ]
    (ours,), (usual,) = taking_turns(sides, rounds, event.request)
    return line(f"handler p50, {event.name}, µs", ours, usual, 0.05)


def _ack(event: Event, task: Path, environ: dict[str, str], rounds: int, calls: int) -> str:
    sides = [
        Measured(ACK.format(module=OURS, calls=calls), task, environ),
        Measured(ACK.format(module=USUAL, calls=calls), environ=environ),
    ]
    (ours,), (usual,) = taking_turns(sides, rounds, event.request)
    return line(f"ack p50, canned SQS, {event.name}, µs", ours, usual, 0.2)


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="fresh processes of each kind (default 11)")
    parser.add_argument("--calls", type=int, default=200, help="calls whose p50 is taken (default 200)")
    asked = parser.parse_args()
    for text in report(max(1, asked.rounds), max(4, asked.calls)):
        print(text, flush=True)


if __name__ == "__main__":
    main()
