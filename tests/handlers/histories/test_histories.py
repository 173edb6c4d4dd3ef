"""The pipeline's core against the oracle: whatever order, repetition and batching, and whatever the policy."""

import itertools
import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.handlers.histories import core, lifecycles, oracle
from tests.handlers.histories.people import SIGNED, USERS, Buyer, Naming
from tests.handlers.histories.prices import LIFETIME, POLICY
from tests.handlers.histories.scenes import AMOUNT, Scene
from tests.handlers.histories.scribe import Scribe, Shape
from tests.handlers.histories.subscriptions import Bill
from tests.handlers.story import DAY, START, Event

MOST_MOMENTS = 12
VICTIM = USERS[0]
NOBODY: dict[str, Any] = {
    "state": "lead", "access": False, "levels": [], "until": None, "reason": "no_grant", "needs_support": False,
    "grants": {}, "address": None, "customers": [],
}  # fmt: skip


NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
LONG = pytest.mark.timeout(7200 if NIGHTLY else 300)  # the nightly profile takes longer than a test should


class Count:
    """How much was held against the oracle."""

    histories = 0
    events = 0
    comparisons = 0


@pytest.fixture(autouse=True, scope="module")
def _counted() -> Iterable[None]:
    yield
    print(f"{Count.histories} histories, {Count.events} events, {Count.comparisons} comparisons with the oracle")


@LONG
@settings(max_examples=10_000 if NIGHTLY else 600)
@given(lifecycles.histories(), lifecycles.policies, st.data())
def test_any_telling_of_any_history_ends_as_the_sequential_model_says(
    history: list[Event], policy: dict[str, Any], data: st.DataObject
) -> None:
    """Order, repetition, batches; shapes, ties, losses; before and after each moment that matters."""
    told = data.draw(lifecycles.tellings(history))
    with told_in_short(history):
        in_order, as_told = core.tell([history], policy), core.tell(told, policy)
        assert as_told.everything() == in_order.everything()
        held_against_the_oracle(as_told, history, policy)


@LONG
@settings(max_examples=10_000 if NIGHTLY else 200)
@given(lifecycles.histories().map(lifecycles.squeezed), lifecycles.policies, st.data())
def test_the_order_does_not_matter_where_almost_everything_happens_in_the_same_second(
    history: list[Event], policy: dict[str, Any], data: st.DataObject
) -> None:
    told = data.draw(lifecycles.tellings(history))
    with told_in_short(history):
        assert core.tell(told, policy).everything() == core.tell([history], policy).everything()


def held_against_the_oracle(told: core.Told, history: Sequence[Event], policy: dict[str, Any]) -> None:
    """Every member, at the moments that matter."""
    model = oracle.of(history, policy, SIGNED)
    since = max((event["created"] for event in history), default=START) + 1
    early = min((event["created"] for event in history), default=START) + DAY
    moments = [early, *(near for moment in model.moments(since) for near in (moment - 1, moment))]
    for now in moments[:MOST_MOMENTS]:
        assert told.answer(now) == model.members(now), now
        Count.comparisons += 1
    no_change_is_missed(told, model, since)
    Count.histories += 1
    Count.events += len(history)


def no_change_is_missed(told: core.Told, model: oracle.Oracle, now: int) -> None:
    """The sweep wakes up no later than time takes effect; until when, and why, whoever reads is told at that moment."""
    shown = ("state", "access", "levels", "needs_support")
    for user, view in model.members(now).items():
        then = ((moment, model.members(moment).get(user, NOBODY)) for moment in model.moments(now))
        later = (moment for moment, other in then if any(other[field] != view[field] for field in shown))
        first = next(later, None)
        if first is not None:
            woken = told.next_change(user, now)
            assert woken is not None, (user, first)
            assert woken <= first, user


# --- every order of what can be told of one purchase


def subscribed(shape: Shape) -> tuple[Scene, Bill]:
    """A subscription that only the session's metadata names a user for, and its first invoice, which was paid."""
    scene = Scene(naming=Naming("session", "user_ada"), scribe=Scribe(shape=shape))
    new = scene.subscription()
    bill = scene.paid(new)
    new.sold(bill)
    return scene, bill


@pytest.mark.parametrize("back", ["refund", "dispute", "lost"])
@pytest.mark.parametrize("shape", ["after", "before"])
def test_every_order_of_a_subscriptions_purchase_and_its_money_going_back_ends_the_same(
    back: str, shape: Shape
) -> None:
    scene, bill = subscribed(shape)
    goes_back(scene, bill.payment, back)
    in_every_order(scene.events, {"dispute_open": "revoke"}, state="refunded")


@pytest.mark.parametrize("back", ["refund", "dispute", "lost"])
def test_every_order_of_a_one_time_payment_and_its_money_going_back_ends_the_same(back: str) -> None:
    scene = Scene(
        Buyer("user_ada", "cus_ada", "ada@mail.example", {"user_id": "user_ada"}), Naming("nobody", "user_ada")
    )
    bought = scene.purchase(LIFETIME)
    bought.session("completed", START + 3, payment_intent="pi_1", payment_status="paid")
    bought.payment("succeeded", "pi_1", START + 2)
    goes_back(scene, "pi_1", back)
    scene.buyer.tell(scene.scribe, "updated", START + 9)
    in_every_order(scene.events, {"dispute_open": "revoke"}, state="refunded")


