"""Waits until every event that was sent is in the pipeline's ledger, or until nothing more is to be expected."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from rehearsal.replay.history import Event

Item: TypeAlias = Mapping[str, Any]  # in DynamoDB's JSON

LEDGER = "LEDGER"
_EVENT = "EVENT#"
POLL_SECONDS = 0.1
QUIET_SECONDS = 10.0  # with nothing queued and nothing new in the ledger, nothing more comes
PATIENCE_SECONDS = 60.0
PATIENCE_SECONDS_AN_EVENT = 0.5

Waiting = Callable[[str], None]


def entries(items: Iterable[Item], events: Mapping[str, Event]) -> dict[str, str]:
    """The id under which the ledger has each event: its own, or one made of its digest where apply could not read it.

    An event that is missing in the result is not in the ledger.
    """
    digests: dict[str, str] = {}
    found: dict[str, str] = {}
    for item in items:
        if item["sk"].get("S") != LEDGER:
            continue
        entry = item["pk"]["S"].removeprefix(_EVENT)
        if entry in events:
            found[entry] = entry
        elif "digest" in item:
            digests[item["digest"]["S"]] = entry
    if digests:
        missing = [event for id_, event in events.items() if id_ not in found]
        found |= {event.id: digests[event.digest] for event in missing if event.digest in digests}
    return found


def await_all(
    events: Mapping[str, Event],
    scan: Callable[[], Sequence[Item]],
    drained: Callable[[], bool],
    *,
    waiting: Waiting,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Return when the queue is empty and the ledger has all `events`, when neither changes any more, or when the time
    is up, which grows with the number of events. Whoever asks looks himself which events are missing.
    """
    deadline = clock() + PATIENCE_SECONDS + PATIENCE_SECONDS_AN_EVENT * len(events)
    quiet_since, known = clock(), -1
    while clock() < deadline:
        if not drained():
            quiet_since = clock()
            waiting("events are queued")
        else:
            count = len(entries(scan(), events))
            waiting(f"{count} of {len(events)} are in the ledger")
            if count == len(events):
                return
            if count != known:
                quiet_since, known = clock(), count
            elif clock() - quiet_since > QUIET_SECONDS:
                return
        pause(POLL_SECONDS)
