"""The table of states: Stripe's eight statuses, money that failed or went back, and time that passes."""

import json
from typing import Any

import pytest

from handlers.core import policy
from handlers.core.membership import State, membership, next_change
from tests.handlers import story
from tests.handlers.core.memory import Memory
from tests.handlers.story import DAY, MONTH, START, Event

SUB = "sub_1Member0001"
FAILED_AT = START + MONTH + 3600


def policy_with(**changes: Any) -> policy.Policy:
    return policy.parse(json.dumps({**story.POLICY, **changes}))


def outcome(*told: Event, now: int, **changes: Any) -> tuple[str, bool, int | None, str]:
    view = membership(Memory().tell(told).grants(), policy_with(**changes), now)
    return str(view.state), view.access, view.until, view.reason


def renewal_failed() -> list[Event]:
    """A first month that was paid, and a renewal that was not."""
    return [
        story.subscription(),
        story.invoice("paid"),
        story.subscription(
            "updated", at=START + MONTH, status="active", latest_invoice="in_2", period_end=START + 2 * MONTH
        ),
        story.invoice("payment_failed", at=FAILED_AT, id_="in_2"),
        story.subscription("updated", at=FAILED_AT, latest_invoice="in_2", period_end=START + 2 * MONTH),
    ]


@pytest.mark.parametrize(
    ("status", "state", "access"),
    [
        ("incomplete", "pending", False),
        ("incomplete_expired", "canceled", False),
        ("trialing", "trialing", True),
        ("active", "active", True),
        ("past_due", "grace_period", True),
        ("canceled", "canceled", False),
        ("unpaid", "unpaid", False),
        ("paused", "paused", False),
        ("a_status_of_tomorrow", "pending", False),
    ],
)
def test_each_status_has_its_state(status: str, state: str, access: bool) -> None:
    got = outcome(story.subscription(status=status), now=START + DAY)
    assert got[:2] == (state, access)


def test_nobody_is_a_lead() -> None:
    view = membership({}, policy_with(), START)
    assert (view.state, view.access, view.levels, view.until, view.reason) == (State.LEAD, False, (), None, "no_grant")


def test_a_failed_renewal_keeps_access_for_the_grace_days_and_not_a_second_longer() -> None:
    end = FAILED_AT + 7 * DAY
    assert outcome(*renewal_failed(), now=end - 1) == ("grace_period", True, end, "renewal_failed")
    assert outcome(*renewal_failed(), now=end) == ("past_due", False, end, "grace_period_over")


def test_the_grace_days_are_counted_from_the_first_failure() -> None:
    again = [
        story.invoice("payment_failed", at=FAILED_AT + 3 * DAY, id_="in_2", attempt_count=2),
        story.subscription("updated", at=FAILED_AT + 3 * DAY, latest_invoice="in_2", period_end=START + 2 * MONTH),
    ]
    assert outcome(*renewal_failed(), *again, now=FAILED_AT + 4 * DAY)[2] == FAILED_AT + 7 * DAY


def test_no_grace_days_means_no_grace() -> None:
    assert outcome(*renewal_failed(), now=FAILED_AT, grace_days=0)[:2] == ("past_due", False)


def test_past_due_alone_starts_the_grace_period_when_the_invoice_is_still_on_its_way() -> None:
    told = [event for event in renewal_failed() if not event["type"].startswith("invoice")]
    assert outcome(*told, now=FAILED_AT + 1) == ("grace_period", True, FAILED_AT + 7 * DAY, "renewal_failed")


def test_the_failed_invoice_alone_starts_the_grace_period_when_the_subscription_is_still_on_its_way() -> None:
    told = renewal_failed()[:4]
    assert outcome(*told, now=FAILED_AT + 1)[0] == "grace_period"


def test_an_upgrade_that_could_not_be_paid_takes_nothing_away() -> None:
    upgrade = story.invoice("payment_failed", at=START + DAY, id_="in_up", billing_reason="subscription_update")
    assert outcome(story.subscription(), upgrade, now=START + 9 * DAY)[:2] == ("active", True)


@pytest.mark.parametrize("both", [True, False])
def test_paying_the_open_invoice_ends_the_worry(both: bool) -> None:
    at = FAILED_AT + 2 * DAY
    paid = [story.invoice("paid", at=at, id_="in_2", created=START + MONTH)]
    active = story.subscription("updated", at=at, status="active", latest_invoice="in_2", period_end=START + 2 * MONTH)
    told = [*renewal_failed(), *paid, *([active] if both else [])]
    assert outcome(*told, now=at + 1)[:3] == ("active", True, START + 2 * MONTH)


def test_a_renewal_of_which_nobody_tells_keeps_access_for_a_while_and_then_goes_to_a_person() -> None:
    end = START + MONTH
    assert outcome(story.subscription(), now=end - 1) == ("active", True, end, "paid")
    last = end + 7 * DAY
    assert outcome(story.subscription(), now=end) == ("active", True, last, "renewal_expected")
    assert outcome(story.subscription(), now=last) == ("past_due", False, last, "renewal_not_seen")
    assert membership(Memory().tell([story.subscription()]).grants(), policy_with(), last).needs_support


