"""The notices that facts imply: occurrences that operations should hear of, each with a key of its own."""

from collections.abc import Iterator, Mapping
from typing import cast

from handlers.core.desired import Notice
from handlers.core.facts import Dispute, DisputeStatus, Money
from handlers.core.graph import Graph
from handlers.core.nodes import InvoiceNode, Kind, Node, PaymentNode, Ref, SubscriptionNode
from handlers.core.policy import DAY_SECONDS

MAX_AGE_SECONDS = 3 * DAY_SECONDS  # as long as Stripe delivers an event; replays and backfills stay silent

_DISPUTE_ENDS = {
    DisputeStatus.INQUIRY_CLOSED: "closed",
    DisputeStatus.WON: "won",
    DisputeStatus.LOST: "lost",
}


def news(graph: Graph, now: int) -> tuple[Notice, ...]:
    """The notices that the changes in `graph` imply and that what was read did not, not older than their maximum age.

    A notice has to do with a member: what happens to a payment whose payer is not known is told once that is.
    """
    before: dict[str, Notice] = {}
    after: dict[str, Notice] = {}
    for ref, node in graph.changed.items():
        before.update({notice.key: notice for notice in _implied(graph.before(ref), graph, past=True)})
        after.update({notice.key: notice for notice in _implied(node, graph, past=False)})
    fresh = [notice for key, notice in after.items() if key not in before and now - notice.at <= notice.max_age_seconds]
    return tuple(sorted(fresh, key=lambda notice: notice.key))


def unclaimed(subject: str, at: int, details: Mapping[str, str]) -> Notice:
    """Somebody paid, and after a while nobody knows who that is: `subject` is the Stripe customer, or the payment."""
    return _notice("unclaimed", subject, subject, at, **details)


def _implied(node: Node | None, graph: Graph, *, past: bool) -> Iterator[Notice]:
    match node:
        case InvoiceNode(fact=fact) if fact.subscription is not None:
            member = _member_of(fact.subscription, graph, past=past)
            if member is not None and fact.created is not None:
                yield from _of_invoice(node, fact.subscription, member)
        case InvoiceNode(member=str(member)):
            yield from _of_money(node.money, member, invoice=node.fact.id)
        case PaymentNode(fact=fact, member=str(member)) if fact.invoice is None:
            yield from _of_money({fact.id: fact.money}, member)
        case SubscriptionNode(member=str(member)):
            yield from _of_subscription(node, member)


def _of_invoice(node: InvoiceNode, subscription: str, member: str) -> Iterator[Notice]:
    fact = node.fact
    if fact.failed_at is not None and fact.paid_at is None:
        yield _failed(fact.id, fact.failed_at, subscription, member, action=fact.action)
    if fact.paid_at is not None:
        yield from _of_money(node.money, member, invoice=fact.id, subscription=subscription)


def _of_subscription(node: SubscriptionNode, member: str) -> Iterator[Notice]:
    grant = node.grant
    for mark in grant.owed:
        yield _failed(mark.id, mark.at, node.id, member, action=mark.action)
    if grant.paid is not None:
        yield from _of_money(grant.paid.money, member, invoice=grant.paid.id, subscription=node.id)
    if grant.trial_ending is not None:
        end = grant.trial_ending.trial_end
        yield _notice(
            "trial_will_end",
            f"{node.id}:{end}",
            member,
            grant.trial_ending.at,
            subscription=node.id,
            trial_end=str(end),
        )


def _of_money(money: Mapping[str, Money], member: str, **paid_for: str) -> Iterator[Notice]:
    for payment, one in money.items():
        refunded = one.refunded
        if refunded is not None:  # a second part of the money is a second occurrence
            amount = str(refunded.amount)
            yield _notice(
                "refund", f"{payment}:{amount}", member, refunded.at, amount=amount, payment=payment, **paid_for
            )
        for refund, part in one.parts.items():
            if part.dead_at is not None:
                told = {"amount": str(part.amount), "payment": payment, "refund": refund, **paid_for}
                yield _notice("refund_failed", refund, member, part.dead_at, **told)
        for id_, dispute in one.disputes.items():
            yield from _of_dispute(id_, dispute, member, payment=payment, **paid_for)


def _of_dispute(id_: str, dispute: Dispute, member: str, **paid_for: str) -> Iterator[Notice]:
    yield _notice("dispute", id_, member, dispute.created, dispute=id_, **paid_for)
    end = _DISPUTE_ENDS.get(DisputeStatus(dispute.status))
    if end is not None:
        yield _notice("dispute_closed", id_, member, dispute.at, dispute=id_, outcome=end, **paid_for)


def _member_of(subscription: str, graph: Graph, *, past: bool) -> str | None:
    ref = Ref(Kind.SUBSCRIPTION, subscription)
    node = cast("SubscriptionNode | None", graph.before(ref) if past else graph.get(ref))
    return node.member if node else None


def _failed(invoice: str, at: int, subscription: str, member: str, *, action: bool) -> Notice:
    kind = "payment_action_required" if action else "payment_failed"
    return _notice(kind, invoice, member, at, invoice=invoice, subscription=subscription)


def _notice(kind: str, subject: str, member: str, at: int, **details: str) -> Notice:
    return Notice(
        key=f"{kind}:{subject}",
        kind=kind,
        member_id=member,
        at=at,
        max_age_seconds=MAX_AGE_SECONDS,
        details=dict(sorted(details.items())),
    )
