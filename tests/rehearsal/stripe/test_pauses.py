"""Trials that end without a payment method, paused subscriptions, paused collection, renewals that need a yes."""

from typing import Any

import pytest
import stripe

DAY = 86_400
ON_SUCCESS = {"payment_behavior": "resume_on_payment_success"}


def now(shop: Any, subscription: Any) -> Any:
    return shop.sdk.subscriptions.retrieve(subscription.id)


def trial(shop: Any, clock: Any, behavior: str, days: int = 10) -> Any:
    customer = shop.customer(None, test_clock=clock.id)
    settings = {"end_behavior": {"missing_payment_method": behavior}}
    items = [{"price": shop.price().id}]
    params = {"customer": customer.id, "items": items, "trial_period_days": days, "trial_settings": settings}
    return shop.sdk.subscriptions.create(params)


@pytest.fixture
def clock(shop: Any) -> Any:
    return shop.clock()


@pytest.fixture
def paused(shop: Any, clock: Any) -> Any:
    made = trial(shop, clock, "pause")
    shop.at(clock, 11)
    return now(shop, made)


def test_a_trial_without_a_card_ends_cancelled_if_asked(shop: Any, clock: Any) -> None:
    made = trial(shop, clock, "cancel")
    shop.at(clock, 11)
    ended = now(shop, made)
    assert (ended.status, ended.ended_at, ended.cancellation_details.reason) == ("canceled", made.trial_end, None)
    assert shop.happened()[-2:] == ["customer.subscription.deleted", "test_helpers.test_clock.ready"]


def test_a_trial_without_a_card_ends_paused_if_asked(shop: Any, clock: Any, paused: Any) -> None:
    assert (paused.status, paused.status_details.paused.transitioned_at) == ("paused", paused.trial_end)
    assert paused.status_details.paused.subscription.type == "trial_end_without_payment_method"
    kinds = ["customer.subscription.updated", "customer.subscription.paused"]
    assert shop.happened()[-3:-1] == kinds
    before = len(shop.twin.events())
    shop.at(clock, 60)
    assert shop.happened(before) == ["test_helpers.test_clock.ready"]  # no invoice, no period


def test_a_trial_without_a_card_bills_if_asked(shop: Any, clock: Any) -> None:
    made = trial(shop, clock, "create_invoice")
    shop.at(clock, 11)
    assert now(shop, made).status == "past_due"


def test_a_trial_with_a_card_goes_on_whatever_was_asked(shop: Any, clock: Any) -> None:
    made = trial(shop, clock, "pause")
    shop.use_card(made.customer, "pm_card_visa")
    shop.at(clock, 11)
    assert now(shop, made).status == "active"


def test_a_trial_shorter_than_the_notice_is_announced_at_once_and_once(shop: Any, clock: Any) -> None:
    made = trial(shop, clock, "pause", days=2)
    assert shop.happened()[-1] == "customer.subscription.trial_will_end"
    shop.at(clock, 3)
    notices = shop.twin.events("customer.subscription.trial_will_end")
    assert [event["created"] for event in notices] == [made.created]


def test_checkout_starts_a_trial_without_a_card(shop: Any, browser: Any) -> None:
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    data = {"trial_period_days": 10, "trial_settings": settings}
    params = {"customer_email": "t@example.com", "subscription_data": data, "payment_method_collection": "if_required"}
    session = shop.session(shop.price(), **params)
    browser.post(session.url, data={"outcome": "declined"})  # no card is asked for, so none is refused
    done = shop.sdk.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert (done.subscription.status, done.subscription.default_payment_method) == ("trialing", None)
    assert done.subscription.trial_settings.end_behavior.missing_payment_method == "pause"


def test_resuming_on_success_starts_a_new_cycle_that_is_paid(shop: Any, clock: Any, paused: Any) -> None:
    shop.use_card(paused.customer, "pm_card_visa")
    shop.at(clock, 20)
    before = len(shop.twin.events())
    back = shop.sdk.subscriptions.resume(paused.id, ON_SUCCESS)
    assert (back.status, back.status_details) == ("active", None)
    assert back["items"].data[0].current_period_start == back.billing_cycle_anchor == shop.start + 20 * DAY
    assert shop.sdk.invoices.retrieve(back.latest_invoice).amount_paid == 1900
    assert shop.happened(before)[-2:] == ["customer.subscription.updated", "customer.subscription.resumed"]
    with pytest.raises(stripe.InvalidRequestError, match="is active"):
        shop.sdk.subscriptions.resume(paused.id)
    shop.at(clock, 52)
    assert shop.sdk.invoices.list({"subscription": paused.id}).data[0].status == "paid"


def test_resuming_on_success_waits_for_success(shop: Any, clock: Any, paused: Any) -> None:
    shop.use_card(paused.customer, "pm_card_chargeCustomerFail")
    assert shop.sdk.subscriptions.resume(paused.id, ON_SUCCESS).status == "paused"
    shop.use_card(paused.customer, "pm_card_visa")
    shop.at(clock, 15)  # the first retry comes after three days
    assert now(shop, paused).status == "active"
    assert shop.happened().count("customer.subscription.resumed") == 1


