import json
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest

from handlers.adapters import http
from tests.handlers.loopback import Answer, Asked, Loopback, serving

EMAIL = "ada.lovelace@example.com"


@dataclass
class KitAccount:
    """Kit as its API reference documents it: https://developers.kit.com/api-reference."""

    key: str = "kit_" + "0123456789abcdef"
    tag_ids: set[int] = field(default_factory=lambda: {11, 12, 13, 99})
    subscribers: dict[int, str] = field(default_factory=dict)
    tagged: dict[int, list[int]] = field(default_factory=dict)
    page_size: int = 2  # smaller than what is asked for, so that there are pages

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("x-kit-api-key") != self.key:
            return Answer.of({"errors": ["The access token is invalid"]}, 401)
        url = urlsplit(asked.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        routes: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
            ("POST", r"/v4/subscribers", lambda: self.upsert(asked.json()["email_address"])),
            ("GET", r"/v4/subscribers", lambda: self.find(query)),
            ("GET", r"/v4/subscribers/(\d+)/tags", lambda id_: self.list_tags(int(id_), query)),
            ("POST", r"/v4/tags/(\d+)/subscribers/(\d+)", lambda tag, id_: self.tag(int(tag), int(id_))),
            ("DELETE", r"/v4/tags/(\d+)/subscribers/(\d+)", lambda tag, id_: self.untag(int(tag), int(id_))),
        )
        for method, pattern, serve in routes:
            if method == asked.method and (match := re.fullmatch(pattern, url.path)):
                return serve(*match.groups())
        return Answer.of({"errors": ["Not Found"]}, 404)

    def add(self, email: str, *tags: int) -> int:
        """A subscriber who is there already."""
        id_ = 1000 + len(self.tagged)
        self.subscribers[id_], self.tagged[id_] = email.lower(), list(tags)
        return id_

    def upsert(self, email: str) -> Answer:
        if "@" not in email:
            return Answer.of({"errors": [f"Email address {email} is invalid"]}, 422)
        for id_, known in self.subscribers.items():
            if known == email.lower():
                return Answer.of({"subscriber": self.shown(id_)}, 200)
        return Answer.of({"subscriber": self.shown(self.add(email))}, 201)

    def find(self, query: dict[str, str]) -> Answer:
        assert query["status"] == "all", "without it Kit lists active subscribers only"
        found = [self.shown(id_) for id_, email in self.subscribers.items() if email == query["email_address"].lower()]
        return Answer.of({"subscribers": found, "pagination": {"has_next_page": False, "end_cursor": None}})

    def list_tags(self, id_: int, query: dict[str, str]) -> Answer:
        if id_ not in self.subscribers:
            return Answer.of({"errors": ["Not Found"]}, 404)
        start = int(query.get("after", "0"))
        end = start + min(self.page_size, int(query["per_page"]))
        page = [{"id": tag, "name": f"tag {tag}"} for tag in self.tagged[id_][start:end]]
        more = end < len(self.tagged[id_])
        return Answer.of({"tags": page, "pagination": {"has_next_page": more, "end_cursor": str(end)}})

    def tag(self, tag: int, id_: int) -> Answer:
        if tag not in self.tag_ids or id_ not in self.subscribers:
            return Answer.of({"errors": ["Not Found"]}, 404)
        if tag in self.tagged[id_]:
            return Answer.of({"subscriber": self.shown(id_)}, 200)
        self.tagged[id_].append(tag)
        return Answer.of({"subscriber": self.shown(id_)}, 201)

    def untag(self, tag: int, id_: int) -> Answer:
        if id_ not in self.subscribers or tag not in self.tagged[id_]:
            return Answer.of({"errors": ["Not Found"]}, 404)
        self.tagged[id_].remove(tag)
        return Answer(204, b"")

    def shown(self, id_: int) -> dict[str, object]:
        return {"id": id_, "email_address": self.subscribers[id_], "state": "active", "fields": {}}


@dataclass
class SlackWorkspace:
    """Slack's chat.postMessage: https://docs.slack.dev/reference/methods/chat.postMessage."""

    key: str = "xoxb" + "-1-2-abcdef"
    channel: str = "C0123456789"
    posted: list[dict] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        if (asked.method, asked.path) != ("POST", "/api/chat.postMessage"):
            return Answer(404, b"<html>Not found</html>", {"Content-Type": "text/html"})
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            return Answer.of({"ok": False, "error": "invalid_auth"})
        message = json.loads(asked.body)
        if message["channel"] != self.channel:
            return Answer.of({"ok": False, "error": "channel_not_found"})
        self.posted.append(message)
        return Answer.of({"ok": True, "channel": self.channel, "ts": f"1800000000.{len(self.posted):06d}"})


@pytest.fixture(autouse=True)
def no_connections_left() -> Generator[None]:
    """Each test ends without connections."""
    yield
    http.close()


@pytest.fixture
def kit_account() -> KitAccount:
    return KitAccount()


@pytest.fixture
def kit_server(kit_account: KitAccount) -> Generator[Loopback]:
    with serving(kit_account) as server:
        yield server


@pytest.fixture
def slack_workspace() -> SlackWorkspace:
    return SlackWorkspace()


@pytest.fixture
def slack_server(slack_workspace: SlackWorkspace) -> Generator[Loopback]:
    with serving(slack_workspace) as server:
        yield server
