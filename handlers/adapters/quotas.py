"""Calls that a vendor allows us, counted in the table, which all workers of the destination share."""

from collections.abc import Mapping
from datetime import UTC, datetime

from handlers.adapters import items
from handlers.adapters.aws import AwsError, DynamoDb

MINUTE = 60
SLOT_SECONDS = 10  # vendors count the calls of any sixty seconds, not of a minute by the clock: we count these
RACES = 5  # with other workers of the destination
_MINUTE_KEPT_SECONDS = 3600
_MONTH_KEPT_SECONDS = 400 * 86_400
# Of a month's calls. What opens something can wait for the next month, or a larger plan; what somebody no longer pays
# for, or has given back, must not stay open for weeks. Removals are the fewer by far: a tenth is enough.
REMOVAL_SHARE = 10  # percent


class MinuteQuota:
    """The calls of any sixty seconds: all of them may be made at once, as the sweep brings its work once a minute."""

    def __init__(self, client: DynamoDb, table: str, destination: str, limit: int) -> None:
        self._client = client
        self._table = table
        self._name = destination
        self._limit = limit

    def take(self, calls: int, now: int) -> int | None:
        """Take `calls` of the present slot; where that is too many, when (Unix seconds) it will not be."""
        for _ in range(RACES):
            present = self._minute(now // MINUTE)
            free_at = self._free_at(calls, now, {**self._minute(now // MINUTE - 1), **present})
            if free_at > now:
                return free_at
            if self._add(calls, now, seen=sum(present.values())):
                return None
        return slot_end(now)

    def give_back(self, calls: int, now: int) -> None:
        """Return `calls` that were taken in the slot of `now` and not made."""
        self._add(-calls, now, seen=None)

    def _free_at(self, calls: int, now: int, made: Mapping[int, int]) -> int:
        """When `calls` more are few enough: now, or once older ones are a minute ago. `made` is by slot."""
        moment = now
        while moment < now + MINUTE + SLOT_SECONDS:
            counted = sum(count for slot, count in made.items() if slot >= (moment - MINUTE) // SLOT_SECONDS)
            if counted + calls <= self._limit:
                break
            moment = slot_end(moment)
        return moment

    def _minute(self, minute: int) -> dict[int, int]:
        """The calls of one minute by the clock, by slot; slots are numbered as those of all time."""
        answer = self._client.get_item(TableName=self._table, Key=self._key(minute), ConsistentRead=True)
        first = minute * MINUTE // SLOT_SECONDS
        slots = ((first + place, f"slot_{place}") for place in range(MINUTE // SLOT_SECONDS))
        made = items.decode(answer.get("Item", {}))
        return {number: made[name] for number, name in slots if name in made}

    def _add(self, calls: int, now: int, *, seen: int | None) -> bool:
        """Count `calls`, where those of the minute are still the `seen` ones; whether they were."""
        values = {":calls": calls, ":expires": now + _MINUTE_KEPT_SECONDS, ":seen": seen}
        unseen = "attribute_not_exists(calls) OR " if seen == 0 else ""
        condition = {} if seen is None else {"ConditionExpression": f"{unseen}calls = :seen"}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=self._key(now // MINUTE),
                UpdateExpression="ADD #slot :calls, calls :calls SET expires_at = :expires",
                ExpressionAttributeNames={"#slot": f"slot_{now % MINUTE // SLOT_SECONDS}"},
                ExpressionAttributeValues=items.encode(values),
                **condition,
            )
        except AwsError as error:
            if not error.lost_race:
                raise
            return False
        return True

    def _key(self, minute: int) -> items.Key:
        return items.key(f"QUOTA#{self._name}", str(minute))


class MonthQuota:
    """The calls of a calendar month (UTC); a part of `limit` is kept for removals of access."""

    def __init__(self, client: DynamoDb, table: str, destination: str, limit: int) -> None:
        self._client = client
        self._table = table
        self._name = destination
        self.limit = limit

    def take(self, now: int, *, takes_access: bool) -> bool:
        """Take one call; False where none is left for that purpose."""
        limit = self.limit if takes_access else self.limit * (100 - REMOVAL_SHARE) // 100
        if limit < 1:
            return False
        try:
            self._client.update_item(
                TableName=self._table,
                Key=items.key(f"QUOTA#{self._name}", month_of(now)),
                UpdateExpression="ADD calls :one SET expires_at = :expires",
                ConditionExpression="attribute_not_exists(calls) OR calls < :limit",
                ExpressionAttributeValues=items.encode(
                    {":one": 1, ":limit": limit, ":expires": now + _MONTH_KEPT_SECONDS}
                ),
            )
        except AwsError as error:
            if not error.condition_failed:
                raise
            return False
        return True


def slot_end(now: int) -> int:
    """When the next slot begins."""
    return (now // SLOT_SECONDS + 1) * SLOT_SECONDS


def month_of(now: int) -> str:
    """The calendar month of a moment, such as "2026-11"."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m")


def month_end(now: int) -> int:
    """When the next calendar month begins."""
    today = datetime.fromtimestamp(now, UTC)
    months = today.year * 12 + today.month  # of the next one, counted from year 0
    return int(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp())
