"""Delivery records: what a destination was asked to show or tell, how far that got, and who is working on it.

A record is worked on under a lease; every write names the lease, so a worker whose lease ran out changes nothing.
"""

import os
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from handlers.adapters import items
from handlers.adapters.aws import AwsError, DynamoDb
from handlers.adapters.items import Alert, Key
from handlers.core.desired import Notice
from handlers.core.maps import from_map

# Lambda ends a worker after the function's 30 s, so that nobody works on under a lease that ran out; a delivery whose
# worker died has to wait for that.
LEASE_SECONDS = 45
RACES = 5  # with apply's transaction on the same record

_UNLEASED = "lease, lease_until, unended"
_SETTLED = f"{_UNLEASED}, last_error, tried_since, waiting_version, withheld, withheld_version, shadow"
_NOT_DUE = "due_at, due_shard"


class Parked(Enum):
    """What became of a record that only a person can help."""

    FIRST = "parked, and somebody is told"
    AGAIN = "parked, and somebody was told before"
    NOT_OURS = "the record is no longer ours, or asks for another state"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A record under our lease. `attempts` counts the try that the lease is for."""

    key: Key
    lease: str
    member: str
    attempts: int
    unended: int  # tries in a row of which no outcome was recorded, this one included
    tried_since: int  # when the first of the attempts was made
    desired_version: int = 0
    delivered_version: int = 0
    shown: frozenset[str] | None = None  # labels that the destination was last brought to; None: nobody knows
    remote: Mapping[str, str] = field(default_factory=dict)
    last_error: str | None = None
    notice: Notice | None = None
    calling_at: int | None = None  # a call was begun then and its outcome is not recorded

    @property
    def what(self) -> str:
        """What is to be delivered: the notice's key, or the member and the version of its state."""
        return self.notice.key if self.notice else f"{self.member}:{self.desired_version}"


