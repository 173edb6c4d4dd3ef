"""Takes facts into the graph: joins each into its node and passes summaries on along the links that are known."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from handlers.core import grants
from handlers.core.errors import EventError
from handlers.core.events import Facts
from handlers.core.facts import (
    InvoiceFact,
    PaymentFact,
    SessionFact,
    Stamped,
    SubscriptionFact,
    first,
    greatest,
    join_invoices,
    join_payments,
    join_refunds,
    join_sessions,
    latest,
)
from handlers.core.grants import Grant
from handlers.core.graph import Graph
from handlers.core.nodes import (
    InvoiceNode,
    Kind,
    Node,
    PaymentNode,
    Ref,
    SessionNode,
    SubscriptionNode,
)

MAX_UNNAMED = 30  # subscriptions of one customer that rely on the customer's user: one transaction moves them all


def take(facts: Facts, graph: Graph) -> None:
    """Join `facts` into `graph`; raises NotLoadedError when a node is needed that was not read."""
    if facts.session is not None:
        _take_session(facts.session, facts.email, graph)
    if facts.subscription is not None and facts.subscription_id is not None:
        _take_subscription(facts.subscription_id, facts.subscription, graph)
    if facts.invoice is not None:
        _take_invoice(facts.invoice, facts.email, graph)
    for payment in facts.payments:
        _take_payment(payment, graph)
    _pass_on(graph)


def names(facts: Facts) -> frozenset[Ref]:
    """The nodes that `facts` name: to be read before `take`."""
    return frozenset(ref for ref in _named(facts))


def beyond(node: Node) -> frozenset[Ref]:
    """The nodes above `node` as far as it knows: to be read together when one is needed."""
    match node:
        case PaymentNode(fact=fact, path=path) if fact.invoice:
            return frozenset({Ref(Kind.INVOICE, fact.invoice), *_path_refs(path)})
        case InvoiceNode(fact=fact, path=path) if fact.subscription:
            return frozenset({Ref(Kind.SUBSCRIPTION, fact.subscription), *_path_refs(path)})
        case SubscriptionNode(customer=customer, member=member):
            return frozenset(
                ref
                for ref in (customer and Ref(Kind.CUSTOMER, customer), member and Ref(Kind.MEMBER, member))
                if isinstance(ref, Ref)
            )
    return frozenset()


def _named(facts: Facts) -> Iterator[Ref]:
    if facts.session is not None:
        yield Ref(Kind.SESSION, facts.session.id)
        yield from _maybe(Kind.SUBSCRIPTION, facts.session.subscription)
    yield from _maybe(Kind.SUBSCRIPTION, facts.subscription_id)
    if facts.invoice is not None:
        yield Ref(Kind.INVOICE, facts.invoice.id)
        yield from _maybe(Kind.SUBSCRIPTION, facts.invoice.subscription)
    for payment in facts.payments:
        yield Ref(Kind.PAYMENT, payment.id)
        yield from _maybe(Kind.INVOICE, payment.invoice)
    if facts.session is not None or facts.subscription is not None or facts.invoice is not None:
        yield from _maybe(Kind.CUSTOMER, facts.customer)
    yield from _maybe(Kind.MEMBER, facts.user_hint)


def _maybe(kind: Kind, id_: str | None) -> Iterator[Ref]:
    if id_ is not None:
        yield Ref(kind, id_)


def _take_session(fact: SessionFact, email: Stamped | None, graph: Graph) -> None:
    known = graph.session(fact.id)
    joined = join_sessions(known.fact if known else None, fact) or fact
    graph.put(Ref(Kind.SESSION, fact.id), SessionNode(fact=joined))
    user = Stamped(at=fact.at, value=fact.user) if fact.user else None
    if fact.subscription is not None:
        node = graph.subscription(fact.subscription)
        sold = replace(
            node,
            customer=greatest(node.customer, fact.customer),
            session_user=latest(node.session_user, user),
            grant=grants.join(node.grant, Grant(email=email)),
        )
        graph.put(Ref(Kind.SUBSCRIPTION, node.id), sold)
    if user is not None:
        _name_customer(fact.customer, user, graph)
        member, own = graph.member(user.value), None if fact.subscription else email
        graph.put(Ref(Kind.MEMBER, member.id), replace(member, email=latest(member.email, own)))


def _take_subscription(id_: str, fact: SubscriptionFact, graph: Graph) -> None:
    node = graph.subscription(id_)
    joined = replace(
        node,
        grant=grants.join(node.grant, grants.of_subscription(fact)),
        customer=greatest(node.customer, fact.customer),
    )
    graph.put(Ref(Kind.SUBSCRIPTION, id_), joined)
    if fact.user is not None:
        _name_customer(fact.customer, Stamped(at=fact.at, value=fact.user), graph)


def _take_invoice(fact: InvoiceFact, email: Stamped | None, graph: Graph) -> None:
    node = graph.invoice(fact.id)
    joined = replace(node, fact=join_invoices(node.fact, fact)) if node else InvoiceNode(fact=fact)
    graph.put(Ref(Kind.INVOICE, fact.id), joined)
    if fact.subscription is not None:
        sold = graph.subscription(fact.subscription)
        grant = grants.join(sold.grant, Grant(email=email))
        told = replace(sold, customer=greatest(sold.customer, fact.customer), grant=grant)
        graph.put(Ref(Kind.SUBSCRIPTION, sold.id), told)


def _take_payment(fact: PaymentFact, graph: Graph) -> None:
    node = graph.payment(fact.id)
    joined = replace(node, fact=join_payments(node.fact, fact)) if node else PaymentNode(fact=fact)
    graph.put(Ref(Kind.PAYMENT, fact.id), joined)


def _name_customer(customer: str | None, user: Stamped, graph: Graph) -> None:
    if customer is not None:
        node = graph.customer(customer)
        graph.put(Ref(Kind.CUSTOMER, customer), replace(node, user=first(node.user, user)))


def _pass_on(graph: Graph) -> None:
    """From the payments up to the members, through everything that changed."""
    for _, node in list(graph.changed_of(Kind.PAYMENT)):
        _refund_invoice(cast("PaymentNode", node).fact, graph)
    for _, node in list(graph.changed_of(Kind.INVOICE)):
        _tell_subscription(cast("InvoiceNode", node), graph)
    for id_ in _to_resolve(graph):
        _tell_member(id_, graph)
    _remember_paths(graph)


def _refund_invoice(fact: PaymentFact, graph: Graph) -> None:
    if fact.invoice is None or fact.refunded is None:
        return
    node = graph.invoice(fact.invoice) or InvoiceNode(fact=InvoiceFact(id=fact.invoice))
    refunded = join_refunds(node.refunds.get(fact.id), fact.refunded)
    if refunded is not None:
        graph.put(Ref(Kind.INVOICE, fact.invoice), replace(node, refunds={**node.refunds, fact.id: refunded}))


def _tell_subscription(node: InvoiceNode, graph: Graph) -> None:
    if node.fact.subscription is None:
        return
    sold = graph.subscription(node.fact.subscription)
    grant = grants.join(sold.grant, grants.of_invoice(node.fact, node.refunds))
    graph.put(Ref(Kind.SUBSCRIPTION, sold.id), replace(sold, grant=grant))


def _to_resolve(graph: Graph) -> list[str]:
    """The subscriptions that changed, registered with their customers, and those that follow a customer's user."""
    changed = {id_ for id_, _ in graph.changed_of(Kind.SUBSCRIPTION)}
    for id_ in sorted(changed):
        _rely_on_customer(graph.subscription(id_), graph)
    for id_, _ in list(graph.changed_of(Kind.CUSTOMER)):
        changed.update(graph.customer(id_).subscriptions)
    return sorted(changed)


