"""Products, prices, and the plan that a subscription item still shows beside its price."""

from typing import Any

from rehearsal.twins.stripe.store import Object, new_id


def product(params: Object, *, created: int, livemode: bool) -> Object:
    """A Product."""
    return {
        "id": params.get("id") or new_id("prod", 14),
        "object": "product",
        "active": params.get("active", True),
        "created": created,
        "default_price": None,
        "description": params.get("description"),
        "images": [],
        "livemode": livemode,
        "marketing_features": [],
        "metadata": params.get("metadata", {}),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": created,
        "url": None,
    }


def price(params: Object, product_id: str, *, created: int, livemode: bool) -> Object:
    """A Price per unit: one-time, or with `recurring`."""
    amount = params["unit_amount"]
    recurring = params.get("recurring")
    return {
        "id": new_id("price"),
        "object": "price",
        "active": params.get("active", True),
        "billing_scheme": "per_unit",
        "created": created,
        "currency": params["currency"],
        "custom_unit_amount": None,
        "livemode": livemode,
        "lookup_key": params.get("lookup_key"),
        "metadata": params.get("metadata", {}),
        "nickname": params.get("nickname"),
        "product": product_id,
        "recurring": _recurring(recurring) if recurring else None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def _recurring(params: Object) -> Object:
    return {
        "interval": params["interval"],
        "interval_count": params.get("interval_count", 1),
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def plan(price: Object) -> Object:
    """The Plan that mirrors a recurring price, under the price's id."""
    recurring: dict[str, Any] = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": price["livemode"],
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def listed(data: list[Object], url: str, *, has_more: bool = False) -> Object:
    """A list object; `url` is the API path that it comes from."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
