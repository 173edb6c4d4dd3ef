"""Thin events: they name the object that something happened to, and say nothing of it.

https://docs.stripe.com/event-destinations#thin-events
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from handlers.core.errors import EventError
from handlers.core.stripe_objects import text

OBJECT = "v2.core.event"  # what every thin event says that it is

# What may be asked for: a path at Stripe's own API, without a query, a dot or an empty part.
_PATH = re.compile(r"/v[12](/[A-Za-z0-9_]+)+")


class Thin(NamedTuple):
    """What a thin event says."""

    id: str
    type: str
    created: int  # Unix seconds
    livemode: bool
    path: str | None  # of the object at Stripe's API; None where the event is about none


def is_thin(event: Mapping[str, Any]) -> bool:
    """Whether `event` has to be read as a thin event."""
    return event.get("object") == OBJECT


def read(event: Mapping[str, Any]) -> Thin:
    """What `event` says. EventError names the field that is missing or wrong."""
    livemode = event.get("livemode")
    if not isinstance(livemode, bool):
        raise EventError(f"thin event: livemode must be true or false, got {type(livemode).__name__}")
    if event.get("context") is not None:
        raise EventError("thin event: context is set, so it is of a connected account and not of ours")
    return Thin(
        id=text(event, "id"),
        type=text(event, "type"),
        created=_unix(event.get("created")),
        livemode=livemode,
        path=_path(event.get("related_object")),
    )


def _unix(created: object) -> int:
    """ISO 8601, in UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(created if isinstance(created, str) else "")
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise EventError(f"thin event: created must be an ISO 8601 time, got {type(created).__name__}") from None


def _path(related: object) -> str | None:
    if not isinstance(related, Mapping):
        return None
    path = text(related, "url")
    if not _PATH.fullmatch(path):
        raise EventError("thin event: related_object.url must be a path such as /v1/customers/cus_…")
    return path
