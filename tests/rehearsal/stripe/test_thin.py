"""Thin events, and events that are lost on the way."""

import json
from typing import Any

import pytest
import stripe

from rehearsal.twins.stripe import DishonestEventError

WAIT = 10.0


@pytest.fixture
def client(twin: Any, recording: Any) -> stripe.StripeClient:
    return stripe.StripeClient(twin.api_key, base_addresses={"api": twin.url}, http_client=recording)


def test_a_thin_event_names_what_changed_and_the_sdk_fetches_it(
    twin: Any, sdk: Any, hook: Any, receiver: Any, client: stripe.StripeClient
) -> None:
    made = sdk.customers.create({"name": "Ada"})
    sdk.customers.update(made.id, {"name": "Bea"})
    assert twin.wait_idle(WAIT)
    receiver.received.clear()
    snapshot = twin.events("customer.updated")[0]
    (attempt,) = twin.post_thin(snapshot["id"])
    assert (attempt.status, attempt.endpoint_id) == (200, hook.id)
    (got,) = receiver.received
    assert set(json.loads(got.body)) == {
        "id", "object", "type", "created", "livemode", "context", "reason", "related_object"
    }  # fmt: skip
    thin: Any = client.parse_event_notification(got.body.decode(), got.headers["stripe-signature"], hook.secret)
    assert (thin.type, thin.id, thin.livemode) == ("v1.customer.updated", attempt.event_id, True)
    assert thin.created.endswith("Z")
    assert thin.reason.request.id == snapshot["request"]["id"]
    assert thin.fetch_related_object().name == "Bea"
    assert thin.fetch_event().snapshot_event == snapshot["id"]
    assert client.v2.core.events.retrieve(thin.id).type == "v1.customer.updated"


def test_every_event_that_the_twin_tells_has_its_thin_form(twin: Any, sdk: Any, hook: Any, shop: Any) -> None:
    made = shop.subscribed(shop.clock())
    twin.dispute(shop.intent_of(made.latest_invoice))
    sdk.subscriptions.cancel(made.id)
    assert twin.wait_idle(WAIT)
    for kind in ("customer.subscription.deleted", "invoice.paid", "charge.dispute.created", "invoice_payment.paid"):
        assert [one.status for one in twin.post_thin(twin.events(kind)[0]["id"], hook.id)] == [200]


def test_there_is_no_thin_event_of_what_stripe_tells_of_in_full_only(twin: Any, shop: Any, hook: Any) -> None:
    shop.customer(None)
    told = twin.make_event("customer.source.created", twin.events()[0]["data"]["object"])
    twin.emit_raw(told)
    with pytest.raises(DishonestEventError, match="no thin events of type 'v1"):
        twin.post_thin(told["id"])


def test_a_thin_event_is_read_by_its_own_id_only(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v2.core.events.retrieve("evt_none")


def test_a_dropped_event_reaches_nobody_and_counts_as_not_delivered(
    twin: Any, sdk: Any, hook: Any, receiver: Any
) -> None:
    twin.hold()
    sdk.customers.create({})
    sdk.products.create({"name": "n"})
    lost = twin.events("customer.created")[0]["id"]
    assert (twin.drop(lost), twin.drop(lost)) == (1, 0)
    twin.release()
    assert twin.wait_idle(WAIT)
    assert receiver.types() == ["product.created"]
    assert [event.id for event in sdk.events.list({"delivery_success": False}).data] == [lost]
    assert [attempt.status for attempt in twin.redeliver(lost)] == [200]


def test_a_dropped_event_can_count_as_delivered_all_the_same(twin: Any, sdk: Any, hook: Any, receiver: Any) -> None:
    twin.hold()
    sdk.customers.create({})
    lost = twin.events("customer.created")[0]["id"]
    assert twin.drop(lost, acknowledged=True) == 1
    twin.release()
    assert twin.wait_idle(WAIT)
    assert receiver.received == []
    assert [event.id for event in sdk.events.list({"delivery_success": True}).data] == [lost]


def test_only_the_named_events_of_the_named_customer_are_dropped(twin: Any, sdk: Any, hook: Any, receiver: Any) -> None:
    first, second = (sdk.customers.create({}).id for _ in range(2))
    assert twin.wait_idle(WAIT)
    receiver.received.clear()
    with twin.dropping("customer.updated", first):
        for customer in (first, second):
            sdk.customers.update(customer, {"name": "Ada"})
    sdk.customers.update(first, {"name": "Bea"})
    assert twin.wait_idle(WAIT)
    assert sorted(
        (got.event["data"]["object"]["id"], got.event["data"]["object"]["name"]) for got in receiver.received
    ) == sorted([(second, "Ada"), (first, "Bea")])


def test_events_are_paged_within_types_and_time(sdk: Any) -> None:
    for number in range(5):
        sdk.customers.create({"name": str(number)})
        sdk.products.create({"name": str(number)})
    wanted = {"types": ["customer.created"], "created": {"gte": 1}, "limit": 2}
    names = [event.data.object.name for event in sdk.events.list(wanted).auto_paging_iter()]
    assert names == ["4", "3", "2", "1", "0"]
