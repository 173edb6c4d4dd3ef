"""The way from a payment up to its member, noted on what is below: the next event reads all of it at once.

payment -> invoice -> subscription -> customer -> member are five reads one after the other for a refund, which names
nothing but its payment. So a payment and an invoice carry the names of what is above them, and what does not know all
of its way yet is listed where the way ends, and told in the transaction that learns how it goes on. All of this are
hints: one that is missing or out of date costs a read, and decides nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import cast

from handlers.core.facts import InvoiceFact
from handlers.core.graph import Graph
from handlers.core.nodes import (
    CustomerNode,
    Holder,
    InvoiceNode,
    Kind,
    Node,
    PaymentNode,
    Ref,
    SubscriptionNode,
)

MAX_BELOW = 10  # nodes that one waits for; those of which there is no list cost a read more
MAX_CHANGED = 30  # nodes of a transaction, of 100 actions; one that moves many purchases has no room for hints


def name(ref: Ref) -> str:
    """How a node names another."""
    return f"{ref.kind}#{ref.id}"


def refs(named: Iterable[str]) -> Iterator[Ref]:
    """The nodes that are `named`."""
    for entry in named:
        kind, _, id_ = entry.partition("#")
        yield Ref(Kind(kind), id_)


def beyond(node: Node) -> frozenset[Ref]:
    """The nodes above `node` as far as it knows, and those that wait for it: to be read together when one is needed."""
    match node:
        case PaymentNode(fact=fact, path=path) if fact.invoice:
            return frozenset({Ref(Kind.INVOICE, fact.invoice), *refs(path)})
        case InvoiceNode(fact=fact, path=path, below=below) if fact.subscription:
            return frozenset({Ref(Kind.SUBSCRIPTION, fact.subscription), *refs(path), *refs(below)})
        case PaymentNode():
            return frozenset(_known(node.customer, node.member))
        case InvoiceNode(below=below) | SubscriptionNode(below=below):
            return frozenset({*_known(node.customer, node.member), *refs(below)})
        case CustomerNode(member=member):
            return frozenset(_known(None, member))
    return frozenset()


def remember(graph: Graph) -> None:
    """Note on whatever is written anyway who is above it, and tell those that waited for that."""
    for kind in (Kind.INVOICE, Kind.PAYMENT):
        for id_, _ in list(graph.changed_of(kind)):
            _note(Ref(kind, id_), graph)
    for ref in _can_tell(graph):
        node = cast("InvoiceNode | SubscriptionNode", graph.get(ref))
        if len(graph.changed) + len(node.below) <= MAX_CHANGED:
            graph.need(refs(node.below))
            graph.put(ref, replace(node, below=()))
            for waiting in refs(node.below):
                _note(waiting, graph)


def _can_tell(graph: Graph) -> list[Ref]:
    """What others wait for and knows its way by now; the invoices first, whose payments may have to wait further up."""
    found = []
    for kind in (Kind.INVOICE, Kind.SUBSCRIPTION):
        for id_, node in graph.changed_of(kind):
            waited_for = cast("InvoiceNode | SubscriptionNode", node)
            invoice = isinstance(waited_for, InvoiceNode) and waited_for.fact.subscription is not None
            if waited_for.below and (invoice or waited_for.member is not None):
                found.append(Ref(kind, id_))
    return found


def _note(ref: Ref, graph: Graph) -> None:
    """The way up from the invoice or payment `ref`, on it; where that ends too early, `ref` waits."""
    node: InvoiceNode | PaymentNode | None
    node = graph.invoice(ref.id) if ref.kind is Kind.INVOICE else graph.payment(ref.id)
    if isinstance(node, InvoiceNode) and node.fact.subscription is not None:
        path, end = _way(node, graph)
    elif isinstance(node, PaymentNode) and node.fact.invoice is not None:
        path, end = _way_of_payment(node.fact.invoice, graph)
    else:
        return
    graph.put(ref, replace(node, path=path))
    if end is not None:
        _wait(end, ref, graph)


def _way_of_payment(invoice: str, graph: Graph) -> tuple[tuple[str, ...], Ref | None]:
    """The names of what is above the invoice, and where that ends too early, if it does."""
    node = graph.invoice(invoice) or InvoiceNode(fact=InvoiceFact(id=invoice))
    if any(ref.kind is Kind.MEMBER for ref in refs(node.path)):
        return node.path, None
    if node.fact.subscription is not None:
        return _way(node, graph)
    return _above(node), None if node.member else Ref(Kind.INVOICE, invoice)


def _way(invoice: InvoiceNode, graph: Graph) -> tuple[tuple[str, ...], Ref | None]:
    sold = graph.subscription(invoice.fact.subscription or "")
    ref = Ref(Kind.SUBSCRIPTION, sold.id)
    return (name(ref), *_above(sold)), None if sold.member else ref


def _above(holder: Holder) -> tuple[str, ...]:
    """Who owns it, and the customer where the customer tells that."""
    customer = holder.customer if holder.own_user is None else None
    return tuple(name(ref) for ref in _known(customer, holder.member))


def _wait(end: Ref, ref: Ref, graph: Graph) -> None:
    node: InvoiceNode | SubscriptionNode
    if end.kind is Kind.INVOICE:
        node = graph.invoice(end.id) or InvoiceNode(fact=InvoiceFact(id=end.id))
    else:
        node = graph.subscription(end.id)
    below = tuple(sorted({*node.below, name(ref)}))
    if len(below) <= MAX_BELOW:
        graph.put(end, replace(node, below=below))


def _known(customer: str | None, member: str | None) -> Iterator[Ref]:
    if customer is not None:
        yield Ref(Kind.CUSTOMER, customer)
    if member is not None:
        yield Ref(Kind.MEMBER, member)
