"""What reconcile compares, each page by page: Stripe's events, Stripe's objects, and what destinations show."""

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from handlers.adapters.events_feed import EventsFeed, Message
from handlers.adapters.logs import log
from handlers.adapters.nudges import Nudges
from handlers.adapters.reconcile_table import Behind, Pass, ReconcileTable
from handlers.adapters.store import Change, Store, Tell
from handlers.adapters.stripe_lists import PAGE, StripeLists
from handlers.adapters.stripe_read import MissingError
from handlers.core import envelope, reconciling
from handlers.core.errors import EventError, LaunchError
from handlers.core.events import Facts
from handlers.core.policy import DAY_SECONDS
from handlers.core.reading import Reading
from handlers.core.reconciling import EVENT_DAYS, OLD_SECONDS, OVERLAP_DAYS, YOUNG_SECONDS, Listing, Nodes
from handlers.core.switch import Mode, Switch
from handlers.entrypoints.asking import Asking
from handlers.entrypoints.recording import Recorder, raise_alerts

MAX_TYPES = 20  # of one request for events, https://docs.stripe.com/api/events/list
EVENTS_PAGE = 50  # of up to 160 kB each: an answer may have 8 MiB
TELLS = 50  # deliveries of one transaction

Object = dict[str, Any]
T = TypeVar("T")


class ModeError(LaunchError):
    """Stripe shows objects of the other mode than the stack's."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Something that the table or a destination lacks: `id` at Stripe or of the member, `what` it is about."""

    kind: str  # "event", the name of a listing, or "delivery"
    id: str
    what: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One page that was compared, and healed where that was wanted; the next begins after `reached`."""

    looked_at: int
    reached: str | None
    found: tuple[Found, ...] = ()
    left_alone: int = 0  # what nobody has to do with, and what cannot be read


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the comparisons work with. Without `heal` nothing is written and nothing sent.

    `silent` is the recorder for what is too old to tell anybody; `under_way` has the ids that events are about which
    were found missing: those bring what their objects would. `clock` gives Unix seconds.
    """

    stripe: StripeLists
    table: ReconcileTable
    store: Store
    feed: EventsFeed
    nudges: Nudges
    recorder: Recorder
    silent: Recorder
    asking: Asking
    reading: Reading
    switches: Mapping[str, Switch]
    live: bool
    heal: bool
    clock: Callable[[], float] = time.time
    under_way: set[str] = field(default_factory=set)

    @property
    def now(self) -> int:
        """Unix seconds."""
        return int(self.clock())


class Comparison(Protocol):
    """One thing to compare. `steps` go on from where `current` has come to."""

    name: str

    def steps(self, current: Pass) -> Iterator[Step]: ...  # noqa: D102


class MissingEvents:
    """Events of `types` that Stripe knows and the ledger does not, whatever Stripe says of their delivery.

    They are sent the way that the webhook sends them.
    """

    def __init__(self, name: str, types: Sequence[str], desk: Desk) -> None:
        self.name = name
        self._types = {f"types[{place}]": kind for place, kind in enumerate(types)}
        self._desk = desk

    def steps(self, current: Pass) -> Iterator[Step]:
        """Newest first, but those that may be on their way. Raises VendorError, AwsError, ModeError."""
        newest = current.reached or str(current.started - YOUNG_SECONDS)
        window = {"created[gte]": str(current.oldest_event), "created[lte]": newest}
        listed = self._desk.stripe.each("/v1/events", {"limit": str(EVENTS_PAGE), **window, **self._types})
        for events in _batches(listed, EVENTS_PAGE):
            _check_mode(events, live=self._desk.live)
            missing = self._desk.table.not_in_ledger([event["id"] for event in events])
            lost = [event for event in events if event["id"] in missing]
            self._desk.under_way.update(*map(_subjects, lost))
            if self._desk.heal:
                self._desk.feed.send(map(_message, lost))
            yield Step(
                looked_at=len(events),
                reached=str(events[-1]["created"]),
                found=tuple(Found(kind="event", id=event["id"], what=str(event.get("type"))) for event in lost),
            )


