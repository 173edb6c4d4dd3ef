"""Takes facts into the graph: joins each into its node and passes summaries on along the links that are known."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from handlers.core import grants, paths
from handlers.core.errors import EventError
from handlers.core.events import CustomerFact, Facts
from handlers.core.facts import (
    InvoiceFact,
    Money,
    Outcome,
    PaymentFact,
    SessionFact,
    Source,
    Stamped,
    SubscriptionFact,
    earliest,
    first,
    greatest,
    join_invoices,
    join_money,
    join_payments,
    join_sessions,
    latest,
)
from handlers.core.grants import Grant
from handlers.core.graph import Graph
from handlers.core.nodes import (
    HOLDERS,
    CustomerNode,
    Holder,
    InvoiceNode,
    Kind,
    MemberNode,
    OwnCustomer,
    PaymentNode,
    Ref,
    SessionNode,
    SubscriptionNode,
)

MAX_UNNAMED = 75  # purchases of one customer that rely on the customer's user: one transaction moves them all
MAX_GRANTS = 500  # of one member that may still open something: the member's item has to fit into 400 KB
MAX_CUSTOMERS = 100  # of one member


def take(facts: Facts, graph: Graph) -> None:
    """Join `facts` into `graph`; raises NotLoadedError when a node is needed that was not read."""
    for customer in facts.customers:
        _take_customer(customer, graph)
    if facts.session is not None:
        _take_session(facts.session, facts.email, graph)
    if facts.subscription is not None and facts.subscription_id is not None:
        _take_subscription(facts.subscription_id, facts, facts.subscription, graph)
    if facts.invoice is not None:
        _take_invoice(facts.invoice, facts.email, graph)
    for payment in facts.payments:
        _take_payment(payment, facts, graph)
    _pass_on(graph)


def names(facts: Facts) -> frozenset[Ref]:
    """The nodes that `facts` name: to be read before `take`."""
    return frozenset(ref for ref in _named(facts))


def sold_by(fact: SessionFact) -> Ref | None:
    """What a Checkout Session sold for one payment: the invoice that it made, else the payment, else itself."""
    if fact.mode != "payment":
        return None
    if fact.invoice is not None:
        return Ref(Kind.INVOICE, fact.invoice)
    return Ref(Kind.PAYMENT, fact.payment or fact.id)  # a session that costs nothing makes no payment


def _named(facts: Facts) -> Iterator[Ref]:
    if facts.session is not None:
        yield Ref(Kind.SESSION, facts.session.id)
        yield from _maybe(Kind.SUBSCRIPTION, facts.session.subscription)
        sold = sold_by(facts.session)
        if sold is not None:
            yield sold
    yield from _maybe(Kind.SUBSCRIPTION, facts.subscription_id)
    if facts.invoice is not None:
        yield Ref(Kind.INVOICE, facts.invoice.id)
        yield from _maybe(Kind.SUBSCRIPTION, facts.invoice.subscription)
    for payment in facts.payments:
        yield Ref(Kind.PAYMENT, payment.id)
        yield from _maybe(Kind.INVOICE, payment.invoice)
        if payment.user is not None or payment.items:  # it may be a purchase by itself
            yield from _maybe(Kind.CUSTOMER, payment.customer)
    for customer in facts.customers:
        yield Ref(Kind.CUSTOMER, customer.id)
    if facts.session is not None or facts.subscription is not None or facts.invoice is not None:
        yield from _maybe(Kind.CUSTOMER, facts.customer)
    yield from _maybe(Kind.MEMBER, facts.user_hint)


def _maybe(kind: Kind, id_: str | None) -> Iterator[Ref]:
    if id_ is not None:
        yield Ref(kind, id_)


def _take_customer(fact: CustomerFact, graph: Graph) -> None:
    node = graph.customer(fact.id)
    told = replace(
        node,
        own=latest(node.own, fact.user),
        user=first(node.user, fact.claim),
        email=latest(node.email, fact.email),
        deleted_at=earliest(node.deleted_at, fact.deleted_at),
    )
    graph.put(Ref(Kind.CUSTOMER, fact.id), told)


def _take_session(fact: SessionFact, email: Stamped | None, graph: Graph) -> None:
    known = graph.session(fact.id)
    joined = join_sessions(known.fact if known else None, fact) or fact
    graph.put(Ref(Kind.SESSION, fact.id), SessionNode(fact=joined))
    if Outcome.EXPIRED in (fact.outcome, joined.outcome):  # nothing was sold by it, nobody has to have been there
        return
    user = Stamped(at=fact.at, value=fact.user) if fact.user else None
    sold = sold_by(fact)
    if sold is not None:
        _sell(sold, joined, email, graph)
    elif fact.subscription is not None:
        _sell_subscription(fact.subscription, fact, user, email, graph)
    if user is not None:
        _name_customer(fact.customer, user, graph)
        member, own = graph.member(user.value), None if sold or fact.subscription else email
        graph.put(Ref(Kind.MEMBER, member.id), replace(member, email=latest(member.email, own)))


def _sell(sold: Ref, sale: SessionFact, email: Stamped | None, graph: Graph) -> None:
    node: PaymentNode | InvoiceNode
    if sold.kind is Kind.INVOICE:
        node = graph.invoice(sold.id) or InvoiceNode(fact=InvoiceFact(id=sold.id))
    else:
        node = graph.payment(sold.id) or PaymentNode(fact=PaymentFact(id=sold.id))
    graph.put(sold, replace(node, sale=join_sessions(node.sale, sale), email=latest(node.email, email)))


def _sell_subscription(id_: str, fact: SessionFact, user: Stamped | None, email: Stamped | None, graph: Graph) -> None:
    node = graph.subscription(id_)
    unsigned = Stamped(at=fact.at, value=fact.unsigned) if fact.unsigned else None
    sold = replace(
        node,
        customer=greatest(node.customer, fact.customer),
        session_user=latest(node.session_user, user),
        unsigned=latest(node.unsigned, unsigned),
        grant=grants.join(node.grant, Grant(email=email)),
    )
    graph.put(Ref(Kind.SUBSCRIPTION, node.id), sold)


def _take_subscription(id_: str, facts: Facts, fact: SubscriptionFact, graph: Graph) -> None:
    node = graph.subscription(id_)
    joined = replace(
        node,
        grant=grants.join(node.grant, grants.of_subscription(fact, facts.trial_ending)),
        customer=greatest(node.customer, fact.customer),
        tied_at=greatest(node.tied_at, _tie(node.grant.subscription, fact)),
    )
    graph.put(Ref(Kind.SUBSCRIPTION, id_), joined)
    if fact.user is not None:
        _name_customer(fact.customer, Stamped(at=fact.at, value=fact.user), graph)


def _tie(known: SubscriptionFact | None, fact: SubscriptionFact) -> int | None:
    """The second in which two snapshots say different things and neither says which is the later."""
    if known is None or known == fact or known.at != fact.at or known.source != fact.source:
        return None
    return fact.at if fact.source == Source.UPDATED and not (known.final or fact.final) else None


def _take_invoice(fact: InvoiceFact, email: Stamped | None, graph: Graph) -> None:
    node = graph.invoice(fact.id) or InvoiceNode(fact=fact)
    own = email if fact.subscription is None else None
    joined = replace(node, fact=join_invoices(node.fact, fact), email=latest(node.email, own))
    graph.put(Ref(Kind.INVOICE, fact.id), joined)
    if fact.user is not None:
        _name_customer(fact.customer, fact.user, graph)
    if fact.subscription is not None:
        sold = graph.subscription(fact.subscription)
        grant = grants.join(sold.grant, Grant(email=email))
        told = replace(sold, customer=greatest(sold.customer, fact.customer), grant=grant)
        graph.put(Ref(Kind.SUBSCRIPTION, sold.id), told)


def _take_payment(fact: PaymentFact, facts: Facts, graph: Graph) -> None:
    node = graph.payment(fact.id) or PaymentNode(fact=fact)
    joined = replace(
        node,
        fact=join_payments(node.fact, fact),
        claimed=first(node.claimed, facts.claimed),
        email=latest(node.email, facts.email if facts.session is None and facts.invoice is None else None),
    )
    graph.put(Ref(Kind.PAYMENT, fact.id), joined)
    if fact.user is not None:
        _name_customer(fact.customer, fact.user, graph)


def _name_customer(customer: str | None, user: Stamped, graph: Graph) -> None:
    if customer is not None:
        node = graph.customer(customer)
        graph.put(Ref(Kind.CUSTOMER, customer), replace(node, user=first(node.user, user)))


def _pass_on(graph: Graph) -> None:
    """From the payments up to the members, through everything that changed."""
    for _, node in list(graph.changed_of(Kind.PAYMENT)):
        _tell_invoice(cast("PaymentNode", node), graph)
    for _, node in list(graph.changed_of(Kind.INVOICE)):
        _tell_subscription(cast("InvoiceNode", node), graph)
    for ref in _to_resolve(graph):
        _tell_member(ref, graph)
    for id_, _ in list(graph.changed_of(Kind.CUSTOMER)):
        _tell_owner(id_, graph)
    paths.remember(graph)


def _tell_invoice(paid: PaymentNode, graph: Graph) -> None:
    """An invoice knows what became of its money and, where it is no subscription's, who made the payment for what."""
    fact = paid.fact
    if fact.invoice is None:
        return
    node = graph.invoice(fact.invoice) or InvoiceNode(fact=InvoiceFact(id=fact.invoice))
    money = join_money(node.money.get(fact.id, fact.money), fact.money)
    told = replace(
        node,
        fact=join_invoices(node.fact, InvoiceFact(id=fact.invoice, user=fact.user, items=fact.items)),
        money={**node.money, fact.id: money} if money != Money() else node.money,
        sale=join_sessions(node.sale, paid.sale),
        email=latest(node.email, paid.email),
    )
    if graph.invoice(fact.invoice) is not None or told != node:
        graph.put(Ref(Kind.INVOICE, fact.invoice), told)