def _rely_on_customer(node: SubscriptionNode, graph: Graph) -> None:
    """A subscription that names no user itself belongs to the user of its customer, once that is told."""
    if node.customer is None or node.own_user is not None:
        return
    customer = graph.customer(node.customer)
    relying = tuple(sorted({*customer.subscriptions, node.id}))
    if len(relying) > MAX_UNNAMED:
        raise EventError(f"customer {customer.id} has over {MAX_UNNAMED} subscriptions that name no user")
    graph.put(Ref(Kind.CUSTOMER, customer.id), replace(customer, subscriptions=relying))


def _tell_member(id_: str, graph: Graph) -> None:
    """Find whose subscription it is and hand its summary over; it leaves whoever had it before."""
    node = graph.subscription(id_)
    owner = node.own_user or _user_of_customer(node, graph)
    if node.member is not None and node.member != owner:
        former = graph.member(node.member)
        kept = {key: grant for key, grant in former.grants.items() if key != id_}
        graph.put(Ref(Kind.MEMBER, former.id), replace(former, grants=kept))
    graph.put(Ref(Kind.SUBSCRIPTION, id_), replace(node, member=owner))
    if owner is not None:
        member = graph.member(owner)
        graph.put(Ref(Kind.MEMBER, owner), replace(member, grants={**member.grants, id_: node.grant}))


def _user_of_customer(node: SubscriptionNode, graph: Graph) -> str | None:
    """The customer's user, for a subscription that Stripe itself has shown us."""
    if node.customer is None or node.grant.subscription is None:
        return None
    user = graph.customer(node.customer).user
    return user.value if user else None


def _remember_paths(graph: Graph) -> None:
    """Note on what is written anyway who is above it, so that the next event needs one read less."""
    for id_, node in list(graph.changed_of(Kind.INVOICE)):
        invoice = cast("InvoiceNode", node)
        if invoice.fact.subscription is not None:
            member = graph.subscription(invoice.fact.subscription).member
            path = (f"{Kind.MEMBER}#{member}",) if member else ()
            graph.put(Ref(Kind.INVOICE, id_), replace(invoice, path=path))
    for id_, node in list(graph.changed_of(Kind.PAYMENT)):
        payment = cast("PaymentNode", node)
        above = graph.invoice(payment.fact.invoice) if payment.fact.invoice else None
        if above is not None and above.fact.subscription is not None:
            path = (f"{Kind.SUBSCRIPTION}#{above.fact.subscription}", *above.path)
            graph.put(Ref(Kind.PAYMENT, id_), replace(payment, path=path))


def _path_refs(path: tuple[str, ...]) -> Iterator[Ref]:
    for entry in path:
        kind, _, id_ = entry.partition("#")
        yield Ref(Kind(kind), id_)
