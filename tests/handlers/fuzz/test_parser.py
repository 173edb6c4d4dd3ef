"""Whatever a genuine body holds, it is read or refused with a reason: nothing else may come out of the parser.

The way is that of an event from the webhook to apply: parse, encode, the queue, decode, head, facts, graph.
"""

import copy
import re
from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.adapters.items import Stored, node_item
from handlers.core import envelope, events
from handlers.core.envelope import Reference
from handlers.core.errors import EventError
from handlers.core.reading import Reading
from tests.handlers import story
from tests.handlers.core.memory import Memory
from tests.handlers.fuzz.bodies import (
    READ,
    RECORDED,
    SECRETS,
    WHERE_IT_READS,
    Change,
    Place,
    changed,
    changes,
    encoded,
    raw_bodies,
)

EXAMPLES = settings().max_examples
NIGHT = pytest.mark.timeout(1800)  # the nightly profile takes longer than a test should

KEY_BYTES = 2048  # DynamoDB's limit of a partition key
NO_EVENT = ("the message is", "the message has no event id")
READING = Reading(reference_keys=("k" * 32,), unsigned=True)  # the widest: all that is ever read


class Judged(NamedTuple):
    """What became of a body: read, ignored or parked, and in the last case why."""

    outcome: str
    reason: str = ""


def judge(raw: bytes) -> Judged:
    sent = envelope.parse(raw)
    try:
        received = envelope.decode(envelope.encode(raw, sent))
        event = sent if isinstance(received, Reference) else received  # Stripe answers with what it sent
        assert event is not None
        head = events.head(event)
        assert len(f"EVENT#{head.id}".encode()) <= KEY_BYTES
        if events.facts(event, READING) is None:
            return Judged("ignored")
        memory = Memory(reading=READING).tell([event])
    except EventError as error:
        return Judged("parked", str(error))
    for ref, node in memory.nodes.items():
        item = node_item(ref, Stored(node=node, version=1, first_seen=1, due_at=1))
        assert len(item["pk"]["S"].encode()) <= KEY_BYTES
    return Judged("read")


def judge_shown(raw: bytes) -> Judged:
    """As `judge`, of the object as Stripe's API would show it when a thin event had named it."""
    event = envelope.parse(raw)
    data = event.get("data") if event else None
    shown = data.get("object") if isinstance(data, dict) else None
    try:
        found = events.from_object(shown, story.START, READING) if isinstance(shown, dict) else None
        if found is None:
            return Judged("ignored")
        Memory(reading=READING).take(found)
    except EventError as error:
        return Judged("parked", str(error))
    return Judged("read")


def assert_tells_a_person(reason: str) -> None:
    assert 10 < len(reason) < 300
    assert reason.isprintable()
    assert not any(secret in reason for secret in SECRETS)
    assert "tidewriters" not in reason


@NIGHT
def test_any_body_is_read_ignored_or_parked_with_a_reason_that_names_a_field() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=8 * EXAMPLES)
    @given(raw_bodies)
    def check(raw: bytes) -> None:
        for outcome, reason in (judge(raw), judge_shown(raw)):
            seen[outcome] += 1
            if outcome != "parked":
                continue
            assert_tells_a_person(reason)
            assert reason.startswith(NO_EVENT) or READ.intersection(re.findall(r"[a-z_]+", reason)), reason

    check()
    print(f"parser: {seen.total()} bodies: {dict(seen)}")
    assert set(seen) == {"read", "ignored", "parked"}


@NIGHT
def test_the_reason_names_the_one_field_that_is_wrong() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=8 * EXAMPLES)
    @given(st.sampled_from(WHERE_IT_READS), changes)
    @example((0, ("data", "object", "customer")), Change("too long", lambda _: "x" * 5000))
    def check(target: tuple[int, Place], change: Change) -> None:
        number, place = target
        outcome, reason = judge(encoded(changed(RECORDED[number], place, change)))
        seen[outcome] += 1
        if outcome == "parked" and not reason.startswith(NO_EVENT):
            changed_field = [*[key for key in place if isinstance(key, str)][-2:], "id"]  # an id, or what has it
            fields = READ if place in {("data",), ("data", "object")} else changed_field
            assert any(re.search(rf"\b{field}\b", reason) for field in fields), (place, change.name, reason)

    check()
    print(f"parser: {seen.total()} single changes: {dict(seen)}")
    assert seen["parked"] > seen.total() / 20


@pytest.mark.parametrize("moment", [253_402_300_800, 10**14, -(10**14), 10**40])
def test_a_moment_that_no_calendar_has_is_parked(moment: int) -> None:
    outcome, reason = judge(encoded({**story.recorded("invoice.paid"), "created": moment}))
    assert (outcome, "created" in reason) == ("parked", True)


@pytest.mark.parametrize("id_", ["x" * 256, "evt_\n", "evt_\ud800", "", 7, None, ["evt_1"]])
def test_an_id_that_stripe_could_not_have_given_is_parked(id_: object) -> None:
    outcome, reason = judge(encoded({**story.recorded("invoice.paid"), "id": id_}))
    assert (outcome, bool(re.search(r"\bid\b", reason))) == ("parked", True)


# What a reason might quote, where it is not the only fault of its object.
@pytest.mark.parametrize("id_", [*SECRETS, "x" * 300, "x" * 5000, "in_\n", "in_\ud800", 7, {"id": 7}, "deep:600"])
@pytest.mark.parametrize("type_", sorted(events.EVENT_TYPES))
def test_a_reason_shows_no_value_that_nobody_looked_at(type_: str, id_: object) -> None:
    for gone in ("payment", "payment_intent", "charge", "invoice", "status", "items", "customer"):
        told = next(copy.deepcopy(event) for event in RECORDED if event["type"] == type_)
        told["data"]["object"] |= {"id": id_, gone: None}
        told["data"]["object"] |= {"charge": None} if gone == "payment_intent" else {}
        outcome, reason = judge(encoded(told))
        if outcome == "parked":
            assert_tells_a_person(reason)


@pytest.mark.parametrize("text", ["\U0001d4d0" * length for length in (255, 256, 512)], ids=len)
def test_no_text_of_any_alphabet_makes_a_key_that_the_table_refuses(text: str) -> None:
    for number, place in WHERE_IT_READS:
        judge(encoded(changed(RECORDED[number], place, Change("replaced", lambda _: text))))


@pytest.mark.parametrize("depth", [10, 100, 200])
def test_depth_by_itself_is_no_reason_to_park(depth: int) -> None:
    told = story.recorded("invoice.paid")
    told["data"]["object"]["custom_fields"] = f"deep:{depth}"
    assert judge(encoded(told)) == Judged("read")
