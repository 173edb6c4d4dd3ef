"""Kit, the mailing list: subscribers and their tags. API v4, https://developers.kit.com/api-reference."""

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rehearsal.twins.vendor import Call, Reply, RollingLimit, Vendor, json_reply

CALLS_PER_MINUTE = 120  # of one API key, over rolling 60 seconds; OAuth has 600
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DEFAULT_PAGE, _LARGEST_PAGE = 500, 1000
_STATES = ("active", "cancelled", "bounced", "complained", "inactive")


@dataclass
class Subscriber:
    """One subscriber; `tags` keep the time at which each was given."""

    id: int
    email: str
    first_name: str | None
    state: str
    created_at: str
    tags: dict[int, str] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """Kit's form of it."""
        return {
            "id": self.id,
            "first_name": self.first_name,
            "email_address": self.email,
            "state": self.state,
            "created_at": self.created_at,
            "fields": {},
        }


class KitTwin(Vendor):
    """An account with the tags `tag_ids` and the API key `api_key`, without subscribers.

    `clock` gives the seconds that the call limit goes by.
    """

    def __init__(
        self,
        api_key: str,
        tag_ids: Iterable[int],
        *,
        port: int = 0,
        calls_per_minute: int = CALLS_PER_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("kit", "/v4", port=port)
        self._key = api_key
        self._tag_ids = frozenset(tag_ids)
        self._limit = RollingLimit(calls_per_minute, 60.0, clock)
        self._subscribers: dict[int, Subscriber] = {}

    def tags_of(self, email: str) -> frozenset[int]:
        """The ids of the tags that the subscriber with this address carries; empty for a stranger."""
        with self._lock:
            found = self._by_email(email)
            return frozenset(found.tags) if found else frozenset()

    def subscriber(self, email: str) -> dict[str, Any] | None:
        """Kit's form of the subscriber with this address, or None."""
        with self._lock:
            found = self._by_email(email)
            return found.shown() if found else None

    def subscribe(self, email: str, *tag_ids: int) -> int:
        """A subscriber who is there before anything happens; the id."""
        with self._lock:
            subscriber = self._by_email(email) or self._added(email, None, "active")
            subscriber.tags.update(dict.fromkeys(tag_ids, _now()))
            return subscriber.id

    def answer(self, call: Call) -> Reply:
        """See Vendor."""
        if self._limit.take() is not None:
            return Reply(status=429, body=b"Retry later\n", headers={"content-type": "text/plain; charset=utf-8"})
        if call.headers.get("x-kit-api-key") != self._key:
            return _errors(401, "The access token is invalid")
        for method, pattern, serve in self._routes():
            match = re.fullmatch(pattern, call.path)
            if match and method == call.method:
                return serve(call, *(int(part) for part in match.groups()))
        return _errors(404, "Not Found")

    def _routes(self) -> tuple[tuple[str, str, Callable[..., Reply]], ...]:
        return (
            ("POST", r"/v4/subscribers", self._upsert),
            ("GET", r"/v4/subscribers", self._list_subscribers),
            ("GET", r"/v4/subscribers/(\d{1,18})", self._get_subscriber),
            ("GET", r"/v4/subscribers/(\d{1,18})/tags", self._list_tags),
            ("POST", r"/v4/tags/(\d{1,18})/subscribers/(\d{1,18})", self._tag),
            ("DELETE", r"/v4/tags/(\d{1,18})/subscribers/(\d{1,18})", self._untag),
        )

    def _upsert(self, call: Call) -> Reply:
        """By e-mail address; an existing subscriber's first name is updated, the state never."""
        try:
            asked = json.loads(call.body)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            return _errors(422, "The request body is not a JSON object")
        email, name, state = asked.get("email_address"), asked.get("first_name"), asked.get("state") or "active"
        if not isinstance(email, str) or not _EMAIL.fullmatch(email):
            return _errors(422, "Email address is invalid")
        if state not in _STATES:
            return _errors(422, "State is invalid")
        found = self._by_email(email)
        if found is None:
            return json_reply(201, {"subscriber": self._added(email, name, state).shown()})
        found.first_name = found.first_name if name is None else name
        return json_reply(200, {"subscriber": found.shown()})

    def _list_subscribers(self, call: Call) -> Reply:
        """Active ones only, unless `status` asks for others."""
        status, email = call.query.get("status", "active"), call.query.get("email_address")
        found = [
            subscriber
            for subscriber in self._subscribers.values()
            if status in ("all", subscriber.state) and (email is None or subscriber.email == email.lower())
        ]
        return _page("subscribers", [(subscriber.id, subscriber.shown()) for subscriber in found], call)

    def _get_subscriber(self, call: Call, id_: int) -> Reply:  # noqa: ARG002 - every route takes the call
        found = self._subscribers.get(id_)
        return json_reply(200, {"subscriber": found.shown()}) if found else _errors(404, "Not Found")

    def _list_tags(self, call: Call, id_: int) -> Reply:
        found = self._subscribers.get(id_)
        if found is None:
            return _errors(404, "Not Found")
        tags = [(tag, {"id": tag, "name": f"Tag {tag}", "tagged_at": at}) for tag, at in sorted(found.tags.items())]
        return _page("tags", tags, call)

    def _tag(self, call: Call, tag: int, id_: int) -> Reply:  # noqa: ARG002
        found = self._subscribers.get(id_)
        if found is None or tag not in self._tag_ids:
            return _errors(404, "Not Found")
        status = 200 if tag in found.tags else 201
        found.tags.setdefault(tag, _now())
        return json_reply(status, {"subscriber": {**found.shown(), "tagged_at": found.tags[tag]}})

    def _untag(self, call: Call, tag: int, id_: int) -> Reply:  # noqa: ARG002
        found = self._subscribers.get(id_)
        if found is None or tag not in found.tags:
            return _errors(404, "Not Found")
        del found.tags[tag]
        return Reply(status=204)

    def _by_email(self, email: str) -> Subscriber | None:
        return next((known for known in self._subscribers.values() if known.email == email.lower()), None)

    def _added(self, email: str, first_name: str | None, state: str) -> Subscriber:
        id_ = 1 + max(self._subscribers, default=1_000_000)
        self._subscribers[id_] = Subscriber(id_, email.lower(), first_name, state, _now())
        return self._subscribers[id_]


def _page(name: str, items: list[tuple[int, dict[str, Any]]], call: Call) -> Reply:
    """One page of `items`, which are in the order of their ids; cursors are opaque to the client."""
    size, after = call.query.get("per_page", str(_DEFAULT_PAGE)), call.query.get("after", "0")
    if not size.isdecimal() or not 1 <= int(size) <= _LARGEST_PAGE or not after.isdecimal():
        return _errors(422, f"per_page is 1 to {_LARGEST_PAGE}, after is a cursor")
    rest = [item for item in items if item[0] > int(after)]
    shown = rest[: int(size)]
    pagination = {
        "has_previous_page": int(after) > 0,
        "has_next_page": len(rest) > len(shown),
        "start_cursor": str(shown[0][0]) if shown else None,
        "end_cursor": str(shown[-1][0]) if shown else None,
        "per_page": int(size),
    }
    return json_reply(200, {name: [item for _, item in shown], "pagination": pagination})


def _errors(status: int, *messages: str) -> Reply:
    return json_reply(status, {"errors": list(messages)})


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
