"""sync against a real table and a vendor's stand-in over HTTP: one try a nudge, and the record is the truth."""

import json

import pytest

from handlers.adapters.deliveries import LEASE_SECONDS
from handlers.core.delivering import BREAKER_FAILURES, BREAKER_SECONDS
from handlers.core.errors import VendorError
from handlers.ports import Recovery
from tests.handlers import story
from tests.handlers.crew import Crew, Vendor, join
from tests.handlers.faults import FaultyClient, refused, times
from tests.handlers.pipeline_world import World
from tests.handlers.story import DAY, START

ADA = "ada@tidewriters.example"


ADAS = {"member": "user_ada"}
FAILED = {"member": "user_ada", "notice": "payment_failed:in_2"}


@pytest.fixture
def kit(world: World) -> Crew:
    """Ada has joined, and Kit was not told yet."""
    world.deliver(story.subscription(), story.session())
    return Crew(world, Vendor())


@pytest.fixture
def slack(world: World) -> Crew:
    """A renewal of Ada's has failed, and operations were not told yet."""
    world.deliver(story.subscription(), story.session(), story.invoice("payment_failed", at=START + 50, id_="in_2"))
    return Crew(world, Vendor(name="slack", recovery=Recovery.AT_MOST_ONCE))


def metrics(capsys: pytest.CaptureFixture[str]) -> list[str]:
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in printed if "_aws" in line]


def test_a_destination_is_brought_to_the_present_state(kit: Crew) -> None:
    kit.sync(ADAS)
    (desired,) = kit.vendor.shown
    assert (desired.member_id, desired.email, desired.version) == ("user_ada", ADA, 2)
    assert desired.labels == {"member_active", "level:member"}
    record = kit.record()
    assert (record["delivered_version"], record["remote"], record["attempts"]) == (2, {"subscriber_id": "7"}, 0)
    assert not record.keys() & {"due_at", "due_shard", "lease", "last_error"}


def test_a_nudge_for_which_nothing_is_due_calls_nobody(kit: Crew) -> None:
    kit.sync(ADAS, ADAS)
    kit.sync(ADAS, {"member": "user_nobody"})
    assert len(kit.vendor.shown) == 1


def test_what_the_vendor_called_it_is_handed_back(kit: Crew) -> None:
    kit.sync(ADAS)
    kit.world.deliver(story.subscription("deleted", at=START + 30))
    kit.sync(ADAS)
    assert kit.vendor.remote == [{}, {"subscriber_id": "7"}]
    assert kit.vendor.shown[1].labels == {"cancelled"}


def test_a_change_that_shows_nowhere_is_not_carried(kit: Crew) -> None:
    kit.sync(ADAS)
    kit.world.deliver(story.invoice("paid"), story.subscription("updated", at=START + 9, status="active"))
    assert "due_at" not in kit.record()


def test_a_state_that_changes_during_the_try_is_carried_at_once(kit: Crew) -> None:
    ended = iter([lambda: kit.world.deliver(story.subscription("deleted", at=START + 30)), lambda: None])
    kit.vendor.meanwhile = lambda: next(ended)()
    kit.sync(ADAS)
    assert [sorted(desired.labels) for desired in kit.vendor.shown] == [
        ["level:member", "member_active"],
        ["cancelled"],
    ]
    record = kit.record()
    assert record["delivered_version"] == record["desired_version"] == 3
    assert "due_at" not in record


def test_a_vendor_that_is_down_is_tried_again_later(kit: Crew) -> None:
    kit.vendor.error = VendorError("kit: HTTP 503", permanent=False)
    kit.sync(ADAS, ADAS)
    assert len(kit.vendor.shown) == 1
    record = kit.record()
    assert (record["attempts"], record["due_at"], record["last_error"]) == (1, kit.world.clock() + 5, "kit: HTTP 503")
    assert "lease" not in record
    kit.world.clock.now += 5
    kit.vendor.error = None
    kit.sync(ADAS)
    assert kit.record()["delivered_version"] == 2


def test_a_new_state_does_not_hurry_a_vendor_that_asked_us_to_wait(kit: Crew) -> None:
    kit.vendor.error = VendorError("kit: HTTP 429", permanent=False, retry_after=600)
    kit.sync(ADAS)
    kit.world.deliver(story.subscription("deleted", at=START + 30))
    kit.sync(ADAS)
    assert len(kit.vendor.shown) == 1
    assert kit.record()["due_at"] == kit.world.clock() + 600


