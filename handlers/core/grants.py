"""The bounded summary of everything that is known of one grant: the join of its facts.

A grant is one subscription. The summary keeps its latest snapshot and, of its invoices, the newest that failed, the
newest that was settled and the newest that money was paid for. Each part is joined by a rule that is commutative,
associative and idempotent, so the summary is the same for every order and repetition of the facts, and one more
invoice costs the same at 10 and at 10,000.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.core.facts import (
    InvoiceFact,
    Refunded,
    Stamped,
    SubscriptionFact,
    earliest,
    greatest,
    join_refunds,
    join_subscriptions,
    latest,
    union,
)


@dataclass(frozen=True, kw_only=True)
class InvoiceMark:
    """Something that happened to one invoice for the first time at `at`; invoices are ordered by (created, id)."""

    created: int
    id: str
    at: int
    renewal: bool = False

    @property
    def order(self) -> tuple[int, str]:
        """What decides which of two invoices is the newer."""
        return (self.created, self.id)


@dataclass(frozen=True, kw_only=True)
class PaidInvoice:
    """An invoice that money was paid for, and what of that money went back, by payment."""

    created: int
    id: str
    at: int
    amount: int
    refunds: Mapping[str, Refunded] = field(default_factory=dict)

    @property
    def order(self) -> tuple[int, str]:
        """What decides which of two invoices is the newer."""
        return (self.created, self.id)

    @property
    def refunded(self) -> Refunded | None:
        """The sum that went back, and the moment of the last part."""
        if not self.refunds:
            return None
        parts = self.refunds.values()
        return Refunded(amount=sum(part.amount for part in parts), at=max(part.at for part in parts))


@dataclass(frozen=True, kw_only=True)
class PastDue:
    """The first moment at which Stripe said `past_due` in the period that ends at `period_end`."""

    period_end: int
    at: int


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The summary of one subscription."""

    subscription: SubscriptionFact | None = None
    failed: InvoiceMark | None = None
    settled: InvoiceMark | None = None
    paid: PaidInvoice | None = None
    past_due: PastDue | None = None
    email: Stamped | None = None  # of who pays for it, as told last

    @property
    def failing(self) -> InvoiceMark | None:
        """The newest invoice whose payment failed, unless it or a newer one has been settled since."""
        if self.failed is None or (self.settled is not None and self.settled.order >= self.failed.order):
            return None
        return self.failed


def join(a: Grant, b: Grant) -> Grant:
    """Everything that either knows."""
    return Grant(
        subscription=join_subscriptions(a.subscription, b.subscription),
        failed=_join_marks(a.failed, b.failed),
        settled=_join_marks(a.settled, b.settled),
        paid=_join_paid(a.paid, b.paid),
        past_due=greatest(a.past_due, b.past_due, key=lambda lapse: (lapse.period_end, -lapse.at)),
        email=latest(a.email, b.email),
    )


def of_subscription(fact: SubscriptionFact) -> Grant:
    """What one snapshot contributes."""
    lapsed = fact.status == "past_due"
    return Grant(subscription=fact, past_due=PastDue(period_end=fact.period_end or 0, at=fact.at) if lapsed else None)


def of_invoice(fact: InvoiceFact, refunds: Mapping[str, Refunded]) -> Grant:
    """What one invoice contributes, with the refunds of the payments that are known to be its own."""
    if fact.created is None:
        return Grant()
    return Grant(
        failed=_mark(fact, fact.created, fact.failed_at),
        settled=_mark(fact, fact.created, fact.paid_at),
        paid=_paid(fact, fact.created, refunds),
    )


def _mark(fact: InvoiceFact, created: int, at: int | None) -> InvoiceMark | None:
    return None if at is None else InvoiceMark(created=created, id=fact.id, at=at, renewal=fact.renewal)


def _paid(fact: InvoiceFact, created: int, refunds: Mapping[str, Refunded]) -> PaidInvoice | None:
    if fact.paid_at is None or not fact.amount_paid:
        return None
    return PaidInvoice(created=created, id=fact.id, at=fact.paid_at, amount=fact.amount_paid, refunds=refunds)


def _join_marks(a: InvoiceMark | None, b: InvoiceMark | None) -> InvoiceMark | None:
    return greatest(a, b, key=lambda mark: (mark.order, -mark.at, mark.renewal))


def _join_paid(a: PaidInvoice | None, b: PaidInvoice | None) -> PaidInvoice | None:
    if a is None or b is None or a.order != b.order:
        return greatest(a, b, key=lambda paid: paid.order)
    return PaidInvoice(
        created=a.created,
        id=a.id,
        at=earliest(a.at, b.at) or a.at,
        amount=max(a.amount, b.amount),
        refunds=union(a.refunds, b.refunds, _join_refund),
    )


def _join_refund(a: Refunded, b: Refunded) -> Refunded:
    return join_refunds(a, b) or a
