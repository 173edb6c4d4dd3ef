"""What the table and the queues may do short of failing: leave keys unread, take only some messages."""

from collections.abc import Mapping
from typing import Any

import pytest

from handlers.adapters.nudges import Nudge, Nudges
from handlers.adapters.store import Store
from handlers.core.errors import ConflictError
from handlers.core.nodes import Kind, Ref
from tests.handlers import story
from tests.handlers.pipeline_world import World

ADA = Ref(Kind.MEMBER, "user_ada")


class Throttled:
    """A table that leaves all but the first key of a batch for later, `times` times."""

    def __init__(self, client: Any, times: int) -> None:
        self._client = client
        self.left = times

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        if self.left <= 0:
            return self._client.batch_get_item(RequestItems=RequestItems)
        self.left -= 1
        ((name, request),) = RequestItems.items()
        now, later = request["Keys"][:1], request["Keys"][1:] or request["Keys"]
        answer = self._client.batch_get_item(RequestItems={name: {**request, "Keys": now}})
        return {**answer, "UnprocessedKeys": {name: {**request, "Keys": later}}}


def _throttled(world: World, times: int) -> Store:
    client: Any = Throttled(world.dynamodb, times)
    return Store(client, world.name)


def test_keys_that_were_left_for_later_are_read_as_well(world: World) -> None:
    world.deliver(story.subscription())
    refs = [
        ADA,
        Ref(Kind.CUSTOMER, "cus_Ada0001"),
        Ref(Kind.SUBSCRIPTION, "sub_1Member0001"),
        Ref(Kind.INVOICE, "in_x"),
    ]
    read = _throttled(world, 2).read(refs)
    assert {ref.kind for ref, stored in read.items() if stored is not None} == {"CUSTOMER", "MEMBER", "SUBSCRIPTION"}
    assert read[Ref(Kind.INVOICE, "in_x")] is None


def test_a_table_that_leaves_keys_again_and_again_is_tried_later(world: World) -> None:
    _ = world.dynamodb
    with pytest.raises(ConflictError, match="left keys unprocessed 5 times"):
        _throttled(world, 99).read([ADA])


def test_more_than_a_batch_of_nodes_is_read(world: World) -> None:
    world.deliver(story.subscription())
    refs = [ADA, *(Ref(Kind.PAYMENT, f"pi_{n}") for n in range(150))]
    read = world.store.read(refs)
    assert len(read) == 151
    assert read[ADA] is not None


class Reluctant:
    """A queue that takes every other message."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        self.batches.append(len(Entries))
        return {"Failed": [{"Id": entry["Id"]} for entry in Entries[::2]]}


def test_messages_that_the_queue_did_not_take_are_counted() -> None:
    queue: Any = Reluctant()
    nudges = [Nudge(destination="kit", member=f"user_{n}") for n in range(14)]
    assert Nudges(queue, {"kit": "https://sqs/kit"}).send(nudges) == 7
    assert queue.batches == [10, 4]
