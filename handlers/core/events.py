"""One Stripe event to the facts that it tells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from handlers.core import stripe_objects as read
from handlers.core.errors import EventError
from handlers.core.facts import (
    InvoiceFact,
    Item,
    Outcome,
    PaymentFact,
    SessionFact,
    Source,
    Stamped,
    SubscriptionFact,
    TrialEnding,
)
from handlers.core.reading import Reading

Attempt = Literal["paid", "failed", "action"] | None  # at an invoice; None where the invoice itself has to tell


@dataclass(frozen=True, kw_only=True)
class Head:
    """What every event says of itself; `created` is in Unix seconds."""

    id: str
    type: str
    created: int
    livemode: bool


@dataclass(frozen=True, kw_only=True)
class CustomerFact:
    """What a Stripe customer tells of itself, or what somebody who may says of it."""

    id: str
    user: Stamped | None = None  # from its own metadata; an empty text where that names nobody
    claim: Stamped | None = None  # from a purchase or a claim
    email: Stamped | None = None
    deleted_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What one event, or one answer of Stripe to a question of ours, tells."""

    subscription: SubscriptionFact | None = None
    subscription_id: str | None = None  # whose snapshot that is
    trial_ending: TrialEnding | None = None  # of that subscription
    invoice: InvoiceFact | None = None
    payments: tuple[PaymentFact, ...] = ()
    claimed: Stamped | None = None  # who a payment without a customer is for, by a claim
    session: SessionFact | None = None
    customers: tuple[CustomerFact, ...] = ()
    email: Stamped | None = None  # of who pays for the subscription, the invoice or the session
    user_hint: str | None = None  # who it is probably about: saves a read, decides nothing

    @property
    def customer(self) -> str | None:
        """The Stripe customer that the facts name, for the log."""
        told = (self.subscription, self.invoice, self.session, *self.payments)
        named = (fact.customer for fact in told if fact is not None and fact.customer)
        return next(named, None) or next((fact.id for fact in self.customers), None)


def head(event: Mapping[str, Any]) -> Head:
    """The event's own fields; EventError names the one that is missing or of the wrong type."""
    created, livemode = read.moment(event, "created"), event.get("livemode")
    if created is None:
        raise EventError("event: created must be an integer, got NoneType")
    if not isinstance(livemode, bool):
        raise EventError(f"event: livemode must be true or false, got {type(livemode).__name__}")
    return Head(id=read.text(event, "id"), type=read.text(event, "type"), created=created, livemode=livemode)


def facts(event: Mapping[str, Any], reading: Reading) -> Facts | None:
    """The facts in a snapshot event; None for a type that is not ours. EventError says what cannot be read."""
    told = head(event)
    if event.get("account") is not None:
        raise EventError("event: account is set, so it is of a connected account and not of ours")
    reader = _READERS.get(told.type)
    if reader is None:
        return None
    data = event.get("data")
    obj = data.get("object") if isinstance(data, Mapping) else None
    if not isinstance(obj, Mapping):
        raise EventError(f"{told.type}: data.object must be an object, got {type(obj).__name__}")
    return reader(obj, told.created, reading)


def from_object(obj: Mapping[str, Any], at: int, reading: Reading) -> Facts | None:
    """The facts in an object as Stripe shows it at `at`; None for a kind that a membership does not follow from."""
    kind = obj.get("object")
    reader = _SHOWN.get(kind) if isinstance(kind, str) else None
    return reader(obj, at, reading) if reader else None


def from_subscription(
    obj: Mapping[str, Any], at: int, reading: Reading, source: Source = Source.ASKED, observation: int = 0
) -> Facts:
    """The facts in a Subscription."""
    snapshot = replace(read.subscription(obj, at=at, source=source, reading=reading), observation=observation)
    return Facts(subscription=snapshot, subscription_id=read.text(obj, "id"), user_hint=snapshot.user)


