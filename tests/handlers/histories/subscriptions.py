"""The life of one subscription: trial, first payment, renewals, failures, changes, pauses and its end."""

from dataclasses import dataclass
from typing import Any

from tests.handlers.histories import money
from tests.handlers.histories.people import USERS, Buyer, Naming
from tests.handlers.histories.prices import PRO
from tests.handlers.histories.scribe import Object, Scribe, recorded
from tests.handlers.story import DAY, MONTH

HOUR = 3600
TRIAL = 14 * DAY
AMOUNT = 2900
MONTHS = 3
HAPPENINGS = (
    "nothing", "upgrade", "upgrade unpaid", "addon", "handed over", "pause", "ask to end", "change of mind", "set end",
    "set a far end", "upgrade owed",
)  # fmt: skip
BOTH = ("payment_action_required", "payment_failed")


@dataclass
class Subscription:
    """The subscription as it is now, and how to tell of it."""

    scribe: Scribe
    buyer: Buyer
    id: str
    naming: Naming
    price: str
    status: str
    begun: int
    period_end: int
    trial_end: int | None = None
    cancel_at: int | None = None
    cancel_at_period_end: bool = False
    canceled_at: int | None = None
    ended_at: int | None = None
    pause: dict[str, Any] | None = None
    latest_invoice: str | None = None
    addon: str | None = None  # price of a second item
    user: str | None = None  # in its metadata, where that is not what it began with
    told_at: int = 0

    def tell(self, verb: str, at: int) -> None:
        """customer.subscription.{verb}."""
        self.told_at = at
        obj = recorded(
            f"customer.subscription.{verb if verb in ('created', 'deleted') else 'updated'}",
            id=self.id, customer=self.buyer.customer, status=self.status, created=self.begun, start_date=self.begun,
            cancel_at=self.cancel_at, cancel_at_period_end=self.cancel_at_period_end, canceled_at=self.canceled_at,
            ended_at=self.ended_at, trial_end=self.trial_end, pause_collection=self.pause,
            latest_invoice=self.latest_invoice,
            metadata={"user_id": self.user} if self.user else self.naming.metadata_of_object,
        )  # fmt: skip
        (item,) = obj["items"]["data"]
        item |= {"current_period_end": self.period_end, "current_period_start": self.begun, "subscription": self.id}
        prices = [self.price, self.addon] if self.addon else [self.price]
        obj["items"]["data"] = [_of_price(item, price) for price in prices]
        self.scribe.tell(f"customer.subscription.{verb}", at=at, obj=obj)

    def become(self, status: str, at: int) -> None:
        """customer.subscription.updated with another status."""
        self.status = status
        self.tell("updated", at)

    def invoice(self, reason: str, created: int) -> "Bill":
        """A new invoice of the subscription."""
        self.latest_invoice = self.scribe.id("in")
        return Bill(self, self.latest_invoice, self.scribe.id("pi"), reason, created)

    def sold(self, bill: "Bill") -> None:
        """checkout.session.completed, of the session that sold it."""
        money.session(
            self.scribe, "completed", self.begun + 3, self.buyer, self.naming,
            mode="subscription", subscription=self.id, invoice=bill.id, payment_status="paid",
        )  # fmt: skip

    def end(self, at: int) -> None:
        """It is over at once; sometimes another update is told in the same second."""
        if self.scribe.choose(False, False, True) and self.told_at < at:
            self.tell("updated", at)
        self.status, self.ended_at = "canceled", at
        self.canceled_at = self.canceled_at or at
        self.tell("deleted", at)


def _of_price(item: Object, price: str) -> Object:
    named = {"id": f"price_of_{price}", "lookup_key": price} if price == PRO else {"id": price, "lookup_key": None}
    return item | {"id": f"si_{price}", "price": item["price"] | named}


