"""What the table holds of each Stripe object and member, and where it belongs: payment, invoice, subscription, member.

Facts are joined into the node of the object that they name. A node that knows where it belongs passes its summary
on; one that does not know yet keeps it, and passes it on in the transaction that learns the link.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from handlers.core.facts import InvoiceFact, PaymentFact, Refunded, SessionFact, Stamped, latest
from handlers.core.grants import Grant

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


@dataclass(frozen=True, kw_only=True)
class PaymentNode:
    """A payment; `path` names the nodes above it as they were last seen, to read them together."""

    fact: PaymentFact
    path: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class InvoiceNode:
    """An invoice, with the refunds of its payments."""

    fact: InvoiceFact
    refunds: Mapping[str, Refunded] = field(default_factory=dict)
    path: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SubscriptionNode:
    """A subscription: the grant's summary, and everything that can tell whose it is."""

    id: str
    grant: Grant = field(default_factory=Grant)
    customer: str | None = None
    session_user: Stamped | None = None  # metadata of the Checkout Session that sold it
    member: str | None = None  # whose it was found to be

    @property
    def own_user(self) -> str | None:
        """The user that the subscription itself names, or the session that sold it."""
        named = self.grant.subscription.user if self.grant.subscription else None
        return named or (self.session_user.value if self.session_user else None)


@dataclass(frozen=True, kw_only=True)
class CustomerNode:
    """A Stripe customer: the first user that the app's server named for it, and the subscriptions that rely on that."""

    id: str
    user: Stamped | None = None
    subscriptions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SessionNode:
    """A completed Checkout Session, kept as a record."""

    fact: SessionFact


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
    email: Stamped | None = None  # from purchases that are no grant
    grants: Mapping[str, Grant] = field(default_factory=dict)
    state: str = "lead"
    transitions: tuple[Transition, ...] = ()
    shown: str | None = None  # fingerprint of what destinations were last asked to show

    @property
    def address(self) -> str | None:
        """The e-mail address that was told last, with whatever the person bought."""
        told = self.email
        for grant in self.grants.values():
            told = latest(told, grant.email)
        return told.value if told else None


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
    """Whether the node holds facts that cannot be passed on because nobody has told where they belong."""
    match node:
        case PaymentNode(fact=fact):
            return fact.refunded is not None and fact.invoice is None and fact.session is None
        case InvoiceNode(fact=fact):
            return fact.created is None
        case SubscriptionNode(grant=grant, member=member):
            return grant.subscription is None or member is None
    return False
