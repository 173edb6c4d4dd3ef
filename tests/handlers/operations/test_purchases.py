"""What Stripe's lists say was bought, object by object."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from handlers.core.facts import Outcome
from handlers.core.nodes import Kind, Ref
from handlers.core.policy import DAY_SECONDS, parse
from handlers.core.reading import Reading
from handlers.core.standing import Standing, standing
from handlers.operations.purchases import Purchase
from handlers.operations.stripe_history import History, read_history
from tests.handlers import story
from tests.handlers.core.memory import Memory
from tests.handlers.story import PRICE, START, Event

RULES = parse(f'{{"products": [{{"price": "{PRICE}", "level": "member"}}]}}')
SUBSCRIPTION, MONTH = "sub_1Member0001", 30 * DAY_SECONDS


class Lists:
    """Stripe's lists, whole; `asked` are those that were read."""

    def __init__(self, lists: Mapping[str, list[Event]]) -> None:
        self._lists = lists
        self.asked: list[str] = []

    def each(self, path: str, query: Mapping[str, str] | None = None, *, after: str | None = None) -> Iterator[Event]:
        self.asked.append(path)
        yield from self._lists.get(path, [])


def history(**lists: list[Event]) -> History:
    """What `lists` say; `subscriptions` are /v1/subscriptions, and so on."""
    paths = {name if name.startswith("/") else f"/v1/{name}": objects for name, objects in lists.items()}
    paths["/v1/checkout/sessions"] = paths.pop("/v1/sessions", [])
    return read_history(Lists(paths), Reading(), live=True, progress=lambda _: None)  # ty: ignore[invalid-argument-type]


def obj(event: Event, **changes: Any) -> Event:
    return {**event["data"]["object"], **changes}


def purchases(told: History) -> dict[Ref, Purchase]:
    return {purchase.ref: purchase for payer in told.payers for purchase in payer.purchases}


def ends_as(told: History, id_: str = SUBSCRIPTION, *, at: int = START + MONTH + 4 * DAY_SECONDS) -> Standing:
    memory = Memory()
    for purchase in purchases(told).values():
        for facts in purchase.facts:
            memory.take(facts)
    found = standing(memory.grants()[id_], RULES, at)
    assert found is not None
    return found


def paid(number: int, amount: int = 2900, **changes: Any) -> Event:
    """A paid invoice of month `number`."""
    made = START + number * MONTH
    link = obj(story.invoice_payment(invoice=f"in_{number}", payment=f"pi_{number}"))
    told = {"created": made, "amount_paid": amount, "payments": {"data": [link] if amount else [], "has_more": False}}
    moments = {"finalized_at": made, "paid_at": made + 2}
    return obj(story.invoice(id_=f"in_{number}"), status_transitions=moments, **{**told, **changes})


def active(periods: int = 2, **changes: Any) -> Event:
    return obj(story.subscription(period_end=START + periods * MONTH), **changes)


def intent(id_: str, **changes: Any) -> Event:
    return obj(story.recorded("payment_intent.succeeded"), id=id_, customer="cus_Ada0001", **changes)


def session(payment: str, **changes: Any) -> Event:
    told = story.session(subscription=None, id="cs_1", mode="payment", payment_intent=payment, invoice=None)
    lines = {"data": [{"price": {"id": PRICE}}], "has_more": False}
    return obj(told, **{"line_items": lines, **changes})


def test_a_refund_of_an_older_payment_takes_nothing() -> None:
    lists = {"subscriptions": [active()], "refunds": [obj(story.refund(payment="pi_0"))]}
    told = history(invoices=[paid(1), paid(0)], **lists)
    assert ends_as(told).reason == "paid"
    assert ends_as(history(invoices=[paid(0)], **lists)).reason == "refunded_in_full"


def test_a_dispute_before_the_newest_payment_counts_though_the_newest_invoice_cost_nothing() -> None:
    dispute = obj(
        story.event("charge.dispute.created", at=START, payment_intent="pi_0"), created=START + 9, status="lost"
    )
    lists = {"subscriptions": [active(3)], "disputes": [dispute]}
    invoices = [paid(2, amount=0), paid(1), paid(0)]
    assert ends_as(history(invoices=invoices, **lists), at=START + 2 * MONTH + 9).reason == "paid"
    assert ends_as(history(invoices=[paid(2, amount=0), paid(0)], **lists)).reason == "dispute_lost"


def test_a_renewal_that_failed_has_its_grace_from_the_first_try() -> None:
    failed = paid(1, status="open", attempted=True, billing_reason="subscription_cycle")
    told = history(invoices=[failed, paid(0)], subscriptions=[active(status="past_due")])
    after = ends_as(told, at=START + MONTH + DAY_SECONDS)
    assert (after.reason, after.until) == ("renewal_failed", START + MONTH + 7 * DAY_SECONDS)


