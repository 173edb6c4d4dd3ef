"""The documented rules one by one, by name: both the oracle, as a model that is wrong proves nothing, and the core."""

import itertools
from typing import Any

import pytest

from tests.handlers.histories import core, oracle
from tests.handlers.histories.people import SIGNED, Buyer, Naming
from tests.handlers.histories.prices import LIFETIME, PASS, POLICY, PRO, UNKNOWN
from tests.handlers.histories.scenes import AMOUNT, Scene
from tests.handlers.histories.subscriptions import Bill, Subscription
from tests.handlers.story import DAY, MONTH, START, Event

Outcome = tuple[str, bool, int | None, str, bool]
SOON = START + DAY


def answer(told: list[Event], now: int, **policy: Any) -> dict[str, Any]:
    """What both say of members."""
    found = core.tell([told], POLICY | policy).answer(now)
    assert found == oracle.of(told, POLICY | policy, SIGNED).members(now)
    return found


def outcome(told: list[Event], now: int, **policy: Any) -> Outcome:
    (view,) = answer(told, now, **policy).values()
    return view["state"], view["access"], view["until"], view["reason"], view["needs_support"]


def renewal(*, reason: str = "payment_failed") -> tuple[Scene, Subscription, Bill]:
    scene = Scene()
    new = scene.subscription()
    scene.paid(new)
    new.period_end += MONTH
    bill = new.invoice("subscription_cycle", START + MONTH)
    new.tell("updated", START + MONTH)
    bill.tell(reason, START + MONTH + 60)
    new.become("past_due", START + MONTH + 60)
    return scene, new, bill


FAILED = START + MONTH + 60


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", ("active", True, START + MONTH, "paid", False)),
        ("trialing", ("trialing", True, START + MONTH, "trial", False)),
        ("incomplete", ("pending", False, None, "first_payment_pending", False)),
        ("incomplete_expired", ("canceled", False, START, "first_payment_never_made", False)),
        ("past_due", ("grace_period", True, START + 7 * DAY, "renewal_failed", False)),
        ("unpaid", ("unpaid", False, START, "renewal_never_paid", False)),
        ("paused", ("paused", False, START, "trial_ended_without_payment_method", False)),
    ],
)
def test_each_status_has_its_standing(status: str, expected: Outcome) -> None:
    scene = Scene()
    scene.subscription(status=status)
    assert outcome(scene.events, SOON) == expected


@pytest.mark.parametrize(
    ("now", "policy", "expected"),
    [
        (FAILED, {}, ("grace_period", True, FAILED + 7 * DAY, "renewal_failed", False)),
        (FAILED, {"failed_renewal": "past_due"}, ("past_due", True, FAILED + 7 * DAY, "renewal_failed", False)),
        (FAILED + 7 * DAY, {}, ("past_due", False, FAILED + 7 * DAY, "grace_period_over", False)),
        (FAILED, {"grace_days": 0}, ("past_due", False, FAILED, "grace_period_over", False)),
    ],
)
def test_a_failed_renewal_has_its_grace(now: int, policy: dict[str, Any], expected: Outcome) -> None:
    assert outcome(renewal()[0].events, now, **policy) == expected


def test_a_renewal_that_waits_for_its_payer_says_so() -> None:
    assert outcome(renewal(reason="payment_action_required")[0].events, FAILED)[3] == "renewal_needs_action"


def test_a_renewal_that_was_paid_after_all_owes_nothing() -> None:
    scene, _, bill = renewal()
    bill.paid(FAILED + DAY)
    assert outcome(scene.events, FAILED + DAY)[:4] == ("active", True, START + 2 * MONTH, "paid")


def test_of_a_renewal_that_nobody_tells_of_is_patience_and_then_a_person() -> None:
    scene = Scene()
    scene.paid(scene.subscription())
    last = START + MONTH + 7 * DAY
    assert outcome(scene.events, last - 1) == ("active", True, last, "renewal_expected", False)
    assert outcome(scene.events, last) == ("past_due", False, last, "renewal_not_seen", True)
    assert outcome(scene.events, last - 1, grace_days=0)[2] == START + MONTH + 3 * DAY


@pytest.mark.parametrize(
    ("returned", "policy", "state", "reason"),
    [
        ((AMOUNT,), {}, "refunded", "refunded_in_full"),
        ((AMOUNT,), {"refund_full": "keep"}, "active", "paid"),
        ((1000,), {}, "active", "paid"),
        ((1000,), {"refund_partial": "revoke"}, "refunded", "refunded_in_part"),
        ((1000, AMOUNT - 1000), {}, "refunded", "refunded_in_full"),
    ],
)
def test_money_that_went_back(returned: tuple[int, ...], policy: dict[str, Any], state: str, reason: str) -> None:
    scene = Scene()
    bill = scene.paid(scene.subscription())
    for number, amount in enumerate(returned):
        scene.refund(bill.payment, amount, START + 60 + number, id_=f"re_{number}")
    got = outcome(scene.events, SOON, **policy)
    assert (got[0], got[3]) == (state, reason)
    assert got[4] is (state == "refunded")  # Stripe goes on billing
    if state == "refunded":
        assert got[2] == START + 60 + len(returned) - 1