def test_without_grace_days_a_renewal_is_still_waited_for_as_long_as_stripe_delivers() -> None:
    assert outcome(story.subscription(), now=START + MONTH + 3 * DAY - 1, grace_days=0)[:2] == ("active", True)
    assert outcome(story.subscription(), now=START + MONTH + 3 * DAY, grace_days=0)[:2] == ("past_due", False)


def cancels() -> list[Event]:
    at = START + DAY
    told = story.subscription("updated", at=at, status="active", cancel_at_period_end=True, canceled_at=at)
    return [story.subscription(), told]


def test_a_cancellation_at_the_periods_end_keeps_what_was_paid_for() -> None:
    end = START + MONTH
    assert outcome(*cancels(), now=end - 1) == ("active", True, end, "cancels_at_period_end")
    assert outcome(*cancels(), now=end) == ("canceled", False, end, "cancellation_took_effect")


def test_where_policy_says_so_a_cancellation_ends_access_when_it_is_asked_for() -> None:
    assert outcome(*cancels(), now=START + 2 * DAY, cancel="immediate") == (
        "canceled", False, START + DAY, "cancellation_requested",
    )  # fmt: skip


def test_a_cancellation_that_is_taken_back_is_none() -> None:
    back = story.subscription("updated", at=START + 2 * DAY, status="active")
    assert outcome(*cancels(), back, now=START + 3 * DAY) == ("active", True, START + MONTH, "paid")


def test_a_subscription_that_is_cancelled_now_ends_now() -> None:
    told = story.subscription("deleted", at=START + DAY, ended_at=START + DAY)
    assert outcome(story.subscription(), told, now=START + DAY) == (
        "canceled", False, START + DAY, "subscription_canceled",
    )  # fmt: skip


def test_it_has_ended_also_where_the_end_is_dated_in_the_future() -> None:
    told = story.subscription("deleted", at=START + 40 * DAY, ended_at=START + 40 * DAY)
    assert outcome(story.subscription(), told, now=START + DAY)[:2] == ("canceled", False)


def refunded(amount: int, *extra: Event) -> list[Event]:
    return [
        story.subscription(),
        story.invoice("paid"),
        story.invoice_payment(),
        story.charge_refunded(amount=amount),
        *extra,
    ]


def test_a_full_refund_ends_what_it_paid_for() -> None:
    assert outcome(*refunded(2900), now=START + DAY) == ("refunded", False, START + 7200, "refunded_in_full")


def test_a_refund_of_what_stripe_goes_on_billing_needs_a_person() -> None:
    going_on = membership(Memory().tell(refunded(2900)).grants(), policy_with(), START + DAY)
    assert going_on.needs_support
    ended = story.subscription("deleted", at=START + 7300)
    assert not membership(Memory().tell(refunded(2900, ended)).grants(), policy_with(), START + DAY).needs_support


@pytest.mark.parametrize(
    ("amount", "changes", "state"),
    [
        (2900, {"refund_full": "keep"}, "active"),
        (1000, {}, "active"),
        (1000, {"refund_partial": "revoke"}, "refunded"),
        (2900, {"refund_full": "keep", "refund_partial": "revoke"}, "active"),
    ],
)
def test_policy_decides_what_a_refund_takes_away(amount: int, changes: dict[str, Any], state: str) -> None:
    assert outcome(*refunded(amount), now=START + DAY, **changes)[0] == state


def test_a_refund_event_alone_says_as_much_as_the_charge() -> None:
    told = [story.subscription(), story.invoice("paid"), story.invoice_payment(), story.refund()]
    assert outcome(*told, now=START + DAY)[0] == "refunded"


def test_an_invoice_paid_in_two_parts_is_refunded_in_full_when_both_are() -> None:
    parts = [
        story.invoice_payment(payment="pi_a", amount_paid=1900),
        story.invoice_payment(payment="pi_b", amount_paid=1000),
    ]
    first = story.charge_refunded(payment="pi_a", amount=1900)
    second = story.charge_refunded(payment="pi_b", amount=1000, at=START + 8000)
    told = [story.subscription(), story.invoice("paid"), *parts]
    assert outcome(*told, first, now=START + DAY)[0] == "active"
    assert outcome(*told, first, second, now=START + DAY)[:3] == ("refunded", False, START + 8000)


def test_what_is_paid_after_a_refund_opens_again() -> None:
    paid = story.invoice("paid", at=START + MONTH, id_="in_2", created=START + MONTH)
    active = story.subscription("updated", at=START + MONTH, status="active", period_end=START + 2 * MONTH)
    assert outcome(*refunded(2900), paid, active, now=START + MONTH + 1)[:2] == ("active", True)


