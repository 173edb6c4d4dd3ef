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
    "dispute",
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
    "v2.core.event",
    "webhook_endpoint",
}
DOCUMENTED = {
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.failed",
    "charge.pending",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.created",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.created",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.updated",
    "invoice.voided",
    "invoice_payment.paid",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "price.created",
    "price.updated",
    "product.created",
    "product.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
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
    happens_later(shop, browser)
    pauses(shop, monthly)
    sdk.payment_methods.detach(sdk.payment_methods.list({"customer": paid.customer}).data[0].id)
    hook = {"url": "https://x.example/", "enabled_events": ["*"]}
    sdk.webhook_endpoints.create(hook)
    sdk.webhook_endpoints.list()
    sdk.accounts.retrieve_current()
    sdk.events.list({"limit": 100})
    sdk.customers.delete(broken.id)
    sdk.test_helpers.test_clocks.delete(clock.id)


def happens_later(shop: Any, browser: Any) -> None:
    """What banks do after a payment: debits, refunds, disputes."""
    sdk, twin, once = shop.sdk, shop.twin, shop.price(500, None)
    for paid in (True, False):
        debit = {"payment_method_types": ["card", "sepa_debit"], "invoice_creation": {"enabled": True}}
        session = shop.session(once, "payment", customer_email="b@example.com", **debit)
        browser.post(session.url, data={"outcome": "processing"})
        twin.settle_payment(session.id, paid=paid)
        expand = ["invoice.payments", "payment_intent.latest_charge", "payment_intent.payment_method"]
        sdk.checkout.sessions.retrieve(session.id, {"expand": expand})
    bought = {"amount": 500, "currency": "eur", "confirm": True}
    for card in ("pm_card_pendingRefund", "pm_card_refundFail"):
        intent = sdk.payment_intents.create({**bought, "payment_method": card})
        twin.settle_refund(sdk.refunds.create({"payment_intent": intent.id}).id)
    sdk.payment_intents.create({**bought, "payment_method": "pm_card_createDispute"})
    (dispute,) = sdk.disputes.list({"expand": ["data.charge"]}).data
    sdk.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})


def pauses(shop: Any, monthly: Any) -> None:
    """A trial that pauses and is resumed, collection that pauses, a renewal that needs a yes."""
    sdk, twin, clock = shop.sdk, shop.twin, shop.clock()
    trial = shop.subscribed(clock, monthly, trial_period_days=2)
    sdk.subscriptions.pause(trial.id)
    sdk.subscriptions.resume(trial.id, {"payment_behavior": "resume_on_payment_success"})
    unpaid = shop.subscribed(clock, monthly)
    sdk.subscriptions.update(unpaid.id, {"pause_collection": {"behavior": "mark_uncollectible"}})
    asked = shop.subscribed(clock, monthly)
    shop.use_card(asked.customer, "pm_card_authenticationRequired")
    shop.at(clock, 33)
    intent = shop.intent_of(sdk.subscriptions.retrieve(asked.id).latest_invoice)
    sdk.payment_intents.retrieve(intent)
    twin.authenticate(intent)


def thinly_told(shop: Any, recording: Any) -> None:
    """The last invoice that was paid, as a thin event, fetched by its id."""
    twin = shop.twin
    (attempt,) = twin.post_thin(twin.events("invoice.paid")[-1]["id"])
    client = stripe.StripeClient(twin.api_key, base_addresses={"api": twin.url}, http_client=recording)
    client.v2.core.events.retrieve(attempt.event_id)


def test_every_object_of_every_flow_is_as_the_sdk_declares(shop: Any, browser: Any, recording: Any) -> None:
    everything(shop, browser)
    thinly_told(shop, recording)
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
