"""How our webhook function compares with the usual one (stripe + boto3): `python -m bench.webhook`.

Fresh interpreters, the two taking turns in one run, medians, ratios. Absolute figures are those of the machine.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import stripe

from tests.handlers.loopback import Answer, Asked, serving

ROOT = Path(__file__).resolve().parent.parent
SECRET = "whsec_bench"

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

# The handler alone, the queue being a list. What it logs goes nowhere.
WARM = """
import contextlib, json, os, sys, time
from bench.webhook import warm
request = json.load(sys.stdin)
with open(os.devnull, "w") as sink, contextlib.redirect_stdout(sink):
    figure = warm("{module}", request)
print("FIGURES", figure)
"""

BARE = "from bench.memory import peak_megabytes; print('FIGURES', peak_megabytes())"

OURS, USUAL = "handlers.entrypoints.webhook", "bench.usual_webhook"


class ListQueue:
    """A queue in memory."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    def send(self, body: str, *, group: str, deduplication_id: str) -> None:
        """Keep the message."""
        self.sent.append((body, group, deduplication_id))


class OneSecret:
    """A signing secret that never changes."""

    def held(self) -> tuple[str, ...]:
        """The secret."""
        return (SECRET,)

    def refresh(self) -> bool:
        """Nothing new."""
        return False


def warm(module: str, request: dict[str, Any], times: int = 400) -> float:
    """Median microseconds of one call of the handler of `module`, after some to warm up."""
    queue = ListQueue()
    receive = _receiver(module, queue)
    figures = []
    for _ in range(times):
        begun = time.perf_counter()
        answer = receive(request)
        figures.append((time.perf_counter() - begun) * 1e6)
        assert answer["statusCode"] == 200, answer
    assert len(queue.sent) == times
    return statistics.median(figures[times // 4 :])


def _receiver(module: str, queue: ListQueue) -> Callable[[dict[str, Any]], dict[str, Any]]:
    if module == USUAL:
        from bench.usual_webhook import UsualWebhook

        return UsualWebhook(send=queue.send, secret=SECRET).receive
    from handlers.entrypoints.webhook import Webhook

    return Webhook(queue=queue, secrets=OneSecret()).receive


def signed_request(size: int) -> dict[str, Any]:
    """A POST of an invoice event of about `size` bytes, as API Gateway hands it over."""
    lines: list[dict[str, Any]] = []
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "invoice.paid",
        "created": int(time.time()),
        "livemode": True,
        "data": {"object": {"id": "in_1", "object": "invoice", "customer": "cus_1", "lines": {"data": lines}}},
    }
    while len(json.dumps(event)) < size:
        line = hashlib.sha256(str(len(lines)).encode()).hexdigest()
        lines.append({"id": f"il_{line[:24]}", "object": "line_item", "amount": 1900, "description": line})
    body = json.dumps(event)
    return {
        "rawPath": "/webhooks/stripe",
        "requestContext": {"http": {"method": "POST"}},
        "headers": {"stripe-signature": stripe.WebhookSignature.generate_signature_header(body, SECRET)},
        "body": body,
        "isBase64Encoded": False,
    }


def aws(asked: Asked) -> Answer:
    """Secrets Manager and SQS, as far as one event needs them."""
    if asked.headers["x-amz-target"].endswith("GetSecretValue"):
        return Answer.of({"SecretString": json.dumps({"current": SECRET, "previous": None})})
    digest = hashlib.md5(asked.json()["MessageBody"].encode(), usedforsecurity=False).hexdigest()
    return Answer.of({"MessageId": "1", "MD5OfMessageBody": digest, "SequenceNumber": "1"})


def environment(endpoint: str) -> dict[str, str]:
    """What Lambda gives the function."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL": endpoint,
        "EVENTS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/events.fifo",
        "SIGNING_SECRET_ID": "signing",
    }


def fresh(code: str, request: dict[str, Any], environ: dict[str, str]) -> list[float]:
    """The figures that `code` prints in an interpreter of its own."""
    done = subprocess.run(  # noqa: S603 (our own interpreter on the text above)
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environ,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"bench: a measured process failed:\n{done.stderr}")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FIGURES ")]
    return [float(figure) for figure in line.split()[1:]]


def taking_turns(template: str, request: dict[str, Any], environ: dict[str, str], rounds: int) -> list[list[float]]:
    """Medians of each figure, for ours and for the usual one; the first round warms the disk and is not counted."""
    figures: dict[str, list[list[float]]] = {OURS: [], USUAL: []}
    for turn in range(rounds + 1):
        for module, taken in figures.items():
            measured = fresh(template.format(module=module), request, environ)
            if turn:
                taken.append(measured)
    return [[statistics.median(column) for column in zip(*taken, strict=True)] for taken in figures.values()]


def report(rounds: int) -> Iterator[str]:
    """The lines to print."""
    yield f"{'medians, taking turns':34}{'ours':>10}{'usual':>10}{'usual/ours':>12}"
    with serving(aws) as server:
        environ = environment(server.url)
        bare = fresh(BARE, {}, environ)[0]
        ours, usual = taking_turns(FIRST_ACK, signed_request(2_000), environ, rounds)
    yield _line("start to first ack, ms", ours[0], usual[0])
    yield _line("memory over a bare interpreter, MB", ours[1] - bare, usual[1] - bare)
    for size in (2_000, 10_000, 60_000):
        ours, usual = taking_turns(WARM, signed_request(size), {"PATH": os.environ["PATH"]}, max(1, rounds // 3))
        yield _line(f"handler p50, {size // 1000} kB event, µs", ours[0], usual[0])


def _line(name: str, ours: float, usual: float) -> str:
    return f"{name:34}{ours:10.1f}{usual:10.1f}{usual / ours:12.1f}"


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="fresh processes of each kind (default 9)")
    for line in report(max(1, parser.parse_args().rounds)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
