"""The joins of facts and summaries: commutative, associative, idempotent."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.core import facts, grants
from handlers.core.facts import (
    Dispute,
    InvoiceFact,
    Item,
    Money,
    PaymentFact,
    Refunded,
    RefundPart,
    SessionFact,
    Stamped,
    SubscriptionFact,
    TrialEnding,
)
from handlers.core.grants import Grant
from handlers.core.maps import from_map, to_map
from handlers.core.nodes import MemberNode, Transition

moments = st.integers(1, 4)
maybe_moment = st.none() | moments
names = st.sampled_from(["a", "b", "c"])
maybe_name = st.none() | names
statuses = st.sampled_from(
    ["incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused"]
)
items = st.builds(Item, price=names, lookup_key=maybe_name, period_end=maybe_moment)
subscriptions = st.builds(
    SubscriptionFact,
    status=statuses,
    at=moments,
    source=st.integers(0, 3),
    items=st.lists(items, max_size=2).map(tuple),
    user=maybe_name,
    cancel_at=maybe_moment,
    latest_invoice=maybe_name,
    observation=st.integers(0, 1),
)
stamps = st.builds(Stamped, at=moments, value=names)
refunds = st.builds(Refunded, amount=moments, at=moments)
invoices = st.builds(
    InvoiceFact,
    id=st.just("in_1"),
    created=maybe_moment,
    subscription=maybe_name,
    failed_at=maybe_moment,
    paid_at=maybe_moment,
    amount_paid=maybe_moment,
    renewal=st.booleans(),
    action=st.booleans(),
    user=st.none() | stamps,
    items=st.lists(items, max_size=2).map(tuple),
)
parts = st.builds(RefundPart, amount=moments, at=moments, dead=st.booleans(), dead_at=maybe_moment)
# The moment of its creation is the dispute's own, whichever event tells of it.
disputes = st.builds(Dispute, created=st.just(1), status=st.integers(0, 4), at=moments)
money = st.builds(
    Money,
    charged=st.none() | refunds,
    parts=st.dictionaries(names, parts, max_size=2),
    disputes=st.dictionaries(names, disputes, max_size=2),
)
payments = st.builds(
    PaymentFact,
    id=st.just("pi_1"),
    invoice=maybe_name,
    user=st.none() | stamps,
    items=st.lists(items, max_size=2).map(tuple),
    succeeded_at=maybe_moment,
    failed_at=maybe_moment,
    amount=maybe_moment,
    money=money,
)
sessions = st.builds(
    SessionFact,
    id=st.just("cs_1"),
    at=moments,
    mode=names,
    outcome=st.integers(0, 3),
    paid=st.booleans(),
    user=maybe_name,
    items=st.lists(items, max_size=2).map(tuple),
)
# Of an invoice, all that the summary needs is told together: its creation never changes.
any_invoice = st.builds(
    InvoiceFact,
    id=names,
    created=st.sampled_from([1, 2]),
    failed_at=maybe_moment,
    paid_at=maybe_moment,
    amount_paid=maybe_moment,
)
contributions = st.one_of(
    subscriptions.map(grants.of_subscription),
    st.builds(TrialEnding, trial_end=moments, at=moments).map(lambda told: Grant(trial_ending=told)),
    st.tuples(any_invoice, st.dictionaries(names, money, max_size=2)).map(lambda told: grants.of_invoice(*told)),
    stamps.map(lambda stamp: Grant(email=stamp)),
)

JOINS: dict[str, tuple[Callable[[Any, Any], Any], st.SearchStrategy[Any]]] = {
    "subscriptions": (facts.join_subscriptions, subscriptions),
    "invoices": (facts.join_invoices, invoices),
    "payments": (facts.join_payments, payments),
    "money": (facts.join_money, money),
    "sessions": (facts.join_sessions, sessions),
    "latest": (facts.latest, stamps),
    "first": (facts.first, stamps),
    "grants": (grants.join, contributions),
}


@pytest.mark.parametrize("kind", JOINS)
@given(data=st.data())
def test_a_join_does_not_mind_order_grouping_or_repetition(kind: str, data: st.DataObject) -> None:
    join, values = JOINS[kind]
    a, b, c = data.draw(values), data.draw(values), data.draw(values)
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))
    assert join(a, a) == a


@given(st.permutations([0, 1, 2]))
def test_a_final_state_wins_a_tie(order: list[int]) -> None:
    told = [
        SubscriptionFact(status="active", at=9, source=facts.Source.UPDATED),
        SubscriptionFact(status="canceled", at=9, source=facts.Source.DELETED),
        SubscriptionFact(status="past_due", at=9, source=facts.Source.UPDATED),
    ]
    last = None
    for place in order:
        last = facts.join_subscriptions(last, told[place])
    assert last is not None
    assert last.status == "canceled"


@pytest.mark.parametrize(
    ("earlier", "later"),
    list(itertools.pairwise(["incomplete", "trialing", "active", "past_due", "unpaid", "paused", "canceled"])),
)
def test_of_two_updates_of_one_second_the_one_further_along_counts(earlier: str, later: str) -> None:
    a, b = (SubscriptionFact(status=status, at=9, source=facts.Source.UPDATED) for status in (earlier, later))
    assert facts.join_subscriptions(a, b) == facts.join_subscriptions(b, a) == b


def test_of_two_updates_of_one_second_the_one_with_the_later_period_counts() -> None:
    old = SubscriptionFact(status="past_due", at=9, source=1, items=(Item(price="p", period_end=20),))
    new = SubscriptionFact(status="active", at=9, source=1, items=(Item(price="p", period_end=50),))
    assert facts.join_subscriptions(old, new) == facts.join_subscriptions(new, old) == new


@given(contributions)
def test_a_summary_survives_the_table(grant: Grant) -> None:
    assert from_map(Grant, to_map(grant)) == grant


def test_a_member_survives_the_table() -> None:
    change = Transition(at=1, from_state="lead", to_state="active", reason="paid")
    member = MemberNode(id="u", grants={"sub_1": Grant(email=Stamped(at=1, value="x"))}, transitions=(change,))
    assert from_map(MemberNode, to_map(member)) == member


def test_fields_of_a_later_release_are_ignored_and_missing_ones_are_told() -> None:
    assert from_map(Stamped, {"at": 1, "value": "x", "tomorrow": True}) == Stamped(at=1, value="x")
    with pytest.raises(TypeError, match="value"):
        from_map(Stamped, {"at": 1})
