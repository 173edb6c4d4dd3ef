"""Slack, the operations channel: chat.postMessage. https://docs.slack.dev/reference/methods/chat.postMessage."""

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from rehearsal.twins.vendor import Call, Reply, RollingLimit, Vendor, json_reply

MESSAGES_PER_MINUTE = 60  # "one message per second per channel", with room for short bursts
_LONGEST_TEXT = 40_000  # characters
_POST = "/api/chat.postMessage"


@dataclass(frozen=True)
class Message:
    """One posted message; `ts` is its id in the channel."""

    channel: str
    ts: str
    text: str


class SlackTwin(Vendor):
    """A workspace with `channels`, whose bot has the token `bot_token`.

    `clock` gives the seconds that the limit of a channel goes by.
    """

    def __init__(
        self,
        bot_token: str,
        channels: Iterable[str],
        *,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("slack", "/api", port=port)
        self._token = bot_token
        self._limits = {channel: RollingLimit(MESSAGES_PER_MINUTE, 60.0, clock) for channel in channels}
        self._messages: list[Message] = []

    def messages(self, channel: str | None = None) -> list[Message]:
        """What was posted, in order; of one channel where it is named."""
        with self._lock:
            return [message for message in self._messages if channel in (None, message.channel)]

    def answer(self, call: Call) -> Reply:
        """See Vendor. Most errors are HTTP 200 with `ok` false."""
        if call.path != _POST:
            return _error("unknown_method")
        if call.method != "POST":
            return _error("invalid_post_type")
        arguments = _arguments(call)
        if arguments is None:
            return _error("invalid_json")
        token = call.headers.get("authorization", "").removeprefix("Bearer ") or arguments.get("token")
        if not token:
            return _error("not_authed")
        if token != self._token:
            return _error("invalid_auth")
        return self._post(arguments)

    def _post(self, arguments: Mapping[str, Any]) -> Reply:
        channel, text = arguments.get("channel"), arguments.get("text")
        if not isinstance(channel, str) or channel not in self._limits:
            return _error("channel_not_found")
        if not isinstance(text, str) or not text:
            return _error("no_text")
        if len(text) > _LONGEST_TEXT:
            return _error("msg_too_long")
        wait = self._limits[channel].take()
        if wait is not None:
            refusal = {"ok": False, "error": "ratelimited"}
            return json_reply(429, refusal, **{"retry-after": str(max(1, math.ceil(wait)))})
        message = Message(channel, f"{int(time.time())}.{len(self._messages) + 1:06d}", text)
        self._messages.append(message)
        shown = {"type": "message", "subtype": "bot_message", "text": text, "ts": message.ts}
        return json_reply(200, {"ok": True, "channel": channel, "ts": message.ts, "message": shown})


def _arguments(call: Call) -> Mapping[str, Any] | None:
    """The arguments of a call, as JSON or as a form; None when they cannot be read."""
    if not call.headers.get("content-type", "").startswith("application/json"):
        return {name: values[-1] for name, values in parse_qs(call.body.decode("latin-1")).items()}
    try:
        arguments = json.loads(call.body)
    except ValueError:
        return None
    return arguments if isinstance(arguments, dict) else None


def _error(code: str) -> Reply:
    return json_reply(200, {"ok": False, "error": code})
