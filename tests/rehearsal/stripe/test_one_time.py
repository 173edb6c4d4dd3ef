"""Bought once: with and without a customer, with an invoice, by a debit that takes days, in a mobile app."""

from typing import Any

import pytest
import stripe

from rehearsal.twins.stripe.errors import ApiError

DEBITS = {"payment_method_types": ["card", "sepa_debit"], "customer_email": "ada@example.com"}


@pytest.fixture
def debited(shop: Any, browser: Any) -> Any:
    """A session that was paid by a debit whose outcome nobody knows yet."""
    session = shop.session(shop.price(4900, None), "payment", **DEBITS)
    assert browser.post(session.url, data={"outcome": "processing"}).status_code == 303
    return shop.sdk.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})


def test_a_payment_tells_what_stripe_tells(shop: Any, browser: Any) -> None:
    session = shop.session(shop.price(4900, None), "payment", customer_email="ada@example.com")
    before = len(shop.twin.events())
    browser.post(session.url)
    assert shop.happened(before) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    told = shop.twin.events("checkout.session.completed")[0]["data"]["object"]
    assert (told["payment_status"], told["amount_total"], told["customer"]) == ("paid", 4900, None)
    assert "line_items" not in told


def test_an_invoice_that_was_asked_for_has_no_subscription_and_leads_to_its_payment(shop: Any, browser: Any) -> None:
    price = shop.price(4900, None)
    data = {"metadata": {"user_id": "u1"}, "description": "For life"}
    wanted = {"enabled": True, "invoice_data": data}
    session = shop.session(price, "payment", customer_email="ada@example.com", invoice_creation=wanted)
    browser.post(session.url)
    done = shop.sdk.checkout.sessions.retrieve(session.id, {"expand": ["invoice.payments"]})
    assert (done.invoice.status, done.invoice.parent, done.invoice.billing_reason) == ("paid", None, "manual")
    assert (done.invoice.metadata["user_id"], done.invoice.customer) == ("u1", done.customer)
    (line,) = shop.sdk.invoices.line_items.list(done.invoice.id).data
    assert (line.pricing.price_details.price, line.amount) == (price.id, 4900)
    assert done.invoice.payments.data[0].payment.payment_intent == done.payment_intent
    assert "invoice_payment.paid" in shop.happened()
    assert shop.sdk.invoices.list({"subscription": "sub_none"}).data == []


def test_a_debit_completes_the_session_unpaid(shop: Any, debited: Any) -> None:
    assert (debited.status, debited.payment_status) == ("complete", "unpaid")
    intent = debited.payment_intent
    assert (intent.status, intent.latest_charge.status) == ("processing", "pending")
    assert shop.happened()[-3:] == ["charge.pending", "payment_intent.processing", "checkout.session.completed"]
    with pytest.raises(stripe.InvalidRequestError, match="successful charge"):
        shop.sdk.refunds.create({"payment_intent": intent.id})


@pytest.mark.parametrize(
    ("paid", "ends"),
    [
        (True, ["charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded"]),
        (False, ["charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed"]),
    ],
)
def test_a_debit_arrives_or_comes_back_once(shop: Any, twin: Any, debited: Any, paid: bool, ends: list[str]) -> None:
    twin.settle_payment(debited.id, paid=paid)
    assert shop.happened()[-3:] == ends
    last = twin.events()[-1]
    assert last["data"]["object"]["payment_status"] == ("paid" if paid else "unpaid")
    assert last["request"]["id"] is None
    with pytest.raises(ApiError, match="not on its way"):
        twin.settle_payment(debited.id, paid=True)


def test_a_debit_that_arrived_can_be_refunded_and_not_disputed_as_a_card(shop: Any, twin: Any, debited: Any) -> None:
    twin.settle_payment(debited.id, paid=True)
    with pytest.raises(ApiError, match="no payment by card"):
        twin.dispute(debited.payment_intent.id)
    assert shop.sdk.refunds.create({"payment_intent": debited.payment_intent.id}).amount == 4900


def test_a_session_takes_debits_only_where_it_names_them(shop: Any, twin: Any, browser: Any) -> None:
    session = shop.session(shop.price(4900, None), "payment", customer_email="ada@example.com")
    assert "SEPA" not in browser.get(session.url).text
    assert browser.post(session.url, data={"outcome": "processing"}).status_code == 400
    with pytest.raises(ApiError, match="Nobody has paid"):
        twin.settle_payment(session.id, paid=True)
    assert "SEPA" in browser.get(shop.session(shop.price(1, None), "payment", **DEBITS).url).text


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        ("subscription", {"invoice_creation": {"enabled": True}}),
        ("subscription", {"payment_method_types": ["sepa_debit"]}),
        ("payment", {"payment_method_collection": "always"}),
    ],
)
def test_what_belongs_to_the_other_mode_is_refused(shop: Any, mode: str, more: dict[str, Any]) -> None:
    price = shop.price(interval="month" if mode == "subscription" else None)
    with pytest.raises(stripe.InvalidRequestError, match="You can not pass"):
        shop.session(price, mode, **more)


def test_a_mobile_app_confirms_what_its_server_made(shop: Any) -> None:
    """PaymentSheet: https://docs.stripe.com/payments/accept-a-payment?platform=ios."""
    metadata = {"user_id": "u1", "price_id": "price_life"}
    made = shop.sdk.payment_intents.create(
        {"amount": 4900, "currency": "eur", "automatic_payment_methods": {"enabled": True}, "metadata": metadata}
    )
    assert (made.status, made.automatic_payment_methods.enabled) == ("requires_payment_method", True)
    confirm = {"payment_method": "pm_card_visa", "return_url": "https://www.tidewriters.example/back"}
    assert shop.sdk.payment_intents.confirm(made.id, confirm).status == "succeeded"
    told = shop.twin.events("payment_intent.succeeded")[0]["data"]["object"]
    assert told["metadata"] == metadata


def test_a_payer_who_must_say_yes_is_asked_and_then_has_paid(shop: Any, twin: Any) -> None:
    params = {"amount": 4900, "currency": "eur", "payment_method": "pm_card_authenticationRequired", "confirm": True}
    asked = shop.sdk.payment_intents.create(params)
    assert (asked.status, asked.latest_charge) == ("requires_action", None)
    twin.authenticate(asked.id)
    assert shop.happened()[-3:] == ["payment_intent.requires_action", "charge.succeeded", "payment_intent.succeeded"]
    with pytest.raises(ApiError, match="asks nobody"):
        twin.authenticate(asked.id)


def test_a_payer_who_is_away_cannot_be_asked(shop: Any) -> None:
    params = {"amount": 4900, "currency": "eur", "payment_method": "pm_card_authenticationRequired"}
    with pytest.raises(stripe.CardError) as refused:
        shop.sdk.payment_intents.create({**params, "confirm": True, "off_session": True})
    assert refused.value.code == "authentication_required"
    assert shop.happened()[-1] == "payment_intent.payment_failed"


def test_the_page_takes_any_test_card(shop: Any, browser: Any) -> None:
    price = shop.price(4900, None)
    params = {"customer_email": "ada@example.com"}
    session = shop.session(price, "payment", **params)
    refused = browser.post(session.url, data={"card": "pm_card_chargeCustomerFail"})
    assert (refused.status_code, "declined" in refused.text) == (402, True)
    assert browser.post(session.url, data={"card": "pm_card_authenticationRequired"}).status_code == 303
    assert shop.sdk.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert browser.post(shop.session(price, "payment", **params).url, data={"card": "4242"}).status_code == 400
