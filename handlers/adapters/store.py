"""The table as apply, sweep and members use it: consistent reads of nodes, and one transaction a change."""

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handlers.adapters import items
from handlers.adapters.aws import AwsError, DynamoDb
from handlers.adapters.items import Alert, Item, LedgerEntry, Stored
from handlers.core.desired import Notice
from handlers.core.errors import ConflictError, LaunchError
from handlers.core.nodes import Kind, Ref
from handlers.settings import DUE_INDEX

BATCH = 100  # keys of one BatchGetItem, actions of one transaction
READ_ROUNDS = 5  # of keys that DynamoDB left unprocessed


class DuplicateError(LaunchError):
    """The event is in the ledger: it was handled before."""


@dataclass(frozen=True, kw_only=True)
class Tell:
    """Ask `destination` to show `member` as it is from `version` on."""

    destination: str
    member: str
    version: int


@dataclass(frozen=True, kw_only=True)
class Change:
    """Everything that one transaction writes; `nodes` carry the version that they get."""

    now: int
    nodes: Mapping[Ref, Stored] = field(default_factory=dict)
    ledger: LedgerEntry | None = None
    tell: tuple[Tell, ...] = ()
    notices: tuple[tuple[str, Notice], ...] = ()  # (destination, notice)
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Action:
    """One action of a transaction; an `optional` one is left out when what it creates is there already."""

    request: dict[str, Any]
    optional: Notice | Alert | None = None


