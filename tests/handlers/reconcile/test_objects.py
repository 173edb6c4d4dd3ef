"""Beyond what Stripe keeps of events: its objects against what the table says."""

from dataclasses import replace
from typing import Any

import pytest

from handlers.adapters.items import node_key, stored_of
from handlers.adapters.store import Change
from handlers.core import reconciling
from handlers.core.nodes import Kind, Ref
from handlers.operations.forget import _without
from tests.handlers.reconcile.conftest import DAY, Shop

BEYOND = 45 * DAY
YEAR = 365 * DAY


@pytest.fixture(autouse=True)
def _asks_the_twin(shop: Shop) -> None:
    shop.world.stripe_url = shop.twin.url


def heals(shop: Shop, state: str) -> None:
    """A run that finds it ends in `state`, and a second one finds and changes nothing."""
    assert shop.reconcile().missing > 0
    assert "event" not in shop.kinds()
    assert shop.state() == state
    again = shop.rows()
    shop.later(DAY)
    assert shop.reconcile().missing == 0
    assert shop.rows() == again


def test_what_is_known_is_known_whenever_it_was_told(shop: Shop) -> None:
    subscription = shop.subscription()
    shop.purchase()
    payment = shop.payment_of(subscription)
    shop.sdk.refunds.create({"payment_intent": payment, "amount": 100})
    shop.twin.dispute(payment)
    shop.deliver()
    rows = shop.rows()
    shop.later(BEYOND)
    outcome = shop.reconcile()
    assert (outcome.missing, outcome.left_alone, shop.rows()) == (0, 0, rows)
    assert outcome.looked_at >= 6


def test_a_cancellation_that_nobody_told(shop: Shop) -> None:
    subscription = shop.subscription()
    shop.sdk.subscriptions.cancel(subscription.id)
    shop.deliver("customer.subscription.deleted")
    assert shop.state() == "active"
    shop.later(BEYOND)
    heals(shop, "canceled")


def test_a_subscription_of_a_member_that_nobody_told(shop: Shop) -> None:
    shop.subscription()
    shop.later(BEYOND)
    heals(shop, "active")


@pytest.mark.parametrize("amount", [None, 4900])
def test_the_lost_refund_of_a_purchase(shop: Shop, amount: int | None) -> None:
    session = shop.sdk.checkout.sessions.retrieve(shop.purchase())
    shop.sdk.refunds.create({"payment_intent": session.payment_intent} | ({"amount": amount} if amount else {}))
    shop.deliver("refund.created", "refund.updated", "charge.refunded")
    shop.later(BEYOND)
    heals(shop, "refunded")


def test_the_lost_refund_of_a_subscription_s_payment(shop: Shop) -> None:
    subscription = shop.subscription()
    shop.sdk.refunds.create({"payment_intent": shop.payment_of(subscription)})
    shop.deliver("refund.created", "refund.updated", "charge.refunded")
    shop.later(BEYOND)
    heals(shop, "refunded")


def test_a_purchase_that_nobody_told_with_the_price_that_was_sold(shop: Shop) -> None:
    shop.purchase()
    shop.later(BEYOND)
    heals(shop, "active")
    member = shop.world.member()
    assert member is not None
    assert member["levels"] == ["pro"]


def test_a_dispute_that_was_lost_long_after_it_was_opened(shop: Shop) -> None:
    payment = shop.payment_of(shop.subscription())
    dispute = shop.twin.dispute(payment)
    shop.deliver()
    shop.reconcile()
    before = member(shop)
    shop.sdk.disputes.close(dispute)
    shop.later(100 * DAY)
    assert shop.reconcile().missing == 1
    assert member(shop) != before
    assert not [key for key in shop.rows() if key[0].startswith("NOTICE#dispute_closed")]  # nobody knows when
    assert shop.reconcile().missing == 0


def test_a_failed_refund_gives_the_purchase_back(shop: Shop) -> None:
    session = shop.sdk.checkout.sessions.retrieve(shop.purchase())
    refund = shop.sdk.refunds.create({"payment_intent": session.payment_intent})
    shop.deliver()
    assert shop.state() == "refunded"
    shop.twin.settle_refund(refund.id, "failed")
    shop.later(BEYOND)
    heals(shop, "active")


