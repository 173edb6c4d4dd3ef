"""What keeps one vendor from being hurried: a quota by the minute, and a breaker after failures in a row."""

from dataclasses import dataclass

from handlers.adapters import items
from handlers.adapters.aws import AwsError, DynamoDb
from handlers.core.delivering import BREAKER_FAILURES, BREAKER_SECONDS
from handlers.settings import DestinationSpec

MINUTE = 60
QUOTA_KEPT_SECONDS = 3600
CALLS_OF_A_TRY = {"state": 4, "notices": 1}  # bringing a state looks, creates and changes; a notice is one call


@dataclass(frozen=True, kw_only=True)
class Wait:
    """The vendor must be left alone until `until` (Unix seconds)."""

    until: int
    reason: str


class VendorLimits:
    """The limits of one destination, shared by all its workers through the table."""

    def __init__(self, client: DynamoDb, table: str, spec: DestinationSpec) -> None:
        self._client = client
        self._table = table
        self._spec = spec
        self._troubled = False  # whether failures were on record when we entered

    def enter(self, now: int) -> Wait | None:
        """Take one try out of this minute's quota; a Wait when there is none left or the breaker is open."""
        breaker = self._client.get_item(TableName=self._table, Key=self._breaker_key(), ConsistentRead=True)
        failures = items.decode(breaker.get("Item", {}))
        self._troubled = "failures" in failures or "open_until" in failures
        open_until = failures.get("open_until", 0)
        if open_until > now:
            return Wait(until=open_until, reason="breaker open")
        minute = now // MINUTE
        calls = CALLS_OF_A_TRY[self._spec.carries]
        try:
            self._client.update_item(
                TableName=self._table,
                Key=items.key(f"QUOTA#{self._spec.name}", str(minute)),
                UpdateExpression="ADD calls :calls SET expires_at = :expires",
                ConditionExpression="attribute_not_exists(calls) OR calls <= :last",
                ExpressionAttributeValues=items.encode(
                    {
                        ":calls": calls,
                        ":last": self._spec.calls_per_minute - calls,
                        ":expires": now + QUOTA_KEPT_SECONDS,
                    }
                ),
            )
        except AwsError as error:
            if not error.condition_failed:
                raise
            return Wait(until=(minute + 1) * MINUTE, reason="quota used up")
        return None

    def failed(self, now: int) -> None:
        """Count a failure that was not the request's own; the breaker opens after several in a row."""
        answer = self._client.update_item(
            TableName=self._table,
            Key=self._breaker_key(),
            UpdateExpression="ADD failures :one",
            ExpressionAttributeValues=items.encode({":one": 1}),
            ReturnValues="ALL_NEW",
        )
        if items.decode(answer["Attributes"])["failures"] >= BREAKER_FAILURES:
            self._client.update_item(
                TableName=self._table,
                Key=self._breaker_key(),
                UpdateExpression="SET open_until = :until REMOVE failures",
                ExpressionAttributeValues=items.encode({":until": now + BREAKER_SECONDS}),
            )

    def answered(self) -> None:
        """The vendor is there: forget the failures that were on record."""
        if self._troubled:
            self._client.delete_item(TableName=self._table, Key=self._breaker_key())

    def _breaker_key(self) -> items.Key:
        return items.key(f"BREAKER#{self._spec.name}", "BREAKER")
