"""Handle events once more: those that were parked, or any that the ledger or a dead-letter queue still has.

Each goes back to the events queue under the name of a run. A run handles each of its events once, so a run that broke
off is continued by its name; SQS never takes one of its messages for a repetition of the first delivery.
"""

import json
import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handlers.adapters.attributes import decode
from handlers.adapters.items import key, ledger_key, run_key
from handlers.core import again, envelope
from handlers.core.again import Again
from handlers.core.errors import EventError
from handlers.operations import audit
from handlers.operations.stack import LiveStack

WAIT_SECONDS = 120.0  # for the pipeline to say what became of what was sent
POLL_SECONDS = 0.5
STRIPE_KEEPS_SECONDS = 30 * 86_400  # https://docs.stripe.com/api/events

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which events: by id, by outcome, by when Stripe made them (Unix seconds, both included), or what a DLQ holds."""

    ids: tuple[str, ...] = ()
    parked: bool = False
    since: int | None = None
    until: int | None = None
    dlq: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event that can be handled once more."""

    id: str
    type: str
    created: int
    outcome: str
    reason: str | None = None
    body: str | None = None  # as its first message held it; None where neither we nor Stripe have it any more
    receipt: str | None = None  # of a dead-letter queue's message


@dataclass(frozen=True, kw_only=True)
class Resent:
    """What became of a run: for each event that was sent, the outcome and why."""

    run: str
    outcomes: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    silent: tuple[str, ...] = ()  # nothing was heard of them in time

    @property
    def as_hoped(self) -> bool:
        """Whether every event was handled, and none was parked again."""
        return not self.silent and all(outcome != "parked" for outcome, _ in self.outcomes.values())


def find(stack: LiveStack, wanted: Wanted, progress: Progress) -> list[Entry]:
    """The events that `wanted` names, oldest first. Raises StackError."""
    if wanted.dlq:
        return _dead_letters(stack)
    ids = wanted.ids or [entry.id for entry in _ledger(stack, wanted, progress)]
    found = [entry for id_ in ids if (entry := _entry(stack, id_)) is not None]
    return sorted(found, key=lambda entry: (entry.created, entry.id))


def missing(wanted: Wanted, found: Iterable[Entry]) -> list[str]:
    """The ids that were asked for and that the ledger does not have."""
    known = {entry.id for entry in found}
    return [id_ for id_ in wanted.ids if id_ not in known]


def told(wanted: Wanted, found: Sequence[Entry]) -> Iterator[str]:
    """What would be handled once more, and what cannot be, as lines."""
    for entry in found:
        kept = "" if entry.body is not None else "; its text is kept nowhere any more: reconcile asks for its object"
        yield f"{entry.id}  {entry.type}  {entry.outcome}{f': {entry.reason}' if entry.reason else ''}{kept}"
    for id_ in missing(wanted, found):
        yield f"{id_}  not in the ledger"
    yield f"{len(found)} events would be handled once more; with --apply they are"


def told_of(done: Resent) -> Iterator[str]:
    """What became of a run, as lines."""
    for id_, (outcome, reason) in sorted(done.outcomes.items()):
        yield f"{id_}  {outcome}{f': {reason}' if reason else ''}"
    for id_ in done.silent:
        yield f"{id_}  nothing heard of it within {WAIT_SECONDS:.0f} s"
    yield f"run {done.run}: {len(done.outcomes)} handled, {len(done.silent)} not yet"


def resend(stack: LiveStack, entries: Sequence[Entry], run: str | None, progress: Progress) -> Resent:
    """Send `entries` under `run`, a new one where it is None, and wait for what becomes of them. Raises StackError."""
    name = run or f"resend-{int(time.time())}-{os.urandom(3).hex()}"
    sendable = [entry for entry in entries if entry.body is not None]
    audit.record(stack, "resend", run=name, events=len(sendable))
    for count, entry in enumerate(sendable, start=1):
        _send(stack, entry, name)
        progress(f"sent {count} of {len(sendable)}")
    return _outcomes(stack, name, [entry.id for entry in sendable], progress)


def _ledger(stack: LiveStack, wanted: Wanted, progress: Progress) -> Iterator[Entry]:
    for item in stack.scan("#kind = :ledger", {"#kind": "kind"}, {":ledger": {"S": "LEDGER"}}, progress):
        entry = _of_item(item)
        if wanted.parked and entry.outcome != "parked":
            continue
        if (wanted.since or 0) <= entry.created <= (wanted.until or entry.created):
            yield entry


