import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.errors import EventsError
from rehearsal.replay.history import Contents, History, read

RECORDED = Path(__file__).resolve().parents[2] / "events"


def event(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"evt_{number}", "object": "event", "type": "invoice.paid", "created": 1000 + number,
            "livemode": True, "data": {"object": {"id": "in_1"}}, **more}  # fmt: skip


@pytest.fixture
def history(tmp_path):
    """What is read from a file of this content."""

    def make(*found: object, text: str | None = None) -> History:
        path = tmp_path / "events.jsonl"
        path.write_text("\n".join(map(json.dumps, found)) if text is None else text, encoding="utf-8")
        return read(str(path))

    return make


def test_the_recorded_events_are_read_as_they_are(history):
    texts = {path.name: path.read_text() for path in RECORDED.iterdir()}
    told = history(text="\n".join(texts.values()))
    assert len(told.order) == len(texts)
    ids = {json.loads(text)["id"] for text in texts.values()}
    assert set(told.events) == ids
    assert not told.others
    assert all(each.content() in map(json.loads, texts.values()) for each in told.events.values())


def test_repeated_ids_are_kept_in_the_order_and_told_once(history):
    told = history(event(1), event(2), event(1, pending_webhooks=3, request=None))
    assert told.order == ["evt_1", "evt_2", "evt_1"]
    assert list(told.events) == ["evt_1", "evt_2"]
    assert not told.unlike


def test_of_two_events_with_one_id_the_first_counts_and_the_other_is_told(history):
    told = history(event(1), event(2), event(1, type="invoice.voided"))
    assert told.events["evt_1"].type == "invoice.paid"
    assert [(odd.line, odd.what) for odd in told.unlike] == [(3, "evt_1 differs from the one in line 1")]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"id": "cus_1", "object": "customer"}, "an object of kind 'customer'"),
        ({"object": "event", "type": "invoice.paid"}, "an event without id"),
        ({"object": "event", "id": 7}, "an event without id"),
        ({"object": "event", "id": ""}, "an event without id"),
        ({"error": {"code": "x"}}, "an object without id and kind"),
        ({"id": "x"}, "an object without kind and type"),
        ({}, "an object without id and kind"),
        (12, "a number"),
        (True, "true or false"),
        (None, "null"),
        ("evt_1", "a text"),
        ([1], "a list"),
    ],
)
def test_what_is_no_event_is_told_with_its_line(history, other, what):
    told = history(event(1), other, event(2))
    assert [(odd.line, odd.what) for odd in told.others] == [(2, what)]
    assert told.order == ["evt_1", "evt_2"]


def test_events_without_kind_and_thin_ones_are_events(history):
    thin = {"id": "evt_2", "object": "v2.core.event", "type": "v1.x", "created": "1970-01-01T00:20:00.123Z"}
    without = {name: value for name, value in event(1).items() if name != "object"}
    told = history(without, thin, event(3, created=None), event(4, created="never"))
    assert [each.created for each in told.events.values()] == [1001, 1200, None, None]


def test_the_body_is_plain_json_that_every_queue_takes(history):
    told = history(event(1, data={"object": {"name": "Zoë \x00 \ud83d 🎈"}}))
    body = told.events["evt_1"].body
    assert body.isascii()
    assert json.loads(body)["data"]["object"]["name"] == "Zoë \x00 \ud83d 🎈"


def test_a_history_that_goes_on_is_told_unless_the_next_page_is_there(history):
    page = {"object": "list", "data": [event(1)], "has_more": True}
    assert history(page).goes_on
    assert not history(page, {"object": "list", "data": [event(2)], "has_more": False}).goes_on
    assert history({"object": "list", "data": [event(2)], "has_more": False}, page).goes_on


@given(st.lists(st.sampled_from([True, False, None])), st.booleans())
def test_the_mode_is_that_of_most_events(modes, otherwise):
    found = [json.dumps(event(number, livemode=mode)) for number, mode in enumerate(modes)]
    if not found:
        return
    told = _from_stdin("\n".join(found).encode())
    live, test = modes.count(True), modes.count(False)
    assert told.livemode(otherwise=otherwise) == (otherwise if live == test else live > test)


def test_events_that_are_later_than_a_moment_are_counted(history):
    told = history(event(1), event(2), event(3, created=None), event(2))
    assert [told.later_than(moment) for moment in (1000, 1001, 1002)] == [2, 1, 0]
    assert told.newest() == 1002


def test_contents_are_the_events_in_order(history):
    contents = Contents(history(event(1), event(2), event(3)).events.values())
    assert [each["id"] for each in contents] == ["evt_1", "evt_2", "evt_3"]
    assert contents[-1]["id"] == "evt_3"
    assert [each["id"] for each in contents[1:]] == ["evt_2", "evt_3"]


def _from_stdin(content: bytes) -> History:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
        return read("-")


TEXT = json.dumps(event(1), ensure_ascii=False)


@pytest.mark.parametrize(
    "content",
    [TEXT.encode(), TEXT.encode("utf-8-sig"), gzip.compress(TEXT.encode()), gzip.compress(TEXT.encode("utf-8-sig"))],
    ids=["plain", "with a byte order mark", "gzip", "gzip with a byte order mark"],
)
@pytest.mark.parametrize("name", ["events.json", "events.json.gz", "-"])
def test_plain_and_packed_content_is_read_from_files_and_standard_input(tmp_path, content, name):
    if name == "-":
        told = _from_stdin(content)
    else:
        (tmp_path / name).write_bytes(content)
        told = read(str(tmp_path / name))
    assert told.order == ["evt_1"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "holds no event; give Stripe's events as JSON lines"),
        (b"\n \n", "holds no event"),
        (b"id,type\nevt_1,invoice.paid\n", "holds no event, but 2 of something else (line 1: text: 'id,type')"),
        (b'{"object": "list", "data": []}', "holds no event"),
        (b'{"id": "evt_1",\n "type": "\xff"}', "line 2: byte 0xff is not UTF-8 text"),
        (b'{"id": "evt_\xc3', "line 1: byte 0xc3 is not UTF-8 text"),
        (TEXT.encode("utf-16"), "is UTF-16, not UTF-8"),
        (gzip.compress(TEXT.encode() * 100)[:-20], "is not a whole gzip file"),
        (b"\x1f\x8b rather not", "is not a whole gzip file"),
        (b'{"id": "evt_1"', "line 1, column 15"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_what_is_wrong(tmp_path, content, what):
    path = tmp_path / "events"
    path.write_bytes(content)
    with pytest.raises(EventsError) as caught:
        read(str(path))
    assert str(caught.value).startswith(str(path))
    assert what in str(caught.value)


def test_a_byte_that_is_no_text_is_told_with_its_line_in_a_long_file(tmp_path):
    path = tmp_path / "events"
    line = TEXT.encode() + b"\n"
    path.write_bytes(line * 10_000 + b"\xff")
    with pytest.raises(EventsError, match="line 10001: byte 0xff"):
        read(str(path))


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_a_file_that_cannot_be_opened_is_told(tmp_path, name):
    with pytest.raises(EventsError, match="name a file of events with --events"):
        read(str(tmp_path / name))
