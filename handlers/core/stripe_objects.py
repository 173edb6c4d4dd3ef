"""Stripe's objects to facts: the one place that knows their shapes, before and after 2025-03-31 ("basil").

Events carry the shape of the API version of the endpoint, export or replay that they come from. What moved in basil:
`subscription.current_period_end` to its items, `invoice.subscription` to `invoice.parent.subscription_details`,
`invoice.payment_intent`, `payment_intent.invoice` and `charge.invoice` to the InvoicePayment object.
https://docs.stripe.com/changelog/basil
"""

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.core import identity
from handlers.core.errors import EventError
from handlers.core.facts import (
    Dispute,
    DisputeStatus,
    InvoiceFact,
    Item,
    Money,
    Outcome,
    PaymentFact,
    Refunded,
    RefundPart,
    SessionFact,
    Source,
    Stamped,
    SubscriptionFact,
)
from handlers.core.nodes import MAX_USER_ID
from handlers.core.reading import Reading

Object = Mapping[str, Any]

MAX_TEXT = 512  # bytes of UTF-8, the longest that Stripe documents for what we read: an e-mail address
MAX_KIND = 40
MAX_NUMBER = 10**15  # the smallest units of money stay far below
LAST_MOMENT = 253_402_300_799  # of the year 9999, the last that calendars agree on
_UNPAID_BACK = frozenset({"failed", "canceled"})  # a refund in these states returned nothing
_FREE_OR_PAID = frozenset({"paid", "no_payment_required"})
_DISPUTES = {
    "warning_needs_response": DisputeStatus.INQUIRY,
    "warning_under_review": DisputeStatus.INQUIRY,
    "warning_closed": DisputeStatus.INQUIRY_CLOSED,
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "appeal_needs_response": DisputeStatus.OPEN,
    "appeal_under_review": DisputeStatus.OPEN,
    "prevented": DisputeStatus.WON,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


def subscription(obj: Object, *, at: int, source: Source, reading: Reading) -> SubscriptionFact:
    """The snapshot that `obj` is; `at` is the moment of the event that carried it."""
    items = tuple(sorted(_items(obj), key=lambda item: item.price))
    ends = [item.period_end for item in items if item.period_end is not None]
    at_period_end = max(ends, default=None) if obj.get("cancel_at_period_end") is True else None
    pause = obj.get("pause_collection")
    paused = pause if isinstance(pause, Mapping) else {}
    return SubscriptionFact(
        status=text(obj, "status"),
        at=at,
        source=source,
        created=moment(obj, "created"),
        items=items,
        customer=customer(obj),
        user=user(obj.get("metadata"), reading.user_key),
        cancel_at=moment(obj, "cancel_at") or at_period_end,
        canceled_at=moment(obj, "canceled_at"),
        ended_at=moment(obj, "ended_at"),
        latest_invoice=ref(obj, "latest_invoice"),
        trial_end=moment(obj, "trial_end"),
        paused_for=_paused_for(obj),
        pause=optional(paused, "behavior"),
        resumes_at=moment(paused, "resumes_at"),
    )


def invoice(
    obj: Object, *, at: int, failed_at: int | None, paid_at: int | None, reading: Reading, action: bool = False
) -> InvoiceFact:
    """What `obj` tells, with the moment of the attempt that failed or of the payment, if it is one of these."""
    sold_for = _subscription_of(obj)
    return InvoiceFact(
        id=text(obj, "id"),
        created=moment(obj, "created"),
        subscription=sold_for,
        customer=customer(obj),
        user=None if sold_for else _stamped_user(obj, at, reading),
        items=() if sold_for else tuple(_invoice_items(obj)) or _named_price(obj, reading),
        failed_at=failed_at,
        action=action,
        paid_at=paid_at,
        amount_paid=number(obj, "amount_paid"),
        renewal=obj.get("billing_reason") == "subscription_cycle",
    )


def paid_at(obj: Object) -> int | None:
    """When an invoice was paid, by its own account."""
    if obj.get("status") != "paid":
        return None
    moments = obj.get("status_transitions")
    told = moment(moments, "paid_at") if isinstance(moments, Mapping) else None
    return told if told is not None else moment(obj, "created")


def payments_of_invoice(obj: Object) -> tuple[PaymentFact, ...]:
    """The links from payments to the invoice that it carries: expanded `payments`, or the fields before basil."""
    named = [payment for payment in _expanded(obj) if payment]
    old = ref(obj, "payment_intent") or ref(obj, "charge")
    return tuple(PaymentFact(id=id_, invoice=text(obj, "id"), customer=customer(obj)) for id_ in [*named, old] if id_)


def invoice_payment(obj: Object) -> PaymentFact | None:
    """The link that an InvoicePayment is; None when it was paid outside of Stripe (a payment record)."""
    payment, paid_for = _payment_of(obj), ref(obj, "invoice")
    if paid_for is None:
        raise EventError("invoice_payment: invoice is missing")
    return PaymentFact(id=payment, invoice=paid_for) if payment else None


def charge(obj: Object, *, at: int) -> PaymentFact:
    """What a charge tells of its payment: how much of it has been refunded in all."""
    amount = number(obj, "amount_refunded") or (number(obj, "amount") if obj.get("refunded") is True else None)
    return PaymentFact(
        id=ref(obj, "payment_intent") or text(obj, "id"),
        invoice=ref(obj, "invoice"),
        customer=customer(obj),
        amount=number(obj, "amount_captured") or number(obj, "amount"),
        money=Money(charged=Refunded(amount=amount, at=at) if amount else None),
    )


def refund(obj: Object, *, at: int, failed: bool = False) -> PaymentFact:
    """What one refund tells of its payment; `failed` where the event says so, whatever the copy in it shows."""
    dead = failed or optional(obj, "status") in _UNPAID_BACK
    part = RefundPart(amount=number(obj, "amount") or 0, at=at, dead=dead, dead_at=at if dead else None)
    return PaymentFact(id=_payment(obj, "refund"), customer=customer(obj), money=Money(parts={text(obj, "id"): part}))


def dispute(obj: Object, *, at: int, closed: bool) -> PaymentFact:
    """What one dispute tells of its payment; closed, it is over, whatever its status: won unless that says otherwise.

    https://docs.stripe.com/api/disputes/object#dispute_object-status
    """
    status = _DISPUTES.get(text(obj, "status"), DisputeStatus.OPEN)
    if closed and status in {DisputeStatus.INQUIRY, DisputeStatus.OPEN}:
        status = DisputeStatus.WON
    created = moment(obj, "created")
    told = Dispute(created=at if created is None else created, status=status, at=at)
    return PaymentFact(id=_payment(obj, "dispute"), money=Money(disputes={text(obj, "id"): told}))


def payment_intent(obj: Object, *, at: int, succeeded: bool, reading: Reading) -> PaymentFact:
    """A payment that was made, or an attempt that failed; its metadata says for whom and for what."""
    return PaymentFact(
        id=text(obj, "id"),
        invoice=ref(obj, "invoice"),
        customer=customer(obj),
        user=_stamped_user(obj, at, reading),
        items=_named_price(obj, reading),
        succeeded_at=at if succeeded else None,
        failed_at=None if succeeded else at,
        amount=(number(obj, "amount_received") or number(obj, "amount")) if succeeded else None,
    )


def session(obj: Object, *, at: int, outcome: Outcome, reading: Reading) -> SessionFact:
    """A Checkout Session.

    On a payment link, the payer can type the `client_reference_id`: it counts only with the app's signature, or as
    `unsigned` where the stack allows that.
    """
    reference = optional(obj, "client_reference_id")
    signed = identity.user_of_reference(reference, reading.reference_keys) if reference else None
    vouched = user(obj.get("metadata"), reading.user_key) or signed
    unsigned = reference if reading.unsigned and vouched is None and len(reference or "") <= MAX_USER_ID else None
    return SessionFact(
        id=text(obj, "id"),
        at=at,
        mode=text(obj, "mode"),
        outcome=outcome,
        paid=outcome is Outcome.SUCCEEDED or optional(obj, "payment_status") in _FREE_OR_PAID,
        customer=customer(obj),
        subscription=ref(obj, "subscription"),
        invoice=ref(obj, "invoice"),
        payment=ref(obj, "payment_intent"),
        user=vouched,
        unsigned=unsigned,
        amount=number(obj, "amount_total"),
        items=line_items(obj) or _named_price(obj, reading),
    )


def line_items(obj: Object) -> tuple[Item, ...]:
    """The prices in `line_items` of a Checkout Session, if they are expanded; one without a price is left out."""
    prices = (line.get("price") for line in entries(obj, "line_items"))
    return _distinct(_item(price) for price in prices if price)


def session_email(obj: Object) -> str | None:
    """The payer's address: as typed in Checkout, else as the app gave it."""
    details = obj.get("customer_details")
    typed = optional(details, "email") if isinstance(details, Mapping) else None
    return typed or optional(obj, "customer_email")


def invoice_email(obj: Object) -> str | None:
    """The customer's address when the invoice was finalised."""
    return optional(obj, "customer_email")


def customer_email(obj: Object) -> str | None:
    """A customer's address."""
    return optional(obj, "email")


def receipt_email(obj: Object) -> str | None:
    """Where a PaymentIntent's receipt goes, if the app said so."""
    return optional(obj, "receipt_email")


def invoice_user(obj: Object, user_key: str) -> str | None:
    """The app's user id in the copy of the subscription's metadata that an invoice carries, or in its own."""
    return user(_subscription_details(obj).get("metadata"), user_key) or user(obj.get("metadata"), user_key)


def text(obj: Object, name: str) -> str:
    """The field `name`, which must be a non-empty text; EventError."""
    value = optional(obj, name)
    if value is None:
        raise EventError(f"{_kind(obj)}: {name} must be a text, got {type(obj.get(name)).__name__}")
    return value


def number(obj: Object, name: str) -> int | None:
    """The field `name` as an integer; EventError when it is something else."""
    value = obj.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise EventError(f"{_kind(obj)}: {name} must be an integer, got {type(value).__name__}")
    if abs(value) > MAX_NUMBER:
        raise EventError(f"{_kind(obj)}: {name} must be within ±{MAX_NUMBER}, got {len(str(value))} digits")
    return value


def moment(obj: Object, name: str) -> int | None:
    """The field `name` as Unix seconds; EventError when it is something else, or no calendar has it."""
    value = number(obj, name)
    if value is not None and not 0 <= value <= LAST_MOMENT:
        raise EventError(f"{_kind(obj)}: {name} must be Unix seconds of a year from 1970 to 9999")
    return value


def ref(obj: Object, name: str) -> str | None:
    """The id in the field `name`, which holds an id or the expanded object."""
    value = obj.get(name)
    return optional(value, "id") if isinstance(value, Mapping) else optional(obj, name)


def customer(obj: Object) -> str | None:
    """The customer, or the account that stands in for one."""
    return ref(obj, "customer") or ref(obj, "customer_account")


def user(metadata: object, user_key: str) -> str | None:
    """The app's user id in metadata, which only the app's server can set; EventError when it cannot be a key."""
    value = optional(metadata, user_key) if isinstance(metadata, Mapping) else None
    if value is not None and len(value) > MAX_USER_ID:
        raise EventError(f"metadata {user_key} has {len(value)} characters, at most {MAX_USER_ID} are taken")
    return value


def _items(obj: Object) -> Iterable[Item]:
    old_end = moment(obj, "current_period_end")
    for line in entries(obj, "items"):
        end = moment(line, "current_period_end")
        yield _item(line.get("price") or line.get("plan"), old_end if end is None else end)


def _paused_for(obj: Object) -> str | None:
    """Why a subscription is paused: since 2026-09-30 there is more than one way to be.

    https://docs.stripe.com/api/subscriptions/object#subscription_object-status_details
    """
    details: object = obj
    for name in ("status_details", "paused", "subscription"):
        details = details.get(name) if isinstance(details, Mapping) else None
    return optional(details, "type") if isinstance(details, Mapping) else None


def _item(price: object, period_end: int | None = None) -> Item:
    if isinstance(price, str):
        price = {"id": price}
    if not isinstance(price, Mapping):
        raise EventError("an item: price must be an object")
    return Item(price=text(price, "id"), lookup_key=optional(price, "lookup_key"), period_end=period_end)


def _invoice_items(obj: Object) -> Iterable[Item]:
    """The prices that an invoice's lines were made from: since basil as ids under `pricing`, before as objects."""
    found = []
    for line in entries(obj, "lines"):
        pricing = line.get("pricing")
        details = pricing.get("price_details") if isinstance(pricing, Mapping) else None
        price = details.get("price") if isinstance(details, Mapping) else line.get("price")
        if price:
            found.append(_item(price))
    return _distinct(found)


def _named_price(obj: Object, reading: Reading) -> tuple[Item, ...]:
    """The price that the app's server named in metadata: a PaymentIntent and a session's event carry no other."""
    metadata = obj.get("metadata")
    named = optional(metadata, reading.price_key) if isinstance(metadata, Mapping) else None
    return (Item(price=named),) if named else ()


def _distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(sorted({item.price: item for item in items}.values(), key=lambda item: item.price))


def _stamped_user(obj: Object, at: int, reading: Reading) -> Stamped | None:
    named = user(obj.get("metadata"), reading.user_key)
    return Stamped(at=at, value=named) if named else None


def _payment(obj: Object, kind: str) -> str:
    payment = ref(obj, "payment_intent") or ref(obj, "charge")
    if payment is None:
        raise EventError(f"{kind}: it names neither a payment_intent nor a charge")
    return payment


def entries(obj: Object, name: str) -> list[Object]:
    """The objects of the list in the field `name`; EventError when it is none."""
    listed = obj.get(name)
    if listed is None:
        return []
    data = listed.get("data") if isinstance(listed, Mapping) else None
    if not isinstance(data, list) or not all(isinstance(entry, Mapping) for entry in data):
        raise EventError(f'{_kind(obj)}: {name} must be a list: {{"data": [objects]}}')
    return data


def _subscription_details(obj: Object) -> Object:
    parent = obj.get("parent")
    details = parent.get("subscription_details") if isinstance(parent, Mapping) else obj.get("subscription_details")
    return details if isinstance(details, Mapping) else {}


def _subscription_of(obj: Object) -> str | None:
    return ref(_subscription_details(obj), "subscription") or ref(obj, "subscription")


def _expanded(obj: Object) -> Iterable[str | None]:
    return (_payment_of(entry) for entry in entries(obj, "payments"))


def _payment_of(obj: Object) -> str | None:
    payment = obj.get("payment")
    if not isinstance(payment, Mapping):
        raise EventError(f"invoice_payment: payment must be an object, got {type(payment).__name__}")
    return ref(payment, "payment_intent") or ref(payment, "charge")


def optional(obj: Object, name: str) -> str | None:
    """The field `name` if it is a text that says something; EventError for one that could not be a key of the table."""
    value = obj.get(name)
    if not isinstance(value, str) or not value:
        return None
    if not value.isprintable() or len(value.encode()) > MAX_TEXT:  # half of a surrogate pair is not printable
        length = f"is a text of {len(value)} characters"
        raise EventError(f"{_kind(obj)}: {name} {length}, over {MAX_TEXT} bytes or with control characters")
    return value


def _kind(obj: Object) -> str:
    kind = obj.get("object")
    return kind if isinstance(kind, str) and kind.isidentifier() and len(kind) <= MAX_KIND else "object"