def _tell_subscription(node: InvoiceNode, graph: Graph) -> None:
    if node.fact.subscription is None:
        return
    sold = graph.subscription(node.fact.subscription)
    grant = grants.join(sold.grant, grants.of_invoice(node.fact, node.money))
    graph.put(Ref(Kind.SUBSCRIPTION, sold.id), replace(sold, grant=grant))


def _to_resolve(graph: Graph) -> list[Ref]:
    """What was bought and changed, registered with its customer, and what follows the user of a changed customer."""
    changed = {Ref(kind, id_) for kind in HOLDERS for id_, _ in graph.changed_of(kind)}
    for ref in sorted(changed):
        _rely_on_customer(ref, graph)
    for id_, _ in list(graph.changed_of(Kind.CUSTOMER)):
        changed.update(_following(id_, graph))
    return sorted(changed)


def _following(customer: str, graph: Graph) -> list[Ref]:
    """What goes to another user because the customer does."""
    ref, node = Ref(Kind.CUSTOMER, customer), graph.customer(customer)
    before = cast("CustomerNode | None", graph.before(ref))
    if node.user_id == (before.user_id if before else None):
        return []
    relying = list(paths.refs(node.relying))
    graph.need(relying)
    return relying


def _rely_on_customer(ref: Ref, graph: Graph) -> None:
    """What names no user itself belongs to the user of its customer, once that is told."""
    node = _holder(ref, graph)
    if node is None or node.grant is None or node.customer is None or node.own_user is not None:
        return
    customer = graph.customer(node.customer)
    relying = tuple(sorted({*customer.relying, paths.name(ref)}))
    if len(relying) > MAX_UNNAMED:
        raise EventError(f"customer {customer.id} has over {MAX_UNNAMED} purchases that name no user")
    graph.put(Ref(Kind.CUSTOMER, customer.id), replace(customer, relying=relying))