def test_a_refusal_goes_to_one_person_once(kit: Crew, capsys: pytest.CaptureFixture[str]) -> None:
    kit.vendor.error = VendorError("kit: HTTP 401", permanent=True)
    kit.sync(ADAS)
    kit.world.clock.now += DAY
    kit.sync(ADAS)
    record = kit.record()
    assert record["parked"] == kit.world.clock() - DAY
    assert "due_at" not in record
    assert metrics(capsys) == ["SyncParked"]


def test_a_parked_member_is_tried_again_when_the_state_changes(kit: Crew) -> None:
    kit.vendor.error = VendorError("kit: HTTP 401", permanent=True)
    kit.sync(ADAS)
    kit.vendor.error = None
    kit.world.deliver(story.subscription("deleted", at=START + 30))
    kit.sync(ADAS)
    record = kit.record()
    assert record["delivered_version"] == 3
    assert "parked" not in record


def test_a_state_that_changes_while_it_is_refused_stays_due(kit: Crew) -> None:
    kit.vendor.error = VendorError("kit: HTTP 422", permanent=True)
    kit.vendor.meanwhile = lambda: kit.world.deliver(story.subscription("deleted", at=START + 30))
    kit.sync(ADAS)
    record = kit.record()
    assert record["due_at"] == kit.world.clock()
    assert "parked" not in record


def test_tries_have_an_end(kit: Crew, capsys: pytest.CaptureFixture[str]) -> None:
    kit.vendor.error = VendorError("kit: HTTP 500", permanent=False)
    for _ in range(18):
        kit.sync(ADAS)
        kit.world.clock.now += DAY / 6
    assert len(kit.vendor.shown) == 13
    assert kit.record()["last_error"] == "gave up after 13 tries: kit: HTTP 500"
    assert metrics(capsys) == ["SyncParked"]


def test_workers_that_die_during_every_try_come_to_an_end_too(kit: Crew, capsys: pytest.CaptureFixture[str]) -> None:
    def die() -> None:
        raise KeyboardInterrupt  # as a killed process: nothing of ours runs afterwards

    kit.vendor.meanwhile = die
    for _ in range(12):
        with pytest.raises(KeyboardInterrupt):
            kit.sync(ADAS)
        kit.world.clock.now += LEASE_SECONDS
    kit.sync(ADAS)
    assert len(kit.vendor.shown) == 12
    assert kit.record()["last_error"] == "gave up: none of 12 tries came to an end"
    assert metrics(capsys) == ["SyncParked"]


def test_a_lease_keeps_others_away_until_it_runs_out(kit: Crew) -> None:
    others = Crew(kit.world, Vendor())
    kit.vendor.meanwhile = lambda: others.sync(ADAS)
    kit.sync(ADAS)
    assert others.vendor.shown == []

    def die() -> None:
        raise KeyboardInterrupt

    kit.world.deliver(story.subscription("deleted", at=START + 30))
    kit.vendor.meanwhile = die
    with pytest.raises(KeyboardInterrupt):
        kit.sync(ADAS)
    others.sync(ADAS)
    assert others.vendor.shown == []
    kit.world.clock.now += LEASE_SECONDS
    others.sync(ADAS)
    assert len(others.vendor.shown) == 1


def test_a_worker_whose_lease_ran_out_changes_nothing(kit: Crew) -> None:
    others = Crew(kit.world, Vendor())

    def overtaken() -> None:
        kit.world.clock.now += LEASE_SECONDS
        others.sync(ADAS)

    kit.vendor.meanwhile = overtaken
    kit.vendor.error = VendorError("kit: HTTP 401", permanent=True)
    kit.sync(ADAS)
    record = kit.record()
    assert record["delivered_version"] == 2
    assert not record.keys() & {"parked", "last_error", "due_at"}


