"""State, not events: every order, repetition and batching of the same events ends in the same members.

The oracle is a second, sequential model that sees all events at once, in the order of time, and shares no code with
the joins.
"""

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.core import policy
from handlers.core.membership import membership
from tests.handlers import story
from tests.handlers.core.memory import Memory
from tests.handlers.story import DAY, MONTH, START, Event

POLICY = policy.parse(json.dumps(story.POLICY))
NOW = START + 40 * DAY


def seen(memory: Memory) -> dict[str, object]:
    """Everything that a destination or the members API could show of the members that have a grant or an address."""
    return {
        user: (member.address, member.grants, membership(member.grants, POLICY, NOW))
        for user, member in memory.members().items()
        if member.grants or member.address
    }


def first_payment() -> list[Event]:
    return [
        story.subscription(user=None),
        story.session(),
        story.invoice("paid"),
        story.invoice_payment(),
        story.charge_refunded(),
    ]


def test_every_order_of_a_purchase_and_its_refund_ends_the_same() -> None:
    told = [*first_payment(), story.refund()]
    endings = [seen(Memory().tell(order)) for order in itertools.permutations(told)]
    assert len(endings) == 720
    assert all(ending == endings[0] for ending in endings)
    view = membership(Memory().tell(told).grants(), POLICY, NOW)
    assert view.state == "refunded"
    assert not view.access


