"""What a journey can do at Stripe leaves there what a member's history is made of."""

import time
from typing import Any

import pytest
import stripe

from rehearsal.journeys.model import Person
from rehearsal.journeys.world import DAY, Visit, World

ADA = Person("u_ada", "ada@customer.example", "Ada")


@pytest.fixture
def world(twin: Any, shop: Any, recording: Any, browser: Any) -> World:
    """A World of which only Stripe is there."""
    unused: Any = None
    return World(
        stripe=stripe.StripeClient(twin.api_key, base_addresses={"api": twin.url}, http_client=recording),
        twin=twin,
        browser=browser,
        prices={"reader": shop.price(interval="week").id, "writer": shop.price(interval="week").id},
        price_names={"reader": "reader_weekly", "writer": "writer_weekly"},
        user_id_key="user_id", event_types=frozenset(), sign_reference=unused, table=unused,
        operations=unused,
        kit=unused, slack=unused, members=unused, lags=unused, webhook=unused, kit_tags={}, policy={},
        traces=unused, drained=unused,
    )  # fmt: skip


@pytest.fixture
def visit(world: World) -> Visit:
    return world.arrives(ADA, days_ago=30)


def told(world: World, kind: str) -> Any:
    """The newest event of one type: what it is about."""
    return world.twin.events(kind)[-1]["data"]["object"]


def test_what_is_bought_once_names_its_user_and_its_price(world: World, visit: Visit) -> None:
    session = world.buys_once(visit, "writer")
    named = {"user_id": "u_ada", "price_id": "writer_weekly"}
    assert told(world, "checkout.session.completed")["metadata"] == named
    assert told(world, "payment_intent.succeeded")["metadata"] == named
    assert told(world, "payment_intent.succeeded")["id"] == world.payment_of(session)
    world.buys_in_app(visit)
    assert told(world, "payment_intent.succeeded")["metadata"] == {**named, "price_id": "reader_weekly"}
    assert not world.twin.events("invoice.paid")
    world.buys_once(visit, invoiced=True)
    assert told(world, "invoice.paid")["parent"] is None


def test_a_debit_arrives_or_does_not(world: World, visit: Visit) -> None:
    for settle, kind in ((world.payment_arrives, "succeeded"), (world.payment_fails, "failed")):
        session = world.pays_later(visit)
        assert told(world, "checkout.session.completed")["payment_status"] == "unpaid"
        settle(session)
        assert told(world, f"checkout.session.async_payment_{kind}")["id"] == session


def test_a_purchase_without_user_names_nobody(world: World) -> None:
    customer = world.buys_without_user(ADA, reference="u_someone")
    session = told(world, "checkout.session.completed")
    assert (session["customer"], session["metadata"], session["client_reference_id"]) == (customer, {}, "u_someone")
    assert told(world, "customer.subscription.created")["metadata"] == {}
    world.buys_without_user(ADA)
    assert told(world, "checkout.session.completed")["client_reference_id"] is None


def test_payments_are_refunded_in_part_and_disputed(world: World, visit: Visit) -> None:
    intent = world.payment_intent(world.subscribes(visit))
    world.refund_fails(world.refunds_part(intent, 500))
    assert told(world, "refund.failed")["amount"] == 500
    world.dispute_ends(world.disputes(intent, inquiry=True), won=False)
    assert told(world, "charge.dispute.closed")["status"] == "warning_closed"
    for won in (True, False):
        world.dispute_ends(world.disputes(intent), won=won)
        assert told(world, "charge.dispute.closed")["status"] == ("won" if won else "lost")


@pytest.mark.parametrize(("then", "status"), [("pause", "paused"), ("cancel", "canceled")])
def test_a_trial_without_a_card_ends_as_asked(world: World, visit: Visit, then: str, status: str) -> None:
    subscription = world.starts_trial(visit, with_card=False, then=then)
    world.time_passes(visit, days_ago=22)
    assert world.stripe.v1.subscriptions.retrieve(subscription).status == status
    assert len(world.twin.events("customer.subscription.trial_will_end")) == 1
    if then == "pause":
        world.card(visit, "pm_card_visa")
        world.resumes(subscription)
        assert told(world, "customer.subscription.resumed")["status"] == "active"


def test_a_trial_with_a_card_goes_on(world: World, visit: Visit) -> None:
    subscription = world.starts_trial(visit, "writer")
    world.time_passes(visit, days_ago=22)
    assert world.stripe.v1.subscriptions.retrieve(subscription).status == "active"


def test_subscriptions_and_their_collection_pause_and_go_on(world: World, visit: Visit) -> None:
    subscription = world.subscribes(visit)
    world.pauses_collection(subscription, resumes_days_ago=20)
    assert told(world, "customer.subscription.updated")["pause_collection"]["resumes_at"] < time.time() - 19 * DAY
    world.resumes_collection(subscription)
    assert told(world, "customer.subscription.updated")["pause_collection"] is None
    world.pauses(subscription)
    world.resumes(subscription)
    assert told(world, "customer.subscription.resumed")["id"] == subscription


def test_a_renewal_is_paid_once_the_customer_says_yes(world: World, visit: Visit) -> None:
    subscription = world.subscribes(visit)
    world.card(visit, "pm_card_authenticationRequired")
    world.time_passes(visit, days_ago=22)
    assert told(world, "invoice.payment_action_required")["status"] == "open"
    world.authenticates(subscription)
    assert world.stripe.v1.subscriptions.retrieve(subscription).status == "active"


def test_a_customer_is_written_on_and_deleted(world: World, visit: Visit) -> None:
    subscription = world.subscribes(visit)
    world.writes_metadata_on_customer(visit, {"user_id": "u_bea"})
    assert told(world, "customer.updated")["metadata"] == {"user_id": "u_bea"}
    world.deletes_customer(visit)
    assert told(world, "customer.subscription.deleted")["id"] == subscription
    assert told(world, "customer.deleted")["id"] == visit.customer