def _entry(stack: LiveStack, id_: str) -> Entry | None:
    item = stack.item(ledger_key(id_))
    return None if item is None else _of_item(item, _body(stack, id_, item))


def _of_item(item: Mapping[str, Any], body: str | None = None) -> Entry:
    fields = decode(dict(item))
    return Entry(
        id=fields["event"],
        type=fields["type"],
        created=fields["created"],
        outcome=fields["outcome"],
        reason=fields.get("reason"),
        body=body,
    )


def _body(stack: LiveStack, id_: str, ledger: Mapping[str, Any]) -> str | None:
    """The event's text as we kept it, or a reference to it while Stripe keeps it."""
    kept = stack.item(key(f"EVENT#{id_}", "PAYLOAD"))
    if kept is not None:
        return zlib.decompress(kept["payload"]["B"]).decode()
    fields = decode(dict(ledger))
    if not id_.startswith("evt_") or time.time() - fields["created"] > STRIPE_KEEPS_SECONDS:
        return None
    return envelope.reference(id_, fields["type"], fields["created"], livemode=fields["livemode"])


def _dead_letters(stack: LiveStack) -> list[Entry]:
    """What waits in the events queue's dead-letter queue; nothing, while its reader works."""
    found: dict[str, Entry] = {}
    sqs, url = stack.client("sqs"), stack.dead_letters()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        for message in messages:
            entry = _of_message(message)
            found[entry.id] = entry
    return sorted(found.values(), key=lambda entry: (entry.created, entry.id))


def _of_message(message: Mapping[str, Any]) -> Entry:
    body, receipt = message["Body"], message["ReceiptHandle"]
    try:
        event = envelope.decode(body)
    except EventError as error:
        name = f"message-{message['MessageId']}"
        return Entry(
            id=name, type="unreadable", created=0, outcome="dead", reason=str(error), body=body, receipt=receipt
        )
    if isinstance(event, envelope.Reference):
        return Entry(id=event.id, type=event.type, created=event.created, outcome="dead", body=body, receipt=receipt)
    created = event.get("created")
    return Entry(
        id=event["id"],
        type=envelope.type_of(event) or "",
        created=created if isinstance(created, int) else 0,
        outcome="dead",
        body=body,
        receipt=receipt,
    )


def _send(stack: LiveStack, entry: Entry, run: str) -> None:
    body = entry.body or ""
    message = again.encode(Again(run=run, body=body))
    if len(message.encode()) > envelope.MAX_BYTES:  # its quotes are escaped once more
        short = envelope.reference(entry.id, entry.type, entry.created, livemode=stack.live)
        message = again.encode(Again(run=run, body=short))
    sqs = stack.client("sqs")
    sqs.send_message(
        QueueUrl=stack.queue("events")["url"],
        MessageBody=message,
        MessageGroupId=_group(body, entry.id),
        MessageDeduplicationId=envelope.queue_id(f"{run}-{entry.id}"),
    )
    if entry.receipt is not None:
        sqs.delete_message(QueueUrl=stack.dead_letters(), ReceiptHandle=entry.receipt)


def _group(body: str, id_: str) -> str:
    try:
        event = json.loads(body)
    except ValueError:
        return envelope.queue_id(id_)
    return envelope.group_of(event) if isinstance(event, dict) else envelope.queue_id(id_)


def _outcomes(stack: LiveStack, run: str, ids: Sequence[str], progress: Progress) -> Resent:
    """What the run's entries say of each event, as soon as they are there."""
    outcomes: dict[str, tuple[str, str | None]] = {}
    deadline = time.monotonic() + WAIT_SECONDS
    waiting = list(ids)
    while waiting and time.monotonic() < deadline:
        for id_ in list(waiting):
            if stack.item(run_key(run, id_)) is not None:
                entry = stack.item(ledger_key(id_))
                fields = decode(dict(entry)) if entry else {}
                outcomes[id_] = (fields.get("outcome", "unknown"), fields.get("reason"))
                waiting.remove(id_)
        progress(f"handled {len(outcomes)} of {len(ids)}")
        if waiting:
            time.sleep(POLL_SECONDS)
    return Resent(run=run, outcomes=outcomes, silent=tuple(waiting))
