"""/v1/subscriptions."""

from typing import Any

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import methods, pausing, subscription
from rehearsal.twins.stripe.errors import invalid
from rehearsal.twins.stripe.listing import list_spec, matching, page
from rehearsal.twins.stripe.params import (
    Spec,
    array,
    boolean,
    choice,
    clearable,
    integer,
    merge_metadata,
    metadata,
    moments,
    new_metadata,
    record,
    text,
    timestamp,
)
from rehearsal.twins.stripe.router import Route
from rehearsal.twins.stripe.store import Object

STATUSES = ("active", "canceled", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid")
FEEDBACK = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)


def trial_end(params: dict[str, Any], now: int) -> int | None:
    """When the asked-for trial ends, None without one. ApiError 400 for one in the past or asked for twice."""
    days, moment = params.pop("trial_period_days", None), params.get("trial_end")
    if days and moment:
        raise invalid("You cannot set both trial_end and trial_period_days.", param="trial_end")
    if days:
        return now + days * 86_400
    if moment == "now" or moment is None:
        return None
    if moment <= now:
        raise invalid(
            f"Invalid timestamp: must be an integer Unix timestamp in the future: {moment}", param="trial_end"
        )
    return moment


def create(account: Account, params: dict[str, Any]) -> Object:
    """A subscription of recurring prices with one period between them."""
    customer = account.store.get("customer", params["customer"], "customer")
    lines = [
        (account.store.get("price", line["price"], f"items[{index}][price]"), line.get("quantity", 1))
        for index, line in enumerate(params["items"])
    ]
    if len({str(price["recurring"]) for price, _ in lines}) > 1:
        raise invalid("This twin bills all items of a subscription in the same interval.", param="items")
    params["trial_end"] = trial_end(params, account.now_for(customer))
    if "default_payment_method" in params:
        methods.owned(account, params["default_payment_method"], customer)
    return subscription.start(account, customer, lines, params)


def retrieve(account: Account, _params: dict[str, Any], subscription_id: str) -> Object:
    """The subscription."""
    return account.store.get("subscription", subscription_id)


def update(account: Account, params: dict[str, Any], subscription_id: str) -> Object:
    """Change what is given. ApiError 400 for one that has ended."""
    item = _living(account, subscription_id)
    if "default_payment_method" in params:
        customer = account.store.get("customer", item["customer"])
        methods.owned(account, params["default_payment_method"], customer)
    with account.updating(item, subscription.UPDATED):
        item.update({name: params[name] for name in _PLAIN if name in params})
        if "pause_collection" in params:
            item["pause_collection"] = _pause_collection(params["pause_collection"])
        if "metadata" in params:
            item["metadata"] = merge_metadata(item["metadata"], params["metadata"])
        if "cancel_at_period_end" in params:
            subscription.cancel_at_period_end(account, item, wanted=params["cancel_at_period_end"])
        if "cancel_at" in params:
            _cancel_at(account, item, params["cancel_at"])
        if "cancellation_details" in params:
            item["cancellation_details"].update(params["cancellation_details"])
    return item


def _pause_collection(params: dict[str, Any] | None) -> Object | None:
    return params and {"behavior": params["behavior"], "resumes_at": params.get("resumes_at")}


def _cancel_at(account: Account, item: Object, moment: int) -> None:
    now = account.store.now(item["test_clock"])
    if moment <= now:
        raise invalid(f"Invalid timestamp: cancel_at must be in the future ({now}), got {moment}", param="cancel_at")
    item.update(cancel_at=moment, canceled_at=now, cancel_at_period_end=False)
    item["cancellation_details"]["reason"] = "cancellation_requested"


def cancel(account: Account, params: dict[str, Any], subscription_id: str) -> Object:
    """Cancel at once, without proration or a final invoice."""
    item = _living(account, subscription_id)
    subscription.end(account, item, "cancellation_requested", params.get("cancellation_details"))
    return item


def pause(account: Account, _params: dict[str, Any], subscription_id: str) -> Object:
    """Pause a subscription as a whole. ApiError 400 for one that neither runs nor is in its trial."""
    item = _living(account, subscription_id)
    if item["status"] not in ("active", "trialing", "past_due"):
        raise invalid(f"Only a subscription that runs can be paused: {subscription_id} is {item['status']}.")
    pausing.pause(account, item, "pause_requested")
    return item


