"""The bounded summary of everything that is known of one grant: the join of its facts.

A grant is one subscription, or one one-time purchase. The summary of a subscription keeps its latest snapshot and, of
its invoices, the newest that failed, the newest that was settled and the newest that money was paid for. Each part is
joined by a rule that is commutative, associative and idempotent, so the summary is the same for every order and
repetition of the facts, and one more invoice costs the same at 10 and at 10,000.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.core.facts import (
    Dispute,
    InvoiceFact,
    Item,
    Money,
    Refunded,
    Stamped,
    SubscriptionFact,
    TrialEnding,
    earliest,
    greatest,
    join_disputes,
    join_money,
    join_subscriptions,
    latest,
    union,
)

MAX_FAILURES = 12  # invoices: by then, any grace period is over
MAX_ENDED = 20  # subscriptions of one member that are over for good and kept on the member's item: the newest


@dataclass(frozen=True, kw_only=True)
class InvoiceMark:
    """Something that happened to one invoice for the first time at `at`; invoices are ordered by (created, id)."""

    created: int
    id: str
    at: int
    renewal: bool = False
    action: bool = False  # it failed because the customer has to authenticate

    @property
    def order(self) -> tuple[int, str]:
        """What decides which of two invoices is the newer."""
        return (self.created, self.id)


@dataclass(frozen=True, kw_only=True)
class PaidInvoice:
    """An invoice that money was paid for, and what became of that money, by payment."""

    created: int
    id: str
    at: int
    amount: int
    money: Mapping[str, Money] = field(default_factory=dict)

    @property
    def order(self) -> tuple[int, str]:
        """What decides which of two invoices is the newer."""
        return (self.created, self.id)

    @property
    def refunded(self) -> Refunded | None:
        """The sum that went back, and the moment of the last part."""
        return returned(self.money)


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """Something that was paid for once."""

    items: tuple[Item, ...] = ()
    paid_at: int | None = None
    failed_at: int | None = None  # a delayed payment that never arrived
    amount: int | None = None
    money: Mapping[str, Money] = field(default_factory=dict)  # by payment

    @property
    def refunded(self) -> Refunded | None:
        """The sum that went back, and the moment of the last part."""
        return returned(self.money)


@dataclass(frozen=True, kw_only=True)
class PastDue:
    """The first moment at which Stripe said `past_due` in the period that ends at `period_end`."""

    period_end: int
    at: int


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The summary of one subscription, or of one purchase."""

    subscription: SubscriptionFact | None = None
    purchase: Purchase | None = None
    failures: Mapping[str, InvoiceMark] = field(default_factory=dict)  # of the newest invoices that failed, by id
    settled: InvoiceMark | None = None
    paid: PaidInvoice | None = None
    past_due: PastDue | None = None
    trial_ending: TrialEnding | None = None
    disputes: Mapping[str, Dispute] = field(default_factory=dict)
    email: Stamped | None = None  # of who pays for it, as told last
    verified: bool = True  # False: only the payer says whose it is

    @property
    def owed(self) -> tuple[InvoiceMark, ...]:
        """The invoices whose payment failed, oldest first, but those that are settled or older than one that is."""
        settled = self.settled
        unpaid = [mark for mark in self.failures.values() if settled is None or mark.order > settled.order]
        return tuple(sorted(unpaid, key=lambda mark: mark.order))

    @property
    def items(self) -> tuple[Item, ...]:
        """What was bought."""
        if self.purchase is not None:
            return self.purchase.items
        return self.subscription.items if self.subscription else ()


def join(a: Grant, b: Grant) -> Grant:
    """Everything that either knows of the same subscription."""
    return Grant(
        subscription=join_subscriptions(a.subscription, b.subscription),
        failures=_newest(union(a.failures, b.failures, _join_mark)),
        settled=_join_marks(a.settled, b.settled),
        paid=_join_paid(a.paid, b.paid),
        past_due=greatest(a.past_due, b.past_due, key=lambda lapse: (lapse.period_end, -lapse.at)),
        trial_ending=greatest(a.trial_ending, b.trial_ending, key=lambda told: (told.trial_end, -told.at)),
        disputes=join_disputes(a.disputes, b.disputes),
        email=latest(a.email, b.email),
    )