def test_a_refund_that_failed_gave_nothing_back() -> None:
    scene = Scene()
    bill = scene.paid(scene.subscription())
    scene.refund(bill.payment, AMOUNT, START + 60)
    scene.refund(bill.payment, AMOUNT, START + 90, status="failed")
    assert outcome(scene.events, SOON)[0] == "active"


@pytest.mark.parametrize(
    ("status", "closed", "policy", "expected"),
    [
        ("needs_response", False, {}, ("active", "paid", True)),
        ("needs_response", False, {"dispute_open": "revoke"}, ("refunded", "dispute_open", True)),
        ("warning_needs_response", False, {"dispute_open": "revoke"}, ("active", "paid", True)),
        ("warning_closed", True, {}, ("active", "paid", False)),
        ("lost", True, {}, ("refunded", "dispute_lost", True)),
        ("lost", True, {"dispute_lost": "keep"}, ("active", "paid", False)),
        ("won", True, {"dispute_open": "revoke"}, ("active", "paid", False)),
        ("prevented", True, {}, ("active", "paid", False)),
    ],
)
def test_disputes(status: str, closed: bool, policy: dict[str, Any], expected: tuple[str, str, bool]) -> None:
    scene = Scene()
    bill = scene.paid(scene.subscription())
    scene.dispute(bill.payment, status, START + 60, closed=closed)
    state, _, _, reason, needs_support = outcome(scene.events, SOON, **policy)
    assert (state, reason, needs_support) == expected


def test_what_is_paid_after_a_refund_or_a_lost_dispute_opens_again() -> None:
    scene = Scene()
    new = scene.subscription()
    bill = scene.paid(new)
    scene.refund(bill.payment, AMOUNT, START + 60)
    scene.dispute(bill.payment, "lost", START + 60, closed=True)
    assert outcome(scene.events, SOON)[3] == "dispute_lost"
    scene.paid(new, START + 2 * DAY)
    assert outcome(scene.events, START + 3 * DAY)[:2] == ("active", True)


@pytest.mark.parametrize(
    ("policy", "now", "expected"),
    [
        ({}, SOON + DAY, ("active", True, START + MONTH, "cancels_at_period_end", False)),
        ({}, START + MONTH, ("canceled", False, START + MONTH, "cancellation_took_effect", False)),
        ({"cancel": "immediate"}, SOON + DAY, ("canceled", False, SOON, "cancellation_requested", False)),
        (
            {"cancel": "immediate", "cancel_window_days": 3},
            SOON + DAY,
            ("canceled", True, SOON + 3 * DAY, "cancellation_requested", False),
        ),
        (
            {"cancel_window_days": 3},
            START + MONTH,
            ("canceled", True, START + MONTH + 3 * DAY, "cancellation_took_effect", False),
        ),
    ],
)
def test_cancellations(policy: dict[str, Any], now: int, expected: Outcome) -> None:
    scene = Scene()
    new = scene.subscription()
    new.cancel_at_period_end, new.canceled_at = True, SOON
    new.tell("updated", SOON)
    assert outcome(scene.events, now, **policy) == expected


def test_an_end_wins_whatever_its_stamp_and_ties_go_to_what_is_further_along() -> None:
    scene = Scene()
    new = scene.subscription()
    new.end(START)
    new.status = "active"
    new.tell("updated", START + 9)
    assert outcome(scene.events, SOON)[:4] == ("canceled", False, START, "subscription_canceled")


def test_a_trial_that_ended_unpaid_says_so() -> None:
    scene = Scene()
    new = scene.subscription(status="trialing", trial_end=SOON, period_end=SOON)
    scene.paid(new, amount=0)
    assert outcome(scene.events, START + 60, trial="deny")[3] == "trial_gives_nothing"
    new.end(SOON)
    assert outcome(scene.events, SOON)[3] == "trial_ended"


