"""Money on its way: sessions, payments, one-time purchases, and what goes back by refund or dispute."""

from typing import Any

from tests.handlers.histories.people import Buyer, Naming
from tests.handlers.histories.scribe import DISPUTE, PAYMENT_INTENT, Scribe, recorded
from tests.handlers.story import DAY

HOUR = 3600


def session(
    scribe: Scribe, verb: str, at: int, buyer: Buyer, naming: Naming, *, price: str | None = None, **changes: Any
) -> None:
    """checkout.session.{verb}."""
    email = None if verb == "expired" else buyer.email
    fields: dict[str, Any] = {
        "id": scribe.id("cs"),
        "customer": buyer.customer,
        "customer_details": {"email": email, "name": None} if email else None,
        "client_reference_id": naming.reference,
        "metadata": naming.metadata_of_session | ({"price_id": price} if price else {}),
        "created": at,
        "status": "expired" if verb == "expired" else "complete",
    }
    obj = recorded("checkout.session.completed", **fields | changes)
    scribe.tell(f"checkout.session.{verb}", at=at, obj=obj)


def invoice_payment(scribe: Scribe, invoice: str, payment: str, amount: int, at: int) -> None:
    """invoice_payment.paid."""
    paid_with = {"payment_intent": payment, "type": "payment_intent"}
    obj = recorded(
        "invoice_payment.paid", id=scribe.id("inpay"), invoice=invoice, payment=paid_with, amount_paid=amount
    )
    scribe.tell("invoice_payment.paid", at=at, obj=obj)


def payment_intent(
    scribe: Scribe,
    verb: str,
    id_: str,
    at: int,
    *,
    customer: str | None,
    amount: int,
    metadata: dict[str, str] | None = None,
    invoice: str | None = None,
) -> None:
    """payment_intent.{verb}."""
    succeeded = verb == "succeeded"
    obj = {
        **PAYMENT_INTENT,
        "id": id_,
        "customer": customer,
        "amount": amount,
        "amount_received": amount if succeeded else 0,
        "created": at,
        "metadata": metadata or {},
        "status": "succeeded" if succeeded else "requires_payment_method",
    }
    scribe.tell(f"payment_intent.{verb}", at=at, obj=obj, invoice=invoice)


def comes_back(
    scribe: Scribe, payment: str, amount: int, paid_at: int, *, customer: str | None, invoice: str | None = None
) -> None:
    """Sometimes the money goes back, soon or only after the next payment."""
    if scribe.choose(False, False, False, True):
        charge = recorded("charge.refunded", id=f"ch_{payment}", payment_intent=payment, customer=customer)
        scribe.tell("charge.updated", at=paid_at, obj=charge)  # a type that means nothing to us, whatever it says
    at = paid_at + scribe.choose(2 * HOUR, 40 * DAY)
    match scribe.choose("nothing", "nothing", "nothing", "refund", "dispute"):
        case "refund":
            _Refunds(scribe, payment, amount, customer, invoice).happen(at)
        case "dispute":
            disputed(scribe, payment, at)


def disputed(scribe: Scribe, payment: str, at: int) -> None:
    """A dispute or an inquiry, which may end and may have been told of only then."""
    id_ = scribe.id("du")
    status = scribe.choose("needs_response", "warning_needs_response", "under_review")
    closed = scribe.choose(None, "lost", "won", "warning_closed" if status.startswith("warning_") else "prevented")
    dispute(scribe, "created", id_, payment, status, at + scribe.choose(0, 5), opened=at)
    if closed:
        dispute(scribe, "closed", id_, payment, closed, at + 9 * DAY, opened=at)


def dispute(scribe: Scribe, verb: str, id_: str, payment: str, status: str, at: int, *, opened: int) -> None:
    """charge.dispute.{verb}."""
    named = {"id": id_, "charge": f"ch_{payment}", "payment_intent": payment, "created": opened, "status": status}
    scribe.tell(f"charge.dispute.{verb}", at=at, obj={**DISPUTE, **named})


def refund(
    scribe: Scribe,
    verb: str,
    id_: str,
    payment: str,
    amount: int,
    at: int,
    *,
    status: str = "succeeded",
    created: int | None = None,
    customer: str | None = None,
) -> None:
    """refund.{verb}."""
    obj = recorded(
        "refund.created", id=id_, amount=amount, charge=f"ch_{payment}", created=created or at,
        payment_intent=payment, status=status, customer=customer,
    )  # fmt: skip
    scribe.tell(f"refund.{verb}", at=at, obj=obj)


class _Refunds:
    """The refunds of one payment."""

    def __init__(self, scribe: Scribe, payment: str, amount: int, customer: str | None, invoice: str | None) -> None:
        self.scribe, self.payment, self.amount = scribe, payment, amount
        self.customer, self.invoice = customer, invoice
        self.returned = 0

    def happen(self, at: int) -> None:
        """Some of it, all of it, all in two parts, or a part that the payer's bank sends back."""
        half = self.amount // 2
        match self.scribe.choose("all", "some", "two parts", "fails", "one of two fails"):
            case "all":
                self.part(self.amount, at)
            case "some":
                self.part(half, at)
            case "two parts":
                self.part(half, at)
                self.part(self.amount - half, at + DAY)
            case "fails":
                self.part(self.amount, at, dies_at=at + 4 * DAY)
            case "one of two fails":
                self.part(half, at, dies_at=at + 4 * DAY)
                self.part(self.amount - half, at + DAY)

    def part(self, amount: int, at: int, *, dies_at: int | None = None) -> None:
        """One refund; the charge tells the sum of all so far."""
        id_, pending = self.scribe.id("re"), self.scribe.maybe()
        self.returned += amount
        self._tell(id_, "created", amount, at, created=at, status="pending" if pending else "succeeded")
        if self.scribe.choose(True, True, False):
            obj = recorded(
                "charge.refunded", id=f"ch_{self.payment}", amount=self.amount, amount_captured=self.amount,
                amount_refunded=self.returned,
                refunded=self.returned >= self.amount, payment_intent=self.payment, customer=self.customer,
            )  # fmt: skip
            self.scribe.tell("charge.refunded", at=at, obj=obj, invoice=self.invoice)
        if pending:
            self._tell(id_, "updated", amount, at + HOUR, created=at)
        if dies_at is not None:
            self._tell(id_, "failed", amount, dies_at, created=at, status="failed")
            self.returned -= amount

    def _tell(self, id_: str, verb: str, amount: int, at: int, *, created: int, status: str = "succeeded") -> None:
        refund(self.scribe, verb, id_, self.payment, amount, at, status=status, created=created, customer=self.customer)
