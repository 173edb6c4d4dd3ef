"""What a journey can do at Stripe leaves there what a member's history is made of."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from rehearsal.journeys.model import Person
from rehearsal.journeys.world import DAY, Visit, Webhook, World

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


class Waits:
    """Stands for the clock, the table and the members: everything asked for is handled, and remembered."""

    def __init__(self) -> None:
        self.run: list[str] = []
        self.asked: set[str] = set()

    def run_scheduled(self, purpose: str) -> None:
        self.run.append(purpose)

    def handled(self, events: set[str]) -> set[str]:
        self.asked |= events
        return set(events)

    def get(self, user_id: str) -> None:
        """Nobody."""


@pytest.fixture
def heard(world: World, hook: Any, receiver: Any) -> Callable[[], list[str]]:
    """What reached the webhook since it was last asked."""
    nobody: Any = None
    world.webhook = Webhook(url=hook.url, secret=hook.secret, client=nobody)

    def hear() -> list[str]:
        assert world.twin.wait_idle(10)
        told = receiver.types()
        receiver.received.clear()
        return told

    return hear


@pytest.mark.parametrize("acknowledged", [True, False])
def test_what_is_missed_reaches_nobody_whatever_stripe_believes(
    world: World, heard: Callable[[], list[str]], sdk: Any, acknowledged: bool
) -> None:
    with world.misses(acknowledged=acknowledged):
        sdk.customers.create({})
    sdk.products.create({"name": "n"})
    assert heard() == ["product.created"]
    lost = [event.type for event in sdk.events.list({"delivery_success": False}).data]
    assert lost == ([] if acknowledged else ["customer.created"])


def test_a_disabled_endpoint_is_told_of_nothing_also_once_it_is_enabled(
    world: World, heard: Callable[[], list[str]], sdk: Any
) -> None:
    with world.endpoint_disabled():
        sdk.customers.create({})
    sdk.products.create({"name": "n"})
    assert heard() == ["product.created"]


def test_what_was_lost_is_waited_for_once_reconcile_can_have_told_it(
    world: World, heard: Callable[[], list[str]]
) -> None:
    here: Any = Waits()
    world.operations = world.table = world.members = here
    world.event_types = frozenset({"customer.created"})
    with world.misses():
        visits = [world.arrives(ADA, days_ago=days) for days in (1, 0)]
    old, _young = (world.event(visit, "customer.created")["id"] for visit in visits)
    world.settle(ADA, "while nothing tells")
    assert (heard(), here.asked) == ([], set())
    world.reconciles()
    world.settle(ADA, "once it was time")
    assert (here.run, here.asked) == (["reconcile"], {old})
