"""What was told of each Stripe object, all events at once, in the order of time: plain lists in plain dicts.

Objects keep the shape after 2025-03-31 ("basil"); what came in the shape before is carried over when it is filed.
https://docs.stripe.com/changelog/basil
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Object = dict[str, Any]


class Told(NamedTuple):
    """One event about an object: when, what happened (the last word of the type), and the object as it then was."""

    at: int
    verb: str
    obj: Object


Tellings = Mapping[str, list[Told]]  # by the object's id


def _filed() -> dict[str, list[Told]]:
    return defaultdict(list)


@dataclass
class Records:
    """Everything that was told, by kind of object and id."""

    subscriptions: dict[str, list[Told]] = field(default_factory=_filed)
    invoices: dict[str, list[Told]] = field(default_factory=_filed)
    sessions: dict[str, list[Told]] = field(default_factory=_filed)
    payments: dict[str, list[Told]] = field(default_factory=_filed)
    customers: dict[str, list[Told]] = field(default_factory=_filed)
    disputes: dict[str, list[Told]] = field(default_factory=_filed)
    refunds: dict[str, list[Told]] = field(default_factory=_filed)
    charges: dict[str, list[Told]] = field(default_factory=_filed)
    invoice_of: dict[str, str] = field(default_factory=dict)  # payment -> the invoice that it paid

    def subscription_of(self, invoice: str) -> str | None:
        """The subscription that an invoice bills; None for a one-time invoice or one that was never told of."""
        named = (_billed(told.obj) for told in self.invoices.get(invoice, ()))
        return next((id_ for id_ in named if id_), None)

    def payments_of(self, invoice: str) -> list[str]:
        """The payments that are known to have paid an invoice."""
        return sorted(payment for payment, paid in self.invoice_of.items() if paid == invoice)


def file(events: Iterable[Mapping[str, Any]], *, livemode: bool = True) -> Records:
    """The records of `events`, in whatever order they come; what is not for this stack or not known is left out."""
    records = Records()
    ours = {event["id"]: event for event in events if event["livemode"] is livemode and not event.get("account")}
    for event in sorted(ours.values(), key=lambda event: (event["created"], event["id"])):
        _file_one(records, event)
    return records


def period_end(subscription: Object) -> int | None:
    """When the last of the paid periods ends."""
    ends = [item.get("current_period_end") for item in subscription["items"]["data"]]
    ends.append(subscription.get("current_period_end"))
    return max((end for end in ends if end is not None), default=None)


def prices(lines: Object | None) -> list[tuple[str, str | None]]:
    """Price id and lookup key of each line of a list of items, of invoice lines or of a session's line items."""
    found = []
    for line in (lines or {}).get("data", ()):
        price = line.get("price") or (line.get("pricing") or {}).get("price_details", {}).get("price")
        if isinstance(price, str):
            found.append((price, None))
        elif price:
            found.append((price["id"], price.get("lookup_key")))
    return found


SHELVES = {
    "customer.subscription": ("subscriptions", "created updated deleted paused resumed trial_will_end"),
    "invoice": ("invoices", "paid payment_succeeded payment_failed payment_action_required"),
    "checkout.session": ("sessions", "completed async_payment_succeeded async_payment_failed expired"),
    "payment_intent": ("payments", "succeeded payment_failed"),
    "customer": ("customers", "created updated deleted"),
    "charge.dispute": ("disputes", "created closed"),
    "refund": ("refunds", "created updated failed"),
    "charge": ("charges", "refunded"),
}


def _file_one(records: Records, event: Mapping[str, Any]) -> None:
    noun, verb = event["type"].rsplit(".", 1)
    obj = event["data"]["object"]
    obj = {**obj, "customer": obj.get("customer") or obj.get("customer_account")}
    if event["type"] == "invoice_payment.paid":
        _link(records, obj["payment"].get("payment_intent"), obj["invoice"])
    shelf, verbs = SHELVES.get(noun, ("", ""))
    if verb not in verbs.split():
        return
    getattr(records, shelf)[obj["id"]].append(Told(event["created"], verb, obj))
    if noun == "invoice":
        _link(records, obj.get("payment_intent"), obj["id"])
    elif noun == "payment_intent":
        _link(records, obj["id"], obj.get("invoice"))
    elif noun == "checkout.session":
        _link(records, obj.get("payment_intent"), obj.get("invoice"))
    elif noun == "charge":
        _link(records, obj["payment_intent"], obj.get("invoice"))


def _link(records: Records, payment: str | None, invoice: str | None) -> None:
    if payment and invoice:
        records.invoice_of[payment] = invoice


def _billed(invoice: Object) -> str | None:
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return details.get("subscription") or invoice.get("subscription")