@dataclass
class Bill:
    """An invoice of a subscription, and the payment for it."""

    of: Subscription
    id: str
    payment: str
    reason: str
    created: int

    def tell(self, verb: str, at: int, *, amount: int = 0) -> None:
        """invoice.{verb}."""
        paid = verb in ("paid", "payment_succeeded")
        details = {"subscription": self.of.id, "metadata": self.of.naming.metadata_of_object}
        obj = recorded(
            "invoice.paid" if paid else "invoice.payment_failed",
            id=self.id, customer=self.of.buyer.customer, customer_email=self.of.buyer.email, created=self.created,
            amount_due=AMOUNT, amount_paid=amount, billing_reason=self.reason,
            parent={"quote_details": None, "subscription_details": details, "type": "subscription_details"},
        )  # fmt: skip
        self.of.scribe.tell(f"invoice.{verb}", at=at, obj=obj, payment=self.payment if amount or not paid else None)

    def paid(self, at: int, amount: int = AMOUNT) -> None:
        """The invoice is paid; its money may come back later."""
        scribe = self.of.scribe
        self.tell("paid", at, amount=amount)
        if scribe.maybe():
            self.tell("payment_succeeded", at, amount=amount)
        if not amount:
            return
        if scribe.choose(False, False, False, True):
            self._in_two_parts(at, amount)
            return
        money.invoice_payment(scribe, self.id, self.payment, amount, at)
        if scribe.choose(False, False, True):
            money.payment_intent(
                scribe, "succeeded", self.payment, at, customer=self.of.buyer.customer, amount=amount, invoice=self.id
            )
        money.comes_back(scribe, self.payment, amount, at, customer=self.of.buyer.customer, invoice=self.id)

    def _in_two_parts(self, at: int, amount: int) -> None:
        customer, half = self.of.buyer.customer, amount // 2
        for payment, part in ((self.payment, half), (f"{self.payment}b", amount - half)):
            money.invoice_payment(self.of.scribe, self.id, payment, part, at)
            money.comes_back(self.of.scribe, payment, part, at, customer=customer, invoice=self.id)

    def failed(self, at: int) -> None:
        """An attempt to pay failed, or waits for the payer."""
        how = self.of.scribe.choose(("payment_failed",), ("payment_action_required",), BOTH)
        for verb in how:
            self.tell(verb, at)


def life(scribe: Scribe, buyer: Buyer, price: str, begun: int, naming: Naming | None = None) -> Subscription:
    """Everything that is told of one subscription."""
    opening = scribe.choose("paid", "trial", "incomplete", "expired")
    naming = naming or buyer.naming(scribe)
    new = Subscription(scribe, buyer, scribe.id("sub"), naming, price, "active", begun, begun + MONTH)
    if opening == "trial":
        _trial(new)
    else:
        _first_payment(new, opening)
    if new.status in ("active", "past_due"):
        _months(new)
    return new


def _sold(new: Subscription, bill: Bill) -> None:
    """The Checkout Session that sold it is always told of where it is what names the user."""
    if new.naming.by_session or new.scribe.maybe():
        new.sold(bill)


def _first_payment(new: Subscription, opening: str) -> None:
    scribe = new.scribe
    at_once = opening == "paid" and scribe.maybe()
    new.status = "active" if at_once else "incomplete"
    bill = new.invoice("subscription_create", new.begun)
    new.tell("created", new.begun)
    if opening == "expired":
        if scribe.maybe():
            bill.failed(new.begun + 2)
        return new.become("incomplete_expired", new.begun + 23 * HOUR)
    if opening == "incomplete":
        bill.failed(new.begun + 2)
        if scribe.maybe():
            return None  # nobody hears of it again
    paid_at = new.begun + (2 if opening == "paid" else HOUR)
    if not at_once:
        new.become("active", scribe.choose(new.begun, paid_at) if opening == "paid" else paid_at)
    bill.paid(paid_at)
    return _sold(new, bill)


def _trial(new: Subscription) -> None:
    scribe, end = new.scribe, new.begun + TRIAL
    new.status, new.trial_end, new.period_end = "trialing", end, end
    bill = new.invoice("subscription_create", new.begun)
    new.tell("created", new.begun)
    bill.paid(new.begun + 2, amount=0)
    _sold(new, bill)
    if scribe.maybe():
        new.tell("trial_will_end", end - 3 * DAY)
    ends = scribe.choose("paid", "silence", "failed", "paused", "canceled", "asked to end")
    if ends in ("paid", "failed"):
        _renewal(new, ends)
    elif ends == "paused":
        new.status = "paused"
        new.tell("paused", end)
        if scribe.maybe():
            new.status, new.period_end = "active", end + DAY + MONTH
            new.tell("resumed", end + DAY)
    elif ends == "canceled":
        new.end(end + scribe.choose(0, HOUR, 2 * DAY))
    elif ends == "asked to end":
        _asked_to_end(new, new.begun + DAY)
        if scribe.maybe():
            new.end(end)


def _months(new: Subscription) -> None:
    for _ in range(new.scribe.count(MONTHS)):
        if new.status != "active":
            return
        _between(new)
        if new.status != "active":
            return
        if new.cancel_at_period_end:
            if new.scribe.maybe():
                new.end(new.period_end)
            return
        _renewal(new, new.scribe.choose("paid", "failed"))
    if new.status in ("active", "past_due", "unpaid") and new.scribe.choose(False, False, True):
        new.end(new.told_at + new.scribe.choose(HOUR, 5 * DAY))


