"""The notices that facts imply: occurrences that operations should hear of, each with a key of its own."""

from collections.abc import Iterator, Mapping
from typing import cast

from handlers.core.desired import Notice
from handlers.core.facts import Refunded
from handlers.core.graph import Graph
from handlers.core.nodes import InvoiceNode, Kind, Node, Ref, SubscriptionNode
from handlers.core.policy import DAY_SECONDS

MAX_AGE_SECONDS = 3 * DAY_SECONDS  # as long as Stripe delivers an event; replays and backfills stay silent


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


def _implied(node: Node | None, graph: Graph, *, past: bool) -> Iterator[Notice]:
    match node:
        case InvoiceNode(fact=fact, refunds=refunds) if fact.subscription is not None:
            member = _member_of(fact.subscription, graph, past=past)
            if member is None or fact.created is None:
                return
            if fact.failed_at is not None and fact.paid_at is None:
                yield _payment_failed(fact.id, fact.failed_at, fact.subscription, member)
            if fact.paid_at is not None:
                yield from _refunds(fact.id, refunds, fact.subscription, member)
        case SubscriptionNode(id=id_, grant=grant, member=str(member)):
            if grant.failing is not None:
                yield _payment_failed(grant.failing.id, grant.failing.at, id_, member)
            if grant.paid is not None:
                yield from _refunds(grant.paid.id, grant.paid.refunds, id_, member)


def _member_of(subscription: str, graph: Graph, *, past: bool) -> str | None:
    ref = Ref(Kind.SUBSCRIPTION, subscription)
    node = cast("SubscriptionNode | None", graph.before(ref) if past else graph.get(ref))
    return node.member if node else None


def _payment_failed(invoice: str, at: int, subscription: str, member: str) -> Notice:
    return Notice(
        key=f"payment_failed:{invoice}",
        kind="payment_failed",
        member_id=member,
        at=at,
        max_age_seconds=MAX_AGE_SECONDS,
        details={"invoice": invoice, "subscription": subscription},
    )


def _refunds(invoice: str, refunds: Mapping[str, Refunded], subscription: str, member: str) -> Iterator[Notice]:
    for payment, refunded in refunds.items():
        details = {"amount": str(refunded.amount), "invoice": invoice, "payment": payment, "subscription": subscription}
        yield Notice(
            key=f"refund:{payment}:{refunded.amount}",  # a second part of the money is a second occurrence
            kind="refund",
            member_id=member,
            at=refunded.at,
            max_age_seconds=MAX_AGE_SECONDS,
            details=details,
        )
