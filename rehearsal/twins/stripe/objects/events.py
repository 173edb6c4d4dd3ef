"""Events and the endpoints that they are sent to."""

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
