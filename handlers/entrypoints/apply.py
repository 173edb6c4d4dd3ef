"""The apply function: one event of the queue, one transaction."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from handlers.adapters.aws import AwsError, DynamoDb, Sqs
from handlers.adapters.items import LedgerEntry
from handlers.adapters.logs import email_hash, log, metric
from handlers.adapters.nudges import Nudges
from handlers.adapters.secrets import get_secret
from handlers.adapters.store import Change, DuplicateError, Store
from handlers.adapters.stripe_read import MissingError, StripeReader
from handlers.core import again, envelope, events, identity, thin
from handlers.core.errors import ConflictError, EventError, VendorError
from handlers.core.events import Facts
from handlers.core.reading import Reading
from handlers.entrypoints.asking import Asking
from handlers.entrypoints.assembling import asking, stripe_reader
from handlers.entrypoints.environment import RecordSettings, livemode
from handlers.entrypoints.ledger_entries import entry_of, head_of, unreadable
from handlers.entrypoints.recording import Recorded, Recorder, raise_alerts

RESERVE_MS = 1500  # of the function's time: less than that is not enough for one more event

_LATER = (ConflictError, VendorError, AwsError)  # what the queue's next delivery may cure


@dataclass(frozen=True, kw_only=True)
class _Told:
    """One message, as far as it could be read."""

    entry: LedgerEntry
    facts: Facts | None = None


class Apply:
    """Takes events into the table, each once."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        store: Store,
        nudges: Nudges,
        stripe: StripeReader,
        asking: Asking,
        live: bool,
        reading: Callable[[str], Reading],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`reading` is how events of one type are read; `live` is the stack's mode."""
        self._recorder = recorder
        self._store = store
        self._nudges = nudges
        self._stripe = stripe
        self._asking = asking
        self._live = live
        self._reading = reading
        self._clock = clock

    def handle(self, batch: Mapping[str, Any], left_ms: Callable[[], float]) -> dict[str, Any]:
        """Lambda's answer to a batch of a FIFO queue: what failed, and what came after it in the same group."""
        failed: list[str] = []
        stopped: set[str] = set()
        for record in batch["Records"]:
            group = record.get("attributes", {}).get("MessageGroupId", "")
            if group in stopped or left_ms() < RESERVE_MS or not self._taken(record["body"]):
                stopped.add(group)
                failed.append(record["messageId"])
        return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in failed]}

    def _taken(self, body: str) -> bool:
        """Whether the message is done with; False asks the queue for another try."""
        try:
            told = self._read(body)
            self._record(told)
        except _LATER as error:
            log(
                "warning",
                "an event will be tried again",
                action="apply",
                result=type(error).__name__,
                reason=str(error),
            )
            return False
        except Exception as error:  # noqa: BLE001 - a mistake of ours fails this group, not the whole batch; then the DLQ
            log(
                "error",
                "apply has a mistake",
                action="apply",
                result="failed",
                reason=f"{type(error).__name__}: {error}",
            )
            return False
        return True

    def _read(self, body: str) -> _Told:
        """What the message says; whatever cannot be read is parked with the reason. Raises VendorError."""
        repeated = None
        try:
            repeated = again.decode(body)
            body = repeated.body if repeated else body
            event = envelope.decode(body)
            if isinstance(event, envelope.Reference):
                event = self._stripe.event(event.id)
            head = head_of(event)
        except (EventError, MissingError) as error:
            return _Told(entry=replace(unreadable(body, str(error)), run=repeated.run if repeated else None))
        entry = replace(entry_of(event, head), run=repeated.run if repeated else None)
        if entry.livemode is not self._live:
            return _Told(entry=replace(entry, outcome="ignored", reason="livemode"))
        try:
            facts = self._facts(event, head)
        except (EventError, MissingError) as error:
            return _Told(entry=replace(entry, outcome="parked", reason=str(error)))
        if facts is None:
            return _Told(entry=replace(entry, outcome="ignored", reason="type"))
        return _Told(entry=entry, facts=facts)

    def _facts(self, event: Mapping[str, Any], head: events.Head | thin.Thin) -> Facts | None:
        reading = self._reading(head.type)
        if isinstance(head, events.Head):
            return self._priced(events.facts(event, reading), head)
        if head.path is None:
            return None
        # What is shown now is at least as new as the event: whatever came later has an event of its own.
        return self._priced(events.from_object(self._stripe.shown(head.path), head.created, reading), head)

    def _priced(self, facts: Facts | None, head: events.Head | thin.Thin) -> Facts | None:
        """With what a Checkout Session sold, which its event does not tell; without, the sweep asks again."""
        if facts is None:
            return None
        try:
            return self._asking.priced(facts)
        except VendorError as error:
            log("warning", "what was sold is not known yet", event_id=head.id, action="apply", reason=str(error))
            return facts

    def _record(self, told: _Told) -> None:
        try:
            recorded = self._write(told)
        except EventError as error:  # readable by itself, but not together with what is known
            self._record(_Told(entry=replace(told.entry, outcome="parked", reason=str(error))))
        except DuplicateError:
            _log(told, "duplicate", Recorded())
        else:
            self._nudges.send(recorded.nudges)
            _log(told, told.entry.outcome, recorded)
            self._untie(recorded.tied)

    def _untie(self, subscriptions: Iterable[str]) -> None:
        """Ask Stripe about what the events leave open; where it gives no answer, the sweep asks again."""
        for id_ in subscriptions:
            try:
                self._nudges.send(self._asking.untie(id_).nudges)
            except (*_LATER, EventError) as error:
                log("warning", "which snapshot is the last is not known yet", action="untie", subject=id_,
                    reason=str(error))  # fmt: skip

    def _write(self, told: _Told) -> Recorded:
        if told.facts is not None:
            return self._recorder.record(told.facts, at=told.entry.created, ledger=told.entry)
        self._store.commit(Change(now=int(self._clock()), ledger=told.entry))
        return Recorded()


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: a batch of the events queue."""
    return _apply().handle(event, context.get_remaining_time_in_millis)


@cache
def _apply() -> Apply:
    settings = RecordSettings.load(os.environ)
    store = Store(DynamoDb(os.environ), settings.table.table)
    recorder = Recorder(store=store, policy=settings.table.policy, destinations=settings.destinations)
    return Apply(
        recorder=recorder,
        store=store,
        nudges=Nudges(Sqs(os.environ), settings.sync_queue_urls),
        stripe=stripe_reader(settings),
        asking=asking(settings, recorder, store),
        live=livemode(os.environ),
        reading=lambda kind: settings.table.policy.reading(_reference_keys(settings, kind)),
    )


def _reference_keys(settings: RecordSettings, kind: str) -> tuple[str, ...]:
    """Only a Checkout Session carries a reference: most events need no key."""
    if settings.identity_secret is None or "checkout.session" not in kind:
        return ()
    return identity.parse_keys(get_secret(settings.identity_secret))


def _log(told: _Told, result: str, recorded: Recorded) -> None:
    """One line an event, and one for everything that a person should look at."""
    entry = told.entry
    email = told.facts.email.value if told.facts and told.facts.email else None
    log(
        "error" if result == "parked" else "info",
        "handled an event",
        event_id=entry.event,
        event_type=entry.type,
        customer=told.facts.customer if told.facts else None,
        member=",".join(recorded.members) or None,
        email_hash=email_hash(email) if email else None,
        action="apply",
        result=result,
        reason=entry.reason,
    )
    if result == "parked":
        metric("EventParked", 1)
    if result == "ignored":
        metric("EventIgnored", 1, reason=entry.reason or "")
    raise_alerts(recorded.alerts, entry.event)