def goes_back(scene: Scene, payment: str, how: str) -> None:
    if how == "refund":
        scene.refund(payment, AMOUNT, START + 60)
    else:
        scene.dispute(payment, "lost" if how == "lost" else "needs_response", START + 60, closed=how == "lost")


def in_every_order(events: list[Event], policy: dict[str, Any], *, state: str) -> None:
    rules = POLICY | policy
    expected = oracle.of(events, rules, SIGNED).members(START + DAY)
    assert expected["user_ada"]["state"] == state
    first = core.tell([events], rules).everything()
    for order in itertools.permutations(events):
        told = core.tell([order], rules)
        assert told.everything() == first, [event["type"] for event in order]
        assert told.answer(START + DAY) == expected, [event["type"] for event in order]


# --- identity


@LONG
@settings(max_examples=10_000 if NIGHTLY else 150)
@given(lifecycles.histories(people=1), lifecycles.attacks(), st.sampled_from(["ignore", "add"]), st.data())
def test_who_pays_with_anothers_id_and_takes_the_money_back_changes_nothing_for_the_other(
    history: list[Event], attack: list[Event], policy: str, data: st.DataObject
) -> None:
    rules = POLICY | {"unsigned_reference": policy}
    (told,) = data.draw(lifecycles.tellings([*history, *attack], batches=1))
    alone, attacked = core.tell([history], rules), core.tell([told], rules)
    last = max(event["created"] for event in attack)
    for now in (START + DAY, last + 1, last + 40 * DAY):
        before, after = alone.answer(now).get(VICTIM), attacked.answer(now).get(VICTIM)
        unharmed(before or NOBODY, after or NOBODY)
        if policy == "ignore":
            assert after == before


def unharmed(before: dict[str, Any], after: dict[str, Any]) -> None:
    added = {id_: grant for id_, grant in after["grants"].items() if id_ not in before["grants"]}
    assert not any(grant["verified"] for grant in added.values())
    assert {id_: grant for id_, grant in after["grants"].items() if id_ not in added} == before["grants"]
    for field in ("address", "customers", "needs_support"):
        assert after[field] == before[field]
    if any(grant["access"] for grant in added.values()):
        assert after["access"]
        assert set(after["levels"]) >= set(before["levels"])
    else:
        for field in ("state", "access", "levels", "until", "reason"):
            assert after[field] == before[field]


def test_the_same_address_joins_nobody() -> None:
    ada, bob = (
        Scene(Buyer(user, f"cus_{user}", "family@mail.example", {}), Naming("session", user), Scribe(place=user))
        for user in ("user_ada", "user_bob")
    )
    for scene in (ada, bob):
        scene.purchase(LIFETIME).happen()
    bob.refund("pi_user_bob001", AMOUNT, START + 60)
    answer = same(ada.events + bob.events)
    assert (answer["user_ada"]["access"], answer["user_bob"]["access"]) == (True, False)
    assert answer["user_ada"]["customers"] == ["cus_user_ada"]


def test_one_person_with_two_customers_is_one_member() -> None:
    first = Scene(naming=Naming("session", "user_ada"))
    first.purchase(LIFETIME).happen()
    second = Scene(Buyer("user_ada", "cus_second", "ada@work.example", {"user_id": "user_ada"}), scribe=first.scribe)
    second.buyer.tell(second.scribe, "created", START + DAY)
    second.naming = Naming("customer", "user_ada")
    second.subscription(START + DAY)
    ada = same(first.events)["user_ada"]
    assert (ada["levels"], ada["customers"]) == (["lifetime", "member"], ["cus_ada", "cus_second"])
    assert ada["address"] == "ada@work.example"


def test_a_customer_that_is_deleted_and_made_again_keeps_what_the_person_paid_for() -> None:
    scene = Scene(naming=Naming("session", "user_ada"))
    scene.buyer.tell(scene.scribe, "created", START)
    scene.purchase(LIFETIME).happen()
    scene.buyer.tell(scene.scribe, "deleted", START + DAY)
    again = Scene(Buyer("user_ada", "cus_again", "ada@mail.example", {"user_id": "user_ada"}), scribe=scene.scribe)
    again.buyer.tell(again.scribe, "created", START + 2 * DAY)
    ada = same(scene.events)["user_ada"]
    assert (ada["access"], ada["customers"]) == (True, ["cus_ada", "cus_again"])


def same(events: list[Event]) -> dict[str, Any]:
    """What the core answers, which is what the oracle answers."""
    answer = core.tell([events], POLICY).answer(START + 3 * DAY)
    assert answer == oracle.of(events, POLICY, SIGNED).members(START + 3 * DAY)
    return answer


@contextmanager
def told_in_short(history: Sequence[Event]) -> Generator[None]:
    """Where it fails, the history in one line an event, for who reads the counterexample."""
    try:
        yield
    except AssertionError:
        for event in history:
            note(brief(event))
        raise


def brief(event: Event) -> str:
    """One line of a history, for who reads a counterexample."""
    obj = event["data"]["object"]
    names = ("id", "status", "customer", "subscription", "invoice", "payment_intent", "metadata", "client_reference_id")
    said = " ".join(f"{name}={obj[name]}" for name in names if obj.get(name))
    return f"{event['created'] - START:>9} {event['type']} {said}"
