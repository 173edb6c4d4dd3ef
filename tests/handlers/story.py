"""Events of made-up customers: the recorded ones of tests/events with other ids, moments and contents."""

import copy
import itertools
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "events"

Event = dict[str, Any]

START = 1_790_000_000  # when the recorded subscription began
DAY = 86_400
MONTH = 30 * DAY
PRICE = "price_1MemberMonthlyEUR0001"
POLICY = {"products": [{"price": PRICE, "level": "member"}, {"price": "pro_yearly", "level": "pro"}]}

_numbers = itertools.count(1)


def recorded(name: str) -> Event:
    """The event in tests/events/{name}.json."""
    return copy.deepcopy(_load(name))


def event(type_: str, *, at: int, **changes: Any) -> Event:
    """An event of its own id at `at`; `changes` replace fields of its object."""
    told = recorded(type_)
    told["id"] = f"evt_{next(_numbers):08d}"
    told["created"] = at
    told["data"]["object"].update(changes)
    return told


def subscription(
    kind: str = "created",
    *,
    at: int = START,
    id_: str = "sub_1Member0001",
    customer: str = "cus_Ada0001",
    user: str | None = "user_ada",
    price: str = PRICE,
    period_end: int = START + MONTH,
    **changes: Any,
) -> Event:
    """customer.subscription.{kind}."""
    told = event(f"customer.subscription.{kind}", at=at, id=id_, customer=customer, **changes)
    obj = told["data"]["object"]
    obj["metadata"] = {"user_id": user} if user else {}
    (item,) = obj["items"]["data"]
    item |= {"current_period_end": period_end, "subscription": id_, "price": {**item["price"], "id": price}}
    return told


def invoice(
    kind: str = "paid",
    *,
    at: int = START + 2,
    id_: str = "in_1First0001",
    subscription: str | None = "sub_1Member0001",
    user: str | None = None,
    **changes: Any,
) -> Event:
    """invoice.{kind}."""
    told = event(f"invoice.{kind}", at=at, id=id_, **changes)
    details = {"metadata": {"user_id": user} if user else {}, "subscription": subscription}
    parent: Mapping[str, Any] = {"quote_details": None, "subscription_details": details, "type": "subscription_details"}
    told["data"]["object"]["parent"] = parent if subscription else None
    return told


def invoice_payment(
    *, at: int = START + 2, invoice: str = "in_1First0001", payment: str = "pi_3First0001", **changes: Any
) -> Event:
    """invoice_payment.paid."""
    paid_with = {"payment_intent": payment, "type": "payment_intent"}
    return event("invoice_payment.paid", at=at, invoice=invoice, payment=paid_with, **changes)


def charge_refunded(
    *, at: int = START + 7200, payment: str = "pi_3First0001", amount: int = 2900, **changes: Any
) -> Event:
    """charge.refunded; `amount` is the sum that went back so far."""
    return event(
        "charge.refunded", at=at, payment_intent=payment, amount_refunded=amount, refunded=amount >= 2900, **changes
    )


def refund(*, at: int = START + 7200, payment: str = "pi_3First0001", amount: int = 2900, **changes: Any) -> Event:
    """refund.created."""
    return event("refund.created", at=at, payment_intent=payment, amount=amount, **changes)


def session(
    *,
    at: int = START + 3,
    subscription: str | None = "sub_1Member0001",
    user: str | None = "user_ada",
    name: str = "checkout.session.completed",
    **changes: Any,
) -> Event:
    """checkout.session.completed."""
    metadata = {"user_id": user} if user else {}
    return event(name, at=at, subscription=subscription, metadata=metadata, **changes)


@cache
def _load(name: str) -> Event:
    return json.loads((FOLDER / f"{name}.json").read_text())
