"""Facts: projections of named fields of one Stripe object, and how two facts of the same object are joined.

Every join is commutative, associative and idempotent, so order and repetition of events make no difference.
Moments are Unix seconds; amounts are in the currency's smallest unit.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

from handlers.core.maps import to_map

T = TypeVar("T")

# Stripe never leaves these (https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses).
TERMINAL = frozenset({"canceled", "incomplete_expired"})

# Which of two snapshots of one second to believe when neither is final: the one further along.
_PROGRESS = {"incomplete": 0, "trialing": 1, "active": 2, "past_due": 3, "unpaid": 4, "paused": 5}


class Source(IntEnum):
    """Where a snapshot comes from; of two of the same second, the higher is the later."""

    CREATED = 0
    UPDATED = 1
    ASKED = 2  # our own GET, dated with the moment before it was sent
    DELETED = 3


@dataclass(frozen=True, kw_only=True)
class Stamped:
    """A value with the moment of the event that told it."""

    at: int
    value: str


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of a subscription."""

    price: str
    lookup_key: str | None = None
    period_end: int | None = None


@dataclass(frozen=True, kw_only=True)
class SubscriptionFact:
    """A snapshot of one subscription at `at`; of two snapshots one wins as a whole."""

    status: str
    at: int
    source: int
    items: tuple[Item, ...] = ()
    customer: str | None = None
    user: str | None = None  # from metadata, so set by the app's server
    cancel_at: int | None = None  # when it will end, also where Stripe only says "at period end"
    canceled_at: int | None = None
    ended_at: int | None = None
    latest_invoice: str | None = None

    @property
    def period_end(self) -> int | None:
        """The end of the longest paid or trial period among the items; items may differ."""
        return max((item.period_end for item in self.items if item.period_end is not None), default=None)

    @property
    def prices(self) -> frozenset[str]:
        """The ids of the prices."""
        return frozenset(item.price for item in self.items)


@dataclass(frozen=True, kw_only=True)
class InvoiceFact:
    """What is known of one invoice."""

    id: str
    created: int | None = None  # None until the invoice itself was seen
    subscription: str | None = None
    customer: str | None = None
    failed_at: int | None = None  # the first failed attempt
    paid_at: int | None = None
    amount_paid: int | None = None
    renewal: bool = False  # for the next period, as opposed to a first payment or an upgrade


@dataclass(frozen=True, kw_only=True)
class Refunded:
    """How much of a payment has gone back, and when that amount was reached."""

    amount: int
    at: int


@dataclass(frozen=True, kw_only=True)
class PaymentFact:
    """What is known of one PaymentIntent (or of a charge without one): what it paid for, and what went back."""

    id: str
    invoice: str | None = None
    session: str | None = None  # the Checkout Session of a one-time payment
    customer: str | None = None
    refunded: Refunded | None = None


@dataclass(frozen=True, kw_only=True)
class SessionFact:
    """A completed Checkout Session."""

    id: str
    at: int
    mode: str
    payment_status: str | None = None
    customer: str | None = None
    subscription: str | None = None
    invoice: str | None = None
    payment: str | None = None
    user: str | None = None
    amount: int | None = None
    currency: str | None = None


def join_subscriptions(a: SubscriptionFact | None, b: SubscriptionFact | None) -> SubscriptionFact | None:
    """The later snapshot; one that is final wins whatever its time, as Stripe never leaves a final state."""
    return greatest(a, b, key=_order)


def join_invoices(a: InvoiceFact, b: InvoiceFact) -> InvoiceFact:
    """Everything that either knows: first failure, first payment, highest amount paid."""
    return InvoiceFact(
        id=a.id,
        created=earliest(a.created, b.created),
        subscription=greatest(a.subscription, b.subscription),
        customer=greatest(a.customer, b.customer),
        failed_at=earliest(a.failed_at, b.failed_at),
        paid_at=earliest(a.paid_at, b.paid_at),
        amount_paid=greatest(a.amount_paid, b.amount_paid),
        renewal=a.renewal or b.renewal,
    )


def join_payments(a: PaymentFact, b: PaymentFact) -> PaymentFact:
    """Everything that either knows; the highest refunded amount."""
    return PaymentFact(
        id=a.id,
        invoice=greatest(a.invoice, b.invoice),
        session=greatest(a.session, b.session),
        customer=greatest(a.customer, b.customer),
        refunded=join_refunds(a.refunded, b.refunded),
    )


def join_refunds(a: Refunded | None, b: Refunded | None) -> Refunded | None:
    """The higher amount, at the first moment at which it was told."""
    return greatest(a, b, key=lambda refund: (refund.amount, -refund.at))


def join_sessions(a: SessionFact | None, b: SessionFact | None) -> SessionFact | None:
    """The later one, as a whole."""
    return greatest(a, b, key=lambda session: (session.at, canonical(session)))


def latest(a: Stamped | None, b: Stamped | None) -> Stamped | None:
    """The value told last."""
    return greatest(a, b, key=lambda stamped: (stamped.at, stamped.value))


def first(a: Stamped | None, b: Stamped | None) -> Stamped | None:
    """The value told first."""
    return greatest(a, b, key=lambda stamped: (-stamped.at, stamped.value))


def greatest(a: T | None, b: T | None, key: Callable[[T], Any] = lambda value: value) -> T | None:
    """The greater one by `key`, a total order; what is known beats None."""
    if a is None or b is None:
        return b if a is None else a
    return max(a, b, key=key)


def earliest(a: int | None, b: int | None) -> int | None:
    """The smaller one; what is known beats None."""
    return min(a, b) if a is not None and b is not None else (b if a is None else a)


def union(a: Mapping[str, T], b: Mapping[str, T], join: Callable[[T, T], T]) -> dict[str, T]:
    """Both maps, entries of the same key joined."""
    both = {**a, **b}
    return {key: join(a[key], b[key]) if key in a and key in b else both[key] for key in both}


def canonical(fact: Any) -> str:
    """A text that is the same for equal facts: the last resort that makes an order total."""
    return json.dumps(to_map(fact), sort_keys=True)


def _order(fact: SubscriptionFact) -> tuple[Any, ...]:
    progress = _PROGRESS.get(fact.status, -1)
    final = fact.status in TERMINAL
    return (final, fact.at, fact.source, fact.period_end or 0, progress, canonical(fact))
