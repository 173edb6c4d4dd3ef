"""The table as reconcile uses it: where it stopped, which events the ledger lacks, which deliveries are behind."""

import json
import os
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handlers.adapters import items
from handlers.adapters.aws import AwsError, DynamoDb
from handlers.core.errors import ConflictError, LaunchError
from handlers.core.maps import from_map, to_map
from handlers.core.nodes import Kind

LEASE_SECONDS = 330  # the function's 300 s and what clocks may differ by
BATCH = 100  # keys of one BatchGetItem
READ_ROUNDS = 5  # of keys that DynamoDB left unprocessed
_CURSOR = items.key("RECONCILE", "CURSOR")


class BusyError(LaunchError):
    """Another run is at work; the message says until when it may be."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """How far one comparison of everything has come. Moments are Unix seconds.

    Events are looked at from `oldest_event` on; `since` is from when on there was no complete pass (None: ever).
    `phase` is what is being compared, and `reached` the place in it: the `created` of the last object that was dealt
    with, or the last key of the scan.
    """

    started: int
    oldest_event: int
    since: int | None = None
    phase: str | None = None
    reached: str | None = None
    unread: tuple[str, ...] = ()  # phases that could not be compared: such a pass is not complete


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """What the table holds of runs: the last complete pass began at `watermark`; `current` was not finished."""

    version: int = 0
    watermark: int | None = None
    lease_until: int = 0
    holder: str | None = None  # of the lease: a name of its own for each run
    current: Pass | None = None


@dataclass(frozen=True, kw_only=True)
class Behind:
    """A state destination that does not show what it was asked to; `version` is what it is to show."""

    member: str
    destination: str
    version: int
    withheld: bool


class ReconcileTable:
    """The table `name`."""

    def __init__(self, client: DynamoDb, name: str) -> None:
        self._client = client
        self._name = name

    def cursor(self) -> Cursor:
        """Where runs have come to; an empty one for a table in which none has begun."""
        found = list(self._batch({self._name: {"Keys": [_CURSOR], "ConsistentRead": True}}))
        return from_map(Cursor, items.decode(found[0])) if found else Cursor()

    def take(self, now: int) -> Cursor:
        """The cursor under a lease of LEASE_SECONDS. Raises BusyError."""
        cursor = self.cursor()
        if cursor.lease_until > now:
            raise BusyError(f"another run is at work, for at most {cursor.lease_until - now} s more")
        return self.save(replace(cursor, lease_until=now + LEASE_SECONDS, holder=os.urandom(8).hex()))

    def save(self, cursor: Cursor) -> Cursor:
        """Write `cursor`, which nobody may have written since it was read; as it is then. Raises BusyError.

        A write whose answer was lost is tried again, and then finds that it was made: that is no other run.
        """
        written = replace(cursor, version=cursor.version + 1)
        try:
            self._client.put_item(
                TableName=self._name,
                Item={**_CURSOR, **items.encode(to_map(written))},
                ConditionExpression="attribute_not_exists(pk) OR version = :read",
                ExpressionAttributeValues=items.encode({":read": cursor.version}),
            )
        except AwsError as error:
            if not error.condition_failed:
                raise
            if self.cursor() != written:
                raise BusyError("another run has taken over") from None
        return written

    def not_in_ledger(self, events: Sequence[str]) -> set[str]:
        """Those of the `events` that were never handled."""
        keys = {event: items.ledger_key(event) for event in events}
        found = {item["pk"]["S"].partition("#")[2] for item in self._read(list(keys.values()), "pk")}
        return keys.keys() - found

    def behind(self, destinations: Sequence[str], after: str | None) -> Iterator[tuple[int, list[Behind], str | None]]:
        """Page by page of all members: how many, which deliveries are neither done nor due, where the page ends.

        What was parked is left to the person who was told. The scan may lag behind the items.
        """
        start = json.loads(after) if after else None
        while True:
            answer = self._client.scan(
                TableName=self._name,
                FilterExpression="kind = :member AND attribute_exists(#data.shown)",
                ProjectionExpression="id, version",
                ExpressionAttributeNames={"#data": "data"},
                ExpressionAttributeValues=items.encode({":member": str(Kind.MEMBER)}),
                **({"ExclusiveStartKey": start} if start else {}),
            )
            members = {item["id"]: item["version"] for item in map(items.decode, answer["Items"])}
            start = answer.get("LastEvaluatedKey")
            yield len(members), list(self._behind(members, destinations)), json.dumps(start) if start else None
            if start is None:
                return

    def _behind(self, members: Mapping[str, int], destinations: Sequence[str]) -> Iterator[Behind]:
        keys = {(member, name): items.delivery_key(member, name) for member in members for name in destinations}
        names = "pk, sk, desired_version, delivered_version, due_at, parked, withheld"
        found = {
            (item["pk"]["S"], item["sk"]["S"]): items.decode(item) for item in self._read(list(keys.values()), names)
        }
        for (member, name), key in keys.items():
            record = found.get((key["pk"]["S"], key["sk"]["S"]), {"desired_version": members[member]})
            desired = record.get("desired_version", 0)
            waits = "due_at" in record or "parked" in record
            if not waits and record.get("delivered_version", 0) < desired:
                yield Behind(member=member, destination=name, version=desired, withheld="withheld" in record)

    def _read(self, keys: Sequence[items.Key], attributes: str) -> Iterator[items.Item]:
        for start in range(0, len(keys), BATCH):
            request = {"Keys": list(keys[start : start + BATCH]), "ProjectionExpression": attributes}
            yield from self._batch({self._name: {**request, "ConsistentRead": True}})

    def _batch(self, keys: Mapping[str, Any]) -> Iterable[items.Item]:
        for attempt in range(READ_ROUNDS):
            if not keys:
                return
            time.sleep(random.uniform(0, 0.05 * attempt))  # noqa: S311 - jitter
            answer = self._client.batch_get_item(RequestItems=keys)
            yield from answer["Responses"].get(self._name, [])
            keys = answer.get("UnprocessedKeys") or {}
        if keys:
            raise ConflictError(f"table {self._name} left keys unprocessed {READ_ROUNDS} times")
