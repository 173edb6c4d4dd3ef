"""Customers and their payment methods."""

from rehearsal.twins.stripe.cards import BankAccount, Card
from rehearsal.twins.stripe.store import Object, new_id

NO_ADDRESS: Object = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}


def customer(params: Object, *, created: int, livemode: bool) -> Object:
    """A Customer as it is just after creation."""
    return {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": created,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description"),
        "email": params.get("email"),
        "invoice_prefix": new_id("x", 8)[2:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": livemode,
        "metadata": params.get("metadata", {}),
        "name": params.get("name"),
        "next_invoice_sequence": 1,
        "phone": params.get("phone"),
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": params.get("test_clock"),
    }


def card_method(card: Card, *, created: int, livemode: bool, email: str | None = None) -> Object:
    """A PaymentMethod of type card, not attached to anybody."""
    details = {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": card.fingerprint,
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return _method("card", details, email, created=created, livemode=livemode)


def sepa_method(bank: BankAccount, *, created: int, livemode: bool, email: str) -> Object:
    """A PaymentMethod of type sepa_debit, not attached to anybody."""
    details = {
        "bank_code": bank.bank_code,
        "branch_code": "",
        "country": bank.country,
        "fingerprint": bank.fingerprint,
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": bank.last4,
    }
    return _method("sepa_debit", details, email, created=created, livemode=livemode)


def _method(kind: str, details: Object, email: str | None, *, created: int, livemode: bool) -> Object:
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": dict(NO_ADDRESS), "email": email, "name": None, "phone": None, "tax_id": None},
        kind: details,
        "created": created,
        "customer": None,
        "customer_account": None,
        "livemode": livemode,
        "metadata": {},
        "type": kind,
    }
