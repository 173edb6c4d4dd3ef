"""/v1/test_helpers/test_clocks."""

from typing import Any

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.api.customers import delete as delete_customer
from rehearsal.twins.stripe.billing import clock
from rehearsal.twins.stripe.listing import list_spec, page
from rehearsal.twins.stripe.objects.events import test_clock
from rehearsal.twins.stripe.params import Spec, text, timestamp
from rehearsal.twins.stripe.router import Route
from rehearsal.twins.stripe.store import Object, snapshot

KIND = "test_helpers.test_clock"


def create(account: Account, params: dict[str, Any]) -> Object:
    """A clock that stands at `frozen_time`."""
    name, now = params.get("name"), account.store.now()
    made = account.store.add(test_clock(params["frozen_time"], name, created=now, livemode=account.livemode))
    account.emit("test_helpers.test_clock.created", made)
    return made


def retrieve(account: Account, _params: dict[str, Any], clock_id: str) -> Object:
    """The clock; `ready` once it has arrived."""
    return account.store.get(KIND, clock_id)


def list_clocks(account: Account, params: dict[str, Any]) -> Object:
    """Clocks."""
    return page(account.store.find(KIND), params, "/v1/test_helpers/test_clocks")


def advance(account: Account, params: dict[str, Any], clock_id: str) -> Object:
    """Start advancing; as at Stripe the answer says `advancing`, and a later look `ready`."""
    item = account.store.get(KIND, clock_id)
    started = snapshot(item)
    started.update(status="advancing", status_details={"advancing": {"target_frozen_time": params["frozen_time"]}})
    request, account.request = account.request, None  # what happens on the way is Stripe's own doing
    try:
        clock.advance(account, item, params["frozen_time"])
    finally:
        account.request = request
    account.emit("test_helpers.test_clock.ready", item)
    return started


def delete(account: Account, _params: dict[str, Any], clock_id: str) -> Object:
    """Delete a clock and its customers."""
    item = account.store.get(KIND, clock_id)
    for customer in account.store.find("customer", test_clock=clock_id):
        delete_customer(account, {}, customer["id"])
    account.emit("test_helpers.test_clock.deleted", item)
    return account.store.remove(item)


_CREATE = Spec({"frozen_time": timestamp(), "name": text(limit=300)}, required=("frozen_time",))

ROUTES = (
    Route("POST", "/v1/test_helpers/test_clocks", create, _CREATE),
    Route("GET", "/v1/test_helpers/test_clocks", list_clocks, list_spec()),
    Route("GET", "/v1/test_helpers/test_clocks/{id}", retrieve),
    Route(
        "POST",
        "/v1/test_helpers/test_clocks/{id}/advance",
        advance,
        Spec({"frozen_time": timestamp()}, required=("frozen_time",)),
    ),
    Route("DELETE", "/v1/test_helpers/test_clocks/{id}", delete),
)
