"""Events that Stripe has and the ledger has not: whatever Stripe says of their delivery."""

import pytest

from handlers.core.reconciling import YOUNG_SECONDS
from handlers.settings import STRIPE_EVENTS
from tests.handlers.reconcile.conftest import DAY, HOUR, Shop


def test_an_endpoint_that_was_disabled_for_a_day_loses_nothing(shop: Shop) -> None:
    shop.subscription()
    happened = {event["id"] for event in shop.twin.events() if event["type"] in STRIPE_EVENTS}
    shop.later(DAY)
    outcome = shop.reconcile()
    assert {found.id for found in shop.found} == happened
    assert (outcome.missing, outcome.complete) == (len(happened), True)
    assert sorted(shop.take()) == sorted(happened)
    assert shop.state() == "active"


def test_a_second_run_changes_nothing(shop: Shop) -> None:
    shop.subscription()
    shop.reconcile()
    shop.take()
    before = shop.rows()
    shop.later(6 * HOUR)
    assert shop.reconcile().missing == 0
    assert shop.take() == []
    assert shop.rows() == before


def test_a_refund_that_was_acknowledged_and_lost_is_found_though_stripe_thinks_it_arrived(shop: Shop) -> None:
    subscription = shop.subscription()
    shop.sdk.refunds.create({"payment_intent": shop.payment_of(subscription)})
    shop.deliver("refund.created", "refund.updated", "charge.refunded")
    assert shop.state() == "active"
    assert all(event["pending_webhooks"] == 0 for event in shop.twin.events())
    shop.reconcile()
    assert {found.what for found in shop.found} >= {"refund.created", "charge.refunded"}
    shop.take()
    assert shop.state() == "refunded"


def test_the_lost_refund_of_a_one_time_payment_is_found(shop: Shop) -> None:
    session = shop.sdk.checkout.sessions.retrieve(shop.purchase())
    shop.sdk.refunds.create({"payment_intent": session.payment_intent})
    shop.world.stripe_url = shop.twin.url
    shop.deliver("refund.created", "refund.updated", "charge.refunded")
    assert shop.state() == "active"
    shop.reconcile()
    shop.take()
    assert shop.state() == "refunded"


def test_what_may_be_on_its_way_is_left_to_arrive(shop: Shop) -> None:
    shop.subscription()
    shop.later(-HOUR + YOUNG_SECONDS - 60)
    assert shop.reconcile().missing == 0
    shop.later(120)
    assert shop.reconcile().missing > 0


@pytest.mark.parametrize("skew", [-5 * 60, 5 * 60])
def test_a_clock_that_is_off_finds_the_same(shop: Shop, skew: int) -> None:
    shop.subscription()
    shop.later(skew)
    shop.reconcile()
    shop.take()
    assert shop.state() == "active"
    shop.later(-2 * skew)
    assert shop.reconcile().missing == 0


def test_a_dry_run_says_the_same_and_writes_nothing(shop: Shop) -> None:
    shop.subscription()
    rows = shop.rows()
    outcome = shop.reconcile(heal=False)
    dry = list(shop.found)
    assert (shop.rows(), shop.take(), shop.table.cursor().version) == (rows, [], 0)
    assert shop.reconcile().counts == outcome.counts
    assert shop.found == dry


def test_an_event_too_long_for_the_queue_goes_as_a_reference_and_is_fetched(shop: Shop) -> None:
    shop.subscription()
    shop.deliver()
    (made,) = shop.twin.events("customer.subscription.created")
    changed = {**made["data"]["object"], "cancel_at_period_end": True, "description": "x" * 1_100_000}
    shop.twin.remember(shop.twin.make_event("customer.subscription.updated", changed, created=made["created"] + 1))
    assert shop.reconcile().missing == 1
    body = shop.world.connect("sqs").receive_message(QueueUrl=shop.queue_url)["Messages"][0]["Body"]
    assert '"launch_ready_reference"' in body
    assert shop.world.deliver(body) == []
    member = shop.world.member()
    assert member is not None
    assert member["reason"] == "cancels_at_period_end"


def test_only_events_since_a_moment_are_looked_at(shop: Shop) -> None:
    shop.subscription()
    shop.reconcile(heal=False, since=int(shop.world.clock()))
    assert shop.kinds() == {"subscriptions"}
    shop.reconcile(heal=False, since=int(shop.world.clock()) - 2 * HOUR)
    assert shop.kinds() == {"event"}
