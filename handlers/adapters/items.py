"""Nodes, ledger entries, deliveries and notices as items of the one table, in DynamoDB's own JSON."""

import zlib
from dataclasses import dataclass
from typing import Any

from handlers.adapters.attributes import decode, encode
from handlers.core.desired import Notice
from handlers.core.maps import from_map, to_map
from handlers.core.nodes import TYPES, Kind, Node, Ref
from handlers.settings import DUE_SHARDS

Item = dict[str, Any]
Key = dict[str, Any]

PAYLOAD_SECONDS = 90 * 86_400
MAX_PAYLOAD_BYTES = 350_000  # of DynamoDB's 400 KB for an item


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A node as it was read, with what the table knows about it beside its content."""

    node: Node
    version: int
    first_seen: int
    asked: bool = False  # Stripe was asked where it belongs, and a person was told
    due_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One event that was handled, for ever; `payload` only as long as PAYLOAD_SECONDS."""

    event: str
    type: str
    created: int
    livemode: bool
    digest: str
    outcome: str  # applied, ignored or parked
    reason: str | None = None
    payload: bytes | None = None
    run: str | None = None  # under which it was handled once more


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that a person is told of once: `kind` and `subject` make it unique."""

    kind: str
    subject: str


def key(pk: str, sk: str) -> Key:
    """The key of one item."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def node_key(ref: Ref) -> Key:
    """Where a node is kept."""
    return key(f"{ref.kind}#{ref.id}", str(ref.kind))


def ledger_key(event: str) -> Key:
    """Where the ledger entry of an event is kept."""
    return key(f"EVENT#{event}", "LEDGER")


def delivery_key(member: str, destination: str) -> Key:
    """Where the delivery record of a member at a state destination is kept."""
    return key(f"{Kind.MEMBER}#{member}", f"DELIVERY#{destination}")


def notice_key(notice: str, destination: str) -> Key:
    """Where the delivery record of a notice is kept."""
    return key(f"NOTICE#{notice}", f"DELIVERY#{destination}")


def alert_key(alert: Alert) -> Key:
    """Where it is recorded that a person was told."""
    return key(f"ALERT#{alert.kind}#{alert.subject}", "ALERT")


def shard(subject: str) -> str:
    """The shard of the due index that holds what concerns `subject`."""
    return str(zlib.crc32(subject.encode()) % DUE_SHARDS)


def due(subject: str, at: int | None) -> dict[str, Any]:
    """The attributes that put an item on the due index; none while nothing is due."""
    return {} if at is None else {"due_shard": shard(subject), "due_at": at}


def node_item(ref: Ref, stored: Stored) -> Item:
    """The item of a node."""
    content = {
        "kind": str(ref.kind),
        "id": ref.id,
        "version": stored.version,
        "first_seen": stored.first_seen,
        "asked": stored.asked or None,
        "data": to_map(stored.node),
        **due(ref.id, stored.due_at),
    }
    return {**node_key(ref), **encode(content)}


def stored_of(item: Item) -> tuple[Ref, Stored]:
    """The node in an item."""
    fields = decode(item)
    kind = Kind(fields["kind"])
    stored = Stored(
        node=from_map(TYPES[kind], fields["data"]),
        version=fields["version"],
        first_seen=fields["first_seen"],
        asked=fields.get("asked", False),
        due_at=fields.get("due_at"),
    )
    return Ref(kind, fields["id"]), stored


def run_key(run: str, event: str) -> Key:
    """Where it is recorded that a run handled an event once more."""
    return key(f"RUN#{run}", f"EVENT#{event}")


def run_item(run: str, entry: LedgerEntry, now: int) -> Item:
    """The audit entry of one event that a run handled once more."""
    content = {"kind": "RUN", "run": run, "event": entry.event, "outcome": entry.outcome, "recorded_at": now}
    return {**run_key(run, entry.event), **encode(content)}


def ledger_items(entry: LedgerEntry, now: int) -> list[Item]:
    """The permanent item of a ledger entry, and the one with its payload that expires."""
    fields = {name: value for name, value in vars(entry).items() if name != "payload"}
    items = [{**ledger_key(entry.event), **encode({**fields, "kind": "LEDGER", "recorded_at": now})}]
    packed = zlib.compress(entry.payload) if entry.payload else b""
    if packed and len(packed) <= MAX_PAYLOAD_BYTES:
        content = encode({"payload": packed, "expires_at": now + PAYLOAD_SECONDS})
        items.append({**key(f"EVENT#{entry.event}", "PAYLOAD"), **content})
    return items


def notice_item(notice: Notice, destination: str, now: int) -> Item:
    """The delivery record of a notice that is due at once."""
    content = {
        "kind": "NOTICE",
        "destination": destination,
        "member": notice.member_id,
        "attempts": 0,
        "notice": to_map(notice),
        **due(notice.key, now),
    }
    return {**notice_key(notice.key, destination), **encode(content)}


def alert_item(alert: Alert, now: int) -> Item:
    """The record that a person is told."""
    return {**alert_key(alert), **encode({**vars(alert), "at": now})}
