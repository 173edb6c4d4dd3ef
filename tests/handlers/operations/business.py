"""A business that had customers before the stack: a Stripe twin, driven through everything that people do."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import stripe

from rehearsal.twins.stripe import StripeTwin

DAY = 86_400


@dataclass
class Business:
    """`sdk` is the official client, with the key that may do everything."""

    twin: StripeTwin
    sdk: Any
    _prices: dict[str, str] = field(default_factory=dict)

    def price(self, name: str) -> str:
        """The price with the lookup key `name`: by the month, but for the course."""
        if name not in self._prices:
            told = {"currency": "eur", "unit_amount": 1900, "product_data": {"name": name}, "lookup_key": name}
            recurring = {} if name == "course" else {"recurring": {"interval": "month"}}
            self._prices[name] = self.sdk.prices.create({**told, **recurring}).id
        return self._prices[name]

    @property
    def products(self) -> list[dict[str, Any]]:
        """What the stack's config names: subscriptions by lookup key, the course by id, as invoices tell it."""
        course = {"price": self.price("course"), "level": "course", "days": 365}
        return [{"price": "member", "level": "member"}, {"price": "pro", "level": "pro"}, course]

    def clock(self, days_ago: float) -> str:
        """A test clock that stands `days_ago`; `to_now` brings whoever lives by it to the present."""
        return self.sdk.test_helpers.test_clocks.create({"frozen_time": int(time.time() - days_ago * DAY)}).id

    def to_now(self, clock: str) -> None:
        """Bring the clock to the present, and take it away: Stripe's lists leave out whoever lives by one."""
        self.twin.advance(clock, int(time.time()))
        for kind in ("customer", "subscription", "invoice"):
            for item in self.twin._store.find(kind, test_clock=clock):
                item["test_clock"] = None

    def customer(
        self, name: str, *, user: str | None = None, card: str | None = "pm_card_visa", clock: str | None = None
    ) -> str:
        told = {"email": f"{name}@tidewriters.example", "metadata": {"user_id": user} if user else {}}
        made = self.sdk.customers.create({**told, **({"test_clock": clock} if clock else {})}).id
        if card:
            self.card(made, card)
        return made

    def card(self, customer: str, card: str) -> None:
        method = self.sdk.payment_methods.attach(card, {"customer": customer})
        self.sdk.customers.update(customer, {"invoice_settings": {"default_payment_method": method.id}})

    def subscribed(self, customer: str, *, user: str | None = None, price: str = "member", **more: Any) -> Any:
        metadata = {"user_id": user} if user else {}
        return self.sdk.subscriptions.create(
            {"customer": customer, "items": [{"price": self.price(price)}], "metadata": metadata, **more}
        )

    def checkout(self, mode: str, *, price: str = "course", user: str | None = None, **more: Any) -> Any:
        """A Checkout Session that nobody has paid yet."""
        told = {
            "mode": mode,
            "line_items": [{"price": self.price(price), "quantity": 1}],
            "success_url": "https://x.example",
        }
        return self.sdk.checkout.sessions.create({**told, "metadata": {"user_id": user} if user else {}, **more})

    def paid(self, mode: str, *, outcome: str = "paid", **more: Any) -> Any:
        """A Checkout Session that somebody has paid."""
        made = self.checkout(mode, **more)
        self.twin.pay(made.id, outcome, email=f"{more.get('user') or 'guest'}@tidewriters.example")  # ty: ignore
        return self.sdk.checkout.sessions.retrieve(made.id)

    def payment_of(self, subscription: Any) -> str:
        """The PaymentIntent of the newest invoice."""
        newest = self.sdk.subscriptions.retrieve(subscription.id).latest_invoice
        (link,) = self.sdk.invoice_payments.list({"invoice": newest}).data
        return link.payment.payment_intent

    def refund(self, payment: str, **more: Any) -> None:
        self.sdk.refunds.create({"payment_intent": payment, **more})


@contextmanager
def open_business() -> Generator[Business]:
    """A business of its own, closed at the end."""
    twin = StripeTwin(read_key="rk_live_read", transport=lambda _url, _body, _headers: 200)
    twin.start()
    client = stripe.RequestsClient()
    yield Business(twin, stripe.StripeClient(twin.api_key, base_addresses={"api": twin.url}, http_client=client).v1)
    client.close()
    twin.stop()


# In which state each of `everything` ends.
STATES = {
    **dict.fromkeys(("ada", "bob", "carl", "gus", "hal", "ida", "joe", "kim", "ned", "ren"), "active"),
    **dict.fromkeys(("emil", "quin"), "canceled"),
    **dict.fromkeys(("fay", "lea"), "refunded"),
    "dora": "trialing",
    "mia": "pending",
    "pia": "grace_period",
    "zoe": "lead",
}


def everything(shop: Business) -> None:
    """One of each: what people buy, how it ends, and who tells us who they are."""
    shop.subscribed(shop.customer("ada"), user="ada")
    shop.subscribed(shop.customer("bob", user="bob"))  # known by the customer alone
    shop.paid("subscription", price="pro", user="carl")  # known by the session alone
    shop.subscribed(shop.customer("dora"), user="dora", trial_period_days=30)
    shop.sdk.subscriptions.cancel(shop.subscribed(shop.customer("emil"), user="emil").id)
    shop.refund(shop.payment_of(shop.subscribed(shop.customer("fay"), user="fay")))
    shop.refund(shop.payment_of(shop.subscribed(shop.customer("gus"), user="gus")), amount=500)
    shop.twin.dispute(shop.payment_of(shop.subscribed(shop.customer("hal"), user="hal")))
    ends = shop.subscribed(ending := shop.customer("ida"), user="ida")
    shop.sdk.subscriptions.update(ends.id, {"cancel_at_period_end": True})
    shop.subscribed(ending, price="pro")  # the first one tells whose
    shop.paid("payment", user="joe")
    shop.paid("payment", user="kim", customer_creation="always", invoice_creation={"enabled": True})
    shop.refund(shop.paid("payment", user="lea").payment_intent)
    debit = {"payment_method_types": ["card", "sepa_debit"]}
    shop.paid("payment", user="mia", outcome="processing", **debit)
    intent = {"amount": 4900, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
    bought = {"user_id": "ned", "price_id": shop.price("course")}
    shop.sdk.payment_intents.create({**intent, "customer": shop.customer("ned"), "metadata": bought})
    _late_payers(shop)
    shop.subscribed(shop.customer("zoe"), price="unnamed", user="zoe")


def _late_payers(shop: Business) -> None:
    """A renewal that failed two days ago, one that was never paid, and one whose old payment was given back."""
    clock = shop.clock(days_ago=33)
    shop.subscribed(late := shop.customer("pia", clock=clock), user="pia")
    shop.card(late, "pm_card_chargeCustomerFail")
    renewed = shop.subscribed(shop.customer("ren", clock=clock), user="ren")
    shop.refund(shop.payment_of(renewed))
    shop.to_now(clock)
    older = shop.clock(days_ago=100)
    shop.subscribed(never := shop.customer("quin", clock=older), user="quin")
    shop.card(never, "pm_card_chargeCustomerFail")
    shop.to_now(older)
