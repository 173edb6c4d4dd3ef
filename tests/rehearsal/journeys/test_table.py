"""What a rehearsal does in the pipeline's table finds what the pipeline's own code wrote there."""

import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest

from handlers.adapters import items
from handlers.adapters.aws import DynamoDb
from handlers.adapters.items import LedgerEntry, Stored
from handlers.adapters.vendor_limits import VendorLimits
from handlers.core.nodes import Kind, Ref, SubscriptionNode
from handlers.settings import destination
from rehearsal.journeys.table import MINUTE, MOST_KEYS, Table, minutes_of

KIT = destination("kit")
FIRST_SEEN = 2_000_000_000
LATER = 600


@pytest.fixture
def table(here: Any) -> Table:
    client = here.aws.client("dynamodb")
    name = f"journeys-{secrets.token_hex(4)}"
    keys = (("pk", "HASH"), ("sk", "RANGE"))
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    return Table(client=client, name=name)


def _put(table: Table, *written: dict[str, Any]) -> None:
    for item in written:
        table.client.put_item(TableName=table.name, Item=item)


def _waiting(table: Table, due_at: int | None) -> Ref:
    ref = Ref(Kind.SUBSCRIPTION, "sub_1")
    stored = Stored(node=SubscriptionNode(id=ref.id), version=1, first_seen=FIRST_SEEN, due_at=due_at)
    _put(table, items.node_item(ref, stored))
    return ref


def _stored(table: Table, ref: Ref) -> Stored:
    item = table.client.get_item(TableName=table.name, Key=items.node_key(ref))["Item"]
    return items.stored_of(item)[1]


@pytest.fixture
def limits(here: Any, table: Table) -> Iterator[VendorLimits]:
    environ = {
        "AWS_ENDPOINT_URL": here.aws.endpoint,
        "AWS_REGION": here.aws.region,
        "AWS_ACCESS_KEY_ID": here.aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": here.aws.secret_access_key,
    }
    client = DynamoDb(environ)
    yield VendorLimits(client, table.name, KIT)
    client.close()


def test_events_of_the_ledger_are_told_from_those_that_are_not_handled(table: Table) -> None:
    entry = LedgerEntry(event="evt_1", type="t", created=1, livemode=True, digest="d", outcome="parked", payload=b"{}")
    _put(table, *items.ledger_items(entry, now=1))
    assert table.handled({"evt_1", *(f"evt_missing_{number}" for number in range(MOST_KEYS))}) == {"evt_1"}
    assert table.handled(()) == set()


def test_a_wait_ends_only_where_there_is_one(table: Table) -> None:
    ref = _waiting(table, FIRST_SEEN + LATER)
    assert table.wait_ends(ref.kind, ref.id)
    moved = _stored(table, ref)
    assert moved.due_at is not None
    assert moved.due_at == moved.first_seen + LATER <= time.time()
    _waiting(table, None)
    assert not table.wait_ends(ref.kind, ref.id)
    assert not table.wait_ends(ref.kind, "sub_unknown")
    assert _stored(table, ref).first_seen == FIRST_SEEN


def test_a_minute_of_a_quota_ends_early(table: Table, limits: VendorLimits, eventually: Any) -> None:
    now = int(time.time())
    while limits.enter(now - MINUTE // 2) is None:
        pass
    assert limits.enter(now) is not None
    with minutes_of(0.01, table, ("kit",)):
        assert eventually(lambda: limits.enter(int(time.time())) is None)
