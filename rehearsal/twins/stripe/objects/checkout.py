"""Checkout Sessions and their line items."""

from rehearsal.twins.stripe.store import Object, new_id, snapshot

OPEN_FOR = 24 * 3600  # seconds until an unpaid session expires, Stripe's default


def line_item(price: Object, quantity: int, name: str) -> Object:
    """A LineItem of a session."""
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": name,
        "metadata": {},
        "price": snapshot(price),
        "quantity": quantity,
    }


_OPTIONS: dict[str, Object] = {"card": {"request_three_d_secure": "automatic"}, "sepa_debit": {}}


def session(params: Object, lines: list[Object], *, created: int, livemode: bool, page_url: str) -> Object:
    """An open Session with a hosted page at `page_url`/<id>."""
    session_id = new_id("cs_live" if livemode else "cs_test", 58)
    total = sum(line["amount_total"] for line in lines)
    is_payment = params["mode"] == "payment"
    types = params.get("payment_method_types", ["card"])
    return {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": created,
        "currency": lines[0]["currency"],
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": params.get("customer"),
        "customer_account": None,
        "customer_creation": params.get("customer_creation", "if_required") if is_payment else None,
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": params.get("expires_at") or created + OPEN_FOR,
        "invoice": None,
        "invoice_creation": _invoice_creation(params.get("invoice_creation")),
        "livemode": livemode,
        "locale": None,
        "metadata": params.get("metadata", {}),
        "mode": params["mode"],
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": params.get("payment_method_collection", "if_required" if is_payment else "always"),
        "payment_method_configuration_details": None,
        "payment_method_options": {name: dict(_OPTIONS[name]) for name in types},
        "payment_method_types": types,
        "payment_status": "unpaid" if total else "no_payment_required",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": params.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{page_url}/{session_id}",
        "wallet_options": None,
    }


def _invoice_creation(params: Object | None) -> Object | None:
    """What the invoice of a payment is to say; None without one."""
    if not params or not params["enabled"]:
        return None
    given = params.get("invoice_data", {})
    return {
        "enabled": True,
        "invoice_data": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": given.get("description"),
            "footer": given.get("footer"),
            "issuer": None,
            "metadata": given.get("metadata", {}),
            "rendering_options": None,
        },
    }


def customer_details(email: str | None, name: str | None) -> Object:
    """What the payer typed."""
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
