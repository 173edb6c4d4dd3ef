"""Every object that the twin shows is one that Stripe's own description declares."""

import copy
from typing import Any

import pytest
import stripe

from rehearsal.twins.stripe import DishonestEventError
from rehearsal.twins.stripe.declared import faults

KINDS = {
    "account",
    "charge",
    "checkout.session",
    "customer",
    "event",
    "invoice",
    "invoice_payment",
    "item",
    "line_item",
    "list",
    "payment_intent",
    "payment_method",
    "plan",
    "price",
    "product",
    "refund",
    "subscription",
    "subscription_item",
    "test_helpers.test_clock",
    "webhook_endpoint",
}
DOCUMENTED = {
    "charge.failed",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.created",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.updated",
    "invoice.voided",
    "invoice_payment.paid",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "price.created",
    "price.updated",
    "product.created",
    "product.updated",
    "refund.created",
    "test_helpers.test_clock.created",
    "test_helpers.test_clock.deleted",
    "test_helpers.test_clock.ready",
}


def kinds_in(value: Any) -> set[str]:
    """The kinds of all objects in a document, however deep."""
    if isinstance(value, list):
        return {kind for inner in value for kind in kinds_in(inner)}
    if not isinstance(value, dict):
        return set()
    own = {value["object"]} if isinstance(value.get("object"), str) else set()
    return own.union(*(kinds_in(inner) for inner in value.values()))


def everything(shop: Any, browser: Any) -> None:
    """Each flow once."""
    sdk, clock = shop.sdk, shop.clock()
    monthly = shop.price(lookup_key="membership")
    sdk.prices.update(monthly.id, {"nickname": "Monthly"})
    sdk.products.update(monthly.product, {"description": "All of it"})
    session = shop.session(monthly, customer=shop.customer(test_clock=clock.id).id)
    browser.post(session.url, data={"outcome": "declined"})
    browser.post(session.url)
    sdk.checkout.sessions.retrieve(session.id, {"expand": ["line_items", "subscription.latest_invoice.payments"]})
    sdk.checkout.sessions.expire(shop.session(monthly).id)
    once = shop.session(shop.price(500, None), "payment", customer_creation="always", customer_email="b@example.com")
    browser.post(once.url)
    trial = shop.subscribed(clock, monthly, trial_period_days=10)
    broken = shop.customer("pm_card_chargeCustomerFail", test_clock=clock.id)
    sdk.subscriptions.create({"customer": broken.id, "items": [{"price": monthly.id}]})
    shop.at(clock, 12)
    shop.use_card(trial.customer, "pm_card_chargeCustomerFail")
    shop.at(clock, 70)
    paid = sdk.checkout.sessions.retrieve(session.id)
    intent = shop.intent_of(paid.invoice)
    sdk.refunds.create({"payment_intent": intent, "amount": 1})
    sdk.refunds.create({"payment_intent": intent})
    sdk.charges.list({"payment_intent": intent, "expand": ["data.refunds", "data.customer"]})
    sdk.subscriptions.update(paid.subscription, {"cancel_at_period_end": True})
    sdk.payment_methods.detach(sdk.payment_methods.list({"customer": paid.customer}).data[0].id)
    hook = {"url": "https://x.example/", "enabled_events": ["*"]}
    sdk.webhook_endpoints.create(hook)
    sdk.webhook_endpoints.list()
    sdk.accounts.retrieve_current()
    sdk.events.list({"limit": 100})
    sdk.customers.delete(broken.id)
    sdk.test_helpers.test_clocks.delete(clock.id)


def test_every_object_of_every_flow_is_as_the_sdk_declares(shop: Any, browser: Any, recording: Any) -> None:
    everything(shop, browser)
    events = shop.twin.events()
    documents = [*recording.documents, *events]
    assert [fault for document in documents for fault in faults(document)] == []
    assert kinds_in(documents) == KINDS
    assert {event["type"] for event in events} == DOCUMENTED


@pytest.fixture
def subscription(shop: Any, recording: Any) -> dict[str, Any]:
    shop.subscribed(shop.clock())
    return copy.deepcopy(recording.documents[-1])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda sub: sub.update(current_period_end=1),
            "current_period_end: Subscription declares no such",
        ),
        (lambda sub: sub.pop("items"), "subscription.items: missing"),
        (lambda sub: sub.update(created="today"), "subscription.created: str, expected int"),
        (lambda sub: sub.update(livemode=1), "subscription.livemode: int, expected bool"),
        (lambda sub: sub.update(object="subscribtion"), "no such kind of object"),
        (lambda sub: sub["items"]["data"][0].pop("current_period_end"), "data[0].current_period_end: missing"),
        (lambda sub: sub["items"]["data"][0]["price"].update(unit_amount_decimal="much"), "unit_amount_decimal"),
        (lambda sub: sub["items"].update(total=1), "subscription.items.total: ListObject declares no such field"),
        (lambda sub: sub["automatic_tax"].update(on=True), "subscription.automatic_tax.on: AutomaticTax declares no"),
        (lambda sub: sub["metadata"].update(level=3), "subscription.metadata[level]: int, expected str"),
        (lambda sub: sub.update(customer=None), "subscription.customer"),
        (lambda sub: sub.update(customer={"object": "price"}), "a Price, expected Customer"),
    ],
)
def test_a_dishonest_object_is_caught(subscription: dict[str, Any], change: Any, complaint: str) -> None:
    assert faults(subscription) == []
    change(subscription)
    assert any(complaint in fault for fault in faults(subscription)), faults(subscription)


def test_a_deleted_object_may_show_only_that(sdk: Any, shop: Any) -> None:
    gone = sdk.customers.delete(shop.customer(None).id)
    assert faults({"id": gone.id, "object": "customer", "deleted": True}) == []
    assert faults({"id": gone.id, "object": "customer", "deleted": True, "reason": "?"}) != []


def test_previous_attributes_are_held_against_the_class_too(twin: Any, sdk: Any, recording: Any, shop: Any) -> None:
    shop.customer(None)
    customer = recording.documents[-1]
    honest = twin.make_event("customer.updated", customer, previous={"name": None})
    assert faults(honest) == []
    assert "previous_attributes.nome" in faults(twin.make_event("customer.updated", customer, previous={"nome": 1}))[0]


def test_an_event_that_stripe_could_not_send_is_not_sent(twin: Any, recording: Any, shop: Any) -> None:
    shop.customer(None)
    customer = {**recording.documents[-1], "plan": "gold"}
    made_up = twin.make_event("customer.upgraded", customer)
    with pytest.raises(DishonestEventError, match=r"Customer declares no such field.*"):
        twin.emit_raw(made_up)
    assert made_up["id"] not in [event["id"] for event in twin.events()]


@pytest.mark.parametrize("broken", [{}, {"data": {}}, {"data": {"object": None}}, {"object": "evnt"}])
def test_an_event_without_content_is_not_sent(twin: Any, recording: Any, shop: Any, broken: dict[str, Any]) -> None:
    shop.customer(None)
    whole = twin.make_event("customer.updated", recording.documents[-1])
    with pytest.raises(DishonestEventError):
        twin.emit_raw({**{name: value for name, value in whole.items() if name != "data"}, **broken})


def test_an_event_of_another_api_version_is_not_sent(twin: Any, recording: Any, shop: Any) -> None:
    shop.customer(None)
    old = {**twin.make_event("customer.updated", recording.documents[-1]), "api_version": "2022-11-15"}
    with pytest.raises(DishonestEventError, match=f"2022-11-15.*{stripe.api_version}"):
        twin.emit_raw(old)
