"""Destinations that are off, in shadow, or on for some: nothing goes out that should not, and nothing is forgotten."""

import json

import pytest

from handlers.adapters.store import Change, Tell
from handlers.core.errors import VendorError
from handlers.core.switch import Mode, Switch
from handlers.ports import Recovery
from tests.handlers import story
from tests.handlers.crew import Crew, Vendor, join, leave
from tests.handlers.pipeline_world import World
from tests.handlers.story import DAY, START

OFF, SHADOW, ON = Switch(mode=Mode.OFF), Switch(mode=Mode.SHADOW), Switch()
BO = {"member": "user_bo"}
FAILED = {"member": "user_ada", "notice": "payment_failed:in_2"}


@pytest.fixture
def kit(world: World) -> Crew:
    join(world, "user_bo")
    return Crew(world, Vendor())


@pytest.fixture
def slack(world: World) -> Crew:
    world.deliver(story.subscription(), story.session(), story.invoice("payment_failed", at=START + 50, id_="in_2"))
    return Crew(world, Vendor(name="slack", recovery=Recovery.AT_MOST_ONCE))


def reconcile(crew: Crew, user: str) -> None:
    """What reconcile does with a delivery that is behind: it asks for the desired version again."""
    record = crew.record(user)
    assert record.get("delivered_version", 0) < record["desired_version"]
    told = Tell(destination=crew.vendor.name, member=user, version=record["desired_version"])
    crew.world.store.commit(Change(now=int(crew.world.clock()), tell=(told,)))


def test_a_destination_that_is_off_is_sent_nothing_and_the_record_is_set_aside(kit: Crew) -> None:
    kit.switch = OFF
    kit.sync(BO)
    kit.world.clock.now += DAY
    kit.sync(BO)
    assert kit.vendor.shown == []
    record = kit.record("user_bo")
    assert record["withheld"] == kit.world.clock() - DAY
    assert not record.keys() & {"due_at", "due_shard", "lease", "delivered_version", "shadow", "tried_since", "parked"}
    assert kit.world.sweep.run(lambda: 30_000)["nudged"] == 0


def test_one_that_is_off_needs_no_key(kit: Crew) -> None:
    def no_key() -> Vendor:
        raise ValueError("the secret of destination 'kit' is empty")

    kit.switch = OFF
    kit.loads = no_key
    kit.sync(BO)
    assert "withheld" in kit.record("user_bo")


def test_without_a_key_no_record_is_touched(kit: Crew) -> None:
    def no_key() -> Vendor:
        raise ValueError("the secret of destination 'kit' is empty")

    kit.loads = no_key
    with pytest.raises(ValueError, match="is empty"):
        kit.sync(BO)
    assert not kit.record("user_bo").keys() & {"lease", "tried_since"}


def test_a_shadow_is_computed_kept_and_logged(kit: Crew, capsys: pytest.CaptureFixture[str]) -> None:
    kit.switch = SHADOW
    kit.sync(BO)
    assert kit.vendor.shown == []
    record = kit.record("user_bo")
    assert (record["shadow"], record["withheld_version"]) == (["level:member", "member_active"], 2)
    assert not record.keys() & {"due_at", "due_shard", "lease", "delivered_version"}
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines() if "handled a nudge" in text]
    assert (line["result"], line["shadow"]) == ("withheld", ["level:member", "member_active"])
    assert "@" not in json.dumps(line)


def test_a_shadow_follows_the_member(kit: Crew) -> None:
    kit.switch = SHADOW
    kit.sync(BO)
    leave(kit.world, "user_bo", START + 30)
    kit.sync(BO)
    assert kit.record("user_bo")["shadow"] == ["cancelled"]
    assert kit.vendor.shown == []


def test_what_changes_while_it_is_withheld_is_withheld_as_it_is_now(kit: Crew) -> None:
    changed = iter([lambda: leave(kit.world, "user_bo", START + 30), lambda: None])
    kit.switch = SHADOW
    kit.after_reading = lambda: next(changed)()
    kit.sync(BO)
    record = kit.record("user_bo")
    assert (record["shadow"], record["desired_version"]) == (["cancelled"], 3)
    assert "due_at" not in record


@pytest.mark.parametrize("before", [OFF, SHADOW, Switch(percent=0)])
def test_switched_on_what_was_withheld_is_brought_as_it_is_then(kit: Crew, before: Switch) -> None:
    kit.switch = before
    kit.sync(BO)
    leave(kit.world, "user_bo", START + 30)
    kit.sync(BO)
    kit.switch = ON
    reconcile(kit, "user_bo")
    kit.sync(BO)
    assert [sorted(desired.labels) for desired in kit.vendor.shown] == [["cancelled"]]
    record = kit.record("user_bo")
    assert record["delivered_version"] == record["desired_version"]
    assert not record.keys() & {"withheld", "withheld_version", "shadow", "due_at"}


def test_switched_off_what_was_shown_stays(kit: Crew) -> None:
    kit.sync(BO)
    kit.switch = OFF
    leave(kit.world, "user_bo", START + 30)
    kit.sync(BO)
    record = kit.record("user_bo")
    assert (record["delivered_version"], record["desired_version"]) == (2, 3)
    assert len(kit.vendor.shown) == 1


def test_a_share_of_the_members_is_served_always_the_same(world: World) -> None:
    crew = Crew(world, Vendor(), switch=Switch(percent=40))
    people = [f"user_{number}" for number in range(10)]
    for user in people:
        join(world, user)
    crew.sync(*({"member": user} for user in people))
    served = {desired.member_id for desired in crew.vendor.shown}
    assert served == {user for user in people if crew.switch.of("kit", user) is Mode.ON}
    assert 0 < len(served) < len(people)
    for user in set(people) - served:
        assert crew.record(user)["shadow"] == ["level:member", "member_active"]


@pytest.mark.parametrize("switch", [OFF, SHADOW, Switch(percent=0)])
def test_a_notice_that_was_withheld_is_never_told(slack: Crew, switch: Switch) -> None:
    slack.switch = switch
    slack.sync(FAILED)
    slack.switch = ON
    slack.sync(FAILED)
    assert slack.vendor.told == []
    record = slack.notice()
    assert "withheld" in record
    assert not record.keys() & {"due_at", "calling_at", "told_at", "shadow", "lease"}


def test_a_call_of_unknown_outcome_is_told_of_though_it_is_off_by_now(slack: Crew) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    slack.vendor.meanwhile = die
    with pytest.raises(KeyboardInterrupt):
        slack.sync(FAILED)
    slack.switch = OFF
    slack.world.clock.now += 60
    slack.sync(FAILED)
    assert "parked" in slack.notice()


def test_what_waits_for_a_vendor_that_failed_is_set_aside_too(kit: Crew) -> None:
    kit.vendor.error = VendorError("kit: HTTP 503", permanent=False)
    kit.sync(BO)
    kit.switch = OFF
    kit.world.clock.now += 60
    kit.sync(BO)
    record = kit.record("user_bo")
    assert (len(kit.vendor.shown), record["attempts"]) == (1, 0)
    assert "due_at" not in record
