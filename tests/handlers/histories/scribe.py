"""Writes down the events of made-up lives, in the shape of Stripe's objects before or after 2025-03-31 ("basil").

https://docs.stripe.com/changelog/basil
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeVar

from hypothesis import strategies as st

from tests.handlers import story
from tests.handlers.story import Event

T = TypeVar("T")
Object = dict[str, Any]
Shape = Literal["after", "before", "mixed"]

OLD_VERSION, NEW_VERSION = "2024-06-20", "2026-10-28.endive"
SHAPES: tuple[Shape, ...] = ("after", "after", "mixed", "before")

CUSTOMER: Mapping[str, Any] = {
    "object": "customer", "address": None, "balance": 0, "currency": "eur", "default_source": None,
    "delinquent": False, "description": None, "discount": None, "invoice_prefix": "ADA0001", "livemode": True,
    "name": "Ada Example", "phone": None, "preferred_locales": [], "shipping": None, "tax_exempt": "none",
}  # fmt: skip
PAYMENT_INTENT: Mapping[str, Any] = {
    "object": "payment_intent", "amount_capturable": 0, "canceled_at": None, "capture_method": "automatic",
    "confirmation_method": "automatic", "currency": "eur", "description": None, "last_payment_error": None,
    "livemode": True, "next_action": None, "on_behalf_of": None, "payment_method_types": ["card"],
    "receipt_email": None, "setup_future_usage": None, "shipping": None, "source": None, "transfer_group": None,
}  # fmt: skip
DISPUTE: Mapping[str, Any] = {
    "object": "dispute", "balance_transactions": [], "currency": "eur", "evidence": {}, "evidence_details": {},
    "is_charge_refundable": False, "livemode": True, "metadata": {}, "reason": "fraudulent",
}  # fmt: skip


@dataclass
class Scribe:
    """The pen: what Hypothesis decides, or the simplest without it, and every event that was written so far."""

    draw: st.DrawFn | None = None
    shape: Shape = "after"
    events: list[Event] = field(default_factory=list)
    place: str = ""  # where several write one history, what sets their ids apart
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def choose(self, *values: T) -> T:
        """One of `values`; the first is the simplest."""
        return self.draw(st.sampled_from(values)) if self.draw else values[0]

    def maybe(self) -> bool:
        """Whether something happens that need not."""
        return self.draw(st.booleans()) if self.draw else False

    def count(self, most: int) -> int:
        """How often something happens."""
        return self.draw(st.integers(0, most)) if self.draw else 0

    def id(self, prefix: str) -> str:
        """An id that nothing else in this history has."""
        return f"{prefix}_{self.place}{next(self.numbers):03d}"

    def tell(
        self,
        type_: str,
        *,
        at: int,
        obj: Object,
        payment: str | None = None,
        invoice: str | None = None,
    ) -> None:
        """One event. `payment` and `invoice` are what the object named before basil, and no longer does."""
        old = self.shape == "before" or (self.shape == "mixed" and self.maybe())
        if old and type_ == "invoice_payment.paid":
            if self.shape == "before":
                return
            old = False
        of_payer = _of_account(obj) if (obj.get("customer") or "").startswith("acct_") else obj
        self.events.append({
            "id": f"evt_{self.place}{len(self.events):04d}",
            "object": "event",
            "api_version": OLD_VERSION if old else NEW_VERSION,
            "created": at,
            "data": {"object": _before_basil(type_, of_payer, payment, invoice) if old else of_payer},
            "livemode": True,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": type_,
        })  # fmt: skip


def recorded(name: str, **changes: Any) -> Object:
    """The object of a recorded event, with other fields."""
    return json.loads(_recorded(name)) | changes


@cache
def _recorded(name: str) -> str:
    return json.dumps(story.recorded(name)["data"]["object"])


def _of_account(obj: Object) -> Object:
    """The same object of a payer that is an account, as of Stripe's Accounts v2, and no customer."""
    return obj | {"customer": None, "customer_account": obj["customer"]}


def _before_basil(type_: str, obj: Object, payment: str | None, invoice: str | None) -> Object:
    """The same object as an endpoint of before 2025-03-31 gets it."""
    if type_.startswith("customer.subscription."):
        return obj | _old_periods(obj["items"])
    if type_.startswith("invoice."):
        return _old_invoice(obj) | {"payment_intent": payment, "paid": obj["status"] == "paid"}
    if type_.startswith(("payment_intent.", "charge.refunded")):
        return obj | {"invoice": invoice}
    return obj


def _old_periods(items: Object) -> Object:
    names = ("current_period_start", "current_period_end")
    bare = [{name: value for name, value in item.items() if name not in names} for item in items["data"]]
    return {name: items["data"][0][name] for name in names} | {"items": items | {"data": bare}}


def _old_invoice(obj: Object) -> Object:
    details = (obj["parent"] or {}).get("subscription_details") or {}
    lines = [
        {"id": "il_1", "price": {"id": line["pricing"]["price_details"]["price"]}} for line in obj["lines"]["data"]
    ]
    old = {name: value for name, value in obj.items() if name != "parent"}
    return old | {
        "subscription": details.get("subscription"),
        "subscription_details": {"metadata": details.get("metadata")},
        "lines": obj["lines"] | {"data": lines},
    }