def test_what_nobody_has_to_do_with_is_left_alone(shop: Shop) -> None:
    shop.subscription(user=None)
    shop.purchase(user=None)
    shop.later(BEYOND)
    outcome = shop.reconcile()
    assert (outcome.missing, shop.rows()) == (0, {})
    assert outcome.left_alone >= 2


def test_an_event_that_was_found_missing_is_not_counted_twice_by_its_object(shop: Shop) -> None:
    shop.subscription()
    shop.reconcile()
    assert shop.kinds() == {"event"}


def test_a_snapshot_never_wins_over_an_event_that_is_on_its_way(shop: Shop) -> None:
    subscription = shop.subscription()
    shop.deliver()
    shop.twin._store.get("subscription", subscription.id)["created"] -= DAY  # not a new one
    told = len(shop.twin.events())
    shop.sdk.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    shop.world.clock.now -= 3600 - 5  # the change is seconds old
    shop.reconcile()
    shop.sdk.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    shop.deliver(since=told)
    assert member(shop)["reason"] == "paid"


def test_what_is_old_is_told_to_nobody(shop: Shop) -> None:
    subscription = shop.subscription()
    shop.sdk.refunds.create({"payment_intent": shop.payment_of(subscription)})
    shop.deliver("refund.created", "refund.updated", "charge.refunded")
    shop.world.messages("slack")
    shop.later(BEYOND)
    shop.reconcile()
    assert shop.state() == "refunded"
    assert shop.world.messages("slack") == []
    assert not [key for key in shop.rows() if key[0].startswith("NOTICE#refund")]


def test_an_object_that_cannot_be_read_does_not_hold_up_the_others(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.subscription(user="x" * 300, name="bob")
    shop.subscription()
    shop.later(BEYOND)
    outcome = shop.reconcile()
    assert shop.state() == "active"
    assert outcome.left_alone >= 1
    assert "metadata user_id has 300 characters" in capsys.readouterr().out


def test_a_debit_that_arrived_gives_what_was_bought_to_who_bought_it(shop: Shop) -> None:
    line = {"price": shop.price(None), "quantity": 1}
    session = shop.sdk.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [line],
            "success_url": "https://tidewriters.example",
            "metadata": {"user_id": "user_ada"},
            "payment_method_types": ["sepa_debit"],
        }
    )
    shop.twin.pay(session.id, "processing", email="ada@tidewriters.example")
    shop.deliver()
    assert shop.state() == "pending"
    shop.twin.settle_payment(session.id, paid=True)
    shop.later(BEYOND)
    heals(shop, "active")


def test_who_was_forgotten_is_not_brought_back_by_what_stripe_still_has(shop: Shop) -> None:
    subscription = shop.subscription()
    shop.purchase()
    shop.sdk.subscriptions.cancel(subscription.id)
    shop.deliver()
    forget(shop, "user_ada")
    shop.later(BEYOND)
    assert shop.reconcile().missing == 0
    assert shop.state() is None


def forget(shop: Shop, user: str) -> None:
    """What the command does, to all nodes."""
    nodes = {}
    for item in shop.rows().values():
        if item.get("kind", {}).get("S") in set(Kind) - {Kind.MEMBER}:
            ref, stored = stored_of(item)
            nodes[ref] = replace(stored, node=_without(stored.node), version=stored.version + 1, asked=True)
    shop.world.store.commit(Change(now=int(shop.world.clock()), nodes=nodes))
    member = node_key(Ref(Kind.MEMBER, user))
    shop.world.connect("dynamodb").delete_item(TableName=shop.world.name, Key=member)


def test_the_lists_are_read_from_the_watermark_on(shop: Shop) -> None:
    shop.subscription()
    shop.deliver()
    shop.reconcile()
    first = shop.table.cursor().watermark
    shop.later(BEYOND)
    shop.passes.clear()
    shop.reconcile()
    assert {current.since for current in shop.passes} == {first}
    assert shop.table.cursor().watermark == first + BEYOND if first else False


def test_every_listing_says_what_the_key_needs() -> None:
    assert all(listing.permission and listing.path.startswith("/v1/") for listing in reconciling.LISTINGS)


def member(shop: Shop) -> dict[str, Any]:
    found = shop.world.member()
    assert found is not None
    return found