def test_a_month_of_long_ago_can_be_refunded_without_a_loss() -> None:
    paid = story.invoice("paid", at=START + MONTH, id_="in_2", created=START + MONTH)
    active = story.subscription("updated", at=START + MONTH, status="active", period_end=START + 2 * MONTH)
    late = story.charge_refunded(at=START + MONTH + 5)
    told = [*refunded(0), paid, active, late]
    assert outcome(*told, now=START + MONTH + 9)[:2] == ("active", True)


def test_of_two_subscriptions_the_one_that_is_not_refunded_keeps_access() -> None:
    other = story.subscription(id_="sub_pro", price="price_pro", period_end=START + 12 * MONTH)
    (item,) = other["data"]["object"]["items"]["data"]
    item["price"]["lookup_key"] = "pro_yearly"
    view = membership(Memory().tell([*refunded(2900), other]).grants(), policy_with(), START + DAY)
    assert (view.state, view.access, view.levels) == ("active", True, ("pro",))
    assert view.until == START + 12 * MONTH
    assert {grant.id: str(grant.state) for grant in view.grants} == {SUB: "refunded", "sub_pro": "active"}


def test_levels_of_several_grants_are_united() -> None:
    other = story.subscription(id_="sub_pro", price="pro_yearly")
    view = membership(Memory().tell([story.subscription(), other]).grants(), policy_with(), START + DAY)
    assert view.levels == ("member", "pro")


def test_a_price_that_config_does_not_name_opens_nothing() -> None:
    view = membership(Memory().tell([story.subscription(price="price_other")]).grants(), policy_with(), START + DAY)
    assert (view.state, view.access, view.levels, view.reason) == ("lead", False, (), "price_not_mapped")
    assert [(grant.state, grant.access) for grant in view.grants] == [("active", False)]


PRINT = "price_1PrintEUR0001"
BOUGHT = [story.recorded("checkout.session.completed.payment"), story.recorded("payment_intent.succeeded")]
PAID_AT = min(event["created"] for event in BOUGHT)


def once(*told: Event, now: int, days: int | None = None) -> tuple[str, bool, int | None, str]:
    """How a one-time purchase stands, of a price that opens something for `days`, or for ever."""
    product = {"price": PRINT, "level": "print"} | ({} if days is None else {"days": days})
    one = policy.parse(json.dumps({"products": [product]}))
    view = membership(Memory().tell(told).grants(), one, now)
    return (str(view.state), view.access, view.until, view.reason)


def test_what_was_paid_for_once_is_the_payers_for_ever() -> None:
    assert once(*BOUGHT, now=START + 9000 * DAY) == ("active", True, None, "paid_once")


def test_what_was_paid_for_once_may_have_a_term() -> None:
    end = PAID_AT + 365 * DAY
    assert once(*BOUGHT, now=end - 1, days=365) == ("active", True, end, "paid_once")
    assert once(*BOUGHT, now=end, days=365) == ("canceled", False, end, "term_over")


def test_a_payment_of_the_app_that_names_its_price_needs_no_checkout() -> None:
    assert once(BOUGHT[1], now=START + DAY) == ("active", True, None, "paid_once")


def test_a_payment_that_went_back_takes_what_it_bought() -> None:
    back = story.refund(payment="pi_3Print0001", amount=4900)
    assert once(*BOUGHT, back, now=START + DAY)[:2] == ("refunded", False)
    failed = story.event("refund.failed", at=START + 2 * DAY, payment_intent="pi_3Print0001", amount=4900)
    failed["data"]["object"]["id"] = back["data"]["object"]["id"]
    assert once(*BOUGHT, back, failed, now=START + 3 * DAY) == ("active", True, None, "paid_once")


def test_a_payment_of_an_invoice_is_no_purchase_of_its_own() -> None:
    link = story.invoice_payment(payment="pi_3Print0001")
    bill = story.invoice(subscription="sub_1Member0001")
    told = Memory().tell([BOUGHT[1], link, bill])
    assert set(told.grants()) <= {"sub_1Member0001"}


def test_one_payment_for_a_price_that_config_does_not_name_opens_nothing() -> None:
    assert outcome(*BOUGHT, now=START + DAY) == ("lead", False, None, "price_not_mapped")


def test_a_subscription_without_known_period_has_no_known_end() -> None:
    event = story.subscription()
    del event["data"]["object"]["items"]["data"][0]["current_period_end"]
    assert outcome(event, now=START + 99 * DAY) == ("active", True, None, "paid")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([story.subscription()], START + MONTH + 7 * DAY),
        (cancels(), START + MONTH),
        (renewal_failed(), FAILED_AT + 7 * DAY),
        ([story.subscription("deleted")], None),
        ([], None),
    ],
)
def test_the_next_change_is_the_moment_at_which_time_alone_makes_a_difference(
    told: list[Event], expected: int | None
) -> None:
    grants, rules = Memory().tell(told).grants(), policy_with()
    now = FAILED_AT if len(told) > 2 else START + DAY
    moment = next_change(grants, rules, now)
    assert moment == expected
    if moment is not None:
        assert membership(grants, rules, moment - 1).state == membership(grants, rules, now).state
        assert membership(grants, rules, moment).state != membership(grants, rules, now).state
