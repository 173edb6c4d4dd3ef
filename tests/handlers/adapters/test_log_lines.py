"""A line that needs no redaction is written without it: that must never be one that did."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.adapters import logs
from handlers.adapters.logs import log

# Whole secrets, put together at run time: a scanner of repositories must not take them for real ones.
WHOLE = [
    f"{a}{b}" for a, b in zip(("sk_", "rk_", "whsec_", "xoxb-", "xapp-", "Bearer ", "Basic "), "abcdefg", strict=True)
]
WHOLE += ["kit_" + "a" * 12, "AKIA" + "A" * 16, "ASIA" + "A" * 16, "a@b", "a%40b", "4222222222222", "\u0664" * 13]
PARTS = st.sampled_from(
    [*WHOLE, "ada", "@", "%40", ".com", '"', "\\", "é", "\n", "_", "/", " ", "-", "A", "4242", "kit_"]
)
TEXTS = st.lists(PARTS, max_size=8).map("".join)
VALUES = TEXTS | st.integers(-(10**20), 10**20) | st.booleans() | st.none() | st.floats()


@settings(max_examples=500)
@given(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=3))
@example("4242 4242", {"x": 4242424242424242, "y": "-"})
def test_the_short_way_writes_what_the_long_way_would(message, fields):
    fields = {name: value for name, value in fields.items() if name not in {"level", "message"}}
    short = printed(message, fields)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "_is_harmless", lambda line: False)
        assert short == printed(message, fields)


def printed(message: str, fields: dict[str, object]) -> str:
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr(logs, "_print", lines.append)
        log("info", message, **fields)
    (line,) = lines
    json.loads(line)
    return line


def test_an_ordinary_line_goes_the_short_way(monkeypatch):
    monkeypatch.setattr(logs, "redact", lambda text: pytest.fail("redacted"))
    known = {"event_id": "evt_1PqR5tLkdIwHu7ix", "event_type": "invoice.paid", "customer": "cus_9s6XKzkNRiz8i3"}
    printed("took an event", {**known, "action": "enqueue", "result": "queued", "attempt": 2, "done": True})
