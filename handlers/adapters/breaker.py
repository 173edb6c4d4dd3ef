"""What keeps us from hammering a vendor that is down."""

from handlers.adapters import items
from handlers.adapters.aws import AwsError, DynamoDb
from handlers.core.delivering import BREAKER_FAILURES, BREAKER_SECONDS, CAP_SECONDS


class Breaker:
    """Opens after failures in a row over all members, or when the vendor says how long to wait.

    While it is open, one try in BREAKER_SECONDS goes through, whoever's it is; once that is answered, it closes. All
    workers of the destination share it through the table.
    """

    def __init__(self, client: DynamoDb, table: str, destination: str) -> None:
        self._client = client
        self._table = table
        self._key = items.key(f"BREAKER#{destination}", "BREAKER")
        self._troubled = False  # whether there was anything on record when we looked last

    def closed_until(self, now: int) -> tuple[int, int] | None:
        """None where the vendor may be tried, else until when it may not, and since when that is (Unix seconds).

        Whoever is the first to ask after that moment may try, and the others wait for the outcome.
        """
        answer = self._client.get_item(TableName=self._table, Key=self._key, ConsistentRead=True)
        seen = items.decode(answer.get("Item", {}))
        self._troubled = bool(seen)
        until, since = seen.get("open_until"), seen.get("opened_at", now)
        if until is None:
            return None
        if until > now:
            return until, since
        return None if self._is_first(until, now) else (now + BREAKER_SECONDS, since)

    def failed(self, now: int, retry_after: float | None, *, answering: bool) -> None:
        """Count a failure that was not the request's own, after which the vendor may have asked for some seconds.

        An `answering` vendor took other calls of the same try: it is not down, and so this is the first in a row.
        """
        count = "SET failures = :one REMOVE open_until, opened_at" if answering else "ADD failures :one"
        failures = self._change(count, {":one": 1})["failures"]
        asked = min(CAP_SECONDS, int(retry_after or 0))
        wait = max(BREAKER_SECONDS, asked) if failures >= BREAKER_FAILURES else asked
        if wait:
            values = {":until": now + wait, ":now": now}
            self._change("SET open_until = :until, opened_at = if_not_exists(opened_at, :now)", values)

    def answered(self) -> None:
        """The vendor is there: forget the failures that were on record."""
        if self._troubled:
            self._client.delete_item(TableName=self._table, Key=self._key)

    def _is_first(self, until: int, now: int) -> bool:
        try:
            self._change(
                "SET open_until = :next", {":next": now + BREAKER_SECONDS, ":seen": until}, "open_until = :seen"
            )
        except AwsError as error:
            if not error.lost_race:
                raise
            return False
        return True

    def _change(self, change: str, values: dict[str, int], condition: str | None = None) -> dict[str, int]:
        request = {
            "TableName": self._table,
            "Key": self._key,
            "UpdateExpression": change,
            "ExpressionAttributeValues": items.encode(values),
            "ReturnValues": "ALL_NEW",
        }
        answer = self._client.update_item(**request, **({"ConditionExpression": condition} if condition else {}))
        return items.decode(answer["Attributes"])
