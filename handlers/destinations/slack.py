"""Slack: notices in one channel. https://docs.slack.dev/reference/methods/chat.postMessage"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from handlers.adapters import http
from handlers.adapters.logs import redact
from handlers.core.desired import Notice
from handlers.core.errors import VendorError
from handlers.ports import Recovery

# Slack answers most errors with HTTP 200 and a code. These pass by themselves; every other code needs a person.
_TRANSIENT = frozenset(
    {
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
_MAYBE_POSTED = frozenset({"fatal_error", "internal_error"})  # "some aspect of the operation" may have succeeded

_ADVICE = {
    "account_inactive": "the bot's account is disabled: install the app again and set slackBotToken",
    "channel_not_found": "set destinations.slack.channel to the id of a channel that the bot can see",
    "invalid_auth": "set slackBotToken to the app's bot token (xoxb-…)",
    "is_archived": "the channel is archived: set destinations.slack.channel to another",
    "missing_scope": "give the app the scope chat:write and install it again",
    "not_in_channel": "invite the bot to the channel",
    "token_revoked": "install the app again and set slackBotToken",
}

CLAIM = "claim"  # the detail of a notice that holds a link
_LINK = re.compile(r"https?://[^\s<>|@]{1,2000}")


class Slack:
    """Posts each notice to one channel. Options: {"channel": "C…"}. The ids of a delivery are {"channel", "ts"}."""

    name = "slack"
    recovery = Recovery.AT_MOST_ONCE  # chat.postMessage has no idempotency key

    def __init__(
        self, *, secret: str, options: Mapping[str, Any], base_url: str, request: http.Request = http.request
    ) -> None:
        channel = options.get("channel")
        if not isinstance(channel, str) or not re.fullmatch(r"[CGD][A-Z0-9]{2,20}", channel):
            raise ValueError(f'slack options: "channel" must be a channel id such as "C0123456789", got {channel!r}')
        self._secret = secret
        self._channel = channel
        self._base_url = base_url
        self._request = request

    def send(self, notice: Notice) -> Mapping[str, str]:
        """Post once. Raises VendorError, with `unknown` where the message may have been posted all the same."""
        action = f"slack: post {notice.kind}"
        answer = self._request(
            "POST",
            f"{self._base_url}/chat.postMessage",
            headers={"Authorization": f"Bearer {self._secret}", "Content-Type": "application/json; charset=utf-8"},
            body=json.dumps(message(notice, self._channel)).encode(),
        )
        if answer.status != 200:
            raise http.failure(answer, action)
        result = _result(answer, action)
        if result["ok"]:
            return {"channel": str(result.get("channel", self._channel)), "ts": str(result.get("ts", ""))}
        raise _refusal(result, answer, action)


def message(notice: Notice, channel: str) -> dict[str, Any]:
    """What chat.postMessage is asked to show: the notice's text, with nothing unfurled."""
    return {"channel": channel, "text": text(notice), "unfurl_links": False, "unfurl_media": False}


def text(notice: Notice) -> str:
    """A notice in Slack's mrkdwn: what, who, when, then one line a detail; never an e-mail, key or card number."""
    when = datetime.fromtimestamp(notice.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [f"*{_plain(notice.kind.replace('_', ' ').capitalize())}*", f"member: {_plain(notice.member_id)} · {when}"]
    lines += [
        f"{_plain(name.replace('_', ' '))}: {_shown(name, value)}" for name, value in sorted(notice.details.items())
    ]
    return "\n".join(lines)


def _shown(name: str, value: str) -> str:
    """A detail. A claim link goes out whole: operations are to hand it on, and its token is for the payer."""
    return _escaped(value) if name == CLAIM and _LINK.fullmatch(value) else _plain(value)


def _plain(value: str) -> str:
    """`value` redacted, on one line, at most 200 characters, escaped."""
    return _escaped(" ".join(redact(value).split())[:200])


def _escaped(short: str) -> str:
    """With Slack's three control characters escaped: https://docs.slack.dev/messaging/formatting-message-text."""
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _result(answer: http.Response, action: str) -> dict[str, Any]:
    try:
        result = answer.json()
    except ValueError:
        result = None
    if not isinstance(result, dict) or not isinstance(result.get("ok"), bool):
        raise http.malformed(answer, action)
    return result


def _refusal(result: Mapping[str, Any], answer: http.Response, action: str) -> VendorError:
    code = str(result.get("error", ""))
    if not re.fullmatch(r"[a-z0-9_]{1,60}", code):
        code = "unnamed_error"
    advice = _ADVICE.get(code)
    transient = code in _TRANSIENT
    return VendorError(
        f"{action}: {code}" + (f" ({advice})" if advice else ""),
        permanent=not transient,
        retry_after=http.retry_after(answer.headers) if transient else None,
        unknown=code in _MAYBE_POSTED,
    )
