"""/v2/core/events: thin events, which name an object and say nothing of it."""

from typing import Any

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.router import Route
from rehearsal.twins.stripe.store import Object


def retrieve(account: Account, _params: dict[str, Any], event_id: str) -> Object:
    """The thin event, with the id of the snapshot event that tells of the same change."""
    return account.store.get("v2.core.event", event_id)


ROUTES = (Route("GET", "/v2/core/events/{id}", retrieve),)
