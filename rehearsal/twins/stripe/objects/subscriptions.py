"""Subscriptions and their items. Billing periods live on the items (since 2025-03-31.basil)."""

from rehearsal.twins.stripe.objects.catalog import listed, plan
from rehearsal.twins.stripe.store import Object, new_id, snapshot

SELF: Object = {"account": None, "type": "self"}
UPDATED = "customer.subscription.updated"


def subscription(customer: Object, items: list[Object], params: Object, *, created: int, livemode: bool) -> Object:
    """A Subscription; `items` are made by `subscription_item`, the status is the caller's to decide."""
    subscription_id = new_id("sub")
    for item in items:
        item["subscription"] = subscription_id
    return {
        "id": subscription_id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": params.get("trial_end") or created,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": None},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": created,
        "currency": items[0]["price"]["currency"],
        "customer": customer["id"],
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": params.get("default_payment_method"),
        "default_source": None,
        "default_tax_rates": [],
        "description": params.get("description"),
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": dict(SELF)},
        "items": listed(items, f"/v1/subscription_items?subscription={subscription_id}"),
        "latest_invoice": None,
        "livemode": livemode,
        "metadata": params.get("metadata", {}),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": created,
        "status": "incomplete",
        "status_details": None,
        "test_clock": customer["test_clock"],
        "transfer_data": None,
        "trial_end": params.get("trial_end"),
        "trial_settings": params.get("trial_settings")
        or {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": created if params.get("trial_end") else None,
    }


def subscription_item(price: Object, quantity: int, start: int, end: int, *, created: int) -> Object:
    """A SubscriptionItem whose current period is [start, end)."""
    return {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": created,
        "current_period_end": end,
        "current_period_start": start,
        "discounts": [],
        "metadata": {},
        "plan": plan(price),
        "price": snapshot(price),
        "quantity": quantity,
        "subscription": "",
        "tax_rates": [],
    }
