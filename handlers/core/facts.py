"""Facts: projections of named fields of one Stripe object, and how two facts of the same object are joined.

Every join is commutative, associative and idempotent, so order and repetition of events make no difference.
Moments are Unix seconds; amounts are in the currency's smallest unit.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, TypeVar

from handlers.core.maps import to_map

T = TypeVar("T")

# Stripe never leaves these (https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses).
TERMINAL = frozenset({"canceled", "incomplete_expired"})

# Which of two snapshots of one second to believe when neither is final: the one further along.
_PROGRESS = {"incomplete": 0, "trialing": 1, "active": 2, "past_due": 3, "unpaid": 4, "paused": 5}


MAX_PARTS = 20  # refunds of one payment that are told apart; the charge's own sum covers any number
MAX_DISPUTES = 10  # of one payment, and of one grant: the newest


class Source(IntEnum):
    """Where a snapshot comes from; of two of the same second, the higher is the later."""

    CREATED = 0
    UPDATED = 1
    ASKED = 2  # our own GET, dated with the moment that it has to tell of
    DELETED = 3


class Outcome(IntEnum):
    """How far a Checkout Session has come; it only moves forward."""

    EXPIRED = 0
    COMPLETED = 1
    FAILED = 2  # a delayed payment that never arrived
    SUCCEEDED = 3  # a delayed payment that arrived


class DisputeStatus(IntEnum):
    """How far a dispute has come; it only moves forward."""

    INQUIRY = 0  # a bank asks, no money has moved
    INQUIRY_CLOSED = 1
    OPEN = 2
    WON = 3
    LOST = 4


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
    observation: int = 0  # number of our GET: of two that answer the same question, the one sent last is the newer
    created: int | None = None
    items: tuple[Item, ...] = ()
    customer: str | None = None
    user: str | None = None  # from metadata, so set by the app's server
    cancel_at: int | None = None  # when it will end, also where Stripe only says "at period end"
    canceled_at: int | None = None
    ended_at: int | None = None
    latest_invoice: str | None = None
    trial_end: int | None = None
    paused_for: str | None = None  # why the status is "paused"
    pause: str | None = None  # pause_collection's behavior
    resumes_at: int | None = None

    @property
    def final(self) -> bool:
        """Whether Stripe will never show another status."""
        return self.status in TERMINAL

    @property
    def period_end(self) -> int | None:
        """The end of the longest paid or trial period among the items; items may differ."""
        return max((item.period_end for item in self.items if item.period_end is not None), default=None)

    @property
    def prices(self) -> frozenset[str]:
        """The ids of the prices."""
        return frozenset(item.price for item in self.items)


@dataclass(frozen=True, kw_only=True)
class TrialEnding:
    """Stripe's warning, at `at`, that a trial ends at `trial_end`."""

    trial_end: int
    at: int


@dataclass(frozen=True, kw_only=True)
class InvoiceFact:
    """What is known of one invoice."""

    id: str
    created: int | None = None  # None until the invoice itself was seen
    subscription: str | None = None
    customer: str | None = None
    user: Stamped | None = None  # from its own metadata
    items: tuple[Item, ...] = ()  # what it sold, where that is no subscription
    failed_at: int | None = None  # the first failed attempt
    action: bool = False  # an attempt failed because the customer has to authenticate
    paid_at: int | None = None
    amount_paid: int | None = None
    renewal: bool = False  # for the next period, as opposed to a first payment or an upgrade


@dataclass(frozen=True, kw_only=True)
class Refunded:
    """How much of a payment has gone back, and when that amount was reached."""

    amount: int
    at: int


@dataclass(frozen=True, kw_only=True)
class RefundPart:
    """One refund; a `dead` one failed or was canceled, for good, and gave nothing back."""

    amount: int
    at: int  # when it was first told
    dead: bool = False
    dead_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """One dispute, made at `created`; `at` is when `status` (a DisputeStatus) was first told."""

    created: int
    status: int
    at: int


@dataclass(frozen=True, kw_only=True)
class Money:
    """What became of the money of one payment after it was made."""

    charged: Refunded | None = None  # the sum by the charge's own account
    parts: Mapping[str, RefundPart] = field(default_factory=dict)  # by refund id
    disputes: Mapping[str, Dispute] = field(default_factory=dict)  # by dispute id

    @property
    def refunded(self) -> Refunded | None:
        """What went back in all: by the parts or by the charge, whichever knows of more."""
        alive = [part for part in self.parts.values() if not part.dead]
        told = [Refunded(amount=sum(part.amount for part in alive), at=max(part.at for part in alive))] if alive else []
        if self.charged is not None:
            lost = sum(part.amount for part in self.parts.values() if part.dead)
            told.append(Refunded(amount=self.charged.amount - lost, at=self.charged.at))
        most = max(told, key=lambda refunded: (refunded.amount, -refunded.at), default=None)
        return most if most is not None and most.amount > 0 else None


