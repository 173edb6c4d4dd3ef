"""A deployed stack as fault tests look at it: what Stripe had accepted, what the table and the vendors hold."""

import json
import time
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from handlers.adapters.attributes import decode
from handlers.core.desired import Notice
from handlers.core.maps import from_map
from handlers.destinations import slack
from rehearsal.journeys.world import Webhook, World
from rehearsal.members import Members
from rehearsal.progress import Stage as Timed
from rehearsal.progress import Stages
from rehearsal.rehearse import Deployed, deployed

with warnings.catch_warnings():
    # The SDKs announce, while they are imported, which resources were renamed; the program uses none of them.
    warnings.simplefilter("ignore", DeprecationWarning)
    import infra.program  # noqa: F401

PROJECT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 120.0  # a lease that a killed worker holds runs out, and a vendor is left alone for a while
POLL_SECONDS = 0.1


class Said:
    """Keeps what a rehearsal would show while it runs, the event sources' complaints among it."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def begin(self, name: str) -> None:
        """See rehearsal.progress.Progress."""

    def waiting(self, text: str) -> None:
        """See rehearsal.progress.Progress."""
        self.texts.append(text)

    def end(self, stage: Timed, *, ok: bool) -> None:
        """See rehearsal.progress.Progress."""


class PatientMembers(Members):
    """Asks again when the API is out of order, as an app would."""

    def get(self, user_id: str) -> dict[str, Any] | None:
        """See Members."""
        while True:
            try:
                return super().get(user_id)
            except httpx.HTTPStatusError as error:
                if error.response.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    raise
            time.sleep(POLL_SECONDS)

    def claim(self, token: str, user_id: str) -> int:
        """See Members."""
        while (status := super().claim(token, user_id)) >= httpx.codes.INTERNAL_SERVER_ERROR:
            time.sleep(POLL_SECONDS)
        return status


class PatientWebhook(Webhook):
    """Sends again what the endpoint could not take, as Stripe does."""

    def post(self, body: bytes, signature: str | None) -> int:
        """See Webhook."""
        while (status := super().post(body, signature)) >= httpx.codes.INTERNAL_SERVER_ERROR:
            time.sleep(POLL_SECONDS)
        return status


@dataclass(frozen=True)
class Stage:
    """A deployed stack, and what its twins said."""

    deployed: Deployed
    said: Said

    @property
    def world(self) -> World:
        """Where journeys are told."""
        return self.deployed.world

    @cached_property
    def prefix(self) -> str:
        """What the names of the stack's functions begin with."""
        contract = self.deployed.contract
        return f"{contract['project']}-{contract['stack']}"

    # What Stripe knows

    def subscribed(self) -> set[str]:
        """The ids of all events that the endpoint asked for."""
        wanted = set(self.deployed.contract["stripe"]["events"])
        return {event["id"] for event in self.deployed.twins.stripe.events() if event["type"] in wanted}

    def accepted(self) -> set[str]:
        """The ids of the events that the webhook has acknowledged."""
        return {attempt.event_id for attempt in self.deployed.twins.stripe.deliveries() if attempt.accepted}

    def refusals(self) -> Counter[int | None]:
        """How often the webhook answered each status other than 2xx; None where there was no answer."""
        attempts = self.deployed.twins.stripe.deliveries()
        return Counter(attempt.status for attempt in attempts if not attempt.accepted)

    # What the pipeline holds

    def items(self) -> list[dict[str, Any]]:
        """Every item of the table, in DynamoDB's JSON."""
        client = self.deployed.twins.aws.client("dynamodb")
        pages = client.get_paginator("scan").paginate(TableName=self.deployed.contract["table"]["name"])
        return [item for page in pages for item in page["Items"]]

    def ledger(self) -> dict[str, str]:
        """The outcome of each event in the ledger."""
        return {item["event"]["S"]: item["outcome"]["S"] for item in self.items() if item["sk"]["S"] == "LEDGER"}

    def parked_notices(self) -> dict[str, str]:
        """The keys of the notices that a person has to look at, and their text as Slack would show it."""
        parked = [item for item in self.items() if item.get("kind") == {"S": "NOTICE"} and "parked" in item]
        notices = [from_map(Notice, decode(item)["notice"]) for item in parked]
        return {notice.key: slack.text(notice) for notice in notices}

    def due(self) -> list[str]:
        """The deliveries that are due by now or later."""
        return [
            f"{item['pk']['S']} {item['sk']['S']}"
            for item in self.items()
            if item.get("kind", {}).get("S") in {"DELIVERY", "NOTICE"} and "due_at" in item
        ]

    def waiting(self) -> dict[str, int]:
        """How many messages each queue holds, where it holds any."""
        found = {queue["name"]: self._messages(queue["url"]) for queue in self.deployed.contract["queues"]}
        return {name: number for name, number in found.items() if number}

    def lines(self, function: str) -> list[dict[str, Any]]:
        """The structured log lines and metrics of a function, which is named without the stack's prefix."""
        texts = self.deployed.twins.aws.logs(f"{self.prefix}-{function}")
        return [json.loads(line) for text in texts for line in text.splitlines() if line.startswith("{")]

    def workers(self, function: str) -> list[int]:
        """The processes that serve a function now."""
        return self.deployed.twins.aws.worker_pids(f"{self.prefix}-{function}")

    # What the vendors show

    def subscribers(self) -> list[str]:
        """The address of every subscriber at Kit, as its API lists them."""
        twins = self.deployed.twins
        answer = httpx.get(
            f"{twins.kit.base_url}/subscribers",
            params={"status": "all", "per_page": 1000},
            headers={"x-kit-api-key": twins.keys.kit},
            trust_env=False,
        )
        answer.raise_for_status()
        return [subscriber["email_address"] for subscriber in answer.json()["subscribers"]]

    def notices(self) -> Counter[str]:
        """How often Slack shows each text, which says what happened to what, and when."""
        return Counter(message.text for message in self.deployed.twins.slack.messages())

    # Waiting

    def settle(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait until nothing is under way or due; the number of messages that had to be redriven from a DLQ.

        AssertionError says what is left after `seconds`.
        """
        assert self.deployed.twins.stripe.wait_idle(seconds), "Stripe still has deliveries to make"
        redriven = 0

        def settled() -> bool:
            nonlocal redriven
            redriven += sum(self._redrive(queue) for queue in self.deployed.contract["queues"] if queue["dlq"])
            return not self.waiting() and not self.due()

        until(settled, seconds, lambda: f"left in queues {self.waiting()}, due {self.due()}")
        return redriven

    def _redrive(self, queue: Mapping[str, Any]) -> int:
        """Move what is in the queue's DLQ back, as a person would once the cause is gone."""
        client = self.deployed.twins.aws.client("sqs")
        (dlq,) = [other["url"] for other in self.deployed.contract["queues"] if other["arn"] == queue["dlq"]]
        answer = client.receive_message(QueueUrl=dlq, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
        messages = answer.get("Messages", [])
        for message in messages:
            fifo = {
                "MessageGroupId": message["Attributes"]["MessageGroupId"],
                "MessageDeduplicationId": message["MessageId"],
            }
            client.send_message(
                QueueUrl=queue["url"], MessageBody=message["Body"], **(fifo if dlq.endswith(".fifo") else {})
            )
            client.delete_message(QueueUrl=dlq, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)

    def _messages(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        client = self.deployed.twins.aws.client("sqs")
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


@contextmanager
def staged() -> Generator[Stage]:
    """The production stack on fresh twins, with a world that bears with faults."""
    said = Said()
    with deployed(PROJECT, "prod", Stages(said)) as stack:
        world = stack.world
        world.patience_seconds = PATIENCE_SECONDS
        world.members = PatientMembers(**vars(world.members))
        world.webhook = PatientWebhook(**vars(world.webhook))
        yield Stage(stack, said)


def until(question: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    """Wait until the answer is yes; AssertionError with `what` is not, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s: {what()}"
        time.sleep(POLL_SECONDS)
