"""Invoices, their lines, and the InvoicePayment that links an invoice to a PaymentIntent (since basil)."""

from rehearsal.twins.stripe.objects.catalog import listed
from rehearsal.twins.stripe.objects.subscriptions import SELF
from rehearsal.twins.stripe.store import Object, new_id


def subscription_line(item: Object, amount: int, start: int, end: int, subscription: Object) -> Object:
    """A line for one subscription item over [start, end)."""
    parent = {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": subscription["id"],
            "subscription_item": item["id"],
        },
        "type": "subscription_item_details",
    }
    metadata = dict(subscription["metadata"])
    return _line(item["price"], item["quantity"], amount, (start, end), parent, metadata)


def payment_line(price: Object, quantity: int, moment: int) -> Object:
    """A line for what was bought once, at `moment`."""
    parent = {
        "invoice_item_details": {
            "invoice_item": new_id("ii"),
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": None,
        },
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }
    return _line(price, quantity, price["unit_amount"] * quantity, (moment, moment), parent, {})


def _line(
    price: Object, quantity: int, amount: int, period: tuple[int, int], parent: Object, metadata: Object
) -> Object:
    start, end = period
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": f"{quantity} × {price['nickname'] or price['id']}",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": price["livemode"],
        "metadata": metadata,
        "parent": parent,
        "period": {"end": end, "start": start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "subtotal": amount,
        "taxes": [],
    }


def subscription_invoice(
    customer: Object, subscription: Object, lines: list[Object], reason: str, *, created: int
) -> Object:
    """A draft Invoice of a subscription; `reason` is its billing_reason."""
    details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    made = _invoice(customer, lines, reason, created=created)
    made["parent"] = {"quote_details": None, "subscription_details": details, "type": "subscription_details"}
    return made


def payment_invoice(customer: Object, lines: list[Object], data: Object, *, created: int) -> Object:
    """A draft Invoice of a one-time payment: nothing is its parent. `data`: metadata, description, footer."""
    made = _invoice(customer, lines, "manual", created=created)
    made.update({name: data[name] for name in ("description", "footer", "metadata") if data.get(name)})
    return made


def _invoice(customer: Object, lines: list[Object], reason: str, *, created: int) -> Object:
    invoice_id = new_id("in")
    total = sum(line["amount"] for line in lines)
    for line in lines:
        line["invoice"] = invoice_id
    return {
        "id": invoice_id,
        "object": "invoice",
        "account_country": "IE",
        "account_name": "Rehearsal",
        "account_tax_ids": None,
        **_amounts(total),
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": created,
        "currency": lines[0]["currency"],
        "custom_fields": None,
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": None,
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": dict(SELF),
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": listed(lines, f"/v1/invoices/{invoice_id}/lines"),
        "livemode": lines[0]["livemode"],
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": created,
        "period_start": created,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "test_clock": customer["test_clock"],
        "webhooks_delivered_at": None,
    }


def _amounts(total: int) -> Object:
    return {
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": total,
        "amount_shipping": 0,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    }


def invoice_payment(invoice: Object, intent: Object, *, created: int) -> Object:
    """The open InvoicePayment of a finalised invoice."""
    return {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": created,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": invoice["livemode"],
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
