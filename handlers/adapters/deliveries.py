"""Delivery records: what a destination was asked to show or tell, how far that got, and who is working on it.

A record is worked on under a lease; every write names the lease, so a worker whose lease ran out changes nothing.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.adapters import items
from handlers.adapters.aws import AwsError, DynamoDb
from handlers.adapters.items import Key
from handlers.core.desired import Notice
from handlers.core.maps import from_map

# Lambda ends a worker after the function's 30 s, so that nobody works on under a lease that ran out; a delivery whose
# worker died has to wait for that.
LEASE_SECONDS = 45
RACES = 5  # with apply's transaction on the same record


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A record under our lease. `attempts` counts the try that the lease is for."""

    key: Key
    lease: str
    member: str
    attempts: int
    desired_version: int = 0
    remote: Mapping[str, str] = field(default_factory=dict)
    notice: Notice | None = None
    calling_at: int | None = None  # a call was begun then and its outcome is not recorded


class Deliveries:
    """The delivery records of one destination in the table `table`."""

    def __init__(self, client: DynamoDb, table: str, destination: str) -> None:
        self._client = client
        self._table = table
        self._destination = destination

    def lease(self, *, member: str, notice: str | None, now: int) -> Delivery | None:
        """Take the record of `member`, or of the notice with the key `notice`, if it is due and nobody has it."""
        key = (
            items.delivery_key(member, self._destination)
            if notice is None
            else items.notice_key(notice, self._destination)
        )
        lease = os.urandom(16).hex()
        try:
            answer = self._update(
                key,
                "SET lease = :lease, lease_until = :until ADD attempts :one",
                "due_at <= :now AND (attribute_not_exists(lease_until) OR lease_until <= :now)",
                {":lease": lease, ":until": now + LEASE_SECONDS, ":now": now, ":one": 1},
            )
        except AwsError as error:
            if not error.condition_failed:
                raise
            return None
        return _delivery(key, lease, items.decode(answer["Attributes"]))

    def begin_call(self, delivery: Delivery, now: int) -> bool:
        """Record that the vendor is called from now on; False when the lease is no longer ours."""
        return self._write(delivery, "SET calling_at = :now", {":now": now})

    def shown(self, delivery: Delivery, remote: Mapping[str, str], version: int, now: int) -> bool:
        """Record that the destination shows `version`; True when a newer one has become due meanwhile."""
        values = {":remote": dict(remote), ":version": version, ":none": 0}
        shown = "SET remote = :remote, delivered_version = :version, attempts = :none"
        free = "REMOVE lease, lease_until, last_error"
        if self._write(delivery, f"{shown} {free}, due_at, due_shard", values, "desired_version <= :version"):
            return False
        return self._write(delivery, f"{shown}, due_at = :now {free}", {**values, ":now": now})

    def told(self, delivery: Delivery, remote: Mapping[str, str], now: int) -> None:
        """Record that the notice was told."""
        self._write(
            delivery,
            "SET remote = :remote, told_at = :now REMOVE lease, lease_until, last_error, calling_at, due_at, due_shard",
            {":remote": dict(remote), ":now": now},
        )

    def expired(self, delivery: Delivery, now: int) -> None:
        """Record that the notice is too old to be told."""
        self._write(delivery, "SET expired_at = :now REMOVE lease, lease_until, due_at, due_shard", {":now": now})

    def retry(self, delivery: Delivery, due_at: int, error: str) -> None:
        """Record a try that failed; the next is due at `due_at`."""
        self._write(
            delivery,
            "SET due_at = :due, last_error = :error REMOVE lease, lease_until, calling_at",
            {":due": due_at, ":error": error},
        )

    def defer(self, delivery: Delivery, due_at: int) -> None:
        """Give the record back untried."""
        values = {":due": due_at, ":minus": -1}
        self._write(delivery, "SET due_at = :due REMOVE lease, lease_until ADD attempts :minus", values)

    def park(self, delivery: Delivery, error: str, now: int) -> bool:
        """Record that only a person can help; False when the record is no longer ours to park.

        A state that changed meanwhile stays due: the new one may fare better.
        """
        values = {":now": now, ":error": error, ":version": delivery.desired_version}
        parked = "SET parked = :now, last_error = :error REMOVE lease, lease_until, due_at, due_shard"
        unchanged = "(attribute_not_exists(desired_version) OR desired_version = :version)"
        if self._write(delivery, parked, values, unchanged):
            return True
        self.retry(delivery, now, error)
        return False

    def _write(self, delivery: Delivery, change: str, values: Mapping[str, Any], condition: str = "") -> bool:
        """Make `change` if the lease is still ours and `condition` holds; whether it was made."""
        wanted = "lease = :lease" + (f" AND {condition}" if condition else "")
        try:
            self._update(delivery.key, change, wanted, {**values, ":lease": delivery.lease})
        except AwsError as error:
            if not error.condition_failed:
                raise
            return False
        return True

    def _update(self, key: Key, change: str, condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
        request = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": items.encode(values),
            "ReturnValues": "ALL_NEW",
        }
        for _ in range(RACES - 1):
            try:
                return self._client.update_item(**request)
            except AwsError as error:
                if error.condition_failed or not error.lost_race:
                    raise
        return self._client.update_item(**request)


def _delivery(key: Key, lease: str, fields: Mapping[str, Any]) -> Delivery:
    notice = fields.get("notice")
    return Delivery(
        key=key,
        lease=lease,
        member=fields["member"],
        attempts=fields["attempts"],
        desired_version=fields.get("desired_version", 0),
        remote=fields.get("remote", {}),
        notice=from_map(Notice, notice) if notice else None,
        calling_at=fields.get("calling_at"),
    )
