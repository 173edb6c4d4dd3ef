"""What the ledger keeps of an event: as much as its message told."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from handlers.adapters.items import LedgerEntry
from handlers.core import events, thin


def head_of(event: Mapping[str, Any]) -> events.Head | thin.Thin:
    """Id, type, moment and mode of an event. Raises EventError."""
    return thin.read(event) if thin.is_thin(event) else events.head(event)


def entry_of(event: Mapping[str, Any], head: events.Head | thin.Thin) -> LedgerEntry:
    """The entry of an event that was applied, with its text."""
    payload = json.dumps(event, separators=(",", ":")).encode()
    return LedgerEntry(
        event=head.id,
        type=head.type,
        created=head.created,
        livemode=head.livemode,
        digest=digest(payload),
        outcome="applied",
        payload=payload,
    )


def unreadable(body: str, reason: str) -> LedgerEntry:
    """The entry of a message that is no event: parked, named after its digest, so that it is kept once."""
    name = digest(body.encode())
    return LedgerEntry(
        event=f"unreadable-{name[:32]}",
        type="unreadable",
        created=0,
        livemode=False,
        digest=name,
        outcome="parked",
        reason=reason,
        payload=body.encode(),
    )


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