def _tell_member(ref: Ref, graph: Graph) -> None:
    """Find whose grant it is and hand its summary over; it leaves whoever had it before."""
    node = _holder(ref, graph)
    if node is None:
        return
    grant = node.grant
    owner, verified = _owner(node, graph) if grant is not None else (None, True)
    if node.member is not None and node.member != owner:
        former = graph.member(node.member)
        kept = {key: other for key, other in former.grants.items() if key != ref.id}
        graph.put(Ref(Kind.MEMBER, former.id), replace(former, grants=kept))
    graph.put(ref, replace(node, member=owner))
    if owner is not None and grant is not None:
        handed = replace(grant, verified=verified)
        member = graph.member(owner)
        graph.put(Ref(Kind.MEMBER, owner), replace(member, grants=_with_grant(member, ref.id, handed)))


def _with_grant(member: MemberNode, id_: str, grant: Grant) -> dict[str, Grant]:
    held = grants.kept({**member.grants, id_: grant})
    if len(held) > MAX_GRANTS:
        raise EventError(f"member {member.id} has over {MAX_GRANTS} grants that may still open something")
    return held


def _owner(node: Holder, graph: Graph) -> tuple[str | None, bool]:
    """The user whose grant it is, and whether that is more than the payer's word."""
    vouched = node.own_user or _user_of_customer(node, graph)
    return (vouched, True) if vouched is not None else (node.unsigned_user, False)


def _user_of_customer(node: Holder, graph: Graph) -> str | None:
    """The customer's user, for what Stripe itself has shown us."""
    if node.customer is None or (isinstance(node, SubscriptionNode) and node.grant.subscription is None):
        return None
    return graph.customer(node.customer).user_id


def _tell_owner(id_: str, graph: Graph) -> None:
    """A customer is listed with its user, and its address is one of the user's."""
    node = graph.customer(id_)
    owner = node.user_id
    if node.member is not None and node.member != owner:
        former = graph.member(node.member)
        others = {key: other for key, other in former.customers.items() if key != id_}
        graph.put(Ref(Kind.MEMBER, former.id), replace(former, customers=others))
    graph.put(Ref(Kind.CUSTOMER, id_), replace(node, member=owner))
    if owner is not None:
        member = graph.member(owner)
        customers = {**member.customers, id_: OwnCustomer(email=node.email)}
        if len(customers) > MAX_CUSTOMERS:
            raise EventError(f"member {owner} has over {MAX_CUSTOMERS} customers")
        graph.put(Ref(Kind.MEMBER, owner), replace(member, customers=customers))


def _holder(ref: Ref, graph: Graph) -> Holder | None:
    match ref.kind:
        case Kind.PAYMENT:
            return graph.payment(ref.id)
        case Kind.INVOICE:
            return graph.invoice(ref.id)
        case _:
            return graph.subscription(ref.id)
