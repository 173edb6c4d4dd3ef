"""Checkout: sessions, the hosted page, and what a payment leaves behind."""

from typing import Any

import pytest
import stripe

from rehearsal.twins.stripe.errors import ApiError


def test_a_paid_subscription_session_makes_the_subscription_with_its_metadata(shop: Any, browser: Any) -> None:
    session = shop.session(
        shop.price(),
        customer_email="ada@example.com",
        client_reference_id="app-7",
        metadata={"user_id": "u1"},
        subscription_data={"metadata": {"user_id": "u1"}},
    )
    assert (session.status, session.payment_status, session.subscription) == ("open", "unpaid", None)
    answer = browser.post(session.url, data={"outcome": "paid", "name": "Ada"})
    assert answer.status_code == 303
    assert answer.headers["location"] == f"https://www.tidewriters.example/welcome?session={session.id}"
    expand = ["subscription.latest_invoice.payments", "customer", "line_items"]
    done = shop.sdk.checkout.sessions.retrieve(session.id, {"expand": expand})
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert (done.client_reference_id, done.metadata["user_id"]) == ("app-7", "u1")
    assert done.customer_details.email == done.customer.email == "ada@example.com"
    assert done.subscription.status == "active"
    assert done.subscription.metadata["user_id"] == "u1"
    invoice = done.subscription.latest_invoice
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 1900, "subscription_create")
    assert invoice.parent.subscription_details.metadata["user_id"] == "u1"
    assert invoice.payments.data[0].status == "paid"
    assert done.line_items.data[0].price.unit_amount == 1900


def test_a_paid_subscription_session_tells_what_stripe_tells(shop: Any, browser: Any) -> None:
    session = shop.session(shop.price(), customer_email="ada@example.com")
    before = len(shop.twin.events())
    browser.post(session.url)
    assert shop.happened(before) == [
        "customer.created",
        "payment_method.attached",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.created",
        "checkout.session.completed",
    ]


def test_a_payment_leaves_a_payment_intent_and_no_customer_unless_asked(shop: Any, browser: Any) -> None:
    session = shop.session(
        shop.price(500, None),
        "payment",
        customer_email="b@example.com",
        payment_intent_data={"metadata": {"kind": "mug"}},
    )
    browser.post(session.url)
    done = shop.sdk.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (done.customer, done.subscription, done.invoice) == (None, None, None)
    assert (done.payment_intent.status, done.payment_intent.amount_received) == ("succeeded", 500)
    assert done.payment_intent.latest_charge.metadata["kind"] == "mug"


def test_a_payment_can_leave_a_customer(shop: Any, browser: Any) -> None:
    session = shop.session(shop.price(500, None), "payment", customer_creation="always")
    browser.post(session.url, data={"email": "c@example.com"})
    done = shop.sdk.checkout.sessions.retrieve(session.id, {"expand": ["customer", "payment_intent"]})
    assert done.customer.email == "c@example.com"
    assert done.payment_intent.customer == done.customer.id


@pytest.mark.parametrize(("mode", "interval"), [("subscription", "month"), ("payment", None)])
def test_a_declined_payer_may_try_again(shop: Any, browser: Any, mode: str, interval: str | None) -> None:
    session = shop.session(shop.price(interval=interval), mode, customer_email="ada@example.com")
    refused = browser.post(session.url, data={"outcome": "declined"})
    assert refused.status_code == 402
    assert "Your card was declined." in refused.text
    still = shop.sdk.checkout.sessions.retrieve(session.id)
    assert (still.status, still.subscription, still.payment_status) == ("open", None, "unpaid")
    assert shop.happened()[-2:] == ["charge.failed", "payment_intent.payment_failed"]
    assert browser.post(session.url, data={"outcome": "paid"}).status_code == 303
    assert shop.sdk.checkout.sessions.retrieve(session.id).status == "complete"


def test_the_page_shows_the_amount_and_takes_payment_once(shop: Any, browser: Any) -> None:
    session = shop.session(shop.price(), customer_email="ada@example.com")
    shown = browser.get(session.url)
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "19.00 EUR" in shown.text
    browser.post(session.url)
    assert "This session is complete." in browser.get(session.url).text
    assert browser.post(session.url).status_code == 400
    assert shop.happened().count("checkout.session.completed") == 1


def test_the_page_asks_for_an_email_that_nobody_gave(shop: Any, browser: Any) -> None:
    session = shop.session(shop.price())
    assert "Enter an e-mail address" in browser.post(session.url, data={"email": ""}).text
    assert browser.post(session.url, data={"email": "d@example.com"}).status_code == 303


def test_an_unknown_page_is_not_found(twin: Any, browser: Any) -> None:
    assert browser.get(f"{twin.url}/c/pay/cs_live_nothing").status_code == 404


def test_a_trial_takes_nothing_today(shop: Any, browser: Any) -> None:
    session = shop.session(shop.price(), customer_email="t@example.com", subscription_data={"trial_period_days": 14})
    browser.post(session.url)
    done = shop.sdk.checkout.sessions.retrieve(session.id, {"expand": ["subscription.latest_invoice"]})
    assert (done.payment_status, done.amount_total) == ("no_payment_required", 0)
    assert done.subscription.status == "trialing"
    assert (done.subscription.latest_invoice.status, done.subscription.latest_invoice.amount_due) == ("paid", 0)


def test_an_expired_session_takes_no_payment(shop: Any, twin: Any) -> None:
    session = shop.session(shop.price(), customer_email="ada@example.com")
    assert shop.sdk.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(ApiError, match="no longer open"):
        twin.pay(session.id)
    with pytest.raises(stripe.InvalidRequestError, match="Only Checkout Sessions"):
        shop.sdk.checkout.sessions.expire(session.id)


def test_a_session_of_a_test_clocks_customer_expires_with_the_clock(shop: Any) -> None:
    clock = shop.clock()
    session = shop.session(shop.price(), customer=shop.customer(test_clock=clock.id).id)
    shop.at(clock, 2)
    assert shop.sdk.checkout.sessions.retrieve(session.id).status == "expired"
    assert "checkout.session.expired" in shop.happened()


def test_line_items_are_listed_in_order(shop: Any) -> None:
    first, second = shop.price(100), shop.price(200)
    items = [{"price": first.id, "quantity": 1}, {"price": second.id, "quantity": 3}]
    session = shop.session(first, line_items=items)
    listed = shop.sdk.checkout.sessions.line_items.list(session.id)
    assert [(item.price.id, item.amount_total) for item in listed.data] == [(first.id, 100), (second.id, 600)]


@pytest.mark.parametrize(
    ("mode", "interval", "more", "message"),
    [
        ("payment", "month", {}, "recurring price"),
        ("subscription", None, {}, "recurring prices only"),
        ("payment", None, {"subscription_data": {"metadata": {"a": "b"}}}, "subscription_data"),
        ("subscription", "month", {"customer_email": "a@example.com", "customer": "cus_x"}, "only specify one"),
        ("subscription", "month", {"customer": "cus_x"}, "No such customer"),
        ("subscription", "month", {"expires_at": 1}, "between 30 minutes and 24 hours"),
        ("subscription", "month", {"line_items": []}, "line_items"),
        ("setup", None, {}, "mode"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    shop: Any, mode: str, interval: str | None, more: dict[str, Any], message: str
) -> None:
    price = shop.price(interval=interval)
    with pytest.raises(stripe.InvalidRequestError, match=message):
        shop.session(price, mode, **more)
