"""What Stripe shows against what the table says: the pure half of `reconcile`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from handlers.core import events, linking
from handlers.core.events import Facts
from handlers.core.facts import join_payments, join_sessions
from handlers.core.maps import to_map
from handlers.core.nodes import (
    CustomerNode,
    InvoiceNode,
    Kind,
    MemberNode,
    Node,
    PaymentNode,
    Ref,
    SessionNode,
    SubscriptionNode,
)
from handlers.core.policy import DAY_SECONDS
from handlers.core.reading import Reading

EVENT_DAYS = 30  # as long as Stripe keeps events, https://docs.stripe.com/api/events
YOUNG_SECONDS = 600  # what is younger may be on its way
OVERLAP_DAYS = 1
OLD_SECONDS = 3 * DAY_SECONDS  # nobody is told of what is older than Stripe would deliver it

Object = Mapping[str, Any]
Nodes = Mapping[Ref, Node | None]

# When we heard of something, which differs with how we did. Moments that Stripe itself shows are not among these.
_HEARD = frozenset({"at", "source", "observation", "succeeded_at", "failed_at", "paid_at", "dead_at", "tied_at"})


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One of Stripe's lists, newest first.

    `lookback_days` is how long after it was made such an object may still change: as long before the watermark is
    looked at again. None: all are looked at, at any time.
    """

    name: str
    path: str
    query: Mapping[str, str]
    permission: str  # what the restricted key needs, as Stripe's dashboard has it
    lookback_days: int | None


LISTINGS = (
    Listing(
        name="subscriptions",
        path="/v1/subscriptions",
        query={"status": "all"},
        permission="Subscriptions",
        lookback_days=None,
    ),
    Listing(
        name="sessions",
        path="/v1/checkout/sessions",
        query={"status": "complete"},
        permission="Checkout Sessions",
        lookback_days=14 + OVERLAP_DAYS,  # until a delayed payment arrives or fails
    ),
    Listing(
        name="payments",
        path="/v1/payment_intents",
        query={},
        permission="PaymentIntents",
        lookback_days=14 + OVERLAP_DAYS,
    ),
    Listing(
        name="refunds", path="/v1/refunds", query={}, permission="Charges and Refunds", lookback_days=30 + OVERLAP_DAYS
    ),  # a refund that fails comes back within 30 days
    Listing(name="disputes", path="/v1/disputes", query={}, permission="Disputes", lookback_days=180),
)


def told(obj: Object, shown_at: int, known: Nodes, reading: Reading) -> Facts | None:
    """The facts in `obj`, which Stripe showed at `shown_at`; None where it says nothing yet. Raises EventError.

    They are dated so that they never win over an event that is still on its way: a snapshot with a moment before all
    of those, what happens once with the moment at which it was made. Of what the table knows to be sold, it alone says
    to whom: where it does not, that person was forgotten.
    """
    facts = _told(obj, shown_at, known, reading)
    return None if facts is None else _as_sold(facts, known)


def _told(obj: Object, shown_at: int, known: Nodes, reading: Reading) -> Facts | None:
    before = shown_at - YOUNG_SECONDS
    created = obj.get("created")
    made = created if isinstance(created, int) and not isinstance(created, bool) and 0 <= created <= before else before
    match obj.get("object"):
        case "subscription":
            return events.from_object(obj, before, reading)
        case "checkout.session":
            seen = known.get(Ref(Kind.SESSION, str(obj.get("id")))) is not None
            return events.from_object(obj, before if seen else made, reading)
        case "dispute":  # of what is over the last word counts, and when that was said is not shown
            return events.from_object(obj, before if obj.get("status") in _OVER else made, reading)
        case _:
            return events.from_object(obj, made, reading)


def is_known(facts: Facts, known: Nodes) -> bool:
    """Whether the nodes that `facts` are of say the same already; moments at which we heard of it do not count."""
    return all(_known_parts(facts, known))


def changes(changed: Iterable[tuple[Node | None, Node]]) -> bool:
    """Whether what would be written differs from what is there, (before, after) each, and is anybody's business.

    What would be new and nobody's is left alone: payments of another business at the same Stripe account.
    """
    return any(_is_ours(before, after) for before, after in changed if _said(before) != _said(after))


def names(facts: Facts) -> frozenset[Ref]:
    """The nodes that decide whether `facts` are known."""
    kinds = {Kind.SUBSCRIPTION, Kind.SESSION, Kind.PAYMENT}
    return frozenset(ref for ref in linking.names(facts) if ref.kind in kinds)


def happened(obj: Object) -> int:
    """The last moment, Unix seconds, at which the object says that something happened to it."""
    moments = (obj.get(name) for name in ("created", "canceled_at", "ended_at"))
    return max((moment for moment in moments if isinstance(moment, int)), default=0)


def _as_sold(facts: Facts, known: Nodes) -> Facts:
    session = facts.session
    node = known.get(Ref(Kind.SESSION, session.id)) if session is not None else None
    if session is not None and isinstance(node, SessionNode):
        session = replace(session, user=node.fact.user, unsigned=node.fact.unsigned)
    payments = tuple(replace(paid, user=None) if _is_sold(paid.id, known) else paid for paid in facts.payments)
    if session == facts.session and payments == facts.payments:
        return facts
    return replace(facts, session=session, payments=payments, email=None, user_hint=None)


def _is_sold(payment: str, known: Nodes) -> bool:
    node = known.get(Ref(Kind.PAYMENT, payment))
    return isinstance(node, PaymentNode) and node.fact.succeeded_at is not None


def _known_parts(facts: Facts, known: Nodes) -> Iterator[bool]:
    if facts.subscription is not None and facts.subscription_id is not None:
        node = known.get(Ref(Kind.SUBSCRIPTION, facts.subscription_id))
        snapshot = node.grant.subscription if isinstance(node, SubscriptionNode) else None
        # Nothing follows on an end, and whose it was may have been forgotten.
        over = snapshot is not None and snapshot.final and facts.subscription.final
        yield over or _said(snapshot) == _said(facts.subscription)
    if facts.session is not None:
        node = known.get(Ref(Kind.SESSION, facts.session.id))
        stored = node.fact if isinstance(node, SessionNode) else None
        yield stored is not None and _said(join_sessions(stored, facts.session)) == _said(stored)
    for payment in facts.payments:
        node = known.get(Ref(Kind.PAYMENT, payment.id))
        yield isinstance(node, PaymentNode) and _said(join_payments(node.fact, payment)) == _said(node.fact)


def _is_ours(before: Node | None, after: Node) -> bool:
    """Whether a member is concerned, or something that the table holds already; a customer alone bought nothing."""
    match after:
        case MemberNode() | PaymentNode(member=str()) | InvoiceNode(member=str()) | SubscriptionNode(member=str()):
            return True
        case CustomerNode(member=member):
            return member is not None
        case _:
            return before is not None


def _said(value: Any) -> Any:
    """The fields of `value` without the moments at which we heard of it: of those, only whether there is one."""
    return _without_moments(to_map(value)) if value is not None else None


def _without_moments(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: name in _HEARD or _without_moments(content) for name, content in value.items()}
    if isinstance(value, list):
        return [_without_moments(entry) for entry in value]
    return value


_OVER = frozenset({"won", "lost", "warning_closed", "prevented"})