def of_subscription(fact: SubscriptionFact, trial_ending: TrialEnding | None = None) -> Grant:
    """What one snapshot contributes."""
    lapsed = fact.status == "past_due"
    return Grant(
        subscription=fact,
        past_due=PastDue(period_end=fact.period_end or 0, at=fact.at) if lapsed else None,
        trial_ending=trial_ending,
    )


def of_invoice(fact: InvoiceFact, money: Mapping[str, Money]) -> Grant:
    """What one invoice contributes, with what became of the payments that are known to be its own."""
    disputes = disputes_of(money)
    if fact.created is None:
        return Grant(disputes=disputes)
    failed = _mark(fact, fact.created, fact.failed_at)
    return Grant(
        failures={fact.id: failed} if failed else {},
        settled=_mark(fact, fact.created, fact.paid_at),
        paid=_paid(fact, fact.created, money),
        disputes=disputes,
    )


def of_purchase(purchase: Purchase, email: Stamped | None) -> Grant:
    """The grant that one purchase is."""
    return Grant(purchase=purchase, disputes=disputes_of(purchase.money), email=email)


def returned(money: Mapping[str, Money]) -> Refunded | None:
    """The sum of what went back of several payments, and the moment of the last part."""
    parts = [part for one in money.values() if (part := one.refunded) is not None]
    return Refunded(amount=sum(part.amount for part in parts), at=max(part.at for part in parts)) if parts else None


def disputes_of(money: Mapping[str, Money]) -> dict[str, Dispute]:
    """The newest disputes of several payments."""
    found: dict[str, Dispute] = {}
    for one in money.values():
        found = join_disputes(found, one.disputes)
    return found


def kept(grants: Mapping[str, Grant]) -> dict[str, Grant]:
    """`grants` without all but the newest of those that Stripe has ended for good.

    Those open nothing any more, and each is kept in full at its subscription: so that a member's item stays small
    however often somebody comes back. Which are the newest never changes, so order makes no difference.
    """
    ended = [id_ for id_, grant in grants.items() if grant.subscription is not None and grant.subscription.final]
    if len(ended) <= MAX_ENDED:
        return dict(grants)
    ended.sort(key=lambda id_: (_created(grants[id_]), id_))
    dropped = set(ended[:-MAX_ENDED])
    return {id_: grant for id_, grant in grants.items() if id_ not in dropped}


def _created(grant: Grant) -> int:
    return (grant.subscription.created or 0) if grant.subscription else 0


def _mark(fact: InvoiceFact, created: int, at: int | None) -> InvoiceMark | None:
    if at is None:
        return None
    return InvoiceMark(created=created, id=fact.id, at=at, renewal=fact.renewal, action=fact.action)


def _paid(fact: InvoiceFact, created: int, money: Mapping[str, Money]) -> PaidInvoice | None:
    if fact.paid_at is None or not fact.amount_paid:
        return None
    return PaidInvoice(created=created, id=fact.id, at=fact.paid_at, amount=fact.amount_paid, money=money)


def _newest(failures: Mapping[str, InvoiceMark]) -> dict[str, InvoiceMark]:
    newest = sorted(failures.values(), key=lambda mark: mark.order, reverse=True)[:MAX_FAILURES]
    return {mark.id: mark for mark in newest}


def _join_mark(a: InvoiceMark, b: InvoiceMark) -> InvoiceMark:
    return _join_marks(a, b) or a


def _join_marks(a: InvoiceMark | None, b: InvoiceMark | None) -> InvoiceMark | None:
    return greatest(a, b, key=lambda mark: (mark.order, -mark.at, mark.renewal, mark.action))


def _join_paid(a: PaidInvoice | None, b: PaidInvoice | None) -> PaidInvoice | None:
    if a is None or b is None or a.order != b.order:
        return greatest(a, b, key=lambda paid: paid.order)
    return PaidInvoice(
        created=a.created,
        id=a.id,
        at=earliest(a.at, b.at) or a.at,
        amount=max(a.amount, b.amount),
        money=union(a.money, b.money, join_money),
    )