class Store:
    """The table called `name`."""

    def __init__(self, client: DynamoDb, name: str) -> None:
        self._client = client
        self._name = name

    def read(self, refs: Iterable[Ref]) -> dict[Ref, Stored | None]:
        """The nodes `refs`, read consistently; None for those that do not exist."""
        wanted = sorted(set(refs))
        found: dict[Ref, Stored | None] = dict.fromkeys(wanted)
        for start in range(0, len(wanted), BATCH):
            found.update(items.stored_of(item) for item in self._batch(wanted[start : start + BATCH]))
        return found

    def member(self, user_id: str) -> Stored | None:
        """The member `user_id`, read consistently."""
        answer = self._client.get_item(
            TableName=self._name, Key=items.node_key(Ref(Kind.MEMBER, user_id)), ConsistentRead=True
        )
        return items.stored_of(answer["Item"])[1] if "Item" in answer else None

    def commit(self, change: Change) -> Change:
        """Write `change` whole or not at all; the result has only those notices and alerts that are new.

        Raises DuplicateError for an event of the ledger, ConflictError when a node is no longer as it was read.
        """
        actions = list(self._actions(change))
        while actions:
            refused = self._transact(actions)
            if not refused:
                break
            actions = [action for place, action in enumerate(actions) if place not in refused]
        new = {id(action.optional) for action in actions}
        return Change(
            now=change.now,
            nodes=change.nodes,
            ledger=change.ledger,
            tell=change.tell,
            notices=tuple(entry for entry in change.notices if id(entry[1]) in new),
            alerts=tuple(alert for alert in change.alerts if id(alert) in new),
        )

    def due(self, shard: int, now: int, limit: int) -> list[dict[str, Any]]:
        """Up to `limit` items of one shard of the due index whose moment has come, the longest due first.

        The index may lag behind the items: whoever acts on one reads it again.
        """
        answer = self._client.query(
            TableName=self._name,
            IndexName=DUE_INDEX,
            KeyConditionExpression="due_shard = :shard AND due_at <= :now",
            ExpressionAttributeValues=items.encode({":shard": str(shard), ":now": now}),
            Limit=limit,
        )
        return [items.decode(item) for item in answer["Items"]]

    def mark_asked(self, ref: Ref, version: int) -> None:
        """Nothing more will be asked about the node as it is; a newer version keeps its place on the due index."""
        try:
            self._client.update_item(
                TableName=self._name,
                Key=items.node_key(ref),
                UpdateExpression="SET asked = :yes REMOVE due_at, due_shard",
                ConditionExpression="version = :version",
                ExpressionAttributeValues=items.encode({":yes": True, ":version": version}),
            )
        except AwsError as error:
            if not error.condition_failed:
                raise

    def first_alert(self, alert: Alert, now: int) -> bool:
        """Whether nobody has been told of this before; from now on somebody has."""
        return bool(self.commit(Change(now=now, alerts=(alert,))).alerts)

    def _batch(self, refs: Sequence[Ref]) -> Iterable[Item]:
        keys = {self._name: {"Keys": [items.node_key(ref) for ref in refs], "ConsistentRead": True}}
        for attempt in range(READ_ROUNDS):
            if not keys:
                return
            if attempt:
                time.sleep(random.uniform(0, 0.05 * attempt))  # noqa: S311 - jitter
            answer = self._client.batch_get_item(RequestItems=keys)
            yield from answer["Responses"].get(self._name, [])
            keys = answer.get("UnprocessedKeys") or {}
        if keys:
            raise ConflictError(f"table {self._name} left keys unprocessed {READ_ROUNDS} times")

    def _actions(self, change: Change) -> Iterable[_Action]:
        if change.ledger is not None:
            yield from self._enter(change.ledger, change.now)
        for ref, stored in change.nodes.items():
            yield self._replace(items.node_item(ref, stored), stored.version)
        for told in change.tell:
            yield self._mark_due(told, change.now)
        for destination, notice in change.notices:
            yield self._create(items.notice_item(notice, destination, change.now), notice)
        for alert in change.alerts:
            yield self._create(items.alert_item(alert, change.now), alert)

    def _enter(self, entry: LedgerEntry, now: int) -> Iterable[_Action]:
        """An event enters the ledger once; in a run that handles it again, it is the run's entry that must be new."""
        if entry.run is not None:
            yield self._create(items.run_item(entry.run, entry, now))
        for item in items.ledger_items(entry, now):
            again = {"Put": {"TableName": self._name, "Item": item}}
            yield self._create(item) if entry.run is None else _Action(request=again)

    def _create(self, item: Item, optional: Notice | Alert | None = None) -> _Action:
        put = {"TableName": self._name, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        return _Action(request={"Put": put}, optional=optional)

    def _replace(self, item: Item, version: int) -> _Action:
        if version == 1:
            return self._create(item)
        put = {
            "TableName": self._name,
            "Item": item,
            "ConditionExpression": "version = :read",
            "ExpressionAttributeValues": items.encode({":read": version - 1}),
        }
        return _Action(request={"Put": put})

    def _mark_due(self, told: Tell, now: int) -> _Action:
        """A new state restarts the tries, but a vendor that asked us to wait is not hurried."""
        values = {
            ":kind": "DELIVERY",
            ":destination": told.destination,
            ":member": told.member,
            ":version": told.version,
            ":shard": items.shard(told.member),
            ":now": now,
            ":none": 0,
        }
        update = {
            "TableName": self._name,
            "Key": items.delivery_key(told.member, told.destination),
            "UpdateExpression": "SET kind = :kind, destination = :destination, #member = :member, "
            "desired_version = :version, attempts = :none, "
            "due_shard = if_not_exists(due_shard, :shard), due_at = if_not_exists(due_at, :now) "
            "REMOVE parked, tried_since",
            "ExpressionAttributeNames": {"#member": "member"},
            "ExpressionAttributeValues": items.encode(values),
        }
        return _Action(request={"Update": update})

    def _transact(self, actions: Sequence[_Action]) -> set[int]:
        """Try all `actions`; the places of optional ones that exist already, when nothing else was in the way."""
        try:
            self._client.transact_write_items(TransactItems=[action.request for action in actions])
        except AwsError as error:
            return _refused(error, actions)
        return set()


def _refused(error: AwsError, actions: Sequence[_Action]) -> set[int]:
    if error.code in {"TransactionConflictException", "TransactionInProgressException"}:
        raise ConflictError(error.code) from None
    if error.code != "TransactionCanceledException":
        raise error
    failed = {place: code for place, code in enumerate(error.reasons) if code != "None"}
    if any(code not in {"ConditionalCheckFailed", "TransactionConflict"} for code in failed.values()):
        raise error
    exists = {place for place, code in failed.items() if code == "ConditionalCheckFailed"}
    if any(_is_ledger(actions[place]) for place in exists):
        raise DuplicateError("the event is in the ledger")
    if not failed or any(place not in exists or actions[place].optional is None for place in failed):
        raise ConflictError(f"{len(failed)} of {len(actions)} items were written by somebody else")
    return exists


def _is_ledger(action: _Action) -> bool:
    item = action.request.get("Put", {}).get("Item", {})
    return item.get("kind") == {"S": "RUN"} or item.get("sk") == {"S": "LEDGER"}
