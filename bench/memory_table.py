"""The table in this process: DynamoDB's answers to what the functions ask, without time on any wire."""

import json
import re
from collections.abc import Mapping
from typing import Any

from handlers.adapters.aws import AwsError

Item = dict[str, Any]

_SET = re.compile(r"(#?\w+) = (if_not_exists\(\w+, )?(:\w+)")


class MemoryTable:
    """A client with the operations of one event: what is written and read goes through JSON, as it does on the wire."""

    def __init__(self) -> None:
        self.items: dict[str, str] = {}
        self._versions: dict[str, object] = {}  # of the items that have one: a condition on it reads no item
        self.bytes_written = 0
        self.keys_read = 0

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803 (DynamoDB's name)
        """Read items; nothing is ever left unprocessed."""
        ((table, wanted),) = RequestItems.items()
        self.keys_read += len(wanted["Keys"])
        found = (self.items.get(_place(key)) for key in wanted["Keys"])
        return {"Responses": {table: [json.loads(item) for item in found if item is not None]}}

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Write all, or nothing where a condition does not hold."""
        actions = [next(iter(action.values())) for action in TransactItems]
        codes = tuple("None" if self._holds(action) else "ConditionalCheckFailed" for action in actions)
        if set(codes) - {"None"}:
            raise AwsError("cancelled", code="TransactionCanceledException", reasons=codes)
        for action in actions:
            item = action.get("Item") or self._updated(action)
            self.items[_place(item)] = written = json.dumps(item)
            self._versions[_place(item)] = item.get("version")
            self.bytes_written += len(written)
        return {}

    def _holds(self, action: Mapping[str, Any]) -> bool:
        condition = action.get("ConditionExpression")
        if condition is None:
            return True
        place = _place(action["Item"])
        if condition == "attribute_not_exists(pk)":
            return place not in self.items
        return self._versions.get(place) == action["ExpressionAttributeValues"][":read"]

    def _updated(self, action: Mapping[str, Any]) -> Item:
        """The item after `SET name = :value, name = if_not_exists(name, :value) REMOVE name`."""
        item = json.loads(self.items.get(_place(action["Key"]), json.dumps(action["Key"])))
        told, _, removed = action["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        for called, unless, value in _SET.findall(told):
            name = action["ExpressionAttributeNames"].get(called, called)
            if not unless or name not in item:
                item[name] = action["ExpressionAttributeValues"][value]
        return {name: value for name, value in item.items() if name not in removed.split(", ")}


def _place(key: Mapping[str, Any]) -> str:
    return f"{key['pk']['S']}\n{key['sk']['S']}"
