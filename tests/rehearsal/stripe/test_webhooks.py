"""Endpoints and deliveries, to a real receiver that verifies as the SDK does."""

import threading
import time
from typing import Any

import httpx
import pytest
import stripe

from rehearsal.twins.stripe import Delivering, StripeTwin

WAIT = 10.0


def test_an_endpoint_shows_its_secret_once_and_keeps_its_version(sdk: Any, hook: Any) -> None:
    assert hook.secret.startswith("whsec_")
    assert (hook.status, hook.api_version, hook.livemode) == ("enabled", stripe.api_version, True)
    shown = sdk.webhook_endpoints.retrieve(hook.id)
    assert "secret" not in shown
    assert [one.id for one in sdk.webhook_endpoints.list().data] == [hook.id]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.webhook_endpoints.update(hook.id, {"api_version": stripe.api_version})
    assert refused.value.code == "parameter_unknown"


@pytest.mark.parametrize(
    "params",
    [
        {"url": "http://api.tidewriters.example/", "enabled_events": ["*"]},
        {"url": "api.tidewriters.example", "enabled_events": ["*"]},
        {"url": "https://api.tidewriters.example/", "enabled_events": ["invoice.payed"]},
        {"url": "https://api.tidewriters.example/", "enabled_events": []},
        {"url": "https://api.tidewriters.example/", "enabled_events": ["*"], "api_version": "2022-11-15"},
    ],
)
def test_an_endpoint_that_cannot_work_is_refused(sdk: Any, params: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        sdk.webhook_endpoints.create(params)


def test_an_account_has_at_most_sixteen_endpoints(sdk: Any) -> None:
    params = {"url": "https://api.tidewriters.example/", "enabled_events": ["*"]}
    for _ in range(16):
        sdk.webhook_endpoints.create(params)
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        sdk.webhook_endpoints.create(params)


def test_a_delivery_is_signed_and_is_the_event(sdk: Any, twin: Any, hook: Any, receiver: Any) -> None:
    sdk.customers.create({"name": "Zoë ☂"})
    assert twin.wait_idle(WAIT)
    (got,) = receiver.received
    got.verify(hook.secret)
    event = stripe.Webhook.construct_event(got.body, got.headers["stripe-signature"], hook.secret)
    assert (event.type, event.livemode, event.api_version) == ("customer.created", True, stripe.api_version)
    assert (event.pending_webhooks, event.data.object.name) == (1, "Zoë ☂")
    assert sdk.events.retrieve(event.id).pending_webhooks == 0
    with pytest.raises(stripe.SignatureVerificationError):
        got.verify("whsec_another")


def test_the_delivery_record_has_the_moment_of_acceptance(sdk: Any, twin: Any, hook: Any) -> None:
    before, before_monotonic = time.time(), time.monotonic()
    sdk.customers.create({})
    assert twin.wait_idle(WAIT)
    (attempt,) = twin.deliveries(twin.events()[0]["id"])
    assert (attempt.status, attempt.number, attempt.accepted, attempt.endpoint_id) == (200, 1, True, hook.id)
    assert before <= attempt.started_at <= attempt.accepted_at <= time.time()
    assert before_monotonic <= attempt.accepted_monotonic <= time.monotonic()


def test_only_wanted_events_are_sent(sdk: Any, twin: Any, hook: Any, receiver: Any, shop: Any) -> None:
    sdk.webhook_endpoints.update(hook.id, {"enabled_events": ["price.created"]})
    shop.price()
    assert twin.wait_idle(WAIT)
    assert receiver.types() == ["price.created"]


@pytest.mark.parametrize("failure", [500, 404, 301, 302])
def test_anything_but_2xx_is_tried_again_with_a_new_signature(
    sdk: Any, twin: Any, hook: Any, receiver: Any, failure: int
) -> None:
    receiver.statuses = [failure, failure]
    sdk.customers.create({})
    assert twin.wait_idle(WAIT)
    assert [attempt.status for attempt in twin.deliveries()] == [failure, failure, 200]
    assert len(receiver.received) == 3  # a redirect is not followed
    assert len({got.event["id"] for got in receiver.received}) == 1
    for got in receiver.received:
        got.verify(hook.secret)


def test_each_try_is_signed_with_the_time_of_the_try(receiver: Any, deliveries_client: Any, recording: Any) -> None:
    twin = StripeTwin(transport=deliveries_client, delivering=Delivering(base_delay=1.1))
    twin.start()
    try:
        sdk = stripe.StripeClient(twin.api_key, base_addresses={"api": twin.url}, http_client=recording).v1
        sdk.webhook_endpoints.create({"url": "https://x.example/", "enabled_events": ["*"]})
        receiver.statuses = [500]
        sdk.customers.create({})
        assert twin.wait_idle(WAIT)
    finally:
        twin.stop()
    stamps = [got.headers["stripe-signature"].split(",")[0] for got in receiver.received]
    assert stamps == [f"t={int(attempt.started_at)}" for attempt in twin.deliveries()]
    assert stamps[0] < stamps[1]


def test_tries_are_bounded_and_then_the_event_counts_as_failed(sdk: Any, twin: Any, hook: Any, receiver: Any) -> None:
    receiver.statuses = [500] * 20
    sdk.customers.create({})
    assert twin.wait_idle(WAIT)
    assert [attempt.number for attempt in twin.deliveries()] == [1, 2, 3, 4, 5]
    receiver.statuses = []
    sdk.products.create({"name": "n"})
    assert twin.wait_idle(WAIT)
    assert [event.type for event in sdk.events.list({"delivery_success": False}).data] == ["customer.created"]
    assert [event.type for event in sdk.events.list({"delivery_success": True}).data] == ["product.created"]


def test_an_endpoint_that_nobody_serves_is_recorded_with_the_reason(
    twin: Any, sdk: Any, hook: Any, receiver: Any
) -> None:
    receiver.port = 9  # discard: nobody listens there
    sdk.customers.create({})
    assert twin.wait_idle(WAIT)
    first = twin.deliveries()[0]
    assert (first.status, first.accepted, first.accepted_at) == (None, False, None)
    assert "ConnectError" in first.error


def test_what_is_held_arrives_on_release(sdk: Any, twin: Any, hook: Any, receiver: Any) -> None:
    twin.hold()
    sdk.customers.create({})
    assert not twin.wait_idle(0.05)
    assert receiver.received == []
    twin.release()
    assert twin.wait_idle(WAIT)
    assert receiver.types() == ["customer.created"]


@pytest.mark.parametrize("reverse", [False, True])
def test_any_order_can_be_had(twin: Any, shop: Any, hook: Any, receiver: Any, reverse: bool) -> None:
    made = shop.subscribed(shop.clock())
    twin.wait_idle(WAIT)
    twin.hold()
    shop.sdk.subscriptions.update(made.id, {"metadata": {"user_id": "u1"}})
    shop.sdk.subscriptions.cancel(made.id)
    last_two = [event["id"] for event in twin.events()[-2:]]
    order = last_two[::-1] if reverse else last_two
    receiver.received.clear()
    for event_id in order:
        assert [attempt.status for attempt in twin.deliver_now(event_id)] == [200]
    twin.release()
    assert twin.wait_idle(WAIT)
    assert [got.event["id"] for got in receiver.received] == order


def test_an_event_can_be_sent_again(sdk: Any, twin: Any, hook: Any, receiver: Any) -> None:
    sdk.customers.create({})
    twin.wait_idle(WAIT)
    event_id = twin.events()[0]["id"]
    again = twin.redeliver(event_id, times=2)
    assert [attempt.number for attempt in again] == [2, 3]
    assert [got.event["id"] for got in receiver.received] == [event_id] * 3


def test_an_event_can_arrive_twice_at_the_same_moment(sdk: Any, twin: Any, hook: Any, receiver: Any) -> None:
    sdk.customers.create({})
    twin.wait_idle(WAIT)
    meeting = threading.Barrier(2, timeout=WAIT)  # passes only if both requests are there together
    receiver.before_answer = meeting.wait
    again = twin.redeliver(twin.events()[0]["id"], times=2, concurrently=True)
    assert [attempt.status for attempt in again] == [200, 200]
    assert not meeting.broken


def test_deliveries_run_side_by_side(sdk: Any, twin: Any, hook: Any, receiver: Any) -> None:
    meeting = threading.Barrier(3, timeout=WAIT)
    receiver.before_answer = meeting.wait
    for _ in range(3):
        sdk.customers.create({})
    assert twin.wait_idle(WAIT)
    assert not meeting.broken


def test_a_disabled_endpoint_gets_nothing_and_what_it_missed_is_not_sent_later(
    sdk: Any, twin: Any, hook: Any, receiver: Any
) -> None:
    assert sdk.webhook_endpoints.update(hook.id, {"disabled": True}).status == "disabled"
    sdk.customers.create({})
    sdk.webhook_endpoints.update(hook.id, {"disabled": False})
    sdk.products.create({"name": "n"})
    assert twin.wait_idle(WAIT)
    assert receiver.types() == ["product.created"]


def test_a_deleted_endpoint_gets_no_retries(sdk: Any, twin: Any, hook: Any, receiver: Any) -> None:
    twin.hold()
    sdk.customers.create({})
    sdk.webhook_endpoints.delete(hook.id)
    twin.release()
    assert twin.wait_idle(WAIT)
    assert receiver.received == []
    assert sdk.webhook_endpoints.list().data == []


def test_a_rolled_secret_signs_beside_the_old_one_until_that_expires(
    sdk: Any, twin: Any, hook: Any, receiver: Any
) -> None:
    new = twin.roll_secret(hook.id)
    sdk.customers.create({})
    twin.wait_idle(WAIT)
    receiver.received[0].verify(hook.secret)
    receiver.received[0].verify(new)
    newest = twin.roll_secret(hook.id, overlap=0)
    sdk.customers.create({})
    twin.wait_idle(WAIT)
    receiver.received[1].verify(newest)
    for old in (hook.secret, new):
        with pytest.raises(stripe.SignatureVerificationError):
            receiver.received[1].verify(old)


def test_the_overlap_of_a_rolled_secret_can_be_over_at_once(sdk: Any, twin: Any, hook: Any, receiver: Any) -> None:
    new = twin.roll_secret(hook.id)
    twin.end_overlap(hook.id)
    sdk.customers.create({})
    twin.wait_idle(WAIT)
    receiver.received[0].verify(new)
    with pytest.raises(stripe.SignatureVerificationError):
        receiver.received[0].verify(hook.secret)


def test_made_up_events_with_the_same_second_are_sent_as_they_are(
    sdk: Any, twin: Any, hook: Any, receiver: Any, recording: Any, shop: Any
) -> None:
    shop.subscribed(shop.clock())
    subscription = recording.documents[-1]
    twin.wait_idle(WAIT)
    receiver.received.clear()
    ended = {**subscription, "status": "canceled", "ended_at": shop.start}
    moment = int(time.time())
    deleted = twin.make_event("customer.subscription.deleted", ended, created=moment)
    updated = twin.make_event(
        "customer.subscription.updated", subscription, created=moment, previous={"status": "trialing"}
    )
    assert [twin.emit_raw(deleted), twin.emit_raw(updated)] == [deleted["id"], updated["id"]]
    assert twin.wait_idle(WAIT)
    assert {got.event["id"] for got in receiver.received} == {deleted["id"], updated["id"]}
    assert {got.event["created"] for got in receiver.received} == {moment}
    assert sdk.events.retrieve(deleted["id"]).type == "customer.subscription.deleted"
    with pytest.raises(ValueError, match="exists"):
        twin.emit_raw(deleted)


def test_signatures_for_forged_and_stale_requests_can_be_made(twin: Any) -> None:
    body = b'{"id": "evt_1"}'
    now = int(time.time())
    stripe.WebhookSignature.verify_header(body.decode(), twin.sign(body, "whsec_x"), "whsec_x", 300)
    for moment in (now - 301, now - 3600):
        with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
            stripe.WebhookSignature.verify_header(body.decode(), twin.sign(body, "whsec_x", moment), "whsec_x", 300)


def test_events_are_listed_by_type_and_time(sdk: Any, twin: Any, shop: Any) -> None:
    clock = shop.clock()
    shop.subscribed(clock)
    kinds = {event.type for event in sdk.events.list({"type": "invoice.*", "limit": 100}).data}
    assert kinds == {
        "invoice.created",
        "invoice.finalized",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
    }
    two = ["invoice.paid", "customer.subscription.created"]
    assert {event.type for event in sdk.events.list({"types": two}).data} == set(two)
    late = sdk.events.list({"created": {"gte": shop.start + 1}, "limit": 100}).data
    assert {event.type for event in late} == {"product.created", "price.created"}
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        sdk.events.list({"type": "invoice.paid", "types": two})


def test_an_events_content_does_not_change_later(sdk: Any, twin: Any) -> None:
    made = sdk.customers.create({"name": "Ada"})
    sdk.customers.update(made.id, {"name": "Bea"})
    created, updated = twin.events()
    assert sdk.events.retrieve(created["id"]).data.object.name == "Ada"
    assert updated["data"]["previous_attributes"] == {"name": "Ada"}


def test_a_test_mode_twin_says_so_everywhere(recording: Any) -> None:
    twin = StripeTwin(livemode=False)
    assert (twin.api_key[:8], twin.read_key[:8]) == ("sk_test_", "rk_test_")
    twin.start()
    try:
        sdk = stripe.StripeClient(twin.api_key, base_addresses={"api": twin.url}, http_client=recording).v1
        assert sdk.customers.create({}).livemode is False
        assert twin.events()[0]["livemode"] is False
        assert sdk.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]}).livemode is False
    finally:
        twin.stop()


def test_stopping_leaves_no_thread_and_no_port(twin: Any, deliveries_client: Any, browser: Any) -> None:
    other = StripeTwin(transport=deliveries_client)
    before = set(threading.enumerate())
    other.start()
    assert browser.get(f"{other.url}/v1/account", auth=(other.api_key, "")).status_code == 200
    other.stop()
    assert set(threading.enumerate()) <= before
    with pytest.raises(httpx.ConnectError):
        browser.get(other.url)
