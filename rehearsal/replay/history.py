"""A founder's own history: the events of a file, each once, and what else was in it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, overload

from rehearsal.errors import EventsError
from rehearsal.replay.source import pieces, shown_name
from rehearsal.replay.values import Found, values

EVENT_KINDS = ("event", "v2.core.event")  # `object` of a snapshot event, and of a thin one
_SHOWN = 60
_KINDS = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
# What differs between two copies of one event that were taken at different moments.
_PASSING = ("pending_webhooks", "request")
_WANTED = "give Stripe's events as JSON lines, a list, or what `stripe events list` prints"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event as it is sent: compact JSON in ASCII, which no queue refuses for its characters."""

    id: str
    type: str
    body: bytes
    created: int | None  # Unix seconds; None where the event has none that can be read
    livemode: bool | None
    line: int

    @property
    def digest(self) -> str:
        """SHA-256 of the body, by which the ledger knows what it could not read."""
        return hashlib.sha256(self.body).hexdigest()

    def content(self) -> Mapping[str, Any]:
        """The event itself."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Oddity:
    """Something in the file that will not be sent, and the line where it begins."""

    line: int
    what: str


@dataclass(frozen=True, kw_only=True)
class History:
    """What a file holds. `order` has the id of each event as often as the file does, in the file's order."""

    name: str
    events: Mapping[str, Event]
    order: Sequence[str]
    others: Sequence[Oddity] = ()  # objects and lines that are no events
    unlike: Sequence[Oddity] = ()  # events whose id an earlier one has, with other content
    goes_on: bool = False  # the last page says that there are more

    def later_than(self, moment: int) -> int:
        """How many of the events happened after `moment`."""
        return sum(1 for event in self.events.values() if event.created is not None and event.created > moment)

    def newest(self) -> int:
        """When the last of the events happened; 0 when none says."""
        return max((event.created for event in self.events.values() if event.created is not None), default=0)

    def livemode(self, *, otherwise: bool) -> bool:
        """The mode of most events; `otherwise` when as many say the one as the other."""
        modes = Counter(event.livemode for event in self.events.values())
        return otherwise if modes[True] == modes[False] else modes[True] > modes[False]


class Contents(Sequence[Mapping[str, Any]]):
    """The events as mappings, each parsed when it is asked for: a long history fits into memory as text alone."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = tuple(events)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._events)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> "Contents": ...
    def __getitem__(self, index: int | slice) -> "Mapping[str, Any] | Contents":
        """One event, or a part of them."""
        return Contents(self._events[index]) if isinstance(index, slice) else self._events[index].content()


def read(name: str) -> History:
    """The history in the file `name`; "-" is standard input.

    Raises EventsError for a file that cannot be read, that is not JSON, or that holds no event.
    """
    shown = shown_name(name)
    with pieces(name) as text:
        return collect(values(text, shown), shown)


def collect(found: Iterator[Found], shown: str) -> History:
    """The history in what was found in a file. Raises EventsError when there is no event among it."""
    events: dict[str, Event] = {}
    order: list[str] = []
    others: list[Oddity] = []
    unlike: list[Oddity] = []
    goes_on = False
    for value in found:
        if value.more:
            goes_on = True
            continue
        if (what := _fault(value)) is not None:
            others.append(Oddity(value.line, what))
            continue
        goes_on = False  # a page said so, and here is more
        event = _event(value)
        known = events.setdefault(event.id, event)
        order.append(event.id)
        if known is not event and _lasting(known) != _lasting(event):
            unlike.append(Oddity(event.line, f"{event.id} differs from the one in line {known.line}"))
    if not events:
        raise EventsError(f"{shown} holds no event{_instead(others)}; {_WANTED}")
    return History(name=shown, events=events, order=order, others=others, unlike=unlike, goes_on=goes_on)


def _fault(found: Found) -> str | None:
    """Why what was found is no event; None when it is one."""
    value = found.value
    if not found.is_json:
        return f"text: {_shortened(value)}"
    if not isinstance(value, dict):
        return _KINDS.get(type(value), "null")
    kind = value.get("object")
    if kind is not None and kind not in EVENT_KINDS:
        return f"an object of kind {_shortened(str(kind))}"
    if not isinstance(value.get("id"), str) or not value["id"]:
        return "an event without id" if kind else "an object without id and kind"
    if kind is None and not isinstance(value.get("type"), str):
        return "an object without kind and type"
    return None


def _event(found: Found) -> Event:
    value = found.value
    livemode = value.get("livemode")
    return Event(
        id=value["id"],
        type=str(value.get("type", "")),
        body=json.dumps(value, separators=(",", ":")).encode(),
        created=_moment(value.get("created")),
        livemode=livemode if isinstance(livemode, bool) else None,
        line=found.line,
    )


def _moment(created: object) -> int | None:
    """Unix seconds of `created`: a number in snapshot events, ISO 8601 in thin ones."""
    try:
        if isinstance(created, (int, float)):
            return int(created)
        return int(datetime.fromisoformat(created).timestamp()) if isinstance(created, str) else None
    except (ValueError, OverflowError):
        return None


def _lasting(event: Event) -> Mapping[str, Any]:
    """What two copies of one event have in common."""
    return {key: value for key, value in event.content().items() if key not in _PASSING}


def _instead(others: Sequence[Oddity]) -> str:
    if not others:
        return ""
    return f", but {len(others)} of something else (line {others[0].line}: {others[0].what})"


def _shortened(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