def test_invoices_that_decide_nothing_are_left_out() -> None:
    told = history(invoices=[paid(number) for number in range(60, -1, -1)], subscriptions=[active(61)])
    (purchase,) = purchases(told).values()
    assert [facts.invoice.id for facts in purchase.facts if facts.invoice] == ["in_60"]
    assert len(purchase.facts) == 1, "and what decides is one transaction with the subscription"


def test_a_snapshot_is_as_old_as_the_newest_event_or_as_what_it_says_itself() -> None:
    (by_events,) = purchases(history(subscriptions=[active()], events=[story.subscription(at=START + 99)])).values()
    (quiet,) = purchases(history(subscriptions=[active()])).values()
    dated = [facts.subscription.at for purchase in (by_events, quiet) for facts in purchase.facts if facts.subscription]
    assert dated == [START + 98, START - 1]


def test_a_sessions_payment_is_when_money_moved() -> None:
    charge = {"id": "ch_1", "created": START + 4000}
    told = history(sessions=[session("pi_1", created=START)], payment_intents=[intent("pi_1", latest_charge=charge)])
    (purchase,) = purchases(told).values()
    assert purchase.ref == Ref(Kind.PAYMENT, "pi_1")
    assert ends_as(told, "pi_1").reason == "paid_once"
    (facts,) = purchase.facts
    assert facts.session is not None
    assert facts.session.at == START + 4000


@pytest.mark.parametrize(
    ("status", "outcome"), [("processing", Outcome.COMPLETED), ("requires_payment_method", Outcome.FAILED)]
)
def test_a_debit_that_bounced_was_not_paid(status: str, outcome: Outcome) -> None:
    unpaid = session("pi_1", payment_status="unpaid")
    told = history(sessions=[unpaid], payment_intents=[intent("pi_1", status=status)])
    (facts,) = purchases(told)[Ref(Kind.PAYMENT, "pi_1")].facts
    assert facts.session is not None
    assert (facts.session.outcome, facts.session.paid) == (outcome, False)


def test_a_payment_is_a_purchase_only_where_its_metadata_says_so_and_no_invoice_does() -> None:
    named = {"user_id": "user_ada", "price_id": PRICE}
    once, invoiced = intent("pi_once", metadata=named), intent("pi_0", metadata=named)
    told = history(
        payment_intents=[once, invoiced, intent("pi_nobodys", metadata={})],
        invoices=[paid(0)],
        subscriptions=[active()],
        refunds=[obj(story.refund(payment="pi_nobodys"))],
    )
    assert purchases(told).keys() == {Ref(Kind.PAYMENT, "pi_once"), Ref(Kind.SUBSCRIPTION, SUBSCRIPTION)}
    assert told.nobodys == 1


def test_what_a_list_cuts_short_is_read_whole() -> None:
    cut = session("pi_1", line_items={"data": [{"price": {"id": "price_a"}}], "has_more": True})
    lines = [{"price": {"id": "price_a"}}, {"price": {"id": PRICE}}]
    links = [obj(story.invoice_payment(invoice="in_0", payment=payment)) for payment in ("pi_0", "pi_late")]
    told = history(
        sessions=[cut],
        invoices=[paid(0, payments={"data": links[:1], "has_more": True})],
        subscriptions=[active()],
        refunds=[obj(story.refund(payment="pi_late"))],
        **{"/v1/checkout/sessions/cs_1/line_items": lines, "invoice_payments": links},
    )
    (sold,) = purchases(told)[Ref(Kind.PAYMENT, "pi_1")].facts
    assert sold.session is not None
    assert [item.price for item in sold.session.items] == sorted(["price_a", PRICE])
    assert ends_as(told).reason == "refunded_in_full"


def test_an_object_that_cannot_be_read_is_named() -> None:
    odd = active(status=7)
    told = history(subscriptions=[odd, {"id": "sub_2", "created": None}])
    assert [(one.id, one.reason) for one in told.unreadable] == [
        (SUBSCRIPTION, "subscription: status must be a text, got int"),
        ("sub_2", "created must be Unix seconds"),
    ]


def test_somebody_has_to_answer_a_bank_also_for_an_older_payment() -> None:
    asked = story.event("charge.dispute.created", at=START, payment_intent="pi_0")
    told = history(
        invoices=[paid(1), paid(0)], subscriptions=[active()], disputes=[obj(asked, status="needs_response")]
    )
    assert (ends_as(told).reason, ends_as(told).needs_support) == ("paid", True)
