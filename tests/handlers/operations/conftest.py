"""A deployed stack for the commands: a table and queues of the local AWS under a contract, without the deployment."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from handlers.operations.stack import LiveStack
from handlers.settings import Env
from tests.handlers.pipeline_world import World


@dataclass(frozen=True)
class Deployed:
    """The stack as a command reaches it, and the world beneath it."""

    stack: LiveStack
    world: World

    def events(self) -> list[str]:
        """The messages that wait on the events queue, taken off it."""
        return _taken(self.world, self.stack.queue("events")["url"])


@pytest.fixture
def deployed(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    for name, value in world.environ.items():
        monkeypatch.setenv(name, value)
    session = boto3.Session(
        aws_access_key_id=world.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=world.environ["AWS_SECRET_ACCESS_KEY"],
        region_name=world.environ["AWS_REGION"],
    )
    dead = _fifo(world, "dead")
    contract = {
        "region": world.environ["AWS_REGION"],
        "queues": [
            {"purpose": "events", **_fifo(world, "events"), "dlq": dead["arn"]},
            {"purpose": "dlq", **dead, "dlq": None},
        ],
        "functions": [{"purpose": "apply", "destination": None, "name": f"{world.name}-apply"}],
    }
    assert world.dynamodb is not None  # makes the table
    stack = LiveStack(contract=contract, session=session)
    vars(stack)["environment"] = {**world.environ, **_settings(world)}
    yield Deployed(stack=stack, world=world)
    stack.close()


def _settings(world: World) -> dict[str, str]:
    return {
        Env.STACK: "test",
        Env.LIVEMODE: "true",
        Env.TABLE_NAME: world.name,
        Env.POLICY: json.dumps(world.policy_document),
        Env.SYNC_QUEUE_URLS: json.dumps(world.queue_urls),
        Env.STRIPE_SECRET_ID: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:none",
    }


def _fifo(world: World, name: str) -> dict[str, Any]:
    sqs = world.connect("sqs")
    url = sqs.create_queue(QueueName=f"{world.name}-{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return {"name": f"{world.name}-{name}.fifo", "url": url, "arn": arn}


def _taken(world: World, url: str) -> list[str]:
    sqs, bodies = world.connect("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies
