"""One-time purchases: by Checkout, paid at once, later or never, by a PaymentIntent alone, and by an invoice."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.handlers.histories import money
from tests.handlers.histories.people import Buyer, Naming
from tests.handlers.histories.prices import LIFETIME, SEASON
from tests.handlers.histories.scribe import Scribe, recorded
from tests.handlers.story import DAY

AMOUNT = 1900


def purchase(scribe: Scribe, buyer: Buyer, price: str, at: int) -> None:
    """Everything that is told of one one-time purchase."""
    Purchase(scribe, buyer, buyer.naming(scribe), price, at).happen()


@dataclass
class Purchase:
    """One thing bought once."""

    scribe: Scribe
    buyer: Buyer
    naming: Naming
    price: str
    at: int

    def happen(self) -> None:
        """One of the ways to buy it."""
        match self.scribe.choose("checkout", "later", "expired", "free", "with invoice", "payment alone", "invoice"):
            case "checkout":
                self._checkout()
            case "later":
                self._paid_later()
            case "expired":
                self.session("expired", self.at + DAY, payment_status="unpaid")
            case "free":
                self.session("completed", self.at, payment_status="no_payment_required", amount_total=0)
            case "with invoice":
                self._checkout(invoice=self.scribe.id("in"))
            case "payment alone":
                self._payment_alone()
            case "invoice":
                outcome = self.scribe.choose("paid", "paid", "payment_failed")
                self._invoice(self.scribe.id("in"), self.scribe.id("pi"), outcome)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The prices of the session's line items, where it tells them."""
        if self.scribe.maybe():
            return ()
        return (self.price, *self.scribe.choose((), (), (SEASON,), (LIFETIME,)))

    def _checkout(self, invoice: str | None = None) -> None:
        payment = self.scribe.id("pi")
        if self.scribe.choose(False, False, True):
            self.payment("payment_failed", payment, self.at, invoice)
        if self.scribe.maybe():
            self.payment("succeeded", payment, self.at + 2, invoice)
        if invoice:
            self._invoice(invoice, payment)
        self.session("completed", self.at + 3, payment_intent=payment, invoice=invoice, payment_status="paid")
        if not invoice:
            self._money(payment)

    def _paid_later(self) -> None:
        """A bank debit: the session is complete long before the money is there."""
        payment, cart = self.scribe.id("pi"), self.scribe.id("cs")
        self.session("completed", self.at, id=cart, payment_intent=payment, payment_status="unpaid")
        later = self.at + 4 * DAY
        match self.scribe.choose("succeeded", "failed", "silence"):
            case "succeeded":
                self.payment("succeeded", payment, later)
                self.session("async_payment_succeeded", later, id=cart, payment_intent=payment, payment_status="paid")
                self._money(payment, since=later)
            case "failed":
                self.payment("payment_failed", payment, later)
                self.session("async_payment_failed", later, id=cart, payment_intent=payment, payment_status="unpaid")

    def _payment_alone(self) -> None:
        """The app makes the PaymentIntent itself, and says in its metadata what it is for."""
        payment = self.scribe.id("pi")
        metadata = self.naming.metadata_of_object | {"price_id": self.price}
        if self.scribe.choose(False, False, True):
            self.payment("payment_failed", payment, self.at, metadata=metadata)
            if self.scribe.maybe():
                return
        self.payment("succeeded", payment, self.at + 2, metadata=metadata)
        self._money(payment)

    def _invoice(self, id_: str, payment: str, outcome: str = "paid") -> None:
        """An invoice that is no subscription's."""
        line = {"id": "il_1", "pricing": {"price_details": {"price": self.price}, "type": "price_details"}}
        fields = {
            "id": id_, "customer": self.buyer.customer, "customer_email": self.buyer.email, "created": self.at,
            "amount_due": AMOUNT, "billing_reason": "manual", "parent": None, "lines": {"data": [line]},
            "metadata": self.naming.metadata_of_object, "amount_paid": AMOUNT if outcome == "paid" else 0,
        }  # fmt: skip
        obj = recorded(f"invoice.{outcome}", **fields)
        self.scribe.tell(f"invoice.{outcome}", at=self.at + 2, obj=obj, payment=payment)
        if outcome == "paid":
            money.invoice_payment(self.scribe, id_, payment, AMOUNT, self.at + 2)
            self._money(payment, invoice=id_)

    def payment(
        self, verb: str, id_: str, at: int, invoice: str | None = None, metadata: dict[str, str] | None = None
    ) -> None:
        """payment_intent.{verb}."""
        money.payment_intent(
            self.scribe, verb, id_, at, customer=self.buyer.customer, amount=AMOUNT,
            metadata=self.naming.metadata_of_object if metadata is None else metadata, invoice=invoice,
        )  # fmt: skip

    def session(self, verb: str, at: int, **changes: Any) -> None:
        """A session of mode payment; what it sold is in its lines or in its metadata."""
        fields: dict[str, Any] = {
            "mode": "payment",
            "amount_total": AMOUNT,
            "subscription": None,
            "invoice": None,
            "payment_intent": None,
        }
        if self.lines:
            lines = [{"id": "li_1", "price": {"id": price}} for price in self.lines]
            fields["line_items"] = {"object": "list", "data": lines}
        price = None if self.lines else self.price
        money.session(self.scribe, verb, at, self.buyer, self.naming, price=price, **fields | changes)

    def _money(self, payment: str, *, invoice: str | None = None, since: int | None = None) -> None:
        paid_at = (self.at if since is None else since) + 3
        money.comes_back(self.scribe, payment, AMOUNT, paid_at, customer=self.buyer.customer, invoice=invoice)
