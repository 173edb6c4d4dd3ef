"""What apply works with in a benchmark: a table in the local AWS, or in this process. Every call to it is counted."""

import io
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any, NoReturn

from bench.memory_table import MemoryTable
from handlers.adapters.store import BATCH
from handlers.settings import DESTINATIONS
from rehearsal.twins.aws import AwsTwin
from tests.handlers.faults import FaultyClient
from tests.handlers.pipeline_world import World
from tests.handlers.story import Event


@contextmanager
def local_aws(policy: Mapping[str, Any]) -> Generator[World]:
    """A world in an AWS of its own, on loopback, in another process."""
    with AwsTwin("eu-west-1") as twin:
        environ = {
            "AWS_ENDPOINT_URL": twin.endpoint,
            "AWS_REGION": twin.region,
            "AWS_ACCESS_KEY_ID": twin.access_key_id,
            "AWS_SECRET_ACCESS_KEY": twin.secret_access_key,
        }
        world = World(connect=twin.client, environ=environ, policy_document=dict(policy))
        vars(world)["dynamodb"] = FaultyClient(world.dynamodb)
        try:
            yield world
        finally:
            world.close()


def in_memory(policy: Mapping[str, Any], table: MemoryTable) -> World:
    """A world without any wire, over `table`."""
    world = World(connect=_nobody, environ={}, policy_document=dict(policy))
    urls = {spec.name: f"memory/{spec.name}" for spec in DESTINATIONS}
    vars(world).update(dynamodb=FaultyClient(table), sqs=_Queues(), queue_urls=urls)
    return world


def copy(table: MemoryTable, world: World) -> None:
    """Write all items of `table` but the ledger's into the table of `world`."""
    items = [json.loads(item) for place, item in table.items.items() if not place.startswith("EVENT#")]
    puts = [{"Put": {"TableName": world.name, "Item": item}} for item in items]
    for start in range(0, len(puts), BATCH):
        world.dynamodb.transact_write_items(TransactItems=puts[start : start + BATCH])


def take(world: World, *events: Event) -> None:
    """Hand each event to apply, which has to take it; what it logs is not printed."""
    with redirect_stdout(io.StringIO()):
        for event in events:
            if world.deliver(event):
                raise SystemExit(f"bench: apply did not take {event['type']} {event['id']}")


def round_trips(world: World, event: Event) -> Mapping[str, int]:
    """How often apply asked the table for what, for one event."""
    calls = world.dynamodb.calls
    calls.clear()
    take(world, event)
    return dict(calls)


def _nobody(service: str) -> NoReturn:
    raise NotImplementedError(f"there is no {service} in memory")


class _Queues:
    """Takes every message."""

    def send_message_batch(self, **_request: Any) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        """There is no connection."""
