"""One member's long life at Stripe: some hundred subscriptions one after the other, and what is bought beside them."""

import itertools
from collections.abc import Iterator
from typing import Any

from tests.handlers import story
from tests.handlers.story import DAY, MONTH, START, Event

ONCE, TERM = "price_1PrintEUR0001", "price_1CourseEUR0001"
POLICY = {
    "products": [
        {"price": story.PRICE, "level": "member"},
        {"price": ONCE, "level": "print"},
        {"price": TERM, "level": "course", "days": 90},
    ]
}
CHAPTER = 2 * MONTH + 20 * DAY  # of a subscription and what comes with it: three periods, the last one cut short


CYCLE = 30  # chapters after which the kinds of event repeat; about 1,000 events


def chapters(member: str, *, once: bool) -> Iterator[list[Event]]:
    """The events of one subscription after the other and of what comes with each, in their order, without end.

    With `once`, something is bought for one payment in each, and every other of that is the member's for ever.
    """
    begun = START
    for number in itertools.count():
        yield sorted(_Chapter(member, number, begun, once=once).events(), key=lambda event: event["created"])
        begun += CHAPTER


class _Chapter:
    """Everything between two subscriptions."""

    def __init__(self, member: str, number: int, begun: int, *, once: bool) -> None:
        self.member, self.number, self.begun, self.once = member, number, begun, once
        self.subscription = f"sub_{member}_{number}"

    def events(self) -> Iterator[Event]:
        """A subscription that is sold, renewed, owed, paid, partly given back and ended, and what goes with it."""
        begun = self.begun
        yield self._subscription("created", begun, begun + MONTH, status="incomplete")
        yield from self._paid(0, begun + 1)
        yield self._subscription("updated", begun + 3, begun + MONTH)
        yield self._session(begun + 4, f"cs_{self.subscription}", subscription=self.subscription)
        yield self._subscription("updated", begun + DAY, begun + MONTH, description="told by the app")
        if self.once:
            yield from self._once(begun + 5 * DAY)
        yield _customer("updated", self.member, begun + 10 * DAY)
        yield self._subscription("updated", begun + MONTH, begun + 2 * MONTH)
        yield from self._paid(1, begun + MONTH + 3600)
        yield from self._owed(2, begun + 2 * MONTH)
        yield from self._given_back(begun + 2 * MONTH + 5 * DAY)
        end = begun + CHAPTER - DAY
        yield self._subscription("updated", begun + 2 * MONTH + 6 * DAY, end, cancel_at=end)
        yield self._subscription("deleted", end, end, status="canceled", ended_at=end)

    def _paid(self, period: int, at: int) -> Iterator[Event]:
        invoice, payment = self._ids(period)
        renewal = {"billing_reason": "subscription_cycle" if period else "subscription_create"}
        yield self._payment("succeeded", payment, at)
        yield story.invoice_payment(at=at + 1, id=f"inpay_{invoice}", invoice=invoice, payment=payment)
        for kind in ("paid", "payment_succeeded"):
            yield self._invoice(kind, at + 1, invoice, created=self.begun + period * MONTH, **renewal)
        yield self._subscription("updated", at + 2, self.begun + (period + 1) * MONTH, latest_invoice=invoice)

    def _owed(self, period: int, at: int) -> Iterator[Event]:
        """A renewal that fails and is paid two days later."""
        invoice, payment = self._ids(period)
        end = self.begun + (period + 1) * MONTH
        yield self._payment("payment_failed", payment, at)
        yield self._invoice("payment_failed", at + 1, invoice, created=at, billing_reason="subscription_cycle")
        yield self._subscription("updated", at + 2, end, status="past_due", latest_invoice=invoice)
        yield self._invoice("payment_action_required", at + DAY, invoice, created=at)
        yield from self._paid(period, at + 2 * DAY)

    def _given_back(self, at: int) -> Iterator[Event]:
        """A part of the money, or a dispute that is won."""
        _, payment = self._ids(2)
        if self.number % 3:
            refund = f"re_{payment}"
            yield story.charge_refunded(at=at, id=f"ch_{payment}", payment=payment, amount=500, **self._paying())
            yield story.refund(at=at, id=refund, payment=payment, amount=500)
            yield story.event("refund.updated", at=at + 9, id=refund, payment_intent=payment, amount=500)
        else:
            dispute: dict[str, Any] = {"id": f"du_{payment}", "payment_intent": payment, "created": at}
            yield story.event("charge.dispute.created", at=at, status="needs_response", **dispute)
            yield story.event("charge.dispute.closed", at=at + DAY, status="won", **dispute)

    def _once(self, at: int) -> Iterator[Event]:
        payment = f"pi_{self.subscription}_once"
        price = TERM if self.number % 2 else ONCE
        yield self._payment("succeeded", payment, at, metadata={"user_id": self.member, "price_id": price})
        sold = {"mode": "payment", "payment_intent": payment, "line_items": {"data": [{"price": {"id": price}}]}}
        yield self._session(at + 1, f"cs_{payment}", subscription=None, invoice=None, **sold)
        if self.number % 5 == 0:
            yield story.charge_refunded(at=at + DAY, id=f"ch_{payment}", payment=payment, **self._paying())

    def _subscription(self, kind: str, at: int, period_end: int, **changes: Any) -> Event:
        return story.subscription(
            kind, at=at, id_=self.subscription, user=self.member, period_end=period_end, created=self.begun,
            **self._paying(), **changes,
        )  # fmt: skip

    def _invoice(self, kind: str, at: int, id_: str, **changes: Any) -> Event:
        return story.invoice(
            kind, at=at, id_=id_, subscription=self.subscription, user=self.member, **self._paying(), **changes
        )

    def _payment(self, kind: str, id_: str, at: int, **changes: Any) -> Event:
        told = {"id": id_, "metadata": {}, **self._paying(), **changes}
        return story.event(f"payment_intent.{kind}", at=at, **told)

    def _session(self, at: int, id_: str, **changes: Any) -> Event:
        return story.session(at=at, id=id_, user=self.member, **self._paying(), **changes)

    def _paying(self) -> dict[str, Any]:
        return {"customer": f"cus_{self.member}"}

    def _ids(self, period: int) -> tuple[str, str]:
        return f"in_{self.subscription}_{period}", f"pi_{self.subscription}_{period}"


def _customer(kind: str, member: str, at: int) -> Event:
    named = {"id": f"cus_{member}", "email": f"{member}@mail.example", "metadata": {"user_id": member}}
    return story.event(f"customer.{kind}", at=at, **named)
