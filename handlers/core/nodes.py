"""What the table holds of each Stripe object and member, and where it belongs: payment, invoice, subscription, member.

Facts are joined into the node of the object that they name. A node that knows where it belongs passes its summary
on; one that does not know yet keeps it, and passes it on in the transaction that learns the link.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from handlers.core.facts import (
    InvoiceFact,
    Item,
    Money,
    Outcome,
    PaymentFact,
    SessionFact,
    Source,
    Stamped,
    earliest,
    greatest,
    latest,
)
from handlers.core.grants import Grant, Purchase, of_purchase

MAX_USER_ID = 256  # characters of the app's user id, which is a key of the table


class Kind(StrEnum):
    """What a node stands for."""

    PAYMENT = "PAYMENT"
    INVOICE = "INVOICE"
    SUBSCRIPTION = "SUBSCRIPTION"
    CUSTOMER = "CUSTOMER"
    SESSION = "SESSION"
    MEMBER = "MEMBER"


class Ref(NamedTuple):
    """The name of one node: a Stripe id, or the app's user id."""

    kind: Kind
    id: str


def _customer(fact: PaymentFact | InvoiceFact, sale: SessionFact | None) -> str | None:
    return greatest(fact.customer, sale.customer if sale else None)


def _named(fact: PaymentFact | InvoiceFact, sale: SessionFact | None) -> str | None:
    """Whom a server has named: on the object itself, else on the session that sold it."""
    return (fact.user.value if fact.user else None) or (sale.user if sale else None)


def _purchase(
    sale: SessionFact | None,
    items: tuple[Item, ...],
    paid_at: int | None,
    amount: int | None,
    money: Mapping[str, Money],
) -> Purchase:
    """What was bought, by the object that was paid and by the session that sold it, if one did."""
    return Purchase(
        items=items,
        paid_at=earliest(paid_at, sale.at if sale and sale.paid else None),
        failed_at=sale.at if sale and sale.outcome == Outcome.FAILED else None,
        amount=amount if amount is not None else (sale.amount if sale else None),
        money=money,
    )


@dataclass(frozen=True, kw_only=True)
class PaymentNode:
    """A payment, which may be a one-time purchase by itself.

    `path` names the nodes above it as they were last seen, to read them together.
    """

    fact: PaymentFact
    sale: SessionFact | None = None  # the Checkout Session that it paid for, without an invoice
    email: Stamped | None = None
    claimed: Stamped | None = None  # the first who proved to be its payer
    member: str | None = None  # whose it was found to be
    path: tuple[str, ...] = ()

    @property
    def customer(self) -> str | None:
        """The Stripe customer who paid."""
        return _customer(self.fact, self.sale)

    @property
    def own_user(self) -> str | None:
        """The user that the payment names, or the session that it paid for, or a claim."""
        return _named(self.fact, self.sale) or (self.claimed.value if self.claimed else None)

    @property
    def unsigned_user(self) -> str | None:
        """The user that the payer says to be."""
        return self.sale.unsigned if self.sale else None

    @property
    def grant(self) -> Grant | None:
        """What it bought by itself: something where the app or Checkout says so and no invoice is behind it."""
        fact, sale = self.fact, self.sale
        if fact.invoice is not None or not (sale or fact.user or fact.items):
            return None
        items = (sale.items if sale else ()) or fact.items
        money = {fact.id: fact.money} if fact.money != Money() else {}
        return of_purchase(_purchase(sale, items, fact.succeeded_at, fact.amount, money), self.email)


@dataclass(frozen=True, kw_only=True)
class InvoiceNode:
    """An invoice with the money of its payments: for a subscription, or a one-time purchase by itself.

    `path` is as a payment's; `below` names the payments that wait until the invoice knows what it is for.
    """

    fact: InvoiceFact
    money: Mapping[str, Money] = field(default_factory=dict)  # by payment
    sale: SessionFact | None = None  # the Checkout Session that made it, for a one-time purchase
    email: Stamped | None = None
    member: str | None = None  # whose it was found to be
    path: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    @property
    def customer(self) -> str | None:
        """The Stripe customer who is billed."""
        return _customer(self.fact, self.sale)

    @property
    def own_user(self) -> str | None:
        """The user that the invoice names, or the session that made it."""
        return _named(self.fact, self.sale)

    @property
    def unsigned_user(self) -> str | None:
        """The user that the payer says to be."""
        return self.sale.unsigned if self.sale else None

    @property
    def grant(self) -> Grant | None:
        """What it bought by itself; None for the invoice of a subscription, and while that is not known."""
        fact, sale = self.fact, self.sale
        if fact.subscription is not None or (fact.created is None and sale is None):
            return None
        items = (sale.items if sale else ()) or fact.items  # an invoice's lines have no lookup keys
        return of_purchase(_purchase(sale, items, fact.paid_at, fact.amount_paid, self.money), self.email)


