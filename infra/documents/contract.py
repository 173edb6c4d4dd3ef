"""What the contract says of the edge's own answers."""

from typing import Any

from infra.documents import declared
from infra.settings import Stack


def documents(stack: Stack) -> list[dict[str, Any]]:
    """What is served where."""
    return [
        {"url": each.url, "kind": each.kind, "content_type": each.content_type, "sha256": each.sha256}
        for each in declared.of(stack)
    ]


def maintenance(stack: Stack) -> dict[str, Any] | None:
    """Hosts that are closed for the moment; None where none is."""
    hosts, seconds = declared.closed(stack), stack.settings.maintenance.retry_after_seconds
    return {"hosts": list(hosts), "retry_after_seconds": seconds} if hosts else None
