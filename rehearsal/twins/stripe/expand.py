"""`expand[]`: ids in an answer become the objects, and lists that are left out by default are put in.

Source: https://docs.stripe.com/api/expanding_objects.
"""

from collections.abc import Callable
from typing import Any

from rehearsal.twins.stripe.errors import invalid
from rehearsal.twins.stripe.objects.catalog import listed
from rehearsal.twins.stripe.store import Object, Store, snapshot, stub

DEEPEST = 4

# Ids that a field may hold, by their prefix.
_KINDS = {
    "ch": "charge",
    "clock": "test_helpers.test_clock",
    "cus": "customer",
    "du": "dispute",
    "in": "invoice",
    "pi": "payment_intent",
    "pm": "payment_method",
    "price": "price",
    "prod": "product",
    "re": "refund",
    "sub": "subscription",
}
_NEVER = {"id", "client_reference_id", "lookup_key", "number"}


def _payments(store: Store, item: Object) -> Object:
    found = store.find("invoice_payment", invoice=item["id"])
    return listed(found, f"/v1/invoice_payments?invoice={item['id']}")


def _line_items(store: Store, item: Object) -> Object:
    return listed(store.notes(item)["line_items"], f"/v1/checkout/sessions/{item['id']}/line_items")


def _refunds(store: Store, item: Object) -> Object:
    return listed(store.find("refund", charge=item["id"])[::-1], f"/v1/charges/{item['id']}/refunds")


def _subscriptions(store: Store, item: Object) -> Object:
    found = [some for some in store.find("subscription", customer=item["id"]) if some["status"] != "canceled"]
    return listed(found[::-1], f"/v1/customers/{item['id']}/subscriptions")


# Lists that an answer holds only when they are asked for.
_INCLUDED: dict[tuple[str, str], Callable[[Store, Object], Object]] = {
    ("invoice", "payments"): _payments,
    ("checkout.session", "line_items"): _line_items,
    ("charge", "refunds"): _refunds,
    ("customer", "subscriptions"): _subscriptions,
}


def expanded(store: Store, answer: Object, paths: list[str]) -> Object:
    """A copy of `answer` with `paths` (such as `latest_invoice.payments`) expanded. ApiError 400 for a wrong path."""
    copy = snapshot(answer)
    for path in paths:
        steps = path.split(".")
        depth = len([step for step in steps if step != "data"])
        if depth > DEEPEST:
            raise invalid(f"You may only expand up to {DEEPEST} levels: {path} has {depth}", param="expand")
        _expand(store, copy, steps, path)
    return copy


def _expand(store: Store, node: Any, steps: list[str], path: str) -> None:
    if not steps or node is None:
        return
    if isinstance(node, list):
        for inner in node:
            _expand(store, inner, steps, path)
        return
    step, *rest = steps
    make = _INCLUDED.get((node.get("object", ""), step)) if isinstance(node, dict) else None
    if make is not None and step not in node:
        node[step] = snapshot(make(store, node))
    elif not isinstance(node, dict) or step not in node or step in _NEVER:
        raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    elif isinstance(node[step], str):
        node[step] = _object(store, node[step], path)
    elif not isinstance(node[step], dict | list | None):
        raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    _expand(store, node[step], rest, path)


def _object(store: Store, object_id: str, path: str) -> Object:
    kind = _KINDS.get(object_id.partition("_")[0])
    if kind is None or "_" not in object_id:
        raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    gone = store.removed(object_id)
    return stub(gone) if gone else snapshot(store.get(kind, object_id))