def from_invoice(obj: Mapping[str, Any], at: int, reading: Reading, attempt: Attempt = None) -> Facts:
    """The facts in an Invoice; `attempt` is how the event says that paying it went."""
    fact = read.invoice(
        obj,
        at=at,
        failed_at=at if attempt in {"failed", "action"} else None,
        paid_at=at if attempt == "paid" else read.paid_at(obj) if attempt is None else None,
        action=attempt == "action",
        reading=reading,
    )
    email = read.invoice_email(obj)
    return Facts(
        invoice=fact,
        payments=read.payments_of_invoice(obj),
        email=Stamped(at=at, value=email) if email else None,
        user_hint=read.invoice_user(obj, reading.user_key),
    )


def from_invoice_payment(obj: Mapping[str, Any], _at: int, _reading: Reading) -> Facts:
    """The facts in an InvoicePayment."""
    link = read.invoice_payment(obj)
    return Facts(payments=(link,) if link else ())


def from_line_items(session: SessionFact, items: tuple[Item, ...]) -> Facts:
    """What a Checkout Session sold, where its event did not say so."""
    return Facts(session=replace(session, items=items))


def from_claim(subject: str, user: str, at: int) -> Facts:
    """Somebody proved at `at` that the payer `subject` (a Stripe customer, or a payment without one) is `user`."""
    claim = Stamped(at=at, value=user)
    if subject.startswith(_PAYMENTS):
        return Facts(payments=(PaymentFact(id=subject),), claimed=claim, user_hint=user)
    return Facts(customers=(CustomerFact(id=subject, claim=claim),), user_hint=user)


def _from_session(obj: Mapping[str, Any], at: int, reading: Reading, outcome: Outcome) -> Facts:
    """A Checkout Session tells who bought: a subscription, or something for one payment."""
    fact = read.session(obj, at=at, outcome=outcome, reading=reading)
    email = read.session_email(obj)
    # Beside an invoice, the payment is that of the invoice.
    payment = PaymentFact(id=fact.payment, invoice=fact.invoice) if fact.payment and fact.invoice else None
    return Facts(
        session=fact,
        payments=(payment,) if payment else (),
        email=Stamped(at=at, value=email) if email else None,
        user_hint=fact.user,
    )


def _from_charge(obj: Mapping[str, Any], at: int, _reading: Reading) -> Facts:
    return Facts(payments=(read.charge(obj, at=at),))


def _from_customer(obj: Mapping[str, Any], at: int, reading: Reading, *, deleted: bool = False) -> Facts:
    user, email = read.user(obj.get("metadata"), reading.user_key), read.customer_email(obj)
    fact = CustomerFact(
        id=read.text(obj, "id"),
        user=Stamped(at=at, value=user or ""),
        email=Stamped(at=at, value=email) if email else None,
        deleted_at=at if deleted or obj.get("deleted") is True else None,
    )
    return Facts(customers=(fact,), user_hint=user)


def _from_deleted(obj: Mapping[str, Any], at: int, reading: Reading) -> Facts:
    """A subscription that was deleted has ended, whatever status the copy in the event shows."""
    told = from_subscription(obj, at, reading, Source.DELETED)
    if told.subscription is None or told.subscription.status == "incomplete_expired":
        return told
    return replace(told, subscription=replace(told.subscription, status="canceled"))


def _from_trial(obj: Mapping[str, Any], at: int, reading: Reading) -> Facts:
    """Three days before a trial ends, or at once where it is shorter."""
    told = from_subscription(obj, at, reading, Source.UPDATED)
    end = told.subscription.trial_end if told.subscription else None
    return replace(told, trial_ending=TrialEnding(trial_end=end, at=at)) if end is not None else told


# How a payment without a customer is named; whoever else pays is a customer, or the account that stands in for one.
_PAYMENTS = ("pi_", "ch_", "py_", "cs_")

Reader = Callable[[Mapping[str, Any], int, Reading], Facts]


def _subscription_reader(source: Source) -> Reader:
    return lambda obj, at, reading: from_subscription(obj, at, reading, source)


