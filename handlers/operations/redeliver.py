"""Try parked deliveries once more: what a destination refused, or what nobody knows the outcome of."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from handlers.adapters.attributes import decode
from handlers.adapters.deliveries import Deliveries
from handlers.operations import audit
from handlers.operations.stack import LiveStack


@dataclass(frozen=True, kw_only=True)
class ParkedDelivery:
    """A member's state, or the notice with the key `notice`, that `destination` was not brought to or told."""

    destination: str
    member: str
    notice: str | None
    error: str


def find(stack: LiveStack, progress: Callable[[str], None]) -> list[ParkedDelivery]:
    """All parked deliveries. Raises StackError."""
    names = {"#kind": "kind", "#parked": "parked"}
    values = {":delivery": {"S": "DELIVERY"}, ":notice": {"S": "NOTICE"}}
    scanned = stack.scan("attribute_exists(#parked) AND #kind IN (:delivery, :notice)", names, values, progress)
    found = [
        ParkedDelivery(
            destination=fields["destination"],
            member=fields["member"],
            notice=fields["notice"]["key"] if "notice" in fields else None,
            error=fields.get("last_error", ""),
        )
        for fields in map(decode, scanned)
    ]
    return sorted(found, key=lambda parked: (parked.destination, parked.member, parked.notice or ""))


def told(found: Sequence[ParkedDelivery]) -> Iterator[str]:
    """What would be tried once more, as lines; of a notice that may have been told the error says so."""
    for parked in found:
        yield f"{parked.destination}  {parked.notice or parked.member}  parked: {parked.error}"
    yield f"{len(found)} deliveries would be tried once more; with --apply they are"


def redeliver(stack: LiveStack, found: Sequence[ParkedDelivery]) -> int:
    """Make `found` due, which the next sweep takes up; how many still were parked. Raises StackError or AwsError."""
    if not found:
        return 0
    audit.record(stack, "resend", deliveries=len(found))
    table, now = stack.settings.table.table, int(time.time())
    return sum(
        Deliveries(stack.dynamodb, table, parked.destination).replay(
            member=parked.member, notice=parked.notice, now=now
        )
        for parked in found
    )


def told_of(count: int) -> Iterator[str]:
    """What became of it, as lines."""
    yield f"{count} deliveries are due once more: the sweep takes them up within a minute"
