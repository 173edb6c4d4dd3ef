"""PaymentIntents, charges and refunds."""

from typing import Literal

from rehearsal.twins.stripe.cards import Decline
from rehearsal.twins.stripe.store import Object, new_id


def payment_intent(params: Object, *, created: int, livemode: bool) -> Object:
    """A PaymentIntent that nobody has tried to pay yet."""
    intent_id = new_id("pi")
    types = params.get("payment_method_types", ["card"])
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": params.get("automatic_payment_methods"),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_{new_id('secret')}",
        "confirmation_method": "automatic",
        "created": created,
        "currency": params["currency"],
        "customer": params.get("customer"),
        "customer_account": None,
        "description": params.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": livemode,
        "metadata": params.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": params.get("payment_method"),
        "payment_method_configuration_details": None,
        "payment_method_options": {name: dict(_OPTIONS[name]) for name in types},
        "payment_method_types": types,
        "processing": None,
        "receipt_email": params.get("receipt_email"),
        "review": None,
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_confirmation" if params.get("payment_method") else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


_OPTIONS: dict[str, Object] = {
    "card": {"installments": None, "network": None, "request_three_d_secure": "automatic"},
    "sepa_debit": {},
}


def charge(intent: Object, method: Object, *, created: int) -> Object:
    """One try to charge `method` for `intent`, pending; `outcome` says how it ended."""
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": dict(method["billing_details"]),
        "calculated_statement_descriptor": "REHEARSAL",
        "captured": False,
        "created": created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": intent["livemode"],
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(method, intent["amount"]),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }


def outcome(made: Object, decline: Decline | None) -> Object:
    """How a charge ended, as fields to set: paid, or failed as `decline` says."""
    if decline is not None:
        told = {"failure_code": decline.code, "failure_message": decline.message}
        return {**told, "outcome": _outcome(decline), "status": "failed"}
    return {
        "amount_captured": made["amount"],
        "balance_transaction": new_id("txn"),
        "captured": True,
        "outcome": _outcome(None),
        "paid": True,
        "receipt_url": f"https://pay.stripe.com/receipts/payment/{made['id']}",
        "status": "succeeded",
    }


def _outcome(decline: Decline | None) -> Object:
    return {
        "advice_code": None if decline is None else "try_again_later",
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network" if decline is None else "declined_by_network",
        "reason": None if decline is None else decline.decline_code or decline.code,
        "risk_level": "normal",
        "seller_message": "Payment complete." if decline is None else "The bank did not return any further details.",
        "type": "authorized" if decline is None else "issuer_declined",
    }


def _details(method: Object, amount: int) -> Object:
    kind = method["type"]
    if kind == "card":
        return {"card": _card_details(method["card"], amount), "type": kind}
    named = {name: method[kind][name] for name in ("bank_code", "branch_code", "country", "fingerprint", "last4")}
    return {kind: {**named, "expected_debit_date": None, "mandate": None}, "type": kind}


def _card_details(card: Object, amount: int) -> Object:
    return {
        "amount_authorized": amount,
        "brand": card["brand"],
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card["country"],
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card["last4"],
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": card["regulated_status"],
        "three_d_secure": None,
        "wallet": None,
    }


def refund(
    charge: Object, amount: int, params: Object, *, created: int, status: Literal["succeeded", "pending"] = "succeeded"
) -> Object:
    """A Refund. It names the charge and the PaymentIntent, nothing else.

    `customer` is declared since 2026 and null here, so that nobody comes to rely on it.
    """
    reference = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    by_card = charge["payment_method_details"]["type"] == "card"
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "customer": None,
        "customer_account": None,
        "destination_details": {"card": reference, "type": "card"} if by_card else None,
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        **({"pending_reason": "processing"} if status == "pending" else {}),
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
