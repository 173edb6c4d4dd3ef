"""PaymentIntents, charges, refunds, and the way from a refund back to its invoice."""

from typing import Any

import pytest
import stripe


@pytest.fixture
def paid(shop: Any) -> Any:
    return shop.sdk.payment_intents.create(
        {"amount": 1900, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa", "metadata": {"a": "b"}}
    )


def test_a_confirmed_intent_has_its_charge(shop: Any, paid: Any) -> None:
    charge = shop.sdk.charges.retrieve(paid.latest_charge, {"expand": ["payment_intent"]})
    assert (charge.paid, charge.amount_captured, charge.payment_intent.id) == (True, 1900, paid.id)
    assert charge.metadata["a"] == "b"
    assert charge.payment_method_details.card.last4 == "4242"


def test_a_declined_intent_raises_what_stripe_raises_and_can_be_tried_again(shop: Any) -> None:
    params = {"amount": 1900, "currency": "eur", "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"}
    intent = shop.sdk.payment_intents.create(params)
    with pytest.raises(stripe.CardError, match="insufficient funds") as refused:
        shop.sdk.payment_intents.confirm(intent.id)
    error: Any = refused.value.error
    assert (error.code, error.decline_code, error.payment_intent.id) == (
        "card_declined",
        "insufficient_funds",
        intent.id,
    )
    failed = shop.sdk.payment_intents.retrieve(intent.id)
    assert (failed.status, failed.last_payment_error.charge) == ("requires_payment_method", failed.latest_charge)
    again = shop.sdk.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (again.status, again.last_payment_error) == ("succeeded", None)
    assert [charge.status for charge in shop.sdk.charges.list({"payment_intent": intent.id}).data] == [
        "succeeded",
        "failed",
    ]


def test_an_intent_cannot_be_confirmed_twice_or_without_a_card(shop: Any, paid: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.sdk.payment_intents.confirm(paid.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    bare = shop.sdk.payment_intents.create({"amount": 1, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        shop.sdk.payment_intents.confirm(bare.id)


def test_a_partial_refund_and_then_the_rest(shop: Any, paid: Any) -> None:
    before = len(shop.twin.events())
    shop.sdk.refunds.create({"payment_intent": paid.id, "amount": 500, "reason": "requested_by_customer"})
    part = shop.sdk.charges.retrieve(paid.latest_charge)
    assert (part.amount_refunded, part.refunded) == (500, False)
    rest = shop.sdk.refunds.create({"charge": paid.latest_charge})
    assert (rest.amount, rest.status, rest.payment_intent) == (1400, "succeeded", paid.id)
    whole = shop.sdk.charges.retrieve(paid.latest_charge, {"expand": ["refunds"]})
    assert (whole.amount_refunded, whole.refunded) == (1900, True)
    assert [refund.amount for refund in whole.refunds.data] == [1400, 500]
    assert shop.happened(before) == ["refund.created", "charge.refunded", "refund.created", "charge.refunded"]
    assert shop.twin.events("charge.refunded")[0]["data"]["previous_attributes"] == {"amount_refunded": 0}


def test_refunds_are_refused_beyond_what_was_paid(shop: Any, paid: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        shop.sdk.refunds.create({"payment_intent": paid.id, "amount": 1901})
    shop.sdk.refunds.create({"payment_intent": paid.id})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.sdk.refunds.create({"payment_intent": paid.id})
    assert refused.value.code == "charge_already_refunded"
    with pytest.raises(stripe.InvalidRequestError) as missing:
        shop.sdk.refunds.create({"amount": 5})
    assert missing.value.code == "parameter_missing"


def test_only_the_invoice_payment_leads_from_a_refund_to_its_subscription(shop: Any, recording: Any) -> None:
    made = shop.subscribed(shop.clock())
    refund = shop.sdk.refunds.create({"payment_intent": shop.intent_of(made.latest_invoice)})
    told = shop.twin.events("refund.created")[0]["data"]["object"]
    assert not {"invoice", "subscription"} & told.keys()
    assert told["customer"] is None
    wanted = {"payment": {"type": "payment_intent", "payment_intent": refund.payment_intent}}
    links = shop.sdk.invoice_payments.list(wanted).data
    assert [link.invoice for link in links] == [made.latest_invoice]
    assert shop.sdk.invoice_payments.retrieve(links[0].id).status == "paid"
    other = shop.sdk.payment_intents.create({"amount": 1, "currency": "eur"})
    wanted["payment"]["payment_intent"] = other.id
    assert shop.sdk.invoice_payments.list(wanted).data == []


def test_the_fields_that_older_code_reads_are_gone(shop: Any, recording: Any) -> None:
    made = shop.subscribed(shop.clock())
    assert not {"current_period_start", "current_period_end"} & recording.documents[-1].keys()
    shop.sdk.invoices.retrieve(made.latest_invoice)
    assert not {"subscription", "payment_intent", "charge", "paid", "payments"} & recording.documents[-1].keys()
    intent = shop.sdk.payment_intents.retrieve(shop.intent_of(made.latest_invoice))
    assert "invoice" not in recording.documents[-1]
    shop.sdk.charges.retrieve(intent.latest_charge)
    assert not {"invoice", "refunds"} & recording.documents[-1].keys()


def test_saving_a_card_that_the_issuer_refuses_is_a_card_error(shop: Any) -> None:
    customer = shop.customer(None)
    with pytest.raises(stripe.CardError):
        shop.sdk.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": customer.id})
    assert shop.sdk.customers.payment_methods.list(customer.id).data == []


def test_a_card_of_one_customer_serves_no_other(shop: Any) -> None:
    method = shop.use_card(shop.customer(None).id, "pm_card_visa")
    other = shop.customer(None)
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        shop.sdk.payment_methods.attach(method.id, {"customer": other.id})
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        shop.sdk.customers.update(other.id, {"invoice_settings": {"default_payment_method": method.id}})


def test_a_detached_card_is_no_longer_the_default(shop: Any) -> None:
    customer = shop.customer()
    method = shop.sdk.payment_methods.list({"customer": customer.id}).data[0]
    assert shop.sdk.payment_methods.detach(method.id).customer is None
    assert shop.sdk.customers.retrieve(customer.id).invoice_settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError, match="detachment is impossible"):
        shop.sdk.payment_methods.detach(method.id)


def test_a_detached_card_is_charged_no_more(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    for method in shop.sdk.payment_methods.list({"customer": made.customer}).data:
        shop.sdk.payment_methods.detach(method.id)
    shop.at(clock, 33)
    assert shop.sdk.subscriptions.retrieve(made.id).status == "past_due"
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        shop.sdk.invoices.pay(shop.sdk.subscriptions.retrieve(made.id).latest_invoice)
    other = shop.use_card(shop.customer(None).id, "pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        shop.sdk.invoices.pay(shop.sdk.subscriptions.retrieve(made.id).latest_invoice, {"payment_method": other.id})


def test_a_customer_can_be_made_with_a_card(shop: Any) -> None:
    made = shop.sdk.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    saved = shop.sdk.payment_methods.retrieve(made.invoice_settings.default_payment_method)
    assert saved.customer == made.id
