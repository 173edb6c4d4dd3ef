"""Facts are read from the shape that the SDK's API version gives and from the one before 2025-03-31."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
import stripe

from handlers.adapters.stripe_read import API_VERSION
from handlers.core import events
from handlers.core.errors import EventError
from handlers.core.facts import InvoiceFact, PaymentFact, Refunded, Stamped, SubscriptionFact
from handlers.core.maps import to_map
from handlers.core.reading import Reading
from handlers.settings import STRIPE_EVENTS
from tests.handlers import story
from tests.handlers.story import MONTH, PRICE, START, Event

CLASSES: Mapping[str, type[stripe.StripeObject]] = {
    "charge": stripe.Charge,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "payment_intent": stripe.PaymentIntent,
    "checkout.session": stripe.checkout.Session,
    "event": stripe.Event,
    "invoice": stripe.Invoice,
    "invoice_payment": stripe.InvoicePayment,
    "plan": stripe.Plan,
    "price": stripe.Price,
    "refund": stripe.Refund,
    "subscription": stripe.Subscription,
    "subscription_item": stripe.SubscriptionItem,
}
# The lengths of Stripe's own ids, and of a UUID.
LENGTHS = {"sub_": 28, "in_1": 27, "pi_": 27, "cus_": 18, "price_": 30, "cs_live": 66, "user_ada": 36}
RECORDED = sorted(path.stem for path in story.FOLDER.glob("*.json"))


def facts(event: Event) -> events.Facts:
    told = events.facts(event, Reading())
    assert told is not None
    return told


def objects(value: object) -> list[dict[str, Any]]:
    """Every Stripe object inside `value`, itself included."""
    if isinstance(value, list):
        return [found for entry in value for found in objects(entry)]
    if not isinstance(value, dict):
        return []
    kind = value.get("object")
    own = [value] if isinstance(kind, str) and kind in CLASSES else []
    return own + [found for entry in value.values() for found in objects(entry)]


def stored_bytes(value: object) -> int:
    """The size of a value by DynamoDB's rules.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    match value:
        case dict():
            return 3 + sum(1 + len(name) + stored_bytes(entry) for name, entry in value.items())
        case list():
            return 3 + sum(1 + stored_bytes(entry) for entry in value)
        case str():
            return len(value.encode())
        case bool():
            return 1
    assert isinstance(value, int)
    return (len(str(int(value))) + 1) // 2 + 1


def test_what_we_read_is_what_the_endpoint_is_subscribed_to() -> None:
    assert set(STRIPE_EVENTS) == events.EVENT_TYPES
    assert {story.recorded(name)["type"] for name in RECORDED} == events.EVENT_TYPES


def test_we_ask_stripe_for_the_shape_of_the_sdk() -> None:
    assert stripe.api_version == API_VERSION
    assert {story.recorded(name)["api_version"] for name in RECORDED} == {API_VERSION}


@pytest.mark.parametrize("name", RECORDED)
def test_the_recorded_events_have_only_fields_that_the_sdk_declares(name: str) -> None:
    found = objects(story.recorded(name))
    assert len(found) >= 2
    for obj in found:
        declared = CLASSES[obj["object"]].__annotations__
        assert set(obj) <= set(declared), (obj["object"], set(obj) - set(declared))


@pytest.mark.parametrize("name", RECORDED)
def test_a_fact_is_a_small_projection(name: str) -> None:
    text = json.dumps(story.recorded(name))
    for short, real in LENGTHS.items():
        text = re.sub(rf'"{short}[^"]*"', f'"{short.ljust(real, "0")}"', text)
    told = facts(json.loads(text))
    found = [fact for fact in (told.subscription, told.invoice, told.session, *told.payments, *told.customers) if fact]
    assert found
    for fact in found:
        assert stored_bytes(to_map(fact)) < 300


def test_a_subscription_of_today() -> None:
    told = facts(story.recorded("customer.subscription.updated")).subscription
    assert isinstance(told, SubscriptionFact)
    assert told.status == "past_due"
    assert told.user == "user_ada"
    assert told.period_end == START + 2 * MONTH
    assert told.prices == {PRICE}
    assert told.items[0].lookup_key == "member_monthly"
    assert told.latest_invoice == "in_1Second0001"


def test_a_subscription_before_basil_has_one_period_for_all_its_items() -> None:
    event = story.recorded("customer.subscription.created")
    obj = event["data"]["object"]
    (item,) = obj["items"]["data"]
    del item["current_period_end"], item["current_period_start"]
    obj["current_period_end"] = START + MONTH
    told = facts(event).subscription
    assert told is not None
    assert told.period_end == START + MONTH


def test_the_longest_period_of_items_that_differ_counts() -> None:
    event = story.recorded("customer.subscription.created")
    (item,) = event["data"]["object"]["items"]["data"]
    event["data"]["object"]["items"]["data"].append({**item, "current_period_end": START + 12 * MONTH})
    told = facts(event).subscription
    assert told is not None
    assert told.period_end == START + 12 * MONTH


def test_an_invoice_of_today_names_its_subscription_through_its_parent() -> None:
    told = facts(story.recorded("invoice.paid"))
    assert told.invoice == InvoiceFact(
        id="in_1First0001",
        created=START,
        subscription="sub_1Member0001",
        customer="cus_Ada0001",
        paid_at=START + 2,
        amount_paid=2900,
    )
    assert told.email == Stamped(at=START + 2, value="ada@tidewriters.example")
    assert told.payments == ()
    assert told.user_hint == "user_ada"