@pytest.mark.parametrize(("card", "status"), [("pm_card_visa", "active"), ("pm_card_chargeCustomerFail", "past_due")])
def test_resuming_on_a_try_ends_as_the_try_does(shop: Any, paused: Any, card: str, status: str) -> None:
    shop.use_card(paused.customer, card)
    waiting = shop.sdk.subscriptions.resume(paused.id)
    assert (waiting.status, shop.sdk.invoices.retrieve(waiting.latest_invoice).status) == ("paused", "open")
    with pytest.raises(stripe.InvalidRequestError, match="being resumed"):
        shop.sdk.subscriptions.resume(paused.id)
    try:
        shop.sdk.invoices.pay(waiting.latest_invoice)
    except stripe.CardError:
        assert status == "past_due"
    assert now(shop, paused).status == status
    assert "customer.subscription.resumed" in shop.happened()


def test_a_resumption_that_nobody_pays_is_void_after_23_hours(shop: Any, clock: Any, paused: Any) -> None:
    waiting = shop.sdk.subscriptions.resume(paused.id)
    shop.at(clock, 13)
    assert shop.sdk.invoices.retrieve(waiting.latest_invoice).status == "void"
    assert now(shop, paused).status == "paused"
    assert shop.sdk.subscriptions.resume(paused.id).latest_invoice != waiting.latest_invoice


def test_a_running_subscription_is_paused_and_resumed_in_its_old_cycle(shop: Any, clock: Any) -> None:
    made = shop.subscribed(clock, shop.price(interval="week"))
    shop.at(clock, 3)
    rested = shop.sdk.subscriptions.pause(made.id)
    assert (rested.status, rested.status_details.paused.subscription.type) == ("paused", "pause_requested")
    with pytest.raises(stripe.InvalidRequestError, match="is paused"):
        shop.sdk.subscriptions.pause(made.id)
    shop.at(clock, 16)
    unchanged = {"billing_cycle_anchor": {"type": "unchanged"}}
    with pytest.raises(stripe.InvalidRequestError, match="prorates nothing"):
        shop.sdk.subscriptions.resume(made.id, unchanged)
    back = shop.sdk.subscriptions.resume(made.id, {**unchanged, "proration_behavior": "none"})
    assert (back.status, back["items"].data[0].current_period_start) == ("active", shop.start + 14 * DAY)


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
)
def test_paused_collection_runs_on_without_its_money(shop: Any, clock: Any, behavior: str, status: str) -> None:
    made = shop.subscribed(clock)
    asked = shop.sdk.subscriptions.update(made.id, {"pause_collection": {"behavior": behavior}})
    assert (asked.status, asked.pause_collection.behavior, asked.pause_collection.resumes_at) == (
        "active",
        behavior,
        None,
    )
    shop.at(clock, 35)
    due = shop.sdk.invoices.list({"subscription": made.id}).data[0]
    assert (due.status, due.auto_advance, due.amount_paid) == (status, False, 0)
    assert now(shop, made).status == "active"
    assert "customer.subscription.paused" not in shop.happened()
    assert shop.sdk.subscriptions.update(made.id, {"pause_collection": ""}).pause_collection is None


def test_paused_collection_goes_on_at_its_moment(shop: Any, clock: Any) -> None:
    made = shop.subscribed(clock)
    moment = shop.start + 20 * DAY
    pause = {"behavior": "void", "resumes_at": moment}
    shop.sdk.subscriptions.update(made.id, {"pause_collection": pause})
    shop.at(clock, 35)
    update = shop.twin.events("customer.subscription.updated")[1]
    assert (update["created"], update["data"]["previous_attributes"]) == (moment, {"pause_collection": pause})
    assert "customer.subscription.resumed" not in shop.happened()
    assert shop.sdk.invoices.list({"subscription": made.id}).data[0].status == "paid"


def test_a_renewal_that_needs_a_yes_fails_until_it_comes(shop: Any, twin: Any, clock: Any) -> None:
    made = shop.subscribed(clock)
    shop.use_card(made.customer, "pm_card_authenticationRequired")
    before = len(twin.events())
    shop.at(clock, 33)
    told = [kind for kind in shop.happened(before) if kind.startswith(("invoice.payment", "payment_intent"))]
    assert told == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "invoice.payment_action_required",
        "invoice.payment_failed",
    ]
    behind = now(shop, made)
    assert behind.status == "past_due"
    with pytest.raises(stripe.CardError) as refused:
        shop.sdk.invoices.pay(behind.latest_invoice)
    assert refused.value.code == "invoice_payment_intent_requires_action"
    twin.authenticate(shop.intent_of(behind.latest_invoice))
    assert now(shop, made).status == "active"
    assert shop.sdk.invoices.retrieve(behind.latest_invoice).status == "paid"


def test_a_first_payment_that_needs_a_yes_is_incomplete_until_it_comes(shop: Any, twin: Any, clock: Any) -> None:
    customer = shop.customer("pm_card_authenticationRequired", test_clock=clock.id)
    params = {"customer": customer.id, "items": [{"price": shop.price().id}]}
    made = shop.sdk.subscriptions.create(params)
    assert made.status == "incomplete"
    twin.authenticate(shop.intent_of(made.latest_invoice))
    assert now(shop, made).status == "active"
    with pytest.raises(stripe.CardError):
        shop.sdk.subscriptions.create({**params, "payment_behavior": "error_if_incomplete"})