def _invoice_reader(attempt: Attempt) -> Reader:
    return lambda obj, at, reading: from_invoice(obj, at, reading, attempt)


def _session_reader(outcome: Outcome) -> Reader:
    return lambda obj, at, reading: _from_session(obj, at, reading, outcome)


def _payment_reader(*, succeeded: bool) -> Reader:
    def reader(obj: Mapping[str, Any], at: int, reading: Reading) -> Facts:
        fact = read.payment_intent(obj, at=at, succeeded=succeeded, reading=reading)
        email = read.receipt_email(obj)
        return Facts(
            payments=(fact,),
            email=Stamped(at=at, value=email) if email else None,
            user_hint=fact.user.value if fact.user else None,
        )

    return reader


def _refund_reader(*, failed: bool) -> Reader:
    return lambda obj, at, _reading: Facts(payments=(read.refund(obj, at=at, failed=failed),))


def _dispute_reader(*, closed: bool) -> Reader:
    return lambda obj, at, _reading: Facts(payments=(read.dispute(obj, at=at, closed=closed),))


_READERS: dict[str, Reader] = {
    "charge.dispute.closed": _dispute_reader(closed=True),
    "charge.dispute.created": _dispute_reader(closed=False),
    "charge.refunded": _from_charge,
    "checkout.session.async_payment_failed": _session_reader(Outcome.FAILED),
    "checkout.session.async_payment_succeeded": _session_reader(Outcome.SUCCEEDED),
    "checkout.session.completed": _session_reader(Outcome.COMPLETED),
    "checkout.session.expired": _session_reader(Outcome.EXPIRED),
    "customer.created": _from_customer,
    "customer.deleted": lambda obj, at, reading: _from_customer(obj, at, reading, deleted=True),
    "customer.subscription.created": _subscription_reader(Source.CREATED),
    "customer.subscription.deleted": _from_deleted,
    "customer.subscription.paused": _subscription_reader(Source.UPDATED),
    "customer.subscription.resumed": _subscription_reader(Source.UPDATED),
    "customer.subscription.trial_will_end": _from_trial,
    "customer.subscription.updated": _subscription_reader(Source.UPDATED),
    "customer.updated": _from_customer,
    "invoice.paid": _invoice_reader("paid"),
    "invoice.payment_action_required": _invoice_reader("action"),
    "invoice.payment_failed": _invoice_reader("failed"),
    "invoice.payment_succeeded": _invoice_reader("paid"),
    "invoice_payment.paid": from_invoice_payment,
    "payment_intent.payment_failed": _payment_reader(succeeded=False),
    "payment_intent.succeeded": _payment_reader(succeeded=True),
    "refund.created": _refund_reader(failed=False),
    "refund.failed": _refund_reader(failed=True),
    "refund.updated": _refund_reader(failed=False),
}


def _shown_session(obj: Mapping[str, Any], at: int, reading: Reading) -> Facts | None:
    outcome = {"complete": Outcome.COMPLETED, "expired": Outcome.EXPIRED}.get(str(obj.get("status")))
    return None if outcome is None else _from_session(obj, at, reading, outcome)


def _shown_payment(obj: Mapping[str, Any], at: int, reading: Reading) -> Facts | None:
    return _payment_reader(succeeded=True)(obj, at, reading) if obj.get("status") == "succeeded" else None


# Objects that a thin event names, read as Stripe shows them now; a charge or an open dispute tells its whole story.
_SHOWN: dict[str, Callable[[Mapping[str, Any], int, Reading], Facts | None]] = {
    "charge": _from_charge,
    "checkout.session": _shown_session,
    "customer": _from_customer,
    "dispute": _dispute_reader(closed=False),
    "invoice": from_invoice,
    "invoice_payment": from_invoice_payment,
    "payment_intent": _shown_payment,
    "refund": _refund_reader(failed=False),
    "subscription": from_subscription,
}

EVENT_TYPES = frozenset(_READERS)