@pytest.mark.parametrize(
    ("behavior", "policy", "state"),
    [
        ("void", {}, "paused"),
        ("keep_as_draft", {}, "active"),
        ("keep_as_draft", {"pause": "revoke"}, "paused"),
        ("void", {"pause": "keep"}, "active"),
    ],
)
def test_a_pause_of_collection_lasts_until_it_resumes(behavior: str, policy: dict[str, Any], state: str) -> None:
    scene = Scene()
    new = scene.subscription()
    new.pause = {"behavior": behavior, "resumes_at": START + 5 * DAY}
    new.tell("updated", START + 60)
    assert outcome(scene.events, START + 5 * DAY - 1, **policy)[0] == state
    assert outcome(scene.events, START + 5 * DAY, **policy)[0] == "active"


@pytest.mark.parametrize(
    ("price", "now", "expected"),
    [
        (LIFETIME, START + 999 * DAY, ("active", True, None, "paid_once", False)),
        (PASS, START + 30 * DAY, ("active", True, START + 3 + 30 * DAY, "paid_once", False)),
        (PASS, START + 3 + 30 * DAY, ("canceled", False, START + 3 + 30 * DAY, "term_over", False)),
    ],
)
def test_one_payment_gives_access_for_its_term(price: str, now: int, expected: Outcome) -> None:
    scene = Scene(naming=Naming("session", "user_ada"))
    scene.purchase(price).happen()
    assert outcome(scene.events, now) == expected


def test_a_price_that_config_does_not_name_opens_nothing() -> None:
    scene = Scene()
    scene.paid(scene.subscription(price=UNKNOWN))
    assert outcome(scene.events, SOON)[:4] == ("lead", False, None, "price_not_mapped")


def test_the_best_grant_is_the_headline_and_levels_are_united() -> None:
    scene = Scene()
    scene.subscription(status="unpaid")
    scene.subscription(price=PRO, period_end=START + 2 * MONTH)
    scene.subscription()
    view = answer(scene.events, SOON)["user_ada"]
    assert (view["state"], view["levels"], view["until"]) == ("active", ["member", "pro"], START + 2 * MONTH)


NAMED = {
    "session": (Naming("session", "user_ada"), {}),
    "signed": (Naming("signed", "user_ada", next(iter(SIGNED))), {}),
    "customer": (Naming("customer", "user_ada"), {"user_id": "user_ada"}),
}


@pytest.mark.parametrize(("naming", "metadata"), NAMED.values(), ids=NAMED)
def test_whoever_a_server_names_is_the_user(naming: Naming, metadata: dict[str, str]) -> None:
    scene = Scene(Buyer("user_ada", "cus_ada", "ada@mail.example", metadata), naming)
    scene.buyer.tell(scene.scribe, "created", START)
    scene.purchase(LIFETIME).happen()
    view = answer(scene.events, SOON)["user_ada"]
    assert (view["access"], view["customers"], view["address"]) == (True, ["cus_ada"], "ada@mail.example")


@pytest.mark.parametrize("policy", ["ignore", "add"])
def test_an_unsigned_reference_adds_at_most(policy: str) -> None:
    scene = Scene(naming=Naming("unsigned", "user_ada", "user_bob"))
    scene.purchase(LIFETIME).happen()
    found = answer(scene.events, SOON, unsigned_reference=policy)
    assert set(found) == ({"user_bob"} if policy == "add" else set())
    for bob in found.values():
        assert (bob["access"], bob["address"], bob["customers"]) == (True, None, [])
        assert not bob["grants"]["pi_001"]["verified"]


def test_who_is_not_known_yet_is_kept_by_customer() -> None:
    scene = Scene(naming=Naming("nobody", "user_ada"))
    scene.subscription()
    assert oracle.answer(scene.events, POLICY, SOON)[None]["cus_ada"].keys() == {"sub_001"}
    assert answer(scene.events, SOON) == {}


def test_a_purchase_names_the_customers_user_once_and_the_customers_own_metadata_goes_before_it() -> None:
    scene = Scene(naming=Naming("session", "user_ada"))
    scene.purchase(LIFETIME).happen()
    scene.naming = Naming("nobody", "user_ada")
    scene.subscription()
    assert answer(scene.events, SOON)["user_ada"]["levels"] == ["lifetime", "member"]
    scene.buyer.metadata = {"user_id": "user_bob"}
    scene.buyer.tell(scene.scribe, "updated", START + 60)
    found = answer(scene.events, SOON)
    assert (found["user_ada"]["levels"], found["user_bob"]["levels"]) == (["lifetime"], ["member"])


def test_metadata_that_was_taken_off_a_customer_names_nobody() -> None:
    scene = Scene(
        Buyer("user_ada", "cus_ada", "ada@mail.example", {"user_id": "user_ada"}), Naming("nobody", "user_ada")
    )
    scene.buyer.tell(scene.scribe, "created", START)
    scene.subscription()
    assert answer(scene.events, SOON)["user_ada"]["access"]
    scene.buyer.metadata = {}
    scene.buyer.tell(scene.scribe, "updated", START + 60)
    assert answer(scene.events, SOON) == {}


