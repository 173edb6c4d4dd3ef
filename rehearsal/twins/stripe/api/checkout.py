"""/v1/checkout/sessions."""

from typing import Any

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.api.catalog import CURRENCIES, PRODUCT_DATA, RECURRING, create_price
from rehearsal.twins.stripe.api.subscriptions import TRIAL_SETTINGS, trial_end
from rehearsal.twins.stripe.billing import checkout
from rehearsal.twins.stripe.errors import invalid, missing_param
from rehearsal.twins.stripe.listing import list_spec, matching, page
from rehearsal.twins.stripe.objects.checkout import line_item, session
from rehearsal.twins.stripe.params import (
    Spec,
    array,
    boolean,
    choice,
    integer,
    moments,
    new_metadata,
    record,
    text,
    timestamp,
)
from rehearsal.twins.stripe.router import Route
from rehearsal.twins.stripe.store import Object

# Parameters that Stripe takes in one mode only; debits are so by this twin's own limit.
_ONE_MODE = (
    ("subscription_data", "subscription"),
    ("payment_method_collection", "subscription"),
    ("payment_intent_data", "payment"),
    ("invoice_creation", "payment"),
    ("payment_method_types", "payment"),
)
EXPIRES_AFTER = (1800, 86_400)  # seconds between creation and expires_at that Stripe allows


def create(account: Account, params: dict[str, Any]) -> Object:
    """An open session. ApiError 400 where mode, prices and customer do not fit."""
    _check(params)
    payer = account.store.get("customer", params["customer"], "customer") if "customer" in params else None
    now = account.now_for(payer)
    _check_expiry(params, now)
    lines = [_line(account, params["mode"], line) for line in params["line_items"]]
    if params["mode"] == "subscription" and not any(price["recurring"] for price, _ in lines):
        raise invalid("You must provide at least one recurring price in `subscription` mode.", param="line_items")
    subscription_data = dict(params.get("subscription_data", {}))
    subscription_data["trial_end"] = trial_end(subscription_data, now)
    items = [line_item(price, quantity, _name(account, price)) for price, quantity in lines]
    made = session(params, items, created=now, livemode=account.livemode, page_url=account.page_url)
    if subscription_data["trial_end"]:
        made.update(amount_subtotal=0, amount_total=0, payment_status="no_payment_required")
    return account.store.add(
        made,
        lines=lines,
        line_items=items,
        subscription_data=subscription_data,
        payment_intent_data=params.get("payment_intent_data", {}),
    )


def _check(params: dict[str, Any]) -> None:
    if "customer" in params and "customer_email" in params:
        raise invalid("You may only specify one of these parameters: customer, customer_email.", param="customer_email")
    for field, mode in _ONE_MODE:
        if field in params and params["mode"] != mode:
            raise invalid(f"You can not pass `{field}` in `{params['mode']}` mode.", param=field)
    if "customer_creation" in params and (params["mode"] != "payment" or "customer" in params):
        raise invalid(
            "`customer_creation` can only be used in `payment` mode without a customer.", param="customer_creation"
        )
    if not params["line_items"]:
        raise missing_param("line_items")


def _check_expiry(params: dict[str, Any], now: int) -> None:
    shortest, longest = EXPIRES_AFTER
    if "expires_at" in params and not shortest <= params["expires_at"] - now <= longest:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise invalid(message, param="expires_at")


def _line(account: Account, mode: str, line: dict[str, Any]) -> tuple[Object, int]:
    if ("price" in line) == ("price_data" in line):
        raise invalid("Give exactly one of `price` and `price_data` for each line item.", param="line_items")
    if "price" in line:
        price = account.store.get("price", line["price"], "line_items")
    else:
        price = create_price(account, line["price_data"])
    if not price["active"]:
        raise invalid(f"The price specified is inactive: {price['id']}.", param="line_items")
    if mode == "payment" and price["recurring"]:
        message = (
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices."
        )
        raise invalid(message, param="mode")
    if mode == "subscription" and not price["recurring"]:
        message = "This twin's sessions in `subscription` mode take recurring prices only."
        raise invalid(message, param="line_items")
    return price, line.get("quantity", 1)


def _name(account: Account, price: Object) -> str:
    return account.store.get("product", price["product"])["name"]


def retrieve(account: Account, _params: dict[str, Any], session_id: str) -> Object:
    """The session."""
    return account.store.get("checkout.session", session_id)


def list_sessions(account: Account, params: dict[str, Any]) -> Object:
    """Sessions, by what they led to if wanted."""
    fields = ("customer", "payment_intent", "subscription", "status")
    return page(matching(account.store.find("checkout.session"), params, *fields), params, "/v1/checkout/sessions")


def line_items(account: Account, params: dict[str, Any], session_id: str) -> Object:
    """What the session sells."""
    items = account.store.notes(account.store.get("checkout.session", session_id))["line_items"]
    return page(items[::-1], params, f"/v1/checkout/sessions/{session_id}/line_items")


def expire(account: Account, _params: dict[str, Any], session_id: str) -> Object:
    """Close an open session."""
    item = account.store.get("checkout.session", session_id)
    checkout.expire(account, item)
    return item


_PRICE_DATA = record(
    {
        "currency": choice(*CURRENCIES),
        "unit_amount": integer(),
        "product": text(),
        "product_data": PRODUCT_DATA,
        "recurring": RECURRING,
    },
    "currency",
    "unit_amount",
)
_CREATE = {
    "mode": choice("payment", "subscription"),
    "line_items": array(record({"price": text(), "price_data": _PRICE_DATA, "quantity": integer(1, 999_999)})),
    "customer": text(),
    "customer_email": text(limit=800),
    "customer_creation": choice("always", "if_required"),
    "client_reference_id": text(limit=200),
    "metadata": new_metadata(),
    "success_url": text(),
    "cancel_url": text(),
    "expires_at": timestamp(),
    "payment_method_types": array(choice("card", "sepa_debit")),
    "payment_method_collection": choice("always", "if_required"),
    "invoice_creation": record(
        {
            "enabled": boolean(),
            "invoice_data": record(
                {"metadata": new_metadata(), "description": text(limit=1500), "footer": text(limit=5000)}
            ),
        },
        "enabled",
    ),
    "subscription_data": record(
        {
            "metadata": new_metadata(),
            "description": text(limit=500),
            "trial_period_days": integer(1, 730),
            "trial_end": timestamp(),
            "trial_settings": TRIAL_SETTINGS,
        }
    ),
    "payment_intent_data": record(
        {
            "metadata": new_metadata(),
            "description": text(limit=1000),
            "receipt_email": text(),
            "setup_future_usage": choice("off_session", "on_session"),
        }
    ),
}

ROUTES = (
    Route("POST", "/v1/checkout/sessions", create, Spec(_CREATE, required=("mode", "line_items"))),
    Route(
        "GET",
        "/v1/checkout/sessions",
        list_sessions,
        list_spec(
            customer=text(),
            payment_intent=text(),
            subscription=text(),
            status=choice("open", "complete", "expired"),
            created=moments(),
        ),
    ),
    Route("GET", "/v1/checkout/sessions/{id}", retrieve),
    Route("GET", "/v1/checkout/sessions/{id}/line_items", line_items, list_spec()),
    Route("POST", "/v1/checkout/sessions/{id}/expire", expire),
)