@dataclass(frozen=True, kw_only=True)
class SubscriptionNode:
    """A subscription: the grant's summary, and everything that can tell whose it is.

    `below` names invoices and payments that wait until the subscription is somebody's.
    """

    id: str
    grant: Grant = field(default_factory=Grant)
    customer: str | None = None
    session_user: Stamped | None = None  # whom the Checkout Session that sold it names, vouched for
    unsigned: Stamped | None = None  # whom the payer says to be
    member: str | None = None  # whose it was found to be
    tied_at: int | None = None  # a second of which two snapshots tell different things
    observations: int = 0  # how often Stripe was asked about that
    below: tuple[str, ...] = ()

    @property
    def own_user(self) -> str | None:
        """The user that the subscription itself names, or the session that sold it."""
        named = self.grant.subscription.user if self.grant.subscription else None
        return named or (self.session_user.value if self.session_user else None)

    @property
    def unsigned_user(self) -> str | None:
        """The user that the payer says to be."""
        return self.unsigned.value if self.unsigned else None

    @property
    def tied(self) -> bool:
        """Whether only Stripe can tell which of two snapshots is the later."""
        last = self.grant.subscription
        return last is not None and last.at == self.tied_at and last.source < Source.ASKED and not last.final


@dataclass(frozen=True, kw_only=True)
class CustomerNode:
    """A Stripe customer, and whose it is."""

    id: str
    own: Stamped | None = None  # the user in the customer's own metadata, as told last; empty for nobody
    user: Stamped | None = None  # the first user that a purchase or a claim named for it
    email: Stamped | None = None
    deleted_at: int | None = None
    relying: tuple[str, ...] = ()  # "KIND#id" of what was bought without naming a user
    member: str | None = None  # whose it was found to be

    @property
    def user_id(self) -> str | None:
        """The user whose customer this is."""
        own = self.own.value if self.own else ""
        return own or (self.user.value if self.user else None)


Holder = PaymentNode | InvoiceNode | SubscriptionNode  # what can be somebody's grant
HOLDERS = (Kind.PAYMENT, Kind.INVOICE, Kind.SUBSCRIPTION)


@dataclass(frozen=True, kw_only=True)
class SessionNode:
    """A Checkout Session, kept as a record and for the links that it tells."""

    fact: SessionFact


@dataclass(frozen=True, kw_only=True)
class OwnCustomer:
    """What a member's item keeps of each Stripe customer that is the member's."""

    email: Stamped | None = None


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One change of a member's headline state; `event` is None where time alone made it."""

    at: int
    from_state: str
    to_state: str
    reason: str
    event: str | None = None


@dataclass(frozen=True, kw_only=True)
class MemberNode:
    """A member: the grants with their summaries, where to write to, and what was last told to destinations."""

    id: str
    email: Stamped | None = None  # from sessions that sold nothing
    customers: Mapping[str, OwnCustomer] = field(default_factory=dict)
    grants: Mapping[str, Grant] = field(default_factory=dict)
    state: str = "lead"
    transitions: tuple[Transition, ...] = ()
    shown: str | None = None  # fingerprint of what destinations were last asked to show

    @property
    def address(self) -> str | None:
        """The e-mail address that was told last; a payer whose word is all we have says nothing of the member."""
        told = self.email
        for customer in self.customers.values():
            told = latest(told, customer.email)
        for grant in self.grants.values():
            told = latest(told, grant.email if grant.verified else None)
        return told.value if told else None

    @property
    def customer_ids(self) -> tuple[str, ...]:
        """The Stripe customers that are this member."""
        return tuple(sorted(self.customers))


Node = PaymentNode | InvoiceNode | SubscriptionNode | CustomerNode | SessionNode | MemberNode

TYPES: Mapping[Kind, type[Node]] = {
    Kind.PAYMENT: PaymentNode,
    Kind.INVOICE: InvoiceNode,
    Kind.SUBSCRIPTION: SubscriptionNode,
    Kind.CUSTOMER: CustomerNode,
    Kind.SESSION: SessionNode,
    Kind.MEMBER: MemberNode,
}


def unclaimed(node: Node) -> bool:
    """Whether the node holds facts of which nobody has told where they belong, or what they are about."""
    match node:
        case PaymentNode(fact=fact):
            if node.grant is not None:
                return node.member is None or _unpriced(node.grant)
            return fact.invoice is None and (fact.succeeded_at is not None or fact.money != Money())
        case InvoiceNode(fact=fact):
            if node.grant is not None:
                return node.member is None or (node.sale is not None and _unpriced(node.grant))
            nothing_told = fact == InvoiceFact(id=fact.id) and not node.money
            return fact.subscription is None and not nothing_told
        case SubscriptionNode(grant=grant, member=member):
            return grant.subscription is None or member is None or node.tied
    return False


def _unpriced(grant: Grant) -> bool:
    return grant.purchase is not None and not grant.purchase.items
