"""Genuine bodies, however changed, through apply and a real table: each ends in the ledger, and the rest go on."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.core import envelope
from handlers.core.envelope import Reference
from tests.handlers import story
from tests.handlers.fuzz.bodies import SECRETS, encoded, raw_bodies
from tests.handlers.pipeline_world import World

EXAMPLES = settings().max_examples
NIGHT = pytest.mark.timeout(1800)

_OURS = re.compile(rb'"((?:evt|sub|cus|in|pi|ch|re|inpay|cs_live|dp|du|user)_[A-Za-z0-9_]+)"')


def of_its_own(raw: bytes, number: int) -> bytes:
    """`raw` about nobody that another example knows."""
    return _OURS.sub(rb'"\1-%d"' % number, raw)


def message_of(raw: bytes) -> str | None:
    """What the webhook would enqueue; None where apply would have to ask Stripe."""
    message = envelope.encode(raw, envelope.parse(raw))
    try:
        return None if isinstance(envelope.decode(message), Reference) else message
    except envelope.EventError:
        return message


def entry_of(world: World, message: str) -> dict[str, Any] | None:
    """The ledger entry of a message: by its event's id, or where that cannot be read by what it holds."""
    digest = hashlib.sha256(message.encode()).hexdigest()
    entry = world.item(f"EVENT#unreadable-{digest[:32]}", "LEDGER")
    try:
        event = envelope.decode(message)
    except envelope.EventError:
        return entry
    assert not isinstance(event, Reference)
    return entry or world.item(f"EVENT#{event['id']}", "LEDGER")


@NIGHT
def test_every_genuine_body_ends_in_the_ledger_and_holds_up_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: Counter[str] = Counter()
    numbers: Iterator[int] = iter(range(10**9))

    @settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(st.lists(raw_bodies, min_size=1, max_size=3))
    def check(bodies: list[bytes]) -> None:
        number = next(numbers)
        untouched = encoded(story.subscription(user=f"user_{number}", id_=f"sub_{number}"))
        messages = [message_of(of_its_own(raw, number)) for raw in bodies]
        taken = [message for message in messages if message is not None]
        assert world.deliver(*taken, untouched.decode()) == []
        for message in taken:
            entry = entry_of(world, message)
            assert entry is not None
            seen[entry["outcome"]] += 1
            assert (entry["outcome"] == "applied") is (entry.get("reason") is None)
        member = world.member(f"user_{number}")
        assert member is not None
        assert member["state"] == "active"
        assert world.members.answer({"pathParameters": {"user_id": f"user_ada-{number}"}})["statusCode"] in {200, 404}
        printed = capsys.readouterr().out
        assert "has a mistake" not in printed
        assert not any(secret in printed for secret in SECRETS)

    check()
    print(f"apply: {seen.total()} bodies: {dict(seen)}")
    assert seen["applied"]
    assert seen["parked"]


@pytest.mark.parametrize("account", ["acct_1Other", 5])
def test_an_event_of_a_connected_account_is_parked(world: World, account: object) -> None:
    told = {**story.subscription(), "account": account}
    assert world.deliver(told) == []
    entry = entry_of(world, json.dumps(told))
    assert entry is not None
    assert entry["outcome"] == "parked"
    assert "account" in entry["reason"]
    assert world.member() is None


@pytest.mark.parametrize("version", ["2020-08-27", "2019-05-16", "2031-01-01.unheard_of"])
def test_another_api_version_is_read_by_what_the_event_holds(world: World, version: str) -> None:
    assert world.deliver({**story.subscription(), "api_version": version}) == []
    member = world.member()
    assert member is not None
    assert member["access"]


@pytest.mark.parametrize("status", ["unheard_of", "ACTIVE", "true"])
def test_a_status_that_nobody_knows_opens_nothing_and_is_in_the_ledger(world: World, status: str) -> None:
    told = story.subscription(status=status)
    assert world.deliver(told) == []
    entry = world.item(f"EVENT#{told['id']}", "LEDGER")
    assert entry is not None
    member = world.member()
    assert member is None or member["access"] is False


def test_no_depth_falls_between_what_can_be_read_and_what_can_be_kept(world: World) -> None:
    told = story.subscription()
    outcomes = Counter()
    for depth in range(860, 1010, 2):
        body = {**told, "id": f"evt_{depth}", "note": f"deep:{depth}"}
        message = encoded(body).decode()
        assert world.deliver(message) == [], depth
        entry = entry_of(world, message)
        assert entry is not None
        outcomes[entry["outcome"]] += 1
    assert set(outcomes) == {"applied", "parked"}


def test_what_is_no_event_is_parked_with_all_that_it_says(world: World) -> None:
    for body in (b"", b"\xff\xfe{}", b"[" * 10_000, json.dumps(["evt_1"]).encode()):
        message = message_of(body)
        assert message is not None
        assert world.deliver(message) == []
        entry = entry_of(world, message)
        assert entry is not None
        assert (entry["outcome"], entry["type"]) == ("parked", "unreadable")
