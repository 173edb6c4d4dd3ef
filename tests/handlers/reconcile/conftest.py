"""A Stripe twin whose events reach the pipeline only where a test delivers them, and reconcile over both."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import stripe

from handlers.adapters.events_feed import EventsFeed
from handlers.adapters.reconcile_table import Pass, ReconcileTable
from handlers.adapters.stripe_lists import StripeLists
from handlers.adapters.stripe_read import StripeReader
from handlers.core.switch import Switch
from handlers.entrypoints.comparisons import Desk, Found, Step, comparisons
from handlers.entrypoints.reconcile import Outcome, Reconcile
from handlers.entrypoints.recording import Recorder
from handlers.settings import DESTINATIONS, STRIPE_EVENTS
from rehearsal.twins.stripe import StripeTwin
from tests.handlers.pipeline_world import World

HOUR, DAY = 3600, 86_400
PLENTY_MS = 300_000
PRICE = "pro_yearly"  # the lookup key that the tests' policy names


@dataclass
class Shop:
    """One business: its Stripe account, and the pipeline an hour later."""

    world: World
    twin: StripeTwin
    sdk: Any
    switches: dict[str, Switch] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)

    def price(self, interval: str | None = "year") -> str:
        told = {"currency": "eur", "unit_amount": 4900, "product_data": {"name": "Pro"}, "lookup_key": PRICE}
        return self.sdk.prices.create(
            {**told, "transfer_lookup_key": True, **({"recurring": {"interval": interval}} if interval else {})}
        ).id

    def customer(self, user: str | None = "user_ada", name: str = "ada") -> str:
        metadata = {"user_id": user} if user else {}
        made = self.sdk.customers.create({"email": f"{name}@tidewriters.example", "metadata": metadata}).id
        card = self.sdk.payment_methods.attach("pm_card_visa", {"customer": made})
        self.sdk.customers.update(made, {"invoice_settings": {"default_payment_method": card.id}})
        return made

    def subscription(self, user: str | None = "user_ada", name: str = "ada") -> Any:
        items = [{"price": self.price()}]
        metadata = {"user_id": user} if user else {}
        return self.sdk.subscriptions.create(
            {"customer": self.customer(user, name), "items": items, "metadata": metadata}
        )

    def purchase(self, user: str | None = "user_ada") -> str:
        """Something bought once in Checkout; its session."""
        line = {"price": self.price(None), "quantity": 1}
        session = self.sdk.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [line],
                "success_url": "https://tidewriters.example",
                "metadata": {"user_id": user} if user else {},
            }
        )
        self.twin.pay(session.id, email="ada@tidewriters.example")
        return session.id

    def spread(self) -> None:
        """Let a minute pass between any two events, backwards from now."""
        with self.twin._store.lock:
            for place, event in enumerate(reversed(self.twin._store.find("event"))):
                event["created"] -= 60 * place

    def payment_of(self, subscription: Any) -> str:
        (link,) = self.sdk.invoice_payments.list({"invoice": subscription.latest_invoice}).data
        return link.payment.payment_intent

    def deliver(self, *lost: str, since: int = 0) -> None:
        """Deliver everything that happened since an event, but for the types `lost`."""
        for event in self.twin.events()[since:]:
            if event["type"] in STRIPE_EVENTS and event["type"] not in lost:
                assert self.world.deliver(event) == []

    @property
    def queue_url(self) -> str:
        attributes = {"FifoQueue": "true"}
        sqs = self.world.connect("sqs")
        return sqs.create_queue(QueueName=f"{self.world.name}-events.fifo", Attributes=attributes)["QueueUrl"]

    def take(self) -> list[str]:
        """Let apply work off the events queue; the ids of the events in it."""
        sqs, taken = self.world.connect("sqs"), []
        while messages := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                taken.append(json.loads(message["Body"])["id"])
                assert self.world.deliver(message["Body"]) == []
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def later(self, seconds: float) -> None:
        self.world.clock.now += seconds

    @property
    def table(self) -> ReconcileTable:
        return ReconcileTable(self.world.dynamodb, self.world.name)

    def desk(self, *, heal: bool = True, url: str | None = None) -> Desk:
        world = self.world
        return Desk(
            stripe=StripeLists(
                StripeReader(lambda: self.twin.read_key, url or self.twin.url, timeout=5),
                per_second=10_000,
                pause=lambda _: None,
            ),
            table=self.table,
            store=world.store,
            feed=EventsFeed(world.sqs, self.queue_url),
            nudges=world.nudges,
            recorder=world.recorder,
            silent=Recorder(
                store=world.store, policy=world.policy, destinations=DESTINATIONS, silent=True, clock=world.clock
            ),
            asking=world.asking,
            reading=world.policy.reading(),
            switches=self.switches,
            live=True,
            heal=heal,
            clock=world.clock,
        )

    def reconcile(
        self,
        *,
        heal: bool = True,
        left_ms: Callable[[], float] = lambda: PLENTY_MS,
        url: str | None = None,
        resume: bool = True,
        since: int | None = None,
    ) -> Outcome:
        """One run; what it found is in `found`."""
        self.found.clear()
        self.world.stripe_url = url or self.twin.url
        desk = self.desk(heal=heal, url=url)
        states = [spec.name for spec in DESTINATIONS if spec.carries == "state"]
        run = Reconcile(comparisons(desk, STRIPE_EVENTS, states), desk=desk, watch=self._watch)
        return run.run(left_ms, resume=resume, since=since)

    def kinds(self) -> set[str]:
        """What kinds of things the last run found."""
        return {found.kind for found in self.found}

    def state(self, user: str = "user_ada") -> str | None:
        member = self.world.member(user)
        return member["state"] if member else None

    def rows(self) -> dict[tuple[str, str], Any]:
        """The whole table but for reconcile's own place in it."""
        answer = self.world.connect("dynamodb").scan(TableName=self.world.name)
        assert "LastEvaluatedKey" not in answer
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in answer["Items"] if item["pk"]["S"] != "RECONCILE"}

    def _watch(self, current: Pass, step: Step) -> None:
        self.passes.append(current)
        self.found.extend(step.found)


@pytest.fixture
def shop(world: World) -> Iterator[Shop]:
    twin = StripeTwin(read_key="rk_live_read", transport=lambda _url, _body, _headers: 200)
    twin.start()
    client = stripe.RequestsClient()
    sdk = stripe.StripeClient(twin.api_key, base_addresses={"api": twin.url}, http_client=client).v1
    world.clock.now = time.time() + HOUR
    assert world.dynamodb is not None  # makes the table
    yield Shop(world, twin, sdk)
    client.close()
    twin.stop()
