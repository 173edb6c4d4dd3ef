"""What a rehearsal does in the pipeline's table: see which events were handled, and let time that nobody has pass."""

import threading
import time
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

MOST_KEYS = 100  # of one BatchGetItem
MINUTE = 60


@dataclass(frozen=True, kw_only=True)
class Table:
    """The deployed table, through a boto3 client of DynamoDB."""

    client: Any
    name: str

    def handled(self, events: Collection[str]) -> set[str]:
        """Those of `events` (ids) that are in the ledger."""
        keys = ({"pk": {"S": f"EVENT#{event}"}, "sk": {"S": "LEDGER"}} for event in events)
        return {item["pk"]["S"].removeprefix("EVENT#") for item in self._read(keys)}

    def wait_ends(self, kind: str, subject: str) -> bool:
        """Make due now what `subject` ("SUBSCRIPTION", "sub_…") waits for; False where it waits for nothing.

        It was first seen as much earlier, as the pipeline counts from then if it comes back to it.
        """
        key = {"pk": {"S": f"{kind}#{subject}"}, "sk": {"S": kind}}
        item = self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True).get("Item", {})
        if "due_at" not in item:
            return False
        now, first_seen, due_at = int(time.time()), int(item["first_seen"]["N"]), int(item["due_at"]["N"])
        self.client.update_item(
            TableName=self.name,
            Key=key,
            UpdateExpression="SET due_at = :now, first_seen = :earlier",
            ConditionExpression="version = :read",
            ExpressionAttributeValues={
                ":now": {"N": str(now)},
                ":earlier": {"N": str(first_seen - (due_at - now))},
                ":read": item["version"],
            },
        )
        return True

    def minute_ends(self, destinations: Iterable[str]) -> None:
        """Forget the calls of the last sixty seconds, as if they had been made before."""
        minute = int(time.time()) // MINUTE
        for name in destinations:
            for passed in (minute - 1, minute):
                key = {"pk": {"S": f"QUOTA#{name}"}, "sk": {"S": str(passed)}}
                self.client.delete_item(TableName=self.name, Key=key)

    def _read(self, keys: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        waiting = list(keys)
        while waiting:
            asked = {self.name: {"Keys": waiting[:MOST_KEYS], "ConsistentRead": True}}
            found = self.client.batch_get_item(RequestItems=asked)
            left = found.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            waiting = [*waiting[MOST_KEYS:], *left]
            yield from found["Responses"].get(self.name, [])


@contextmanager
def minutes_of(seconds: float, table: Table, destinations: Iterable[str]) -> Generator[None]:
    """In the block, a minute of the destinations' quotas is over after `seconds`.

    A rehearsal crowds weeks of many members into less than a minute, which one minute's calls would not do for.
    """
    names, over = tuple(destinations), threading.Event()

    def count() -> None:
        while not over.wait(seconds):
            table.minute_ends(names)

    thread = threading.Thread(target=count, name="minutes", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