def test_an_upgrade_that_is_not_paid_takes_nothing_unless_stripe_says_that_it_does() -> None:
    scene = Scene()
    new = scene.subscription()
    scene.paid(new)
    bill = new.invoice("subscription_update", START + 60)
    bill.tell("payment_failed", START + 60)
    assert outcome(scene.events, SOON)[:4] == ("active", True, START + MONTH, "paid")
    new.become("past_due", START + 70)
    assert outcome(scene.events, SOON)[:4] == ("grace_period", True, START + 60 + 7 * DAY, "renewal_failed")


def test_a_failed_renewal_counts_before_the_subscription_says_so_and_not_after_it_says_otherwise() -> None:
    scene = Scene()
    new = scene.subscription()
    new.period_end += MONTH
    bill = new.invoice("subscription_cycle", START + MONTH)
    new.tell("updated", START + MONTH)
    bill.tell("payment_failed", FAILED)
    assert outcome(scene.events, FAILED)[:2] == ("grace_period", True)
    new.tell("updated", FAILED + 60)  # settled without a payment: voided, or written off
    assert outcome(scene.events, FAILED + 60)[:4] == ("active", True, START + 2 * MONTH, "paid")


def test_grace_is_given_once_and_from_the_renewal_that_failed_first() -> None:
    scene = Scene()
    new = scene.subscription()
    scene.paid(new)
    new.invoice("subscription_update", START + 60).tell("payment_failed", START + 60)
    for month in (1, 2):
        new.period_end += MONTH
        bill = new.invoice("subscription_cycle", START + month * MONTH)
        new.tell("updated", START + month * MONTH)
        bill.tell("payment_failed", START + month * MONTH + 60)
        new.become("past_due", START + month * MONTH + 60)
        if month == 1:
            assert outcome(scene.events, FAILED)[:3] == ("grace_period", True, FAILED + 7 * DAY)
    assert outcome(scene.events, START + 2 * MONTH + DAY)[:3] == ("past_due", False, FAILED + 7 * DAY)


@pytest.mark.parametrize("between", [0, 1])
def test_an_older_invoice_that_is_paid_late_owes_and_opens_nothing_new(between: int) -> None:
    scene, new, owed = renewal()
    new.period_end += MONTH
    bill = new.invoice("subscription_cycle", START + 2 * MONTH)
    bill.paid(START + 2 * MONTH)
    new.become("active", START + 2 * MONTH)
    if between:
        owed.paid(START + 2 * MONTH + 60)
    scene.refund(bill.payment, AMOUNT, START + 2 * MONTH + 90)
    assert outcome(scene.events, START + 2 * MONTH + DAY)[3] == "refunded_in_full"


def test_a_dispute_of_before_the_newest_payment_takes_nothing_and_still_needs_a_person() -> None:
    scene = Scene()
    new = scene.subscription()
    bill = scene.paid(new)
    scene.dispute(bill.payment, "needs_response", START + 60)
    scene.paid(new, START + DAY)
    assert outcome(scene.events, START + 2 * DAY, dispute_open="revoke")[::4] == ("active", True)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (("expired",), None),
        (("completed",), ("pending", False, None, "payment_pending")),
        (("completed", "async_payment_failed"), ("canceled", False, START + 1, "payment_failed")),
        (("completed", "async_payment_succeeded"), ("active", True, None, "paid_once")),
        (("async_payment_failed", "async_payment_succeeded"), ("active", True, None, "paid_once")),
        (("expired", "completed"), ("pending", False, None, "payment_pending")),
    ],
)
def test_a_delayed_payment_only_moves_forward(outcomes: tuple[str, ...], expected: Outcome | None) -> None:
    scene = Scene(naming=Naming("session", "user_ada"))
    bought = scene.purchase(LIFETIME)
    for number, verb in enumerate(outcomes):
        status = "paid" if verb == "async_payment_succeeded" else "unpaid"
        bought.session(verb, START + number, id="cs_1", payment_intent="pi_1", payment_status=status)
    if expected is None:
        assert answer(scene.events, SOON) == {}
    else:
        assert outcome(scene.events, SOON)[:4] == expected


def test_what_the_oracle_says_does_not_depend_on_the_order_in_which_it_hears() -> None:
    scene = Scene()
    bill = scene.paid(scene.subscription())
    scene.refund(bill.payment, AMOUNT, START + 60)
    answers = [oracle.answer(order, POLICY, SOON) for order in itertools.permutations(scene.events)]
    assert all(answer == answers[0] for answer in answers)
