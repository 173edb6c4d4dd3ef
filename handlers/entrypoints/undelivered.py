"""The undelivered function reads the dead-letter queues: nothing lies there unseen until SQS deletes it.

An event whose handling never ended is parked in the ledger, from where it can be handled once more; a nudge that never
reached our code was not the truth anyway: the delivery record is. Either way a person is told once.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from handlers.adapters.aws import AwsError, DynamoDb, Sqs
from handlers.adapters.deliveries import Deliveries
from handlers.adapters.items import Alert, LedgerEntry
from handlers.adapters.logs import log, metric
from handlers.adapters.nudges import Nudge, Nudges
from handlers.adapters.store import Change, DuplicateError, Store
from handlers.core import again, envelope, escalations
from handlers.core.desired import Notice
from handlers.core.errors import ConflictError, EventError
from handlers.entrypoints.environment import UndeliveredSettings
from handlers.entrypoints.ledger_entries import digest, entry_of, head_of, unreadable
from handlers.settings import DESTINATIONS

RESERVE_MS = 5_000  # of the function's time: what one message may take where the table is slow
DEAD, FIFO = "-dlq", ".fifo"  # how the names of queues end

_LATER = (ConflictError, AwsError)  # the message stays in the dead-letter queue and is read again


class Undelivered:
    """Takes dead letters into the table. `sync_queue_urls` tells whose letters are nudges; all others are events."""

    def __init__(
        self,
        *,
        store: Store,
        deliveries: Callable[[str], Deliveries],
        nudges: Nudges,
        sync_queue_urls: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`deliveries` gives a destination's records."""
        self._store = store
        self._deliveries = deliveries
        self._nudges = nudges
        self._destinations = {dead_letters_of(url): name for name, url in sync_queue_urls.items()}
        self._clock = clock

    def handle(self, batch: Mapping[str, Any], left_ms: Callable[[], float]) -> dict[str, Any]:
        """Lambda's answer to a batch of one dead-letter queue: what is to be read again."""
        failed = [
            record["messageId"] for record in batch["Records"] if left_ms() < RESERVE_MS or not self._taken(record)
        ]
        return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in failed]}

    def _taken(self, record: Mapping[str, Any]) -> bool:
        queue = record["eventSourceARN"].rpartition(":")[2]
        destination = self._destinations.get(queue)
        try:
            if destination is None:
                self._take_event(record)
            else:
                self._take_nudge(destination, record["body"])
        except _LATER as error:
            log("warning", "a dead letter will be read again", action="undelivered", queue=queue,
                result=type(error).__name__, reason=str(error))  # fmt: skip
            return False
        except Exception as error:  # noqa: BLE001 - a mistake of ours fails this letter, which then stays where it is
            log("error", "undelivered has a mistake", action="undelivered", queue=queue, result="failed",
                reason=f"{type(error).__name__}: {error}")  # fmt: skip
            return False
        return True

    def _take_event(self, record: Mapping[str, Any]) -> None:
        received = record.get("attributes", {}).get("ApproximateReceiveCount")
        reason = "given up by the events queue" + (f" after {received} receives" if received else "")
        entry, who = _read(record["body"], reason)
        self._park(entry, who, but=None)

    def _take_nudge(self, destination: str, body: str) -> None:
        nudge = Nudge.parse(destination, body)
        if nudge is None:
            entry = unreadable(body, f"a message on the queue of sync-{destination} is no nudge")
            self._park(entry, entry.event, but=destination)
            return
        due = self._deliveries(destination).make_due(member=nudge.member, notice=nudge.notice, now=self._now())
        log("warning", "a nudge never reached the code", action="undelivered", provider=destination,
            member=nudge.member, notice=nudge.notice, result="made due" if due else "as it was")  # fmt: skip
        self._tell_of_nudges(nudge)

    def _tell_of_nudges(self, nudge: Nudge) -> None:
        """Once a day for each destination: what keeps one nudge from our code keeps them all."""
        now, destination = self._now(), nudge.destination
        day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
        notice = escalations.undelivered_nudges(destination=destination, member=nudge.member, day=day, now=now)
        alert = Alert(kind="undelivered", subject=f"{destination}:{day}")
        told = self._commit(Change(now=now, alerts=(alert,), notices=_to_channels(notice, but=destination)))
        if told.alerts:
            log("error", "somebody should look", action="escalate", provider=destination, result="undelivered",
                subject=alert.subject)  # fmt: skip
            metric("Alert", 1, kind="undelivered")

    def _park(self, entry: LedgerEntry, who: str, *, but: str | None) -> None:
        """Into the ledger, with the notice of it, in one transaction; a letter that comes again finds it there."""
        now, reason = self._now(), entry.reason or ""
        notice = escalations.undelivered_event(event=entry.event, type_=entry.type, who=who, reason=reason, now=now)
        try:
            self._commit(Change(now=now, ledger=entry, notices=_to_channels(notice, but=but)))
        except DuplicateError:
            log("info", "a dead letter was handled after all", action="undelivered", event_id=entry.event,
                result="duplicate")  # fmt: skip
            return
        log("error", "somebody should look", action="escalate", event_id=entry.event, event_type=entry.type,
            result="parked", reason=reason)  # fmt: skip
        metric("EventParked", 1)

    def _commit(self, change: Change) -> Change:
        written = self._store.commit(change)
        self._nudges.send(
            Nudge(destination=channel, member=notice.member_id, notice=notice.key)
            for channel, notice in written.notices
        )
        return written

    def _now(self) -> int:
        return int(self._clock())


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: a batch of one dead-letter queue."""
    return _undelivered().handle(event, context.get_remaining_time_in_millis)


@cache
def _undelivered() -> Undelivered:
    settings = UndeliveredSettings.load(os.environ)
    dynamodb, table = DynamoDb(os.environ), settings.table.table
    return Undelivered(
        store=Store(dynamodb, table),
        deliveries=lambda destination: Deliveries(dynamodb, table, destination),
        nudges=Nudges(Sqs(os.environ), settings.sync_queue_urls),
        sync_queue_urls=settings.sync_queue_urls,
    )


def dead_letters_of(queue_url: str) -> str:
    """The name of the dead-letter queue of a queue."""
    name = queue_url.rpartition("/")[2]
    return f"{name.removesuffix(FIFO)}{DEAD}{FIFO}" if name.endswith(FIFO) else f"{name}{DEAD}"


def _read(message: str, reason: str) -> tuple[LedgerEntry, str]:
    """What the ledger keeps of an event that was given up, and whom it is about."""
    run, body = None, message
    try:
        repeated = again.decode(message)
        run, body = (repeated.run, repeated.body) if repeated else (None, message)
        entry, who = _known(body)
    except EventError as error:
        entry = unreadable(body, f"{reason}; {error}")
        return replace(entry, run=run), entry.event
    return replace(entry, outcome="parked", reason=reason, run=run), who


def _known(body: str) -> tuple[LedgerEntry, str]:
    """The event in `body`. EventError when it holds none."""
    event = envelope.decode(body)
    if not isinstance(event, envelope.Reference):
        entry = entry_of(event, head_of(event))
        return entry, envelope.customer_of(event) or entry.event
    payload = body.encode()  # its text is at Stripe, from where apply fetches it
    entry = LedgerEntry(
        event=event.id,
        type=event.type,
        created=event.created,
        livemode=event.livemode,
        digest=digest(payload),
        outcome="parked",
        payload=payload,
    )
    return entry, event.id


def _to_channels(notice: Notice, *, but: str | None) -> tuple[tuple[str, Notice], ...]:
    """To all who carry notices, but the one that it is about."""
    return tuple((spec.name, notice) for spec in DESTINATIONS if spec.carries == "notices" and spec.name != but)
