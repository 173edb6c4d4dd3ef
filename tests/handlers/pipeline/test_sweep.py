"""sweep against a real table: what is due is nudged, time takes effect, unclaimed facts are asked about."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.handlers import story
from tests.handlers.faults import FaultyClient, canceled, refused
from tests.handlers.loopback import Answer, Asked, serving
from tests.handlers.pipeline_world import World
from tests.handlers.story import DAY, MONTH, START

TEN_MINUTES = 600


def sweep(world: World, left_ms: float = 30_000) -> dict[str, int]:
    return world.sweep.run(lambda: left_ms)


def alerts(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(line["result"], line["subject"]) for line in printed if line.get("action") == "alert"]


def test_an_empty_table_is_swept_in_peace(world: World) -> None:
    assert sweep(world) == {"nudged": 0, "members": 0, "asked": 0, "left": 0}


def test_what_is_due_is_nudged_again(world: World) -> None:
    failed = story.invoice("payment_failed", at=START + 50, id_="in_2")
    world.deliver(story.subscription(), story.session(), failed)
    world.messages("kit"), world.messages("slack")
    assert sweep(world)["nudged"] == 2
    assert world.messages("kit") == [{"member": "user_ada"}]
    assert world.messages("slack") == [{"member": "user_ada", "notice": "payment_failed:in_2"}]


def test_what_is_not_due_yet_is_left_alone(world: World) -> None:
    world.clock.now += 100
    world.deliver(story.subscription(), story.session())
    world.messages("kit")
    world.clock.now -= 1
    assert sweep(world)["nudged"] == 0


def test_a_queue_that_is_down_is_tried_a_minute_later(world: World) -> None:
    world.deliver(story.subscription(), story.session())
    world.messages("kit")
    real = world.sqs
    world.sqs = FaultyClient(real, send_message_batch=lambda _: refused("ServiceUnavailable"))
    assert sweep(world)["left"] == 1
    world.sqs = real
    assert sweep(world)["left"] == 0
    assert world.messages("kit") == [{"member": "user_ada"}]


def renewal_fails(world: World) -> int:
    """A renewal fails and everybody was told; when the grace period ends."""
    failed = START + MONTH
    world.clock.now = failed + 60
    world.deliver(story.subscription(), story.session(), story.invoice("payment_failed", at=failed, id_="in_2"))
    world.deliver(story.subscription("updated", at=failed, latest_invoice="in_2", period_end=START + 2 * MONTH))
    return failed + 7 * DAY


def test_the_end_of_a_grace_period_is_recorded_and_carried_without_any_event(world: World) -> None:
    end = renewal_fails(world)
    before = world.member()
    assert before is not None
    world.clock.now = end + 30
    assert sweep(world)["members"] == 1
    after = world.member()
    assert after is not None
    assert (after["state"], after["version"]) == ("past_due", before["version"] + 1)
    assert after["transitions"][-1] == {
        "at": end,
        "from": "grace_period",
        "to": "past_due",
        "reason": "grace_period_over",
        "event": None,
    }
    delivery = world.item("MEMBER#user_ada", "DELIVERY#kit")
    assert delivery is not None
    assert delivery["desired_version"] == after["version"]
    assert sweep(world)["members"] == 0
    assert world.member() == after


def test_a_cancellation_takes_effect_at_the_periods_end(world: World) -> None:
    told = story.subscription(
        "updated", at=START + 9, status="active", cancel_at_period_end=True, canceled_at=START + 9
    )
    world.deliver(story.subscription(), story.session(), told)
    world.clock.now = START + MONTH
    assert sweep(world)["members"] == 1
    member = world.member()
    assert member is not None
    assert [change["to"] for change in member["transitions"]] == ["active", "canceled"]


def test_a_member_who_was_written_meanwhile_is_not_overwritten(world: World) -> None:
    end = renewal_fails(world)
    world.clock.now = end
    world.dynamodb = FaultyClient(world.dynamodb, transact_write_items=lambda _: canceled("TransactionConflict"))
    assert sweep(world) == {"nudged": 2, "members": 0, "asked": 0, "left": 1}


class Stripe:
    """What Stripe knows; it counts what it was asked."""

    def __init__(self, **objects: Any) -> None:
        self.objects = objects
        self.paths: list[str] = []
        self.down = False

    def __call__(self, asked: Asked) -> Answer:
        url = urlsplit(asked.path)
        self.paths.append(url.path)
        if self.down:
            return Answer.of({}, 503)
        if url.path == "/v1/invoice_payments":
            (payment,) = parse_qs(url.query)["payment[payment_intent]"]
            links = [link for link in self.objects.values() if link.get("payment", {}).get("payment_intent") == payment]
            return Answer.of({"object": "list", "data": links, "has_more": False})
        found = self.objects.get(url.path.rpartition("/")[2])
        error = {"error": {"code": "resource_missing", "message": "No such object"}}
        return Answer.of(found) if found else Answer.of(error, 404)


def told(event: story.Event) -> dict[str, Any]:
    return event["data"]["object"]


def test_before_ten_minutes_nobody_is_asked(world: World) -> None:
    world.deliver(story.refund())
    world.clock.now += TEN_MINUTES - 1
    assert sweep(world)["asked"] == 0


def test_a_refund_that_nobody_claims_is_linked_by_asking(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.deliver(story.subscription(), story.invoice("paid"), story.refund(at=START + 50))
    member = world.member()
    assert member is not None
    assert member["state"] == "active"
    world.clock.now += TEN_MINUTES
    with serving(Stripe(inpay=told(story.invoice_payment()))) as server:
        world.stripe_url = server.url
        assert sweep(world)["asked"] == 1
        assert world.messages("slack") == [{"member": "user_ada", "notice": "refund:pi_3First0001:2900"}]
        assert sweep(world)["asked"] == 0
    after = world.member()
    assert after is not None
    assert after["state"] == "refunded"
    assert alerts(capsys) == []


def test_what_stripe_cannot_tell_either_goes_to_a_person_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.deliver(story.refund(), story.refund(payment="ch_old"))
    world.clock.now += TEN_MINUTES
    stripe = Stripe()
    with serving(stripe) as server:
        world.stripe_url = server.url
        assert sweep(world)["asked"] == 2
        world.clock.now += DAY
        assert sweep(world)["asked"] == 0
    assert stripe.paths == ["/v1/invoice_payments"]
    assert sorted(alerts(capsys)) == [("unclaimed_payment", "ch_old"), ("unclaimed_payment", "pi_3First0001")]


def test_facts_that_were_given_up_are_still_moved_by_a_late_link(world: World) -> None:
    world.deliver(story.subscription(), story.invoice("paid"), story.refund(at=START + 50))
    world.clock.now += TEN_MINUTES
    with serving(Stripe()) as server:
        world.stripe_url = server.url
        sweep(world)
    world.deliver(story.invoice_payment())
    member = world.member()
    assert member is not None
    assert member["state"] == "refunded"


def test_a_subscription_that_only_its_invoice_names_is_asked_for(world: World) -> None:
    world.deliver(story.invoice("paid"))
    world.clock.now += TEN_MINUTES
    with serving(Stripe(sub_1Member0001=told(story.subscription()))) as server:
        world.stripe_url = server.url
        assert sweep(world)["asked"] == 1
    member = world.member()
    assert member is not None
    assert member["state"] == "active"


def test_an_answer_is_older_than_what_happens_afterwards(world: World) -> None:
    world.deliver(story.invoice("paid"))
    world.clock.now += TEN_MINUTES
    with serving(Stripe(sub_1Member0001=told(story.subscription()))) as server:
        world.stripe_url = server.url
        sweep(world)
    at = int(world.clock()) + 1
    world.deliver(story.subscription("updated", at=at, latest_invoice="in_2"))
    member = world.member()
    assert member is not None
    assert member["state"] == "grace_period"


def test_an_invoice_that_only_its_payment_names_is_asked_for(world: World) -> None:
    world.deliver(story.subscription(), story.invoice_payment(), story.refund(at=START + 50))
    world.clock.now += TEN_MINUTES
    with serving(Stripe(in_1First0001=told(story.invoice("paid")))) as server:
        world.stripe_url = server.url
        assert sweep(world)["asked"] == 1
    member = world.member()
    assert member is not None
    assert member["state"] == "refunded"


def test_a_payer_whom_nobody_named_goes_to_a_person(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    event = story.subscription(user=None)
    world.deliver(event)
    world.clock.now += TEN_MINUTES
    with serving(Stripe(sub_1Member0001=told(event))) as server:
        world.stripe_url = server.url
        assert sweep(world)["asked"] == 1
        world.clock.now += DAY
        assert sweep(world)["asked"] == 0
    assert alerts(capsys) == [("unclaimed_subscription", "sub_1Member0001")]


def test_while_stripe_is_down_the_question_stays_due(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.deliver(story.subscription(), story.invoice("paid"), story.refund(at=START + 50))
    world.clock.now += TEN_MINUTES
    stripe = Stripe(inpay=told(story.invoice_payment()))
    stripe.down = True
    with serving(stripe) as server:
        world.stripe_url = server.url
        assert sweep(world) == {"nudged": 1, "members": 0, "asked": 0, "left": 1}
        stripe.down = False
        assert sweep(world)["asked"] == 1
    member = world.member()
    assert member is not None
    assert member["state"] == "refunded"
    assert alerts(capsys) == []


def test_an_answer_that_cannot_be_read_is_no_help(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.deliver(story.invoice("paid"))
    world.clock.now += TEN_MINUTES
    with serving(Stripe(sub_1Member0001={"object": "subscription", "status": 5})) as server:
        world.stripe_url = server.url
        assert sweep(world)["asked"] == 1
    assert alerts(capsys) == [("unclaimed_subscription", "sub_1Member0001")]


def test_without_enough_time_left_nothing_is_begun(world: World) -> None:
    world.deliver(story.refund())
    world.clock.now += TEN_MINUTES
    assert sweep(world, left_ms=7_000) == {"nudged": 0, "members": 0, "asked": 0, "left": 1}
