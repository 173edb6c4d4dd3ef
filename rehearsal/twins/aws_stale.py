"""Eventually consistent reads for ministack's DynamoDB, whose reads are otherwise always current.

AWS: a read that does not ask for consistency, and every read of a global index, "might not reflect the results of a
recently completed write" (HowItWorks.ReadConsistency). While a STALE fault is in force, the state of a table before
its latest write is kept, and a read that the fault hits sees that state.
"""

import copy
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb

_WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
_READS = {"GetItem", "Query", "Scan"}


def apply(hit: Callable[[dict[str, str], str], bool], in_force: Callable[[], bool]) -> None:
    """Patch this process; `hit(headers, action)` says whether a read is to be stale."""
    handle = dynamodb.handle_request
    before: dict[str, Any] = {}

    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action in _WRITES and in_force():
            for name in _tables_of(action, json.loads(body)):
                before[name] = _copy(name)
        if action not in _READS or not hit(headers, action):
            return await handle(method, path, headers, body, query)
        request = json.loads(body)
        earlier = before.get(request["TableName"])
        if earlier is None or (request.get("ConsistentRead") and not request.get("IndexName")):
            return await handle(method, path, headers, body, query)
        return await _with_table(request["TableName"], earlier, lambda: handle(method, path, headers, body, query))

    dynamodb.handle_request = handle_request  # ty: ignore[invalid-assignment]


async def _with_table(name: str, table: Any, call: Callable[[], Any]) -> Any:
    """Run `call` with another state of the table; the handler never yields, so no other request sees it."""
    current = dynamodb._tables[name]  # noqa: SLF001 # ministack has no public way to its state
    dynamodb._tables[name] = table  # noqa: SLF001
    try:
        return await call()
    finally:
        dynamodb._tables[name] = current  # noqa: SLF001


def _tables_of(action: str, request: dict[str, Any]) -> set[str]:
    if action == "TransactWriteItems":
        return {part["TableName"] for item in request["TransactItems"] for part in item.values()}
    if action == "BatchWriteItem":
        return set(request["RequestItems"])
    return {request["TableName"]}


def _copy(name: str) -> Any:
    table = dynamodb._tables.get(name)  # noqa: SLF001
    if table is None:
        return None
    description = {key: value for key, value in table.items() if key not in ("items", dynamodb._INDEX_MEMBERS)}  # noqa: SLF001
    return description | {"items": defaultdict(dict, copy.deepcopy(dict(table["items"])))}
