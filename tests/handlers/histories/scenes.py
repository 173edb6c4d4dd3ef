"""Short histories written by hand, for what must be shown by name or in every order."""

from dataclasses import dataclass, field
from typing import Any

from tests.handlers.histories import money
from tests.handlers.histories.people import Buyer, Naming
from tests.handlers.histories.prices import PASS
from tests.handlers.histories.purchases import Purchase
from tests.handlers.histories.scribe import Scribe
from tests.handlers.histories.subscriptions import Bill, Subscription
from tests.handlers.story import MONTH, PRICE, START, Event

AMOUNT = 2900


@dataclass
class Scene:
    """One buyer's purchases, event by event; nothing is left to chance."""

    buyer: Buyer = field(default_factory=lambda: Buyer("user_ada", "cus_ada", "ada@mail.example", {}))
    naming: Naming = field(default_factory=lambda: Naming("object", "user_ada"))
    scribe: Scribe = field(default_factory=Scribe)

    @property
    def events(self) -> list[Event]:
        """What was told so far."""
        return self.scribe.events

    def subscription(self, begun: int = START, **fields: Any) -> Subscription:
        """A subscription of which was told that it began."""
        known: dict[str, Any] = {"price": PRICE, "status": "active", "period_end": begun + MONTH}
        new = Subscription(self.scribe, self.buyer, self.scribe.id("sub"), self.naming, begun=begun, **known | fields)
        new.tell("created", begun)
        return new

    def paid(self, new: Subscription, at: int = START, amount: int = AMOUNT) -> Bill:
        """An invoice of the subscription that was paid two seconds after it was made."""
        bill = new.invoice("subscription_create", at)
        bill.paid(at + 2, amount)
        return bill

    def purchase(self, price: str = PASS, at: int = START) -> Purchase:
        """A one-time purchase of which nothing was told yet."""
        return Purchase(self.scribe, self.buyer, self.naming, price, at)

    def refund(self, payment: str, amount: int, at: int, *, id_: str = "re_1", status: str = "succeeded") -> None:
        """refund.created, without the charge."""
        money.refund(self.scribe, "created", id_, payment, amount, at, status=status, customer=self.buyer.customer)

    def dispute(self, payment: str, status: str, at: int, *, id_: str = "du_1", closed: bool = False) -> None:
        """charge.dispute.created or .closed, of a dispute opened at `at`."""
        money.dispute(self.scribe, "closed" if closed else "created", id_, payment, status, at, opened=at)
