"""/v1/webhook_endpoints, /v1/events and /v1/account."""

from typing import Any, get_args
from urllib.parse import urlsplit

import stripe

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.errors import invalid
from rehearsal.twins.stripe.listing import list_spec, matching, page
from rehearsal.twins.stripe.objects import events
from rehearsal.twins.stripe.params import (
    Spec,
    array,
    boolean,
    choice,
    merge_metadata,
    metadata,
    moments,
    new_metadata,
    text,
)
from rehearsal.twins.stripe.router import Route
from rehearsal.twins.stripe.settings import API_VERSION
from rehearsal.twins.stripe.store import Object, new_id, snapshot

EVENT_TYPES: tuple[str, ...] = get_args(stripe.Event.__annotations__["type"])
MOST_ENDPOINTS = 16  # https://docs.stripe.com/webhooks


def create(account: Account, params: dict[str, Any]) -> Object:
    """An endpoint; this answer alone holds its signing secret."""
    _check(account, params)
    if len(account.store.find("webhook_endpoint")) >= MOST_ENDPOINTS:
        raise invalid(f"You have reached the maximum of {MOST_ENDPOINTS} webhook endpoints.")
    made = events.webhook_endpoint(params, created=account.store.now(), livemode=account.livemode)
    secret = new_secret()
    account.store.add(made, secrets=[(secret, None)])
    return {**snapshot(made), "secret": secret}


def new_secret() -> str:
    """A signing secret."""
    return new_id("whsec", 32)


def _check(account: Account, params: dict[str, Any]) -> None:
    if "url" in params:
        parts = urlsplit(params["url"])
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", param="url")
        if account.livemode and parts.scheme != "https":
            raise invalid(
                "Invalid URL: webhook endpoints in live mode must use https.", param="url", code="url_invalid"
            )
    unknown = [name for name in params.get("enabled_events", []) if name not in (*EVENT_TYPES, "*")]
    if unknown or params.get("enabled_events") == []:
        message = f"Invalid enabled_events: {unknown or 'none given'}; must be event types of {API_VERSION}, or '*'"
        raise invalid(message, param="enabled_events")


def retrieve(account: Account, _params: dict[str, Any], endpoint_id: str) -> Object:
    """The endpoint, without its secret."""
    return account.store.get("webhook_endpoint", endpoint_id)


def update(account: Account, params: dict[str, Any], endpoint_id: str) -> Object:
    """Change what may change: not the version, not the secret."""
    item = account.store.get("webhook_endpoint", endpoint_id)
    _check(account, params)
    item.update({name: params[name] for name in ("url", "enabled_events", "description") if name in params})
    if "metadata" in params:
        item["metadata"] = merge_metadata(item["metadata"], params["metadata"])
    if "disabled" in params:
        item["status"] = "disabled" if params["disabled"] else "enabled"
    return item


def delete(account: Account, _params: dict[str, Any], endpoint_id: str) -> Object:
    """Delete the endpoint; pending retries to it are dropped."""
    return account.store.remove(account.store.get("webhook_endpoint", endpoint_id))


def list_endpoints(account: Account, params: dict[str, Any]) -> Object:
    """Endpoints."""
    return page(account.store.find("webhook_endpoint"), params, "/v1/webhook_endpoints")


def retrieve_event(account: Account, _params: dict[str, Any], event_id: str) -> Object:
    """The event as it was when it happened."""
    return account.store.get("event", event_id)


def list_events(account: Account, params: dict[str, Any]) -> Object:
    """Events by type, time and whether every endpoint has acknowledged them.

    `delivery_success=false` gives only what is pending or has failed, as at Stripe.
    """
    if "type" in params and "types" in params:
        raise invalid("You may only specify one of these parameters: type, types.", param="types")
    found = matching(account.store.find("event"), params)
    kinds = params.get("types") or ([params["type"]] if "type" in params else None)
    if kinds is not None:
        found = [item for item in found if any(_matches(item["type"], kind) for kind in kinds)]
    if "delivery_success" in params:
        found = [item for item in found if (item["pending_webhooks"] == 0) == params["delivery_success"]]
    return page(found, params, "/v1/events")


def _matches(kind: str, wanted: str) -> bool:
    """`invoice.*` stands for all events of invoices."""
    return kind.startswith(wanted[:-1]) if wanted.endswith(".*") else kind == wanted


def retrieve_account(account: Account, _params: dict[str, Any]) -> Object:
    """The account that the key belongs to."""
    return events.account(account.id, created=account.created)


_ENDPOINT = {
    "url": text(),
    "enabled_events": array(text(), limit=1000),
    "description": text(clear=True),
    "metadata": metadata(),
}

ROUTES = (
    Route(
        "POST",
        "/v1/webhook_endpoints",
        create,
        Spec(
            {**_ENDPOINT, "metadata": new_metadata(), "api_version": choice(API_VERSION)},
            required=("url", "enabled_events"),
        ),
    ),
    Route("GET", "/v1/webhook_endpoints", list_endpoints, list_spec()),
    Route("GET", "/v1/webhook_endpoints/{id}", retrieve),
    Route("POST", "/v1/webhook_endpoints/{id}", update, Spec({**_ENDPOINT, "disabled": boolean()})),
    Route("DELETE", "/v1/webhook_endpoints/{id}", delete),
    Route(
        "GET",
        "/v1/events",
        list_events,
        list_spec(type=text(), types=array(text(), limit=20), created=moments(), delivery_success=boolean()),
    ),
    Route("GET", "/v1/events/{id}", retrieve_event),
    Route("GET", "/v1/account", retrieve_account),
)