def resume(account: Account, params: dict[str, Any], subscription_id: str) -> Object:
    """Bring a paused subscription back. ApiError 400 for one that is not paused, or is being resumed already."""
    item = _living(account, subscription_id)
    if item["status"] != "paused" or pausing.resumption(account, item):
        state = "being resumed" if item["status"] == "paused" else item["status"]
        raise invalid(f"Only a paused subscription can be resumed: {subscription_id} is {state}.")
    keep_cycle = params.get("billing_cycle_anchor", {}).get("type") == "unchanged"
    if keep_cycle and params.get("proration_behavior") != "none":
        message = "This twin prorates nothing: send proration_behavior=none with an unchanged billing_cycle_anchor."
        raise invalid(message, param="proration_behavior")
    on_success = params.get("payment_behavior") == "resume_on_payment_success"
    subscription.resume(account, item, keep_cycle=keep_cycle, on_success=on_success)
    return item


def _living(account: Account, subscription_id: str) -> Object:
    item = account.store.get("subscription", subscription_id)
    if item["status"] in subscription.ENDED:
        raise invalid(f"No such subscription: '{subscription_id}' can no longer be changed: it is {item['status']}.")
    return item


def list_subscriptions(account: Account, params: dict[str, Any]) -> Object:
    """Subscriptions: without a status all that are not cancelled; `ended` and `all` as Stripe has them.

    Those of a test clock only when it, or the customer, is named.
    """
    wanted_clock = params if "customer" in params else {"test_clock": None, **params}
    found = matching(account.store.find("subscription"), wanted_clock, "customer", "test_clock")
    if "price" in params:
        found = [item for item in found if any(i["price"]["id"] == params["price"] for i in item["items"]["data"])]
    wanted = params.get("status")
    shown = {
        None: [status for status in STATUSES if status != "canceled"],
        "ended": list(subscription.ENDED),
        "all": list(STATUSES),
    }.get(wanted, [wanted])
    return page([item for item in found if item["status"] in shown], params, "/v1/subscriptions")


_DETAILS = record({"comment": text(clear=True), "feedback": choice(*FEEDBACK)})
_PLAIN = ("default_payment_method", "description", "trial_settings")
_END_BEHAVIOR = record(
    {"missing_payment_method": choice("cancel", "create_invoice", "pause")}, "missing_payment_method"
)
TRIAL_SETTINGS = record({"end_behavior": _END_BEHAVIOR}, "end_behavior")
_CREATE = {
    "customer": text(),
    "items": array(record({"price": text(), "quantity": integer(1, 999_999)}, "price"), limit=20),
    "metadata": new_metadata(),
    "description": text(limit=500),
    "default_payment_method": text(),
    "payment_behavior": choice("allow_incomplete", "default_incomplete", "error_if_incomplete"),
    "off_session": boolean(),
    "trial_end": timestamp("now"),
    "trial_period_days": integer(1, 730),
    "trial_settings": TRIAL_SETTINGS,
}
_UPDATE = {
    "cancel_at_period_end": boolean(),
    "cancel_at": timestamp(),
    "cancellation_details": _DETAILS,
    "default_payment_method": text(),
    "description": text(clear=True, limit=500),
    "metadata": metadata(),
    "pause_collection": clearable(
        record(
            {"behavior": choice("keep_as_draft", "mark_uncollectible", "void"), "resumes_at": timestamp()}, "behavior"
        )
    ),
    "trial_settings": TRIAL_SETTINGS,
}
_RESUME = {
    "billing_cycle_anchor": record({"type": choice("now", "unchanged")}, "type"),
    "payment_behavior": choice("resume_on_payment_attempt", "resume_on_payment_success"),
    "proration_behavior": choice("always_invoice", "create_prorations", "none"),
}

ROUTES = (
    Route("POST", "/v1/subscriptions", create, Spec(_CREATE, required=("customer", "items"))),
    Route(
        "GET",
        "/v1/subscriptions",
        list_subscriptions,
        list_spec(
            customer=text(),
            price=text(),
            status=choice(*STATUSES, "ended", "all"),
            test_clock=text(),
            created=moments(),
        ),
    ),
    Route("GET", "/v1/subscriptions/{id}", retrieve),
    Route("POST", "/v1/subscriptions/{id}", update, Spec(_UPDATE)),
    Route("POST", "/v1/subscriptions/{id}/pause", pause, Spec({"type": choice("subscription")})),
    Route("POST", "/v1/subscriptions/{id}/resume", resume, Spec(_RESUME)),
    Route("DELETE", "/v1/subscriptions/{id}", cancel, Spec({"cancellation_details": _DETAILS})),
)
