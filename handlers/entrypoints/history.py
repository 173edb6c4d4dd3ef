"""What a table full of events amounts to at any moment, as the functions would say it: for `launch-ready replay`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from handlers.adapters.attributes import decode
from handlers.adapters.items import stored_of
from handlers.core import identity
from handlers.core.facts import DisputeStatus, Source
from handlers.core.grants import Grant
from handlers.core.history import History
from handlers.core.maps import to_map
from handlers.core.membership import Membership, membership, opens_nothing
from handlers.core.nodes import (
    HOLDERS,
    InvoiceNode,
    Kind,
    MemberNode,
    Node,
    OwnCustomer,
    PaymentNode,
    Ref,
    SubscriptionNode,
)
from handlers.core.policy import Policy, parse

_KINDS = frozenset(Kind)
_LEFT_OUT = frozenset({"email", "customer", "user", "verified", "observation"})  # of a grant's facts


def report(
    *,
    items: Iterable[Mapping[str, Any]],
    events: Sequence[Mapping[str, Any]],
    policy: str,
    now: int,
    any_price: str | None = None,
    identity_document: str | None = None,
) -> dict[str, Any]:
    """What `items`, the whole table in DynamoDB's JSON, and the `events` that led to it say of members at `now`.

    `policy` and `identity_document` are the functions' MEMBERSHIP_POLICY and the identity secret's value;
    `any_price` is the level of prices that the policy does not name. `now` is in Unix seconds: what happened later
    is left out. The result:

    {"members": [{"user_id", "customers", "state", "access", "levels", "until", "reason", "needs_support", "grants",
    "transitions"}], "unmapped_prices": [{"price", "grants"}], "ledger": {event: {"outcome", "reason", "type"}},
    "disagreements": [user]} - the last are members whom the table has otherwise than the events told in order.
    A payer whom nobody claims has the user_id None. Each grant carries the `facts` that it follows from.
    """
    rules = replace(parse(policy), default_level=any_price)
    keys = identity.parse_keys(identity_document) if identity_document else ()
    nodes, ledger = _read(items)
    applied = [event for event in events if ledger.get(str(event.get("id")), {}).get("outcome") == "applied"]
    past = History(policy=rules, reading=rules.reading(keys)).tell(applied, now)
    latest = max([now, *(event["created"] for event in applied if isinstance(event.get("created"), int))])
    told = past if latest == now else History(policy=rules, reading=rules.reading(keys)).tell(applied, latest)
    return {
        "members": [*_members(past.members, rules, now), *_payers(past.nodes, rules, now)],
        "unmapped_prices": _unmapped(past.nodes, replace(rules, default_level=None)),
        "ledger": ledger,
        "disagreements": _disagreements(nodes, told.nodes, rules, latest),
    }


def _read(items: Iterable[Mapping[str, Any]]) -> tuple[dict[Ref, Node], dict[str, dict[str, Any]]]:
    nodes, ledger = {}, {}
    for item in items:
        kind = item.get("kind", {}).get("S")
        if kind in _KINDS:
            ref, stored = stored_of(dict(item))
            nodes[ref] = stored.node
        elif kind == "LEDGER":
            fields = decode(dict(item))
            ledger[fields["event"]] = {name: fields.get(name) for name in ("outcome", "reason", "type")}
    return nodes, ledger


def _members(members: Mapping[str, MemberNode], rules: Policy, now: int) -> Iterator[dict[str, Any]]:
    for user in sorted(members):
        member = members[user]
        yield _entry(user, member, membership(member.grants, rules, now))


def _payers(nodes: Mapping[Ref, Node], rules: Policy, now: int) -> Iterator[dict[str, Any]]:
    """What was bought by nobody whom the app knows, together for each Stripe customer."""
    found: dict[str, dict[str, Grant]] = {}
    customers: dict[str, dict[str, OwnCustomer]] = {}
    for ref, node in nodes.items():
        if not isinstance(node, PaymentNode | InvoiceNode | SubscriptionNode) or node.member is not None:
            continue
        grant = node.grant
        if grant is not None and (grant.subscription is not None or grant.purchase is not None):
            payer = node.customer or ref.id
            found.setdefault(payer, {})[ref.id] = grant
            customers[payer] = {node.customer: OwnCustomer()} if node.customer else {}
    for payer in sorted(found):
        member = MemberNode(id=payer, customers=customers[payer], grants=found[payer])
        yield _entry(None, member, membership(member.grants, rules, now))


def _entry(user: str | None, member: MemberNode, current: Membership) -> dict[str, Any]:
    return {
        "user_id": user,
        "customers": list(member.customer_ids),
        **asdict(current),
        "grants": [{**asdict(view), "facts": _facts(to_map(member.grants[view.id]))} for view in current.grants],
        "transitions": [
            {
                "at": change.at,
                "from": change.from_state,
                "to": change.to_state,
                "reason": change.reason,
                "event": change.event,
            }
            for change in member.transitions
        ],
    }


def _facts(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a grant, in words, without what is said of its payer."""
    return {name: _in_words(name, value) for name, value in told.items() if name not in _LEFT_OUT}


def _in_words(name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if name == "disputes":
        return {
            id_: {**dispute, "status": DisputeStatus(dispute["status"]).name.lower()} for id_, dispute in value.items()
        }
    return {
        inner: content if inner != "source" else Source(content).name.lower()
        for inner, content in _facts(value).items()
    }


def _unmapped(nodes: Mapping[Ref, Node], rules: Policy) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    for ref, node in nodes.items():
        if ref.kind in HOLDERS and isinstance(node, PaymentNode | InvoiceNode | SubscriptionNode) and node.grant:
            counts.update(opens_nothing(node.grant.items, rules))
    return [{"price": price, "grants": count} for price, count in sorted(counts.items())]


def _disagreements(table: Mapping[Ref, Node], told: Mapping[Ref, Node], rules: Policy, now: int) -> list[str]:
    """The users whose grants amount to something else in the table than by the events in their order."""
    ends = [
        {
            ref.id: (membership(node.grants, rules, now), node.address, node.customer_ids)
            for ref, node in nodes.items()
            if isinstance(node, MemberNode)
        }
        for nodes in (table, told)
    ]
    return sorted(user for user in {**ends[0], **ends[1]} if ends[0].get(user) != ends[1].get(user))
