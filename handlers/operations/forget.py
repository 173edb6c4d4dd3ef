"""Erase a person: their data in the table goes, ids of Stripe's objects and amounts stay, vendors to ask are listed.

What Stripe and other vendors keep is theirs to erase, on request; a subscription that goes on at Stripe would bring the
person back with its next event, so it has to end there first.
"""

import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from handlers.adapters.attributes import decode
from handlers.adapters.items import Key, Stored, node_key, stored_of
from handlers.adapters.store import Change
from handlers.core.membership import membership
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
from handlers.operations import audit
from handlers.operations.errors import RefusedError
from handlers.operations.stack import LiveStack

CHUNK = 50  # items of one transaction

Progress = Callable[[str], None]


class StillPayingError(RefusedError):
    """The person has something that goes on at Stripe; the message names it and says what to do."""


class UnknownMemberError(RefusedError):
    """The table knows nobody of this id."""


@dataclass(frozen=True, kw_only=True)
class Traces:
    """Everything in the table that is about one person."""

    member: str
    customers: tuple[str, ...]
    nodes: Mapping[Ref, Stored]  # to be rewritten without the person
    gone: tuple[Key, ...]  # to be deleted, the member last
    vendors: Mapping[str, Mapping[str, str]]  # destination -> the ids by which it knows the person


def find(stack: LiveStack, user: str, progress: Progress) -> Traces:
    """What there is of `user`. Raises UnknownMemberError, StillPayingError and StackError."""
    stored = stack.store.member(user)
    if stored is None:
        raise UnknownMemberError(
            f"the table knows no member {user!r}: give the app's user id as the members API takes it"
        )
    member = cast("MemberNode", stored.node)
    _refuse_living(stack, member)
    customers = member.customer_ids
    nodes: dict[Ref, Stored] = {}
    gone: list[Key] = []
    vendors: dict[str, dict[str, str]] = {}
    for item in stack.scan("attribute_exists(#pk)", {"#pk": "pk"}, {}, progress):
        key = {name: item[name] for name in ("pk", "sk")}
        kind = item.get("kind", {}).get("S", "")
        if kind in set(Kind) - {Kind.MEMBER}:
            ref, node = stored_of(item)
            if _is_about(node.node, user, customers):
                nodes[ref] = node
        elif kind in {"DELIVERY", "NOTICE"} and item.get("member", {}).get("S") == user:
            gone.append(key)
            if kind == "DELIVERY":
                vendors[item["destination"]["S"]] = {n: str(v) for n, v in decode(item).get("remote", {}).items()}
        elif "payload" in item and _mentions(item, user, customers):
            gone.append(key)
    gone.append(node_key(Ref(Kind.MEMBER, user)))
    return Traces(member=user, customers=customers, nodes=nodes, gone=tuple(gone), vendors=vendors)


def erase(stack: LiveStack, traces: Traces, progress: Progress) -> None:
    """Carry it out; a second time finds nothing. What broke off is repeated whole, as the member goes last."""
    audit.record(stack, "forget", nodes=len(traces.nodes), deleted=len(traces.gone), customers=len(traces.customers))
    now = int(time.time())
    anonymous = [
        (ref, replace(stored, node=_without(stored.node), version=stored.version + 1, due_at=None, asked=True))
        for ref, stored in traces.nodes.items()
    ]
    for start in range(0, len(anonymous), CHUNK):
        stack.store.commit(Change(now=now, nodes=dict(anonymous[start : start + CHUNK])))
        progress(f"rewrote {min(start + CHUNK, len(anonymous))} of {len(anonymous)}")
    for count, key in enumerate(traces.gone, start=1):
        stack.dynamodb.delete_item(TableName=stack.settings.table.table, Key=key)
        progress(f"deleted {count} of {len(traces.gone)}")


def told(traces: Traces, *, applied: bool) -> Iterator[str]:
    """What went, or would go, and whom to ask, as lines."""
    verb = "were" if applied else "would be"
    yield f"{len(traces.nodes)} objects of Stripe {verb} stripped to ids, moments and amounts"
    yield f"{len(traces.gone)} items {verb} deleted: the member, deliveries, notices and kept texts of events"
    yield "still to ask:"
    yield from vendors_to_ask(traces)
    if not applied:
        yield "nothing was changed; with --apply it is"


def _refuse_living(stack: LiveStack, member: MemberNode) -> None:
    """A subscription that goes on would bring the person back."""
    current = membership(member.grants, stack.settings.table.policy, int(time.time()))
    living = [
        view.id
        for view in current.grants
        if (fact := member.grants[view.id].subscription) is not None and not fact.final
    ]
    if living:
        ends = f"cancel {', '.join(living)} at Stripe, wait for the event, then repeat"
        raise StillPayingError(f"member {member.id} has {len(living)} subscriptions that go on: {ends}")


def _is_about(node: Node, user: str, customers: tuple[str, ...]) -> bool:
    match node:
        case CustomerNode(id=id_, member=member):
            return id_ in customers or member == user
        case SessionNode(fact=fact):
            return fact.user == user or fact.customer in customers
        case PaymentNode() | InvoiceNode() | SubscriptionNode():
            return node.member == user or node.customer in customers or node.own_user == user
    return False


def _without(node: Node) -> Node:
    """The node with its ids at Stripe, moments and amounts, and nothing else."""
    match node:
        case CustomerNode(id=id_, deleted_at=deleted_at):
            return CustomerNode(id=id_, deleted_at=deleted_at)
        case SessionNode(fact=fact):
            return SessionNode(fact=replace(fact, user=None, unsigned=None))
        case PaymentNode(fact=fact, sale=sale):
            named = None if sale is None else replace(sale, user=None, unsigned=None)
            return PaymentNode(fact=replace(fact, user=None), sale=named)
        case InvoiceNode(fact=fact, money=money, sale=sale):
            named = None if sale is None else replace(sale, user=None, unsigned=None)
            return InvoiceNode(fact=replace(fact, user=None), money=money, sale=named)
        case SubscriptionNode(id=id_, customer=customer, grant=grant):
            fact = grant.subscription and replace(grant.subscription, user=None)
            return SubscriptionNode(id=id_, customer=customer, grant=replace(grant, subscription=fact, email=None))
    return node


def _mentions(item: Mapping[str, Any], user: str, customers: tuple[str, ...]) -> bool:
    """Whether the kept text of an event names the person, or a customer of theirs."""
    text = zlib.decompress(item["payload"]["B"]).decode("utf-8", "replace")
    return any(f'"{name}"' in text for name in (user, *customers))


def vendors_to_ask(traces: Traces) -> Iterator[str]:
    """One line for each place outside that knows the person."""
    for customer in traces.customers:
        yield f"stripe   {customer}: delete the customer in the dashboard, or with the API"
    for destination, remote in sorted(traces.vendors.items()):
        ids = ", ".join(f"{name} {value}" for name, value in sorted(remote.items())) or "by the member's address"
        yield f"{destination:<8} {ids}"
