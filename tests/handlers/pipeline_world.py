"""A fresh table and fresh queues in the local AWS, and the functions' classes over them with a clock of their own."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from handlers.adapters.attributes import decode
from handlers.adapters.aws import DynamoDb, Sqs
from handlers.adapters.items import key
from handlers.adapters.nudges import Nudges
from handlers.adapters.store import Store
from handlers.adapters.stripe_read import StripeReader
from handlers.core import policy
from handlers.entrypoints.apply import Apply
from handlers.entrypoints.asking import Asking, ClaimLinks
from handlers.entrypoints.members import Members
from handlers.entrypoints.recording import Recorder
from handlers.entrypoints.sweep import Sweep
from handlers.settings import DESTINATIONS, DUE_INDEX
from tests.handlers.story import POLICY, START, Event

Connect = Callable[[str], Any]  # a boto3 client of a service, for what a test arranges and looks at

_numbers = itertools.count(1)


@dataclass
class Clock:
    """Unix seconds that stand still until a test moves them."""

    now: float = START + 60

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """What one test works with."""

    connect: Connect
    environ: Mapping[str, str]
    stripe_url: str = "http://127.0.0.1:9"  # nobody answers there
    policy_document: dict[str, Any] = field(default_factory=lambda: dict(POLICY))
    clock: Clock = field(default_factory=Clock)
    name: str = field(default_factory=lambda: f"table-{next(_numbers)}")
    live: bool = True
    reference_keys: tuple[str, ...] = ()
    claims: ClaimLinks | None = None

    @cached_property
    def dynamodb(self) -> Any:
        """What the functions use, with a table called `name`."""
        key = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        due = [{"AttributeName": "due_shard", "KeyType": "HASH"}, {"AttributeName": "due_at", "KeyType": "RANGE"}]
        types = {"pk": "S", "sk": "S", "due_shard": "S", "due_at": "N"}
        self.connect("dynamodb").create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=key,
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in types.items()],
            GlobalSecondaryIndexes=[
                {"IndexName": DUE_INDEX, "KeySchema": due, "Projection": {"ProjectionType": "ALL"}}
            ],
        )
        return DynamoDb(self.environ)

    @cached_property
    def sqs(self) -> Any:
        """What the functions use."""
        return Sqs(self.environ)

    def close(self) -> None:
        """Close the connections of the functions' clients."""
        for client in (vars(self).get(name) for name in ("dynamodb", "sqs")):
            if client is not None:
                client.close()

    @cached_property
    def queue_urls(self) -> dict[str, str]:
        sqs = self.connect("sqs")
        return {spec.name: sqs.create_queue(QueueName=f"{self.name}-{spec.name}")["QueueUrl"] for spec in DESTINATIONS}

    @cached_property
    def policy(self) -> policy.Policy:
        return policy.parse(json.dumps(self.policy_document))

    @property
    def store(self) -> Store:
        return Store(self.dynamodb, self.name)

    @property
    def recorder(self) -> Recorder:
        return Recorder(store=self.store, policy=self.policy, destinations=DESTINATIONS, clock=self.clock)

    @property
    def nudges(self) -> Nudges:
        return Nudges(self.sqs, self.queue_urls)

    @property
    def stripe(self) -> StripeReader:
        return StripeReader(lambda: "rk_live_read", self.stripe_url)

    @property
    def asking(self) -> Asking:
        reading = self.policy.reading(self.reference_keys)
        return Asking(
            recorder=self.recorder,
            store=self.store,
            stripe=self.stripe,
            reading=reading,
            claims=self.claims,
            clock=self.clock,
        )

    @property
    def apply(self) -> Apply:
        return Apply(
            recorder=self.recorder,
            store=self.store,
            nudges=self.nudges,
            stripe=self.stripe,
            asking=self.asking,
            live=self.live,
            reading=lambda _kind: self.policy.reading(self.reference_keys),
            clock=self.clock,
        )

    @property
    def sweep(self) -> Sweep:
        return Sweep(
            recorder=self.recorder,
            store=self.store,
            nudges=self.nudges,
            asking=self.asking,
            clock=self.clock,
        )

    @property
    def members(self) -> Members:
        return Members(store=self.store, policy=self.policy, clock=self.clock)

    def deliver(self, *events: Event | str, group: str = "g") -> list[str]:
        """Hand events to apply as one batch; the message ids that it did not take."""
        records = [
            {
                "messageId": f"m{place}",
                "body": told if isinstance(told, str) else json.dumps(told),
                "attributes": {"MessageGroupId": group},
            }
            for place, told in enumerate(events)
        ]
        answer = self.apply.handle({"Records": records}, lambda: 5000)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def deliver_beside(self, event: Event) -> list[str]:
        """As `deliver`, by a worker of its own, as a client serves one thread at a time."""
        worker = replace(self)
        vars(worker).update(dynamodb=DynamoDb(self.environ), queue_urls=self.queue_urls)
        try:
            return worker.deliver(event)
        finally:
            worker.close()

    def member(self, user_id: str = "user_ada") -> dict[str, Any] | None:
        """What the members API answers; None for 404."""
        answer = self.members.answer({"rawPath": f"/v1/members/{user_id}", "pathParameters": {"user_id": user_id}})
        return json.loads(answer["body"]) if answer["statusCode"] == 200 else None

    def item(self, pk: str, sk: str) -> dict[str, Any] | None:
        """One item of the table, as plain values."""
        answer = self.dynamodb.get_item(TableName=self.name, Key=key(pk, sk), ConsistentRead=True)
        return decode(answer["Item"]) if "Item" in answer else None

    def messages(self, destination: str) -> list[dict[str, Any]]:
        """The nudges that wait for `destination`, taken off its queue."""
        sqs = self.connect("sqs")
        answer = sqs.receive_message(QueueUrl=self.queue_urls[destination], MaxNumberOfMessages=10)
        taken = answer.get("Messages", [])
        for message in taken:
            sqs.delete_message(QueueUrl=self.queue_urls[destination], ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in taken]