def _between(new: Subscription) -> None:
    """What happens in the middle of a paid month."""
    scribe, at = new.scribe, max(new.told_at + HOUR, new.period_end - 15 * DAY)
    match scribe.choose(*HAPPENINGS):
        case "addon":
            new.addon = PRO
            new.tell("updated", at)
        case "handed over":
            # The app's server hands nobody over to the one whom a stranger claims to be.
            new.user = scribe.choose(*(USERS[1:] if new.naming.way == "unsigned" else USERS))
            new.tell("updated", at)
        case "upgrade":
            bill = new.invoice("subscription_update", at)
            new.price = PRO
            new.tell("updated", at)
            bill.paid(at + 1, amount=1500)
        case "upgrade unpaid":
            Bill(new, scribe.id("in"), scribe.id("pi"), "subscription_update", at).failed(at + 1)
        case "upgrade owed":
            bill = new.invoice("subscription_update", at)
            bill.failed(at)
            new.become("past_due", at)
            if scribe.maybe():
                bill.paid(at + DAY, amount=1500)
                new.become("active", at + DAY)
        case "set a far end":
            new.canceled_at, new.cancel_at = at, new.period_end + scribe.choose(3, 20) * DAY
            new.tell("updated", at)
        case "pause":
            _pause(new, at)
        case "ask to end":
            _asked_to_end(new, at)
        case "change of mind":
            _asked_to_end(new, at)
            new.cancel_at_period_end, new.cancel_at, new.canceled_at = False, None, None
            new.tell("updated", at + DAY)
        case "set end":
            new.canceled_at, new.cancel_at = at, new.period_end - DAY
            new.tell("updated", at)


def _asked_to_end(new: Subscription, at: int) -> None:
    new.cancel_at_period_end, new.canceled_at = True, at
    new.cancel_at = new.scribe.choose(None, new.period_end)
    new.tell("updated", at)


def _pause(new: Subscription, at: int) -> None:
    scribe = new.scribe
    resumes_at = scribe.choose(None, at + 5 * DAY)
    new.pause = {"behavior": scribe.choose("void", "keep_as_draft", "mark_uncollectible"), "resumes_at": resumes_at}
    new.tell("updated", at)
    if scribe.maybe():
        new.pause = None
        new.tell("updated", at + 6 * DAY)


def _renewal(new: Subscription, outcome: str) -> None:
    """The next period begins and is paid, now or later or never."""
    scribe, at = new.scribe, new.period_end
    new.period_end, wait = at + MONTH, scribe.choose(HOUR, 0)
    bill = new.invoice("subscription_cycle", at)
    new.become("active", at)
    if outcome == "paid":
        return bill.paid(at + wait)
    bill.failed(at + wait)
    new.become("past_due", at + wait)
    return _owed(new, bill, at + wait)


def _owed(new: Subscription, bill: Bill, failed_at: int) -> None:
    scribe = new.scribe
    later = failed_at + 3 * DAY
    ends = scribe.choose("recovers", "stays", "again", "unpaid", "canceled", "next is paid", "next fails too")
    if ends == "again":
        bill.failed(later)
        new.tell("updated", later)
        later += 3 * DAY
        ends = scribe.choose("recovers", "stays")
    if ends == "next is paid":
        _next_is_paid(new, bill)
    elif ends == "next fails too":
        _next_fails_too(new)
    elif ends == "recovers":
        bill.paid(later)
        new.become("active", later + scribe.choose(0, 1))
    elif ends == "unpaid":
        new.become("unpaid", later)
    elif ends == "canceled":
        new.end(later)


def _next_is_paid(new: Subscription, owed: Bill) -> None:
    """One period stays unpaid and the one after is not; then, perhaps, the older invoice is paid too."""
    at = new.period_end
    new.period_end = at + MONTH
    bill = new.invoice("subscription_cycle", at)
    new.tell("updated", at)
    bill.paid(at + HOUR)
    new.become("active", at + HOUR)
    if new.scribe.maybe():
        owed.paid(at + 2 * HOUR)


def _next_fails_too(new: Subscription) -> None:
    at = new.period_end
    new.period_end = at + MONTH
    bill = new.invoice("subscription_cycle", at)
    new.tell("updated", at)
    bill.failed(at + HOUR)
    new.tell("updated", at + HOUR)