def test_every_order_ends_the_same_when_only_the_customer_names_the_user() -> None:
    other = story.subscription(id_="sub_other", user="user_ada", at=START - DAY)
    told = [story.subscription(user=None), other, story.invoice("paid"), story.invoice_payment(), story.refund()]
    endings = [seen(Memory().tell(order)) for order in itertools.permutations(told)]
    assert all(ending == endings[0] for ending in endings)
    assert set(Memory().tell(told).grants()) == {"sub_1Member0001", "sub_other"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_updated_and_deleted_in_the_same_second_ends_deleted(order: Sequence[int]) -> None:
    both = [
        story.subscription("updated", at=START + 9, status="active"),
        story.subscription("deleted", at=START + 9),
    ]
    memory = Memory().tell([story.subscription(), *(both[place] for place in order)])
    assert membership(memory.grants(), POLICY, START + 10).state == "canceled"


# --- any scenario against the oracle


@dataclass
class Ledger:
    """The oracle: plain records of all events, sorted by time, folded one after the other."""

    snapshots: dict[str, list[Event]] = field(default_factory=dict)
    invoices: dict[str, dict[str, int]] = field(default_factory=dict)
    paid_by: dict[str, str] = field(default_factory=dict)
    returned: dict[str, int] = field(default_factory=dict)

    def fold(self, told: Iterable[Event]) -> "Ledger":
        for event in sorted(told, key=lambda event: event["created"]):
            obj = event["data"]["object"]
            match event["type"].split("."):
                case ["customer", "subscription", _]:
                    self.snapshots.setdefault(obj["id"], []).append(event)
                case ["invoice", outcome]:
                    record = self.invoices.setdefault(obj["id"], {"created": obj["created"]})
                    record.setdefault("failed" if outcome == "payment_failed" else "paid", event["created"])
                    record["amount"] = max(record.get("amount", 0), obj["amount_paid"])
                case ["invoice_payment", _]:
                    self.paid_by[obj["payment"]["payment_intent"]] = obj["invoice"]
                case ["charge", _]:
                    payment = obj["payment_intent"]
                    self.returned[payment] = max(self.returned.get(payment, 0), obj["amount_refunded"])
        return self

    def state(self, id_: str, now: int) -> str:
        snapshots = self.snapshots[id_]
        ended = [event for event in snapshots if event["type"].endswith("deleted")]
        last = (ended or snapshots)[-1]["data"]["object"]
        mine = {name: record for name, record in self.invoices.items() if name.startswith(f"in_{id_}_")}
        bought = [name for name in sorted(mine, key=lambda name: mine[name]["created"]) if "paid" in mine[name]]
        if bought and sum(self.returned.get(pi, 0) for pi, name in self.paid_by.items() if name == bought[-1]) >= 2900:
            return "refunded"
        if ended:
            return "canceled"
        if last["status"] == "past_due":
            owed = [
                r["failed"] for n, r in mine.items() if "failed" in r and "paid" not in r and not self._later(r, mine)
            ]
            start = max(owed) if owed else (ended or snapshots)[-1]["created"]
            return "grace_period" if now < start + 7 * DAY else "past_due"
        return str(last["status"])

    @staticmethod
    def _later(record: Mapping[str, int], others: Mapping[str, Mapping[str, int]]) -> bool:
        return any("paid" in other and other["created"] > record["created"] for other in others.values())


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """The events of one subscription's life: months that are paid or not, refunds, perhaps an end."""
    id_ = f"sub_{draw(st.sampled_from('abc'))}"
    user = draw(st.sampled_from([None, "user_ada"]))
    told_of = partial(story.subscription, id_=id_, user=user, period_end=START + 3 * MONTH)
    told = [told_of(at=START)]
    if user is None or draw(st.booleans()):
        told.append(story.session(at=START + 3, subscription=id_))
    for month in range(draw(st.integers(1, 3))):
        at = START + month * MONTH // 3
        name, payment = f"in_{id_}_{month}", f"pi_{id_}_{month}"
        billed = partial(story.invoice, id_=name, subscription=id_, created=at, billing_reason="subscription_cycle")
        outcome = "paid" if month == 0 else draw(st.sampled_from(["paid", "failed", "recovered"]))
        if outcome != "paid":
            told.append(billed("payment_failed", at=at + 60, amount_paid=0))
            told.append(told_of("updated", at=at + 60, status="past_due", latest_invoice=name))
        if outcome != "failed":
            paid_at = at + 120
            told.append(billed("paid", at=paid_at, amount_paid=2900))
            told.append(told_of("updated", at=paid_at, status="active", latest_invoice=name))
            told.append(story.invoice_payment(at=paid_at, invoice=name, payment=payment))
            if draw(st.booleans()):
                amount = draw(st.sampled_from([1000, 2900]))
                told.append(story.charge_refunded(at=paid_at + 500, payment=payment, amount=amount))
    if draw(st.booleans()):
        told.append(told_of("deleted", at=START + 35 * DAY))
    return told


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """A life or two, as they happened and as they were told: shuffled, some events several times."""
    told = [
        event for life in draw(st.lists(lives(), min_size=1, max_size=2, unique_by=_subscription)) for event in life
    ]
    repeated = [*told, *draw(st.lists(st.sampled_from(told), max_size=5))]
    return told, draw(st.permutations(repeated))


def _subscription(life: Sequence[Event]) -> str:
    return str(life[0]["data"]["object"]["id"])


@settings(max_examples=150, deadline=None)
@given(tellings())
def test_any_order_and_repetition_ends_as_the_sequential_model_says(telling: tuple[list[Event], list[Event]]) -> None:
    happened, told = telling
    in_order, shuffled = Memory().tell(happened), Memory().tell(told)
    assert seen(shuffled) == seen(in_order)
    oracle = Ledger().fold(happened)
    for now in (START + 36 * DAY, NOW):
        view = membership(shuffled.grants(), POLICY, now)
        got = {grant.id: str(grant.state) for grant in view.grants}
        assert got == {id_: oracle.state(id_, now) for id_ in oracle.snapshots}
        assert view.access == any(state in {"active", "trialing", "grace_period"} for state in got.values())


@settings(max_examples=100, deadline=None)
@given(tellings())
def test_the_summary_is_the_fold_of_all_facts_whatever_the_batches(telling: tuple[list[Event], list[Event]]) -> None:
    happened, told = telling
    half = len(told) // 2
    again = Memory().tell(told[:half]).tell(told[half:]).tell(told[:half])
    assert seen(again) == seen(Memory().tell(happened))
    assert Memory(dict(again.nodes)).tell(told).nodes == again.nodes
