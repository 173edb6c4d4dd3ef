"""Events and the endpoints that they are sent to."""

from datetime import UTC, datetime

from rehearsal.twins.stripe.settings import API_VERSION
from rehearsal.twins.stripe.store import Object, new_id


def event(
    kind: str,
    content: Object,
    *,
    created: int,
    livemode: bool,
    previous: Object | None = None,
    request: Object | None = None,
) -> Object:
    """An Event of type `kind` that tells of `content`."""
    data: Object = {"object": content}
    if previous is not None:
        data["previous_attributes"] = previous
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": data,
        "livemode": livemode,
        "pending_webhooks": 0,
        "request": request or {"id": None, "idempotency_key": None},
        "type": kind,
    }


# Where the API has the objects that events are about.
_PATHS = {
    "charge": "charges",
    "checkout.session": "checkout/sessions",
    "customer": "customers",
    "dispute": "disputes",
    "invoice": "invoices",
    "invoice_payment": "invoice_payments",
    "payment_intent": "payment_intents",
    "payment_method": "payment_methods",
    "price": "prices",
    "product": "products",
    "refund": "refunds",
    "subscription": "subscriptions",
    "test_helpers.test_clock": "test_helpers/test_clocks",
}


def thin_event(snapshot_event: Object) -> Object:
    """The v2 Event that tells of the same change as an event with a snapshot, and only names the object.

    Source: https://docs.stripe.com/changelog/endive/2026-09-30/thin-events-for-api-v1-resources-generally-available.
    `changes` is left out.
    """
    about = snapshot_event["data"]["object"]
    moment = datetime.fromtimestamp(snapshot_event["created"], UTC).isoformat(timespec="milliseconds")
    asked_by = snapshot_event["request"]
    return {
        "id": new_id("evt", 40),
        "object": "v2.core.event",
        "context": None,
        "created": moment.replace("+00:00", "Z"),
        "livemode": snapshot_event["livemode"],
        "reason": {"request": asked_by, "type": "request"} if asked_by["idempotency_key"] else None,
        "related_object": {
            "id": about["id"],
            "type": about["object"],
            "url": f"/v1/{_PATHS[about['object']]}/{about['id']}",
        },
        "snapshot_event": snapshot_event["id"],
        "type": f"v1.{snapshot_event['type']}",
    }


def notification(thin: Object) -> Object:
    """What is sent of a v2 Event: not the snapshot's id, which only the API tells."""
    return {name: value for name, value in thin.items() if name != "snapshot_event"}


def webhook_endpoint(params: Object, *, created: int, livemode: bool) -> Object:
    """A WebhookEndpoint without its secret, which is shown only in the answer to its creation."""
    return {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version"),
        "application": None,
        "created": created,
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": livemode,
        "metadata": params.get("metadata", {}),
        "status": "enabled",
        "url": params["url"],
    }


def test_clock(frozen_time: int, name: str | None, *, created: int, livemode: bool) -> Object:
    """A TestClock that stands at `frozen_time` (seconds since the epoch)."""
    return {
        "id": new_id("clock"),
        "object": "test_helpers.test_clock",
        "created": created,
        "deletes_after": created + 30 * 86400,
        "frozen_time": frozen_time,
        "livemode": livemode,
        "name": name,
        "status": "ready",
        "status_details": {},
    }


def account(account_id: str, *, created: int) -> Object:
    """The Account that the key belongs to."""
    return {
        "id": account_id,
        "object": "account",
        "business_profile": {"name": "Rehearsal", "support_email": None, "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "IE",
        "created": created,
        "default_currency": "eur",
        "details_submitted": True,
        "email": "owner@rehearsal.example",
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }
