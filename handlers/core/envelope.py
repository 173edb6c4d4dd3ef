"""What travels on the events queue: Stripe's own text, or a reference where SQS would refuse that text."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from handlers.core.errors import EventError

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
MAX_BYTES = 1024 * 1024
# Characters, of an object's id as https://docs.stripe.com/upgrades promises; names of types are far shorter.
MAX_NAME = 255
# What the allowed set of SendMessage leaves out, because a set of what it holds takes ten times as long to compile.
# Of these, JSON in UTF-8 can hold the last two only; looking for them takes no time, and the pattern is rarely needed.
_REFUSED = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"

_REFERENCE = "launch_ready_reference"


class Reference(NamedTuple):
    """An event that did not fit on the queue: `apply` fetches it from Stripe by its id."""

    id: str
    type: str
    created: int  # Unix seconds
    livemode: bool


def parse(raw: bytes) -> dict[str, Any] | None:
    """The event in `raw`, or None when it is not a JSON object with an `id` that Stripe could have given."""
    try:
        event = json.loads(raw.decode())
    except (ValueError, RecursionError):  # ValueError covers bad UTF-8, bad JSON and over-long integers
        return None
    return event if isinstance(event, dict) and _name(event.get("id")) else None


def encode(raw: bytes, event: Mapping[str, Any] | None) -> str:
    """The message body for a verified request body `raw`, of which `event` is what `parse` gave.

    That is the text as it came; a reference when SQS would refuse it; and for a body that is no event, as much of
    its text as SQS takes, so that it can be parked and read by a person.
    """
    text = raw.decode("utf-8", "replace")
    if event is None:
        return _unreadable(raw, text)
    if len(raw) <= MAX_BYTES and "\ufffe" not in text and "\uffff" not in text:
        return text
    return reference(
        event["id"], type_of(event) or "", _unix(event.get("created")), livemode=event.get("livemode") is True
    )


def reference(id_: str, type_: str, created: int, *, livemode: bool) -> str:
    """The message body that stands for an event which `apply` has to fetch; `created` is in Unix seconds."""
    fields = Reference(id=id_, type=type_, created=created, livemode=livemode)
    return json.dumps({_REFERENCE: fields._asdict()})


def decode(body: str) -> dict[str, Any] | Reference:
    """What `encode` put into a message: the event, or a reference to it. EventError when it is neither."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise EventError(f"the message is not JSON: {type(error).__name__}") from None
    if not isinstance(message, dict):
        raise EventError(f"the message is a JSON {type(message).__name__}, not an object")
    if _REFERENCE in message:
        return _reference(message[_REFERENCE])
    if not _name(message.get("id")):
        raise EventError(f"the message has no event id of 1 to {MAX_NAME} characters")
    return message


def customer_of(event: Mapping[str, Any]) -> str | None:
    """The Stripe customer that the event's object is or names; None where it names none."""
    subject = _subject(event)
    return _id(subject.get("id") if subject.get("object") == "customer" else subject.get("customer"))


def type_of(event: Mapping[str, Any]) -> str | None:
    """The event's type; None for what is no name of one, which a log and a reference could not hold either."""
    return _name(event.get("type"))


def group_of(event: Mapping[str, Any]) -> str:
    """The FIFO group of an event: what it happened to, so that one customer's events stay in order.

    The customer if the object names one, else the customer account, else the PaymentIntent, else the object's own
    id; what names nothing is its own group. Groups only make conflicts rare: InvoicePayment and Dispute name no
    customer, so nothing may depend on them.
    """
    subject = _subject(event)
    payment = subject.get("payment")  # InvoicePayment: {"type": "payment_intent", "payment_intent": "pi_…"}
    found = (
        customer_of(event)
        or _id(subject.get("customer_account"))
        or _id(subject.get("payment_intent"))
        or _id(payment.get("payment_intent") if isinstance(payment, dict) else None)
        or _id(subject.get("id"))
        or _id(event.get("id"))
    )
    return queue_id(found or "unknown")


def _subject(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that the event tells of; a thin event (v2.core.event) only has its {"id", "type", "url"}."""
    data = event.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    for candidate in (subject, event.get("related_object")):
        if isinstance(candidate, dict):
            return candidate
    return {}


def queue_id(text: str) -> str:
    """`text` as a message group or deduplication id: itself, or its SHA-256 where SQS would refuse it."""
    visible = text.isascii() and text.isprintable() and " " not in text  # ASCII's letters, digits and punctuation
    fits = visible and 0 < len(text) <= 128
    return text if fits else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _id(value: object) -> str | None:
    """The id in a field that holds an id or the expanded object."""
    if isinstance(value, dict):
        value = value.get("id")
    return _name(value)


def _name(value: object) -> str | None:
    """`value` if it is a text that can name something at Stripe."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_NAME else None


def _reference(fields: object) -> Reference:
    match fields:
        case {"id": str(id_), "type": str(type_), "created": int(created), "livemode": bool(livemode)} if id_:
            return Reference(id=id_, type=type_, created=created, livemode=livemode)
    raise EventError("the message holds an event reference without id, type, created and livemode")


def _unix(created: object) -> int:
    """`created` in Unix seconds: snapshot events carry those, thin events an ISO 8601 time; 0 when it is neither."""
    from datetime import datetime  # only here: few events are too large, and the function starts sooner without it

    try:
        if isinstance(created, (int, float)):
            return int(created)
        return int(datetime.fromisoformat(created).timestamp()) if isinstance(created, str) else 0
    except (ValueError, OverflowError):
        return 0


def _unreadable(raw: bytes, text: str) -> str:
    """What SQS takes of the `text` of `raw`. Where that is not all, it starts with U+FFFD, or it might be JSON now."""
    clean = re.sub(_REFUSED, "\ufffd", text)
    whole = 0 < len(raw) <= MAX_BYTES and clean.encode() == raw
    return clean if whole else f"\ufffd{clean}".encode()[:MAX_BYTES].decode("utf-8", "ignore")