def test_an_invoice_before_basil_names_its_subscription_and_its_payment() -> None:
    event = story.recorded("invoice.payment_failed")
    obj = event["data"]["object"]
    del obj["parent"]
    obj |= {"subscription": "sub_1Member0001", "payment_intent": "pi_3First0001", "charge": "ch_3First0001"}
    told = facts(event)
    assert told.invoice is not None
    assert told.invoice.subscription == "sub_1Member0001"
    assert told.invoice.failed_at == event["created"]
    assert told.payments == (PaymentFact(id="pi_3First0001", invoice="in_1Second0001", customer="cus_Ada0001"),)


def test_an_invoice_with_its_payments_expanded_links_them() -> None:
    event = story.recorded("invoice.paid")
    link = story.recorded("invoice_payment.paid")["data"]["object"]
    event["data"]["object"]["payments"] = {"object": "list", "data": [link], "has_more": False, "url": "/v1"}
    (payment,) = facts(event).payments
    assert (payment.id, payment.invoice) == ("pi_3First0001", "in_1First0001")


def test_an_invoice_payment_links_a_payment_to_its_invoice() -> None:
    assert facts(story.recorded("invoice_payment.paid")).payments == (
        PaymentFact(id="pi_3First0001", invoice="in_1First0001"),
    )


def test_an_invoice_paid_outside_of_stripe_links_nothing() -> None:
    event = story.event("invoice_payment.paid", at=START, payment={"payment_record": "pr_1", "type": "payment_record"})
    assert facts(event).payments == ()


def test_a_charge_tells_how_much_went_back_in_all() -> None:
    (payment,) = facts(story.charge_refunded(amount=1000)).payments
    assert payment.money.charged == Refunded(amount=1000, at=START + 7200)
    assert payment.invoice is None


def test_a_charge_before_basil_names_its_invoice() -> None:
    (payment,) = facts(story.charge_refunded(invoice="in_1First0001")).payments
    assert payment.invoice == "in_1First0001"


@pytest.mark.parametrize(("status", "amount"), [("succeeded", 2900), ("pending", 2900), ("failed", 0), ("canceled", 0)])
def test_a_refund_that_failed_returned_nothing(status: str, amount: int) -> None:
    (payment,) = facts(story.refund(status=status)).payments
    assert payment.id == "pi_3First0001"
    assert (payment.money.refunded.amount if payment.money.refunded else 0) == amount


def test_a_refund_of_a_charge_without_payment_intent_goes_by_the_charge() -> None:
    event = story.refund()
    event["data"]["object"]["payment_intent"] = None
    (payment,) = facts(event).payments
    assert payment.id == "ch_3First0001"


def test_a_session_tells_who_bought_and_never_believes_what_a_payer_can_type() -> None:
    told = facts(story.session(user=None, client_reference_id="user_mallory", customer_email="typed@example.com"))
    assert told.session is not None
    assert told.session.user is None
    assert told.user_hint is None
    assert told.email == Stamped(at=START + 3, value="ada@tidewriters.example")


def test_a_session_in_payment_mode_sells_its_payment() -> None:
    told = facts(story.recorded("checkout.session.completed.payment")).session
    assert told is not None
    assert (told.payment, told.paid, told.invoice) == ("pi_3Print0001", True, None)


def test_expanded_references_are_read_as_their_ids() -> None:
    told = facts(story.subscription(latest_invoice={"id": "in_x", "object": "invoice"})).subscription
    assert told is not None
    assert told.latest_invoice == "in_x"


def test_an_account_stands_in_for_a_customer() -> None:
    event = story.subscription(customer_account="acct_1")
    event["data"]["object"]["customer"] = None
    assert facts(event).customer == "acct_1"


def test_a_type_that_is_not_ours_has_no_facts() -> None:
    assert events.facts({**story.subscription(), "type": "price.created"}, Reading()) is None


def test_the_copy_in_a_deleted_event_has_ended_whatever_it_shows() -> None:
    told = facts(story.subscription("deleted", status="active")).subscription
    assert told is not None
    assert told.status == "canceled"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"created": "yesterday"}, "event: created must be an integer, got str"),
        ({"livemode": None}, "event: livemode must be true or false, got NoneType"),
        ({"type": None}, "event: type must be a text, got NoneType"),
        ({"data": None}, "data.object must be an object"),
        ({"data": {"object": {"object": "subscription"}}}, "subscription: status must be a text, got NoneType"),
    ],
)
def test_an_event_that_cannot_be_read_says_why(changes: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(EventError, match=reason):
        events.facts({**story.subscription(), **changes}, Reading())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": 7}, "status must be a text"),
        ({"cancel_at": "soon"}, "cancel_at must be an integer"),
        ({"ended_at": True}, "ended_at must be an integer"),
        ({"metadata": {"user_id": "x" * 300}}, "metadata user_id has 300 characters, at most 256"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(changes: Mapping[str, Any], reason: str) -> None:
    event = story.subscription()
    event["data"]["object"].update(changes)
    with pytest.raises(EventError, match=reason):
        events.facts(event, Reading())


@pytest.mark.parametrize("items", [{"data": 5}, {"data": ["x"]}, []])
def test_a_list_that_is_none_is_refused(items: object) -> None:
    event = story.subscription()
    event["data"]["object"]["items"] = items
    with pytest.raises(EventError, match="must be a list"):
        events.facts(event, Reading())


def test_the_metadata_key_is_configurable() -> None:
    event = story.subscription(user=None)
    event["data"]["object"]["metadata"] = {"member": "user_bob"}
    told = events.facts(event, Reading(user_key="member"))
    assert told is not None
    assert told.user_hint == "user_bob"
