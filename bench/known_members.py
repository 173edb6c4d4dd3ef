"""Members whose every object is known: what they bought, by whom they were named, and events about it of any type."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from tests.handlers import story
from tests.handlers.story import DAY, MONTH, START, Event

ONCE = "price_1PrintEUR0001"
AMOUNT = 2900
POLICY = {"products": [{"price": story.PRICE, "level": "member"}, {"price": ONCE, "level": "print"}]}

What = Literal["subscription", "payment", "invoice"]
NamedBy = Literal["object", "session", "customer"]

# How a purchase usually goes on; those that do not fit what was bought are left out.
USUAL = (
    "customer.created",
    "customer.subscription.created",
    "payment_intent.succeeded",
    "invoice_payment.paid",
    "invoice.paid",
    "invoice.payment_succeeded",
    "customer.subscription.updated",
    "checkout.session.completed",
)


@dataclass(frozen=True, kw_only=True)
class Bought:
    """One purchase of the buyer `number`: what it is, and which object names the app's user."""

    number: int
    what: What
    named_by: NamedBy

    @property
    def name(self) -> str:
        """For the table."""
        kind = "subscription" if self.what == "subscription" else f"one-time {self.what}"
        return f"{kind}, named by {'itself' if self.named_by == 'object' else f'its {self.named_by}'}"

    @property
    def user(self) -> str:
        """The app's user id."""
        return f"user_{self.number}"

    def usual(self) -> list[Event]:
        """The events of the purchase in the usual order."""
        told = (self.event(kind, START + place) for place, kind in enumerate(USUAL))
        return [event for event in told if event is not None]

    def event(self, kind: str, at: int = START + DAY, *, renewal: int = 0) -> Event | None:
        """An event of the type `kind` about the purchase, or about its renewal; None where there is no such event."""
        if kind.startswith("checkout.session.") and (self.named_by == "customer" or renewal):
            return None  # it is a purchase without Checkout
        if kind.startswith("customer.subscription."):
            return self._of_subscription(kind, at) if self.what == "subscription" else None
        if kind.startswith(("invoice.", "invoice_payment.")) and self.what == "payment":
            return None
        made = story.event(kind, at=at)
        made["data"]["object"].update(self._fields(kind, renewal))
        return made

    def bought_again(self, times: int) -> list[Event]:
        """Further one-time payments of the same customer."""
        kind = "payment_intent.succeeded"
        again = (self.event(kind, START + count, renewal=count) for count in range(1, times + 1))
        return [event for event in again if event is not None]

    def moved(self) -> Event:
        """The app's server gives the customer to another user."""
        return story.event("customer.updated", at=START + DAY, id=self._id("cus"), metadata={"user_id": "user_b"})

    def _of_subscription(self, kind: str, at: int) -> Event:
        end = START + MONTH if at < START + DAY else START + 2 * MONTH
        return story.subscription(
            kind.rpartition(".")[2],
            at=at,
            id_=self._id("sub"),
            customer=self._id("cus"),
            user=self.user if self.named_by == "object" else None,
            period_end=end,
        )

    def _fields(self, kind: str, renewal: int) -> Iterator[tuple[str, object]]:
        own, customer = self._metadata("object"), self._id("cus")
        payment, invoice = f"{self._id('pi')}_{renewal}", f"{self._id('in')}_{renewal}"
        match kind.split("."):
            case ["customer", _]:
                yield from {"id": customer, "metadata": self._metadata("customer")}.items()
            case ["checkout", *_]:
                yield from self._session(payment, invoice)
            case ["invoice", _]:
                yield from {"id": invoice, "customer": customer, "created": START + renewal * MONTH}.items()
                yield from self._billed(own)
            case ["invoice_payment", _]:
                yield from {"id": f"{invoice}_paid", "invoice": invoice}.items()
                yield "payment", {"type": "payment_intent", "payment_intent": payment}
            case ["payment_intent", _]:
                sold = {"price_id": ONCE} if self.what == "payment" else {}
                named = own if self.what == "payment" else {}
                yield from {"id": payment, "customer": customer, "metadata": named | sold}.items()
            case _:  # a charge, its refund or its dispute
                yield from {"id": f"{kind}_{payment}", "payment_intent": payment, "customer": customer}.items()

    def _session(self, payment: str, invoice: str) -> Iterator[tuple[str, object]]:
        bought = {"subscription": None, "invoice": None, "payment_intent": None}
        if self.what == "subscription":
            bought |= {"subscription": self._id("sub"), "invoice": invoice}
        else:
            bought |= {"payment_intent": payment, "invoice": invoice if self.what == "invoice" else None}
        yield from bought.items()
        yield from {"id": self._id("cs"), "customer": self._id("cus"), "metadata": self._metadata("session")}.items()
        yield "mode", "subscription" if self.what == "subscription" else "payment"
        yield "line_items", {"data": [{"price": {"id": ONCE}}]}

    def _billed(self, own: dict[str, str]) -> Iterator[tuple[str, object]]:
        if self.what == "subscription":
            details = {"metadata": own, "subscription": self._id("sub")}
            yield "parent", {"type": "subscription_details", "quote_details": None, "subscription_details": details}
        else:
            yield from {"parent": None, "metadata": own}.items()
            yield "lines", {"data": [{"pricing": {"price_details": {"price": ONCE}}}]}

    def _metadata(self, place: str) -> dict[str, str]:
        return {"user_id": self.user} if self.named_by == place else {}

    def _id(self, kind: str) -> str:
        return f"{kind}_{self.number}"


def purchases(number: int) -> list[Bought]:
    """Everything that can be bought, by members of their own from `number` on."""
    kinds = itertools.product(get_args(What), get_args(NamedBy))
    return [Bought(number=number + place, what=what, named_by=by) for place, (what, by) in enumerate(kinds)]
