"""A burst as after an outage: eight instances of the function, each a process as in Lambda, and a real FIFO queue."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from tests.handlers import story
from tests.handlers.pipeline_world import Connect

EVENTS = 2000
CLIENTS = 8
REPEATED = 20  # every 20th event is sent twice, as Stripe does when an answer is lost
FORGED = 25  # beside every 25th comes one that Stripe did not sign
MINUTE = 60.0

INSTANCE = """
import json, sys
from handlers.entrypoints.webhook import handler
for line in sys.stdin:
    print("ANSWER", handler(json.loads(line), None)["statusCode"], flush=True)
"""

Request = dict[str, Any]
_numbers = count(1)


@contextmanager
def instance(environ: Mapping[str, str]) -> Generator[Callable[[Request], int]]:
    """The function in a process of its own, which handles one request at a time; call it for the status."""
    command = [sys.executable, "-c", INSTANCE]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=dict(environ), stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = process.stdout

        def answer(request: Request) -> int:
            assert process.stdin is not None
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return int(next(line for line in lines if line.startswith("ANSWER")).split()[1])

        try:
            yield answer
        finally:
            process.stdin.close()
            process.wait(timeout=10)


@pytest.fixture
def queue_url(connect: Connect) -> str:
    attributes = {"FifoQueue": "true", "VisibilityTimeout": "60"}
    made = connect("sqs").create_queue(QueueName=f"burst-{next(_numbers)}.fifo", Attributes=attributes)
    return made["QueueUrl"]


@pytest.fixture
def environ(connect: Connect, aws_endpoint: str, queue_url: str) -> dict[str, str]:
    value = json.dumps({"current": "whsec_current", "previous": "whsec_previous"})
    made = connect("secretsmanager").create_secret(Name=f"burst-{next(_numbers)}", SecretString=value)
    return {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "111122223333",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_ENDPOINT_URL": aws_endpoint,
        "EVENTS_QUEUE_URL": queue_url,
        "SIGNING_SECRET_ID": made["ARN"],
    }


def requests(signed: Callable[..., Request]) -> Iterator[tuple[Request, int]]:
    """Each request with the status that it must get; the secret is rolled half-way."""
    now = int(time.time())
    kinds = [story.recorded(path.stem) for path in sorted(story.FOLDER.glob("*.json"))]
    for number in range(EVENTS):
        told = json.dumps({**kinds[number % len(kinds)], "id": f"evt_burst_{number}"})
        body = told.replace("cus_Ada0001", f"cus_{number % 700}")
        request = signed(body, secret="whsec_previous" if number < EVENTS / 2 else "whsec_current", at=now)
        yield from [(request, 200)] * (1 + (number % REPEATED == 0))
        if number % FORGED == 0:
            yield signed(body.replace("evt_burst", "evt_forged"), secret="whsec_forged", at=now), 400


def drained(sqs: Any, url: str) -> Iterator[dict[str, Any]]:
    """All that the queue holds, taken off it."""
    while True:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
        messages = answer.get("Messages", [])
        if not messages:
            return
        yield from messages
        entries = [{"Id": str(place), "ReceiptHandle": m["ReceiptHandle"]} for place, m in enumerate(messages)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)


def send_all(work: Iterable[tuple[Request, int]], environ: Mapping[str, str]) -> Counter[tuple[int, int]]:
    """The (expected, actual) statuses; each client takes the next request as soon as its last one was answered."""
    shared = list(reversed(list(work)))

    def client(_: int) -> Counter[tuple[int, int]]:
        seen: Counter[tuple[int, int]] = Counter()
        with instance(environ) as send:
            while shared:
                try:
                    request, expected = shared.pop()
                except IndexError:
                    break
                seen[expected, send(request)] += 1
        return seen

    with ThreadPoolExecutor(CLIENTS) as clients:
        return sum(clients.map(client, range(CLIENTS)), Counter())


def test_2000_events_within_a_minute_are_each_queued_once(
    connect: Connect, queue_url: str, environ: dict[str, str], signed: Callable[..., Request]
) -> None:
    began = time.monotonic()
    statuses = send_all(requests(signed), environ)
    took = time.monotonic() - began
    rate = statuses.total() / took
    print(f"burst: {statuses.total()} requests of {CLIENTS} clients in {took:.1f} s, {rate:.0f} a second")
    assert statuses == {(200, 200): EVENTS + EVENTS // REPEATED, (400, 400): EVENTS // FORGED}
    messages = list(drained(connect("sqs"), queue_url))
    told = Counter(json.loads(message["Body"])["id"] for message in messages)
    assert told == {f"evt_burst_{number}": 1 for number in range(EVENTS)}
    assert {message["Attributes"]["MessageDeduplicationId"] for message in messages} == set(told)
    assert took < MINUTE