class ChangedObjects:
    """Objects of one of Stripe's lists that tell what the table does not know, because their events are gone."""

    def __init__(self, listing: Listing, desk: Desk) -> None:
        self.name = listing.name
        self._listing = listing
        self._desk = desk

    def steps(self, current: Pass) -> Iterator[Step]:
        """Newest first. Raises VendorError, AwsError, ConflictError, ModeError."""
        window = self._window(current)
        if window is None:
            return
        listed = self._desk.stripe.each(self._listing.path, {**self._listing.query, **window})
        while True:
            asked = self._desk.now  # before the page is asked for, which is as long as a batch
            objects = list(itertools.islice(listed, PAGE))
            if not objects:
                return
            _check_mode(objects, live=self._desk.live)
            yield self._compared(objects, asked)

    def _window(self, current: Pass) -> Mapping[str, str] | None:
        """From when to when; None where events tell of all of it."""
        days = self._listing.lookback_days
        if days is None:
            return {"created[lte]": current.reached or str(current.started - YOUNG_SECONDS)}
        newest = current.started - (EVENT_DAYS - OVERLAP_DAYS) * DAY_SECONDS
        oldest = None if current.since is None else current.since - days * DAY_SECONDS
        if oldest is not None and oldest > newest:
            return None
        since = {} if oldest is None else {"created[gte]": str(max(0, oldest))}
        return {**since, "created[lte]": current.reached or str(newest)}

    def _compared(self, objects: Sequence[Object], asked: int) -> Step:
        known = self._known(objects, asked)
        found: list[Found] = []
        left_alone = 0
        for obj in objects:
            if self._desk.under_way.isdisjoint(_names(obj)):
                try:
                    told = reconciling.told(obj, asked, known, self._desk.reading)
                    if told is None or reconciling.is_known(told, known):
                        continue
                    if self._is_new(told, obj):
                        found.append(Found(kind=self.name, id=str(obj["id"]), what=str(obj.get("status", ""))))
                    else:
                        left_alone += 1
                except (EventError, MissingError) as error:
                    left_alone += 1
                    log("warning", "an object cannot be read", action="reconcile", subject=str(obj.get("id")),
                        reason=str(error))  # fmt: skip
        reached = str(objects[-1].get("created"))
        return Step(looked_at=len(objects), reached=reached, found=tuple(found), left_alone=left_alone)

    def _known(self, objects: Sequence[Object], asked: int) -> Nodes:
        """What the table holds of all `objects`, read together."""
        wanted = set()
        for obj in objects:
            try:
                told = reconciling.told(obj, asked, {}, self._desk.reading)
            except EventError:
                continue
            wanted |= reconciling.names(told) if told else set()
        return {ref: stored.node if stored else None for ref, stored in self._desk.store.read(wanted).items()}

    def _is_new(self, told: Facts, obj: Object) -> bool:
        """Whether `told` changes what the table says of anybody; then it is written where that is wanted."""
        told = self._desk.asking.priced(told)
        if not reconciling.changes(self._desk.recorder.would_change(told).values()):
            return False
        if self._desk.heal:
            now = self._desk.now
            happened = reconciling.happened(obj)
            recorder = self._desk.silent if now - happened > OLD_SECONDS else self._desk.recorder
            recorded = recorder.record(told, at=happened or now)
            self._desk.nudges.send(recorded.nudges)
            raise_alerts(recorded.alerts, None)
        return True


class LaggingDeliveries:
    """State destinations that do not show what they were asked to, and that nobody is going to try again.

    What a switch withholds counts where the switch is on by now.
    """

    name = "deliveries"

    def __init__(self, destinations: Sequence[str], desk: Desk) -> None:
        self._destinations = tuple(destinations)
        self._desk = desk

    def steps(self, current: Pass) -> Iterator[Step]:
        """In the order of a scan. Raises AwsError, ConflictError."""
        for looked_at, behind, reached in self._desk.table.behind(self._destinations, current.reached):
            found = [one for one in behind if not one.withheld or self._is_on(one)]
            if self._desk.heal:
                self._make_due(found)
            yield Step(
                looked_at=looked_at,
                reached=reached,
                found=tuple(Found(kind="delivery", id=one.member, what=one.destination) for one in found),
            )

    def _is_on(self, one: Behind) -> bool:
        return self._desk.switches.get(one.destination, Switch()).of(one.destination, one.member) is Mode.ON

    def _make_due(self, behind: Sequence[Behind]) -> None:
        """The sweep nudges them, as many a minute as it takes."""
        for some in _batches(iter(behind), TELLS):
            tell = tuple(Tell(destination=one.destination, member=one.member, version=one.version) for one in some)
            self._desk.store.commit(Change(now=self._desk.now, tell=tell))


def comparisons(desk: Desk, types: Sequence[str], destinations: Sequence[str]) -> list[Comparison]:
    """All of them, of events of `types` and the state `destinations`, in the order in which they are to be made."""
    parts = [types[start : start + MAX_TYPES] for start in range(0, len(types), MAX_TYPES)]
    return [
        *(MissingEvents(f"events-{place}", part, desk) for place, part in enumerate(parts)),
        *(ChangedObjects(listing, desk) for listing in reconciling.LISTINGS),
        LaggingDeliveries(destinations, desk),
    ]


def _batches(entries: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(itertools.islice(entries, size)):
        yield batch


def _message(event: Object) -> Message:
    """The event as the webhook would have sent it, under an id of its own: a repeated run within minutes is dropped."""
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return Message(
        body=envelope.encode(text.encode("utf-8", "surrogatepass"), event),
        group=envelope.group_of(event),
        deduplication_id=envelope.queue_id(f"reconcile-{event['id']}"),
    )


def _subjects(event: Object) -> Iterable[str]:
    data = event.get("data")
    obj = data.get("object") if isinstance(data, dict) else None
    return _names(obj) if isinstance(obj, dict) else ()


def _names(obj: Object) -> list[str]:
    """The ids under which an event and an object are about the same; a customer is about too much."""
    return [value for name in ("id", "subscription", "payment_intent") if isinstance(value := obj.get(name), str)]


def _check_mode(objects: Iterable[Object], *, live: bool) -> None:
    for obj in objects:
        if obj.get("livemode", live) is not live:
            modes = ("test", "live")
            raise ModeError(
                f"Stripe shows {modes[not live]} objects ({obj.get('id')}) to a {modes[live]} stack: "
                f"the read key is of the other mode, roll it with a {modes[live]} key"
            )