@dataclass(frozen=True, kw_only=True)
class PaymentFact:
    """What is known of one PaymentIntent (or of a charge without one): what it paid for, and what went back."""

    id: str
    invoice: str | None = None
    customer: str | None = None
    user: Stamped | None = None  # from its own metadata
    items: tuple[Item, ...] = ()  # what it paid for, from its own metadata
    succeeded_at: int | None = None
    failed_at: int | None = None  # the first failed attempt
    amount: int | None = None
    money: Money = field(default_factory=Money)


@dataclass(frozen=True, kw_only=True)
class SessionFact:
    """A Checkout Session that has come as far as `outcome`."""

    id: str
    at: int
    mode: str
    outcome: int
    paid: bool = False  # or nothing was to be paid
    customer: str | None = None
    subscription: str | None = None
    invoice: str | None = None
    payment: str | None = None
    user: str | None = None  # that a server vouched for
    unsigned: str | None = None  # that the payer may have typed
    amount: int | None = None
    items: tuple[Item, ...] = ()  # what it sold, where that is no subscription


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
        user=latest(a.user, b.user),
        items=_more(a.items, b.items),
        failed_at=earliest(a.failed_at, b.failed_at),
        action=a.action or b.action,
        paid_at=earliest(a.paid_at, b.paid_at),
        amount_paid=greatest(a.amount_paid, b.amount_paid),
        renewal=a.renewal or b.renewal,
    )


def join_payments(a: PaymentFact, b: PaymentFact) -> PaymentFact:
    """Everything that either knows."""
    return PaymentFact(
        id=a.id,
        invoice=greatest(a.invoice, b.invoice),
        customer=greatest(a.customer, b.customer),
        user=latest(a.user, b.user),
        items=_more(a.items, b.items),
        succeeded_at=earliest(a.succeeded_at, b.succeeded_at),
        failed_at=earliest(a.failed_at, b.failed_at),
        amount=greatest(a.amount, b.amount),
        money=join_money(a.money, b.money),
    )


def join_money(a: Money, b: Money) -> Money:
    """Everything that either knows of the same payment."""
    parts = union(a.parts, b.parts, _join_parts)
    return Money(
        charged=greatest(a.charged, b.charged, key=lambda refunded: (refunded.amount, -refunded.at)),
        parts={id_: parts[id_] for id_ in sorted(parts, reverse=True)[:MAX_PARTS]},
        disputes=join_disputes(a.disputes, b.disputes),
    )


def join_disputes(a: Mapping[str, Dispute], b: Mapping[str, Dispute]) -> dict[str, Dispute]:
    """The newest disputes of either, each as far as it has come."""
    both = union(a, b, lambda one, other: max(one, other, key=_how_far))
    newest = sorted(both, key=lambda id_: (both[id_].created, id_), reverse=True)
    return {id_: both[id_] for id_ in newest[:MAX_DISPUTES]}


def join_sessions(a: SessionFact | None, b: SessionFact | None) -> SessionFact | None:
    """The one further along, as a whole; what was sold may have been asked for separately."""
    further = greatest(a, b, key=lambda told: (told.outcome, told.at, canonical(replace(told, items=()))))
    if a is None or b is None or further is None:
        return further
    return replace(further, items=_more(a.items, b.items))


def _more(a: tuple[Item, ...], b: tuple[Item, ...]) -> tuple[Item, ...]:
    return max(a, b, key=lambda items: (len(items), [canonical(item) for item in items]))


def _how_far(dispute: Dispute) -> tuple[int, ...]:
    """The order of what is told of one dispute; an appeal can close it again, and then the last word counts."""
    if dispute.status < DisputeStatus.WON:
        return (dispute.status, -dispute.at, 0, dispute.created)
    return (DisputeStatus.WON, dispute.at, dispute.status, dispute.created)


def _join_parts(a: RefundPart, b: RefundPart) -> RefundPart:
    return RefundPart(
        amount=max(a.amount, b.amount),
        at=min(a.at, b.at),
        dead=a.dead or b.dead,
        dead_at=earliest(a.dead_at, b.dead_at),
    )


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
    return (fact.final, fact.at, fact.source, fact.observation, fact.period_end or 0, progress, canonical(fact))
