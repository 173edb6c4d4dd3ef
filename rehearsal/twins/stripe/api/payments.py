"""/v1/payment_intents, /v1/charges and /v1/refunds."""

from typing import Any

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.api.catalog import CURRENCIES
from rehearsal.twins.stripe.billing import methods, payment, refunds
from rehearsal.twins.stripe.errors import invalid, missing_param
from rehearsal.twins.stripe.listing import list_spec, matching, page
from rehearsal.twins.stripe.params import Spec, array, boolean, choice, integer, moments, new_metadata, record, text
from rehearsal.twins.stripe.router import Route
from rehearsal.twins.stripe.store import Object


def create_intent(account: Account, params: dict[str, Any]) -> Object:
    """A PaymentIntent, tried at once with `confirm`: the app's server makes it for a mobile PaymentSheet."""
    confirm = params.pop("confirm", False)
    method_id = params.pop("payment_method", None)
    intent = payment.open_intent(account, params)
    if method_id:
        method = methods.from_id(account, method_id, _payer(account, intent))
        intent.update(payment_method=method["id"], status="requires_confirmation")
    return _try(account, intent, params) if confirm else intent


def confirm_intent(account: Account, params: dict[str, Any], intent_id: str) -> Object:
    """Try to pay. ApiError 402 if the issuer refuses; `requires_action` where it wants the payer's word."""
    intent = account.store.get("payment_intent", intent_id)
    if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        message = f"This PaymentIntent's status is {intent['status']}, it cannot be confirmed."
        raise invalid(message, code="payment_intent_unexpected_state")
    if "payment_method" in params:
        intent["payment_method"] = methods.from_id(account, params["payment_method"], _payer(account, intent))["id"]
    return _try(account, intent, params)


def _payer(account: Account, intent: Object) -> Object | None:
    return account.store.get("customer", intent["customer"]) if intent["customer"] else None


def _try(account: Account, intent: Object, params: dict[str, Any]) -> Object:
    if not intent["payment_method"]:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise invalid(message, code="payment_intent_unexpected_state")
    payer: payment.Payer = "away" if params.get("off_session") else "reachable"
    decline = payment.confirm(account, intent, account.store.get("payment_method", intent["payment_method"]), payer)
    if decline and intent["status"] != "requires_action":
        raise payment.declined(intent, decline)
    return intent


def retrieve_intent(account: Account, _params: dict[str, Any], intent_id: str) -> Object:
    """The PaymentIntent."""
    return account.store.get("payment_intent", intent_id)


def list_intents(account: Account, params: dict[str, Any]) -> Object:
    """PaymentIntents."""
    return page(matching(account.store.find("payment_intent"), params, "customer"), params, "/v1/payment_intents")


def retrieve_charge(account: Account, _params: dict[str, Any], charge_id: str) -> Object:
    """The charge."""
    return account.store.get("charge", charge_id)


def list_charges(account: Account, params: dict[str, Any]) -> Object:
    """Charges, failed ones too."""
    return page(matching(account.store.find("charge"), params, "customer", "payment_intent"), params, "/v1/charges")


def create_refund(account: Account, params: dict[str, Any]) -> Object:
    """Give back all or part of a charge, or of a PaymentIntent's charge."""
    if "charge" in params:
        charge = account.store.get("charge", params["charge"], "charge")
    elif "payment_intent" in params:
        charge = _charge_of(account, account.store.get("payment_intent", params["payment_intent"], "payment_intent"))
    else:
        raise missing_param("charge")
    return refunds.refund(account, charge, params.get("amount"), params)


def _charge_of(account: Account, intent: Object) -> Object:
    if intent["status"] != "succeeded":
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise invalid(message, param="payment_intent")
    return account.store.get("charge", intent["latest_charge"])


def retrieve_refund(account: Account, _params: dict[str, Any], refund_id: str) -> Object:
    """The refund."""
    return account.store.get("refund", refund_id)


def list_refunds(account: Account, params: dict[str, Any]) -> Object:
    """Refunds, of one charge or PaymentIntent if wanted."""
    return page(matching(account.store.find("refund"), params, "charge", "payment_intent"), params, "/v1/refunds")


_INTENT = {
    "amount": integer(1),
    "currency": choice(*CURRENCIES),
    "customer": text(),
    "payment_method": text(),
    "payment_method_types": array(choice("card")),
    "automatic_payment_methods": record(
        {"enabled": boolean(), "allow_redirects": choice("always", "never")}, "enabled"
    ),
    "return_url": text(),
    "confirm": boolean(),
    "off_session": boolean(),
    "description": text(limit=1000),
    "receipt_email": text(),
    "setup_future_usage": choice("off_session", "on_session"),
    "metadata": new_metadata(),
}
_REFUND = {
    "amount": integer(1),
    "charge": text(),
    "payment_intent": text(),
    "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
    "metadata": new_metadata(),
}

ROUTES = (
    Route("POST", "/v1/payment_intents", create_intent, Spec(_INTENT, required=("amount", "currency"))),
    Route("GET", "/v1/payment_intents", list_intents, list_spec(customer=text(), created=moments())),
    Route("GET", "/v1/payment_intents/{id}", retrieve_intent),
    Route(
        "POST",
        "/v1/payment_intents/{id}/confirm",
        confirm_intent,
        Spec({"payment_method": text(), "off_session": boolean(), "return_url": text()}),
    ),
    Route("GET", "/v1/charges", list_charges, list_spec(customer=text(), payment_intent=text(), created=moments())),
    Route("GET", "/v1/charges/{id}", retrieve_charge),
    Route("POST", "/v1/refunds", create_refund, Spec(_REFUND)),
    Route("GET", "/v1/refunds", list_refunds, list_spec(charge=text(), payment_intent=text(), created=moments())),
    Route("GET", "/v1/refunds/{id}", retrieve_refund),
)