class Deliveries:
    """The delivery records of one destination in the table `table`."""

    def __init__(self, client: DynamoDb, table: str, destination: str) -> None:
        self._client = client
        self._table = table
        self._destination = destination

    def lease(self, *, member: str, notice: str | None, now: int) -> Delivery | None:
        """Take the record of `member`, or of the notice with the key `notice`, if it is due and nobody has it.

        One that waits for the next month's calls is taken as well once the state is a newer one: that may be one
        which takes access away.
        """
        key = self._key(member, notice)
        lease = os.urandom(16).hex()
        try:
            answer = self._update(
                key,
                "SET lease = :lease, lease_until = :until, tried_since = if_not_exists(tried_since, :now) "
                "ADD attempts :one, unended :one",
                "(due_at <= :now OR waiting_version < desired_version) "
                "AND (attribute_not_exists(lease_until) OR lease_until <= :now)",
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

    def shown(self, delivery: Delivery, remote: Mapping[str, str], *, version: int, labels: Set[str], now: int) -> bool:
        """Record that the destination shows `version`; True when a newer one has become due meanwhile."""
        values = {":remote": dict(remote), ":version": version, ":labels": sorted(labels), ":none": 0}
        shown = "SET remote = :remote, delivered_version = :version, labels = :labels, attempts = :none"
        return self._up_to(delivery, shown, _SETTLED, values, now)

    def told(self, delivery: Delivery, remote: Mapping[str, str], now: int) -> None:
        """Record that the notice was told."""
        self._write(
            delivery,
            f"SET remote = :remote, told_at = :now REMOVE {_SETTLED}, calling_at, {_NOT_DUE}",
            {":remote": dict(remote), ":now": now},
        )

    def expired(self, delivery: Delivery, now: int) -> None:
        """Record that the notice is too old to be told."""
        self._write(delivery, f"SET expired_at = :now REMOVE {_UNLEASED}, {_NOT_DUE}", {":now": now})

    def withhold(self, delivery: Delivery, *, version: int, shadow: Set[str] | None, now: int) -> bool:
        """Set the record aside because the destination is not switched on; True when a newer state is due meanwhile.

        What was delivered stays as it is on record, and `shadow` is what would have been shown, where that was
        computed. Whoever finds the delivered version behind the desired one may make it due again.
        """
        values = {":now": now, ":shadow": None if shadow is None else sorted(shadow), ":version": version, ":none": 0}
        change = "SET withheld = :now, withheld_version = :version, attempts = :none" + (
            "" if shadow is None else ", shadow = :shadow"
        )
        gone = f"{_UNLEASED}, tried_since, waiting_version" + (", shadow" if shadow is None else "")
        return self._up_to(delivery, change, gone, values, now)

    def retry(self, delivery: Delivery, due_at: int, error: str) -> None:
        """Record a try that failed; the next is due at `due_at`."""
        self._write(
            delivery,
            f"SET due_at = :due, last_error = :error REMOVE {_UNLEASED}, waiting_version, calling_at",
            {":due": due_at, ":error": error},
        )

    def defer(self, delivery: Delivery, due_at: int, *, newer_at_once: bool = False) -> None:
        """Give the record back untried; with `newer_at_once` a newer state does not wait until `due_at`."""
        values = {":due": due_at, ":minus": -1}
        waiting = ", waiting_version = :version" if newer_at_once else ""
        if newer_at_once:
            values[":version"] = delivery.desired_version
        gone = "lease, lease_until, calling_at" + (", tried_since" if delivery.attempts == 1 else "")
        gone += "" if newer_at_once else ", waiting_version"
        change = f"SET due_at = :due{waiting} REMOVE {gone} ADD attempts :minus, unended :minus"
        self._write(delivery, change, values)

    def park(
        self, delivery: Delivery, error: str, now: int, *, alert: Alert, notices: Iterable[tuple[str, Notice]]
    ) -> Parked:
        """Record that only a person can help, and tell one, in one transaction: whatever happens, that is once.

        `notices` are (destination, notice). A state that changed meanwhile stays due: the new one may fare better.
        """
        told = [items.alert_item(alert, now), *(items.notice_item(notice, name, now) for name, notice in notices)]
        for _ in range(RACES):
            try:
                self._client.transact_write_items(
                    TransactItems=[self._parking(delivery, error, now), *(self._create(item) for item in told)]
                )
            except AwsError as failure:
                if failure.code not in {"TransactionCanceledException", "TransactionConflictException"}:
                    raise
                if failure.reasons[:1] == ("ConditionalCheckFailed",):
                    self.retry(delivery, now, error)
                    return Parked.NOT_OURS
                there = {place for place, code in enumerate(failure.reasons[1:]) if code == "ConditionalCheckFailed"}
                told = [item for place, item in enumerate(told) if place not in there]
            else:
                return Parked.FIRST if items.alert_item(alert, now) in told else Parked.AGAIN
        raise AwsError(f"the record of {delivery.what} at {self._destination} is being written by others")

    def make_due(self, *, member: str, notice: str | None, now: int) -> bool:
        """Make due what is behind and waits for nothing, as if it had just been asked for; whether that was needed.

        What was parked, withheld, told or expired is left alone: it is up to a person.
        """
        over = ("parked", "withheld", "told_at", "expired_at", "due_at")
        behind = "attribute_not_exists(delivered_version) OR delivered_version < desired_version"
        try:
            self._update(
                self._key(member, notice),
                "SET due_at = :now, due_shard = :shard",
                " AND ".join(
                    ["attribute_exists(pk)", *(f"attribute_not_exists({name})" for name in over), f"({behind})"]
                ),
                {":now": now, ":shard": items.shard(notice or member)},
            )
        except AwsError as error:
            if not error.condition_failed:
                raise
            return False
        return True

    def replay(self, *, member: str, notice: str | None, now: int) -> bool:
        """Make due what was parked, with all its tries before it; False when it is parked no more."""
        try:
            self._update(
                self._key(member, notice),
                "SET due_at = :now, due_shard = :shard, attempts = :none REMOVE parked, tried_since, last_error",
                "attribute_exists(parked)",
                {":now": now, ":shard": items.shard(notice or member), ":none": 0},
            )
        except AwsError as error:
            if not error.condition_failed:
                raise
            return False
        return True

    def _key(self, member: str, notice: str | None) -> Key:
        if notice is None:
            return items.delivery_key(member, self._destination)
        return items.notice_key(notice, self._destination)

    def _up_to(self, delivery: Delivery, change: str, gone: str, values: Mapping[str, Any], now: int) -> bool:
        """Make `change` and be done with the record up to `:version`; True when it asks for a newer one by now."""
        here = "attribute_not_exists(desired_version) OR desired_version <= :version"
        if self._write(delivery, f"{change} REMOVE {gone}, {_NOT_DUE}", values, f"({here})"):
            return False
        return self._write(delivery, f"{change}, due_at = :due REMOVE {gone}", {**values, ":due": now})

    def _parking(self, delivery: Delivery, error: str, now: int) -> dict[str, Any]:
        values = {":now": now, ":error": error, ":version": delivery.desired_version, ":lease": delivery.lease}
        return {
            "Update": {
                "TableName": self._table,
                "Key": delivery.key,
                "UpdateExpression": "SET parked = :now, last_error = :error "
                f"REMOVE {_UNLEASED}, waiting_version, calling_at, {_NOT_DUE}",
                "ConditionExpression": "lease = :lease AND "
                "(attribute_not_exists(desired_version) OR desired_version = :version)",
                "ExpressionAttributeValues": items.encode(values),
            }
        }

    def _create(self, item: items.Item) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

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
    notice, shown = fields.get("notice"), fields.get("labels")
    return Delivery(
        key=key,
        lease=lease,
        member=fields["member"],
        attempts=fields["attempts"],
        unended=fields["unended"],
        tried_since=fields["tried_since"],
        desired_version=fields.get("desired_version", 0),
        delivered_version=fields.get("delivered_version", 0),
        shown=None if shown is None else frozenset(shown),
        remote=fields.get("remote", {}),
        last_error=fields.get("last_error"),
        notice=from_map(Notice, notice) if notice else None,
        calling_at=fields.get("calling_at"),
    )
