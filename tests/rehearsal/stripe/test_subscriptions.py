"""Subscriptions on test clocks: renewal, failed payments, trials, cancellation."""

import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stripe

from rehearsal.twins.stripe import Billing, StripeTwin

BAD = "pm_card_chargeCustomerFail"


def status(shop: Any, subscription: Any) -> str:
    return shop.sdk.subscriptions.retrieve(subscription.id).status


def test_a_renewal_is_drafted_at_the_period_end_and_paid_an_hour_later(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    end = made["items"].data[0].current_period_end
    before = len(shop.twin.events())
    shop.twin.advance(clock.id, end)
    drafted = shop.sdk.invoices.list({"subscription": made.id}).data[0]
    assert (drafted.status, drafted.billing_reason, drafted.created) == ("draft", "subscription_cycle", end)
    assert shop.happened(before)[:2] == ["invoice.created", "customer.subscription.updated"]
    shop.twin.advance(clock.id, end + 3600)
    assert shop.sdk.invoices.retrieve(drafted.id).status == "paid"
    item = shop.sdk.subscriptions.retrieve(made.id)["items"].data[0]
    assert item.current_period_start == end
    assert drafted.lines.data[0].period.end == item.current_period_end


def test_an_update_tells_what_was_before(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    shop.at(clock, 35)
    update = shop.twin.events("customer.subscription.updated")[0]
    previous, now = update["data"]["previous_attributes"], update["data"]["object"]
    assert previous["latest_invoice"] == made.latest_invoice != now["latest_invoice"]
    old, new = previous["items"]["data"][0], now["items"]["data"][0]
    assert old["current_period_end"] == new["current_period_start"]
    assert "status" not in previous


def test_events_carry_the_clocks_time_and_no_request_when_stripe_acts_on_its_own(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    end = made["items"].data[0].current_period_end
    shop.at(clock, 35)
    created = shop.twin.events("customer.subscription.created")[0]
    assert created["created"] == shop.start
    assert created["request"]["id"].startswith("req_")
    assert created["request"]["idempotency_key"]
    renewal = [event for event in shop.twin.events("invoice.paid") if event["created"] == end + 3600]
    assert [event["request"] for event in renewal] == [{"id": None, "idempotency_key": None}]


def test_a_failed_renewal_is_retried_and_recovers(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    shop.use_card(made.customer, BAD)
    shop.at(clock, 33)
    assert status(shop, made) == "past_due"
    invoice = shop.sdk.invoices.list({"subscription": made.id}).data[0]
    assert (invoice.status, invoice.attempt_count, invoice.attempted) == ("open", 1, True)
    assert shop.sdk.customers.retrieve(made.customer).delinquent
    shop.use_card(made.customer, "pm_card_visa")
    shop.twin.advance(clock.id, invoice.next_payment_attempt)
    assert status(shop, made) == "active"
    assert not shop.sdk.customers.retrieve(made.customer).delinquent
    assert shop.sdk.invoices.retrieve(invoice.id).attempt_count == 2


def test_paying_by_hand_recovers_without_waiting(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    shop.use_card(made.customer, BAD)
    shop.at(clock, 33)
    invoice = shop.sdk.invoices.list({"subscription": made.id}).data[0]
    with pytest.raises(stripe.CardError) as refused:
        shop.sdk.invoices.pay(invoice.id)
    assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
    error: Any = refused.value.error
    assert error.decline_code == "generic_decline"
    assert shop.sdk.invoices.retrieve(invoice.id).attempt_count == 1  # only automatic retries count
    method = shop.sdk.payment_methods.attach("pm_card_mastercard", {"customer": made.customer})
    paid = shop.sdk.invoices.pay(invoice.id, {"payment_method": method.id})
    assert paid.status == "paid"
    assert status(shop, made) == "active"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        shop.sdk.invoices.pay(invoice.id)


def test_the_last_failed_retry_cancels(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    shop.use_card(made.customer, BAD)
    before = len(shop.twin.events())
    shop.at(clock, 59)
    ended = shop.sdk.subscriptions.retrieve(made.id)
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    failed = shop.twin.events("invoice.payment_failed")
    tries = [event["data"]["object"]["attempt_count"] for event in failed]
    waits = [later["created"] - sooner["created"] for sooner, later in itertools.pairwise(failed)]
    assert tries == [1, 2, 3, 4]
    assert waits == [3 * 86_400, 5 * 86_400, 7 * 86_400]
    assert failed[-1]["data"]["object"]["next_payment_attempt"] is None
    assert shop.happened(before).count("customer.subscription.deleted") == 1
    shop.at(clock, 120)
    assert shop.happened(before).count("invoice.created") == 1


@pytest.fixture
def lenient(open_shop: Any, recording: Any, deliveries_client: httpx.Client, request: Any) -> Iterator[Any]:
    twin = StripeTwin(transport=deliveries_client, billing=Billing(retry_days=(1,), after_retries=request.param))
    twin.start()
    sdk = stripe.StripeClient(twin.api_key, base_addresses={"api": twin.url}, http_client=recording).v1
    yield open_shop(sdk, twin)
    twin.stop()


@pytest.mark.parametrize(
    ("lenient", "expected"), [("unpaid", "unpaid"), ("past_due", "past_due")], indirect=["lenient"]
)
def test_the_account_decides_what_follows_the_last_retry(lenient: Any, expected: str) -> None:
    clock = lenient.clock()
    made = lenient.subscribed(clock)
    lenient.use_card(made.customer, BAD)
    lenient.at(clock, 40)
    assert status(lenient, made) == expected
    lenient.use_card(made.customer, "pm_card_visa")
    lenient.sdk.invoices.pay(made_latest(lenient, made))
    assert status(lenient, made) == "active"


def made_latest(shop: Any, subscription: Any) -> str:
    return shop.sdk.subscriptions.retrieve(subscription.id).latest_invoice


def test_a_trial_announces_its_end_and_then_bills(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock, trial_period_days=10)
    assert (made.status, made.trial_end) == ("trialing", shop.start + 10 * 86_400)
    shop.at(clock, 8)
    notice = shop.twin.events("customer.subscription.trial_will_end")
    assert [event["created"] for event in notice] == [shop.start + 7 * 86_400]
    shop.at(clock, 11)
    assert status(shop, made) == "active"
    assert shop.sdk.invoices.list({"subscription": made.id}).data[0].amount_paid == 1900


def test_cancelling_at_the_period_end_keeps_it_until_then(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    end = made["items"].data[0].current_period_end
    asked = shop.sdk.subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert (asked.status, asked.cancel_at_period_end, asked.cancel_at) == ("active", True, end)
    shop.at(clock, 35)
    ended = shop.sdk.subscriptions.retrieve(made.id)
    assert (ended.status, ended.ended_at, ended.canceled_at) == ("canceled", end, shop.start)
    assert shop.happened().count("invoice.created") == 1
    deleted = shop.twin.events("customer.subscription.deleted")[0]
    assert deleted["created"] == end


def test_cancelling_at_the_period_end_can_be_taken_back(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    shop.sdk.subscriptions.update(made.id, {"cancel_at_period_end": True})
    back = shop.sdk.subscriptions.update(made.id, {"cancel_at_period_end": False})
    assert (back.cancel_at, back.canceled_at, back.cancellation_details.reason) == (None, None, None)
    shop.at(clock, 35)
    assert status(shop, made) == "active"


def test_cancelling_at_once_ends_it_and_stops_collecting(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    shop.use_card(made.customer, BAD)
    shop.at(clock, 33)
    details = {"cancellation_details": {"feedback": "too_expensive"}}
    ended = shop.sdk.subscriptions.cancel(made.id, details)
    assert (ended.status, ended.cancellation_details.feedback) == ("canceled", "too_expensive")
    assert shop.sdk.invoices.retrieve(ended.latest_invoice).next_payment_attempt is None
    with pytest.raises(stripe.InvalidRequestError, match="canceled"):
        shop.sdk.subscriptions.cancel(made.id)
    tries = len(shop.twin.events("invoice.payment_failed"))
    shop.at(clock, 50)
    assert len(shop.twin.events("invoice.payment_failed")) == tries


def test_cancelling_at_a_moment_ends_it_then(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    moment = shop.start + 40 * 86_400
    shop.sdk.subscriptions.update(made.id, {"cancel_at": moment})
    shop.at(clock, 59)
    assert shop.sdk.subscriptions.retrieve(made.id).ended_at == moment


def test_an_update_and_a_deletion_in_the_same_second(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    shop.sdk.subscriptions.update(made.id, {"metadata": {"user_id": "u2"}})
    shop.sdk.subscriptions.cancel(made.id)
    updated, deleted = shop.twin.events()[-2:]
    assert (updated["type"], deleted["type"]) == ("customer.subscription.updated", "customer.subscription.deleted")
    assert updated["created"] == deleted["created"]


def test_a_first_payment_that_fails_leaves_it_incomplete_for_23_hours(shop: Any) -> None:
    clock = shop.clock()
    customer = shop.customer(BAD, test_clock=clock.id)
    price = shop.price()
    made = shop.sdk.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    assert made.status == "incomplete"
    shop.at(clock, 1)
    assert status(shop, made) == "incomplete_expired"
    assert shop.sdk.invoices.retrieve(made.latest_invoice).status == "void"


def test_an_incomplete_subscription_becomes_active_when_paid(shop: Any) -> None:
    customer = shop.customer()
    params = {"customer": customer.id, "items": [{"price": shop.price().id}], "payment_behavior": "default_incomplete"}
    made = shop.sdk.subscriptions.create(params)
    assert made.status == "incomplete"
    shop.sdk.invoices.pay(made.latest_invoice)
    assert status(shop, made) == "active"


def test_nothing_is_made_where_stripe_refuses_first(shop: Any) -> None:
    poor, cardless, price = shop.customer(BAD), shop.customer(None), shop.price()
    items = [{"price": price.id}]
    strict = {"customer": poor.id, "items": items, "payment_behavior": "error_if_incomplete"}
    with pytest.raises(stripe.CardError):
        shop.sdk.subscriptions.create(strict)
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        shop.sdk.subscriptions.create({"customer": cardless.id, "items": items})
    once = shop.price(interval=None)
    with pytest.raises(stripe.InvalidRequestError, match="type=one_time"):
        shop.sdk.subscriptions.create({"customer": shop.customer().id, "items": [{"price": once.id}]})
    assert shop.sdk.subscriptions.list({"status": "all"}).data == []


def test_lists_leave_out_what_is_cancelled_unless_asked(shop: Any) -> None:
    clock, price = shop.clock(), shop.price()
    kept = shop.subscribed(clock, price)
    gone = shop.sdk.subscriptions.cancel(shop.subscribed(clock, price).id)

    def ids(**params: Any) -> set[str]:
        return {some.id for some in shop.sdk.subscriptions.list({"test_clock": clock.id, **params}).data}

    assert ids() == ids(status="active") == {kept.id}
    assert ids(status="all") == {kept.id, gone.id}
    assert ids(status="ended") == ids(status="canceled") == {gone.id}
    assert ids(price=price.id, customer=kept.customer) == {kept.id}
    assert shop.sdk.subscriptions.list({"status": "all"}).data == []  # clocks' only when clock or customer is named


def test_a_clock_only_goes_forward_and_not_too_far(shop: Any) -> None:
    clock = shop.clock()
    shop.subscribed(clock)
    advance = shop.sdk.test_helpers.test_clocks.advance
    with pytest.raises(stripe.InvalidRequestError, match="must be after"):
        advance(clock.id, {"frozen_time": shop.start})
    with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
        advance(clock.id, {"frozen_time": shop.start + 80 * 86_400})
    assert advance(clock.id, {"frozen_time": shop.start + 50 * 86_400}).status == "advancing"
    assert shop.sdk.test_helpers.test_clocks.retrieve(clock.id).status == "ready"


def test_deleting_a_customer_cancels_what_they_subscribed_to(shop: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    assert shop.sdk.customers.delete(made.customer).deleted
    assert status(shop, made) == "canceled"
    assert shop.sdk.customers.retrieve(made.customer).deleted
    assert shop.happened()[-1] == "customer.deleted"
    shop.at(clock, 70)
