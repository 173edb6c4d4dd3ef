"""One Stripe event to the facts that it tells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from handlers.core import stripe_objects as read
from handlers.core.errors import EventError
from handlers.core.facts import InvoiceFact, PaymentFact, SessionFact, Source, Stamped, SubscriptionFact

Outcome = Literal["paid", "failed"] | None  # of an invoice's payment; None where the invoice itself has to tell


@dataclass(frozen=True, kw_only=True)
class Head:
    """What every event says of itself; `created` is in Unix seconds."""

    id: str
    type: str
    created: int
    livemode: bool


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What one event, or one answer of Stripe to a question of ours, tells."""

    subscription: SubscriptionFact | None = None
    subscription_id: str | None = None  # whose snapshot that is
    invoice: InvoiceFact | None = None
    payments: tuple[PaymentFact, ...] = ()
    session: SessionFact | None = None
    email: Stamped | None = None
    user_hint: str | None = None  # who it is probably about: saves a read, decides nothing

    @property
    def customer(self) -> str | None:
        """The Stripe customer that the facts name, for the log."""
        told = (self.subscription, self.invoice, self.session, *self.payments)
        return next((fact.customer for fact in told if fact is not None and fact.customer), None)


def head(event: Mapping[str, Any]) -> Head:
    """The event's own fields; EventError names the one that is missing or of the wrong type."""
    created, livemode = read.number(event, "created"), event.get("livemode")
    if created is None:
        raise EventError("event: created must be an integer, got NoneType")
    if not isinstance(livemode, bool):
        raise EventError(f"event: livemode must be true or false, got {type(livemode).__name__}")
    return Head(id=read.text(event, "id"), type=read.text(event, "type"), created=created, livemode=livemode)


def facts(event: Mapping[str, Any], *, user_key: str) -> Facts | None:
    """The facts in a snapshot event; None for a type that is not ours. EventError says what cannot be read.

    `user_key` is the metadata key of the app's user id.
    """
    told = head(event)
    reader = _READERS.get(told.type)
    if reader is None:
        return None
    data = event.get("data")
    obj = data.get("object") if isinstance(data, Mapping) else None
    if not isinstance(obj, Mapping):
        raise EventError(f"{told.type}: data.object must be an object, got {type(obj).__name__}")
    return reader(obj, told.created, user_key)


def from_subscription(obj: Mapping[str, Any], at: int, user_key: str, source: Source = Source.ASKED) -> Facts:
    """The facts in a Subscription."""
    snapshot = read.subscription(obj, at=at, source=source, user_key=user_key)
    return Facts(subscription=snapshot, subscription_id=read.text(obj, "id"), user_hint=snapshot.user)


def from_invoice(obj: Mapping[str, Any], at: int, user_key: str, outcome: Outcome = None) -> Facts:
    """The facts in an Invoice; `outcome` is "paid" or "failed", None where the status has to tell."""
    told = {"paid": at, "failed": None, None: read.paid_at(obj)}
    fact = read.invoice(obj, failed_at=at if outcome == "failed" else None, paid_at=told[outcome])
    email = read.invoice_email(obj)
    return Facts(
        invoice=fact,
        payments=read.payments_of_invoice(obj),
        email=Stamped(at=at, value=email) if email and fact.subscription else None,
        user_hint=read.invoice_user(obj, user_key),
    )


def from_invoice_payment(obj: Mapping[str, Any], _at: int, _user_key: str) -> Facts:
    """The facts in an InvoicePayment."""
    link = read.invoice_payment(obj)
    return Facts(payments=(link,) if link else ())


def _from_session(obj: Mapping[str, Any], at: int, user_key: str) -> Facts:
    """A Checkout Session tells who bought: a subscription, or something for one payment."""
    fact = read.session(obj, at=at, user_key=user_key)
    email = read.session_email(obj)
    # Only a one-time payment is the session's own; in the other modes it belongs to the invoice.
    own = fact.id if fact.mode == "payment" and not fact.invoice else None
    payment = PaymentFact(id=fact.payment, session=own, invoice=fact.invoice) if fact.payment else None
    return Facts(
        session=fact,
        payments=(payment,) if payment else (),
        email=Stamped(at=at, value=email) if email else None,
        user_hint=fact.user,
    )


def _from_charge(obj: Mapping[str, Any], at: int, _user_key: str) -> Facts:
    return Facts(payments=(read.charge(obj, at=at),))


def _from_refund(obj: Mapping[str, Any], at: int, _user_key: str) -> Facts:
    return Facts(payments=(read.refund(obj, at=at),))


Reader = Callable[[Mapping[str, Any], int, str], Facts]


def _subscription_reader(source: Source) -> Reader:
    return lambda obj, at, user_key: from_subscription(obj, at, user_key, source)


def _invoice_reader(outcome: Outcome) -> Reader:
    return lambda obj, at, user_key: from_invoice(obj, at, user_key, outcome)


def _from_deleted(obj: Mapping[str, Any], at: int, user_key: str) -> Facts:
    """A subscription that was deleted has ended, whatever status the copy in the event shows."""
    told = from_subscription(obj, at, user_key, Source.DELETED)
    if told.subscription is None or told.subscription.status == "incomplete_expired":
        return told
    return replace(told, subscription=replace(told.subscription, status="canceled"))


_READERS: dict[str, Reader] = {
    "charge.refunded": _from_charge,
    "checkout.session.completed": _from_session,
    "customer.subscription.created": _subscription_reader(Source.CREATED),
    "customer.subscription.updated": _subscription_reader(Source.UPDATED),
    "customer.subscription.deleted": _from_deleted,
    "invoice.paid": _invoice_reader("paid"),
    "invoice.payment_succeeded": _invoice_reader("paid"),
    "invoice.payment_failed": _invoice_reader("failed"),
    "invoice_payment.paid": from_invoice_payment,
    "refund.created": _from_refund,
}

EVENT_TYPES = frozenset(_READERS)