def test_after_failures_in_a_row_the_vendor_is_left_alone_for_a_while(world: World) -> None:
    crew = Crew(world, Vendor(error=VendorError("kit: HTTP 503", permanent=False)))
    people = [f"user_{n}" for n in range(BREAKER_FAILURES + 1)]
    for user in people:
        join(world, user)
    crew.sync(*({"member": user} for user in people))
    assert len(crew.vendor.shown) == BREAKER_FAILURES
    waiting = crew.record(people[-1])
    assert (waiting["attempts"], waiting["due_at"]) == (0, world.clock() + BREAKER_SECONDS + 5)
    assert "tried_since" not in waiting
    world.clock.now += BREAKER_SECONDS + 5
    crew.vendor.error = None
    crew.sync(*({"member": user} for user in people))
    assert {desired.member_id for desired in crew.vendor.shown[BREAKER_FAILURES:]} == set(people)
    assert world.item("BREAKER#kit", "BREAKER") is None


def test_operations_are_told_once(slack: Crew) -> None:
    slack.sync(FAILED, FAILED)
    (notice,) = slack.vendor.told
    assert (notice.kind, notice.member_id, notice.at) == ("payment_failed", "user_ada", START + 50)
    record = slack.notice()
    assert record["told_at"] == slack.world.clock()
    assert record["remote"] == {"ts": "1.2"}
    assert not record.keys() & {"due_at", "calling_at", "lease"}


def test_a_notice_that_is_too_old_is_not_told(slack: Crew) -> None:
    slack.world.clock.now += 4 * DAY
    slack.sync(FAILED)
    assert slack.vendor.told == []
    record = slack.notice()
    assert record["expired_at"] == slack.world.clock()
    assert "due_at" not in record


def test_a_refusal_of_which_the_outcome_is_known_is_tried_again(slack: Crew) -> None:
    slack.vendor.error = VendorError("slack: ratelimited", permanent=False, retry_after=30)
    slack.sync(FAILED)
    slack.world.clock.now += 30
    slack.vendor.error = None
    slack.sync(FAILED)
    assert len(slack.vendor.told) == 2
    assert "told_at" in slack.notice()


def test_an_unknown_outcome_goes_to_a_person_and_is_not_told_twice(
    slack: Crew, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.vendor.error = VendorError("slack: no answer", permanent=False, unknown=True)
    slack.sync(FAILED)
    slack.world.clock.now += DAY
    slack.sync(FAILED)
    assert len(slack.vendor.told) == 1
    assert "parked" in slack.notice()
    assert metrics(capsys) == ["SyncParked"]


def test_a_crash_between_call_and_record_goes_to_a_person(slack: Crew, capsys: pytest.CaptureFixture[str]) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    slack.vendor.meanwhile = die
    with pytest.raises(KeyboardInterrupt):
        slack.sync(FAILED)
    slack.world.clock.now += LEASE_SECONDS
    slack.sync(FAILED)
    assert len(slack.vendor.told) == 1
    assert slack.notice()["last_error"].startswith("the outcome of a call is unknown")
    assert metrics(capsys) == ["SyncParked"]


def test_a_bad_message_does_not_stop_the_batch(kit: Crew) -> None:
    kit.sync("not json", "[]", '{"member": 5}', ADAS)
    assert len(kit.vendor.shown) == 1


def test_a_store_that_fails_leaves_it_to_the_sweep(kit: Crew) -> None:
    real = kit.world.dynamodb
    kit.world.dynamodb = FaultyClient(real, update_item=times(1, lambda: refused("InternalServerError")))
    kit.sync(ADAS)
    assert kit.vendor.shown == []
    assert "due_at" in kit.record()


def test_a_transaction_on_the_same_record_is_waited_out(kit: Crew) -> None:
    real = kit.world.dynamodb
    kit.world.dynamodb = FaultyClient(real, update_item=times(2, lambda: refused("TransactionConflictException")))
    kit.sync(ADAS)
    assert len(kit.vendor.shown) == 1


def test_without_enough_time_left_the_vendor_is_not_called(kit: Crew) -> None:
    kit.sync(ADAS, left_ms=11_000)
    assert kit.vendor.shown == []
    assert "due_at" in kit.record()


def test_the_logs_hold_no_address(kit: Crew, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    kit.sync(ADAS)
    printed = capsys.readouterr().out
    assert "ada@" not in printed
    (line,) = [json.loads(text) for text in printed.splitlines()]
    assert line == {
        "level": "info",
        "message": "handled a nudge",
        "member": "user_ada",
        "email_hash": line["email_hash"],
        "provider": "kit",
        "action": "sync",
        "attempt": 1,
        "result": "shown",
    }
