"""The Stripe stand-in: an HTTP API for the official SDK, webhook deliveries, and what a rehearsal steers them with."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx

from rehearsal.twins.server import Server
from rehearsal.twins.stripe import page
from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.api import clocks
from rehearsal.twins.stripe.api.webhooks import new_secret
from rehearsal.twins.stripe.app import App
from rehearsal.twins.stripe.billing import checkout, clock, disputes, refunds, subscription
from rehearsal.twins.stripe.cards import FRAUDULENT, INQUIRY
from rehearsal.twins.stripe.declared import faults
from rehearsal.twins.stripe.delivery import Courier
from rehearsal.twins.stripe.keys import Keys
from rehearsal.twins.stripe.objects.events import event, notification, thin_event
from rehearsal.twins.stripe.service import Service
from rehearsal.twins.stripe.settings import API_VERSION, Billing, Delivering
from rehearsal.twins.stripe.signing import signature_header
from rehearsal.twins.stripe.store import Object, Store, snapshot
from rehearsal.twins.stripe.transport import Attempt, Transport, http_transport


class DishonestEventError(ValueError):
    """An event that Stripe could not have sent; the message lists what is wrong with it."""


class StripeTwin:
    """One Stripe account on 127.0.0.1.

    `api_key` may do everything, `read_key` only read (new ones are made where none is given). `transport` carries
    webhook deliveries: an httpx.Client, or a callable (url, body, headers) -> HTTP status that raises OSError or
    httpx.HTTPError where there is no answer.
    """

    api_version = API_VERSION

    def __init__(
        self,
        *,
        livemode: bool = True,
        api_key: str | None = None,
        read_key: str | None = None,
        transport: Transport | httpx.Client | None = None,
        billing: Billing | None = None,
        delivering: Delivering | None = None,
    ) -> None:
        settings = delivering or Delivering()
        self.livemode = livemode
        self._keys = Keys.of(livemode=livemode, secret=api_key, restricted=read_key)
        self._store = Store()
        self._own_client = httpx.Client() if transport is None else None
        carrier = transport or self._own_client
        if isinstance(carrier, httpx.Client):
            carrier = http_transport(carrier, settings.timeout)
        assert carrier is not None
        self._courier = Courier(self._store, carrier, settings)
        self._account = Account(
            self._store, livemode=livemode, billing=billing or Billing(), on_event=self._courier.enqueue
        )
        self.app = App(self._account, Service(self._account, self._keys))
        self._server = Server(self.app, name="stripe")
        self._port = 0

    @property
    def api_key(self) -> str:
        """The secret key."""
        return self._keys.secret

    @property
    def read_key(self) -> str:
        """The restricted key that may only read."""
        return self._keys.restricted

    @property
    def url(self) -> str:
        """The API's base URL, once started."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen on a free port and begin to deliver."""
        self._port = self._server.start()
        self._account.page_url = self.url + page.PREFIX.rstrip("/")
        self._courier.start()

    def stop(self) -> None:
        """Stop delivering and listening."""
        self._courier.stop()
        self._server.stop()
        if self._own_client:
            self._own_client.close()

    def pay(
        self,
        session_id: str,
        outcome: checkout.Outcome = "paid",
        *,
        email: str | None = None,
        name: str | None = None,
        card: str = checkout.PAYS,
    ) -> None:
        """What the payer does on a session's hosted page. ApiError (402) if the card is refused."""
        with self._store.lock:
            session = self._store.get("checkout.session", session_id)
            checkout.submit(self._account, session, outcome, checkout.Payer(email, name, card))

    def settle_payment(self, session_id: str, *, paid: bool) -> None:
        """What the bank does days after a delayed payment: the money arrives, or the debit comes back."""
        with self._store.lock:
            checkout.arrive(self._account, self._store.get("checkout.session", session_id), paid=paid)

    def authenticate(self, intent_id: str) -> None:
        """The payer says yes to the bank for a PaymentIntent in `requires_action`, of an invoice or not."""
        with self._store.lock:
            subscription.authenticate(self._account, self._store.get("payment_intent", intent_id))

    def dispute(self, intent_id: str, *, inquiry: bool = False) -> str:
        """The cardholder tells the bank that a payment was none of theirs, some time after it; the dispute's id."""
        with self._store.lock:
            intent = self._store.get("payment_intent", intent_id)
            charge = self._store.get("charge", intent["latest_charge"] or "")
            opened = disputes.open_dispute(self._account, charge, INQUIRY if inquiry else FRAUDULENT)
            return opened["id"]

    def settle_refund(self, refund_id: str, how: refunds.Settled | None = None) -> None:
        """What the payer's bank makes of a refund later: as the test card is known for, or as `how` says."""
        with self._store.lock:
            refunds.settle(self._account, self._store.get("refund", refund_id), how)

    def advance(self, clock_id: str, frozen_time: int) -> None:
        """Bring a test clock to `frozen_time`, in as many steps as Stripe's limit of two intervals asks for."""
        with self._store.lock:
            item = self._store.get("test_helpers.test_clock", clock_id)
            while item["frozen_time"] < frozen_time:
                step = min(frozen_time, item["frozen_time"] + clock.furthest(self._account, item))
                clocks.advance(self._account, {"frozen_time": step}, clock_id)

    def events(self, kind: str | None = None) -> tuple[Object, ...]:
        """All events so far, oldest first, or those of one type."""
        with self._store.lock:
            return tuple(snapshot(some) for some in self._store.find("event") if kind in (None, some["type"]))

    def deliveries(self, event_id: str | None = None) -> tuple[Attempt, ...]:
        """Delivery attempts so far, of one event or of all, in the order in which they ended."""
        return self._courier.attempts(event_id)

    def wait_idle(self, timeout: float) -> bool:
        """Wait until no delivery or retry is pending; False if `timeout` seconds were not enough."""
        return self._courier.wait_idle(timeout)

    def hold(self) -> None:
        """Let events gather: no delivery starts until `release`."""
        self._courier.hold()

    def release(self) -> None:
        """Deliver what has gathered, and go on."""
        self._courier.release()

    def deliver_now(self, event_id: str) -> tuple[Attempt, ...]:
        """Make an event's pending deliveries now, also while held: with `hold`, any order can be had."""
        return self._courier.deliver_now(event_id)

    def redeliver(self, event_id: str, times: int = 1, *, concurrently: bool = False) -> tuple[Attempt, ...]:
        """Send an event again, as Stripe's "resend" does; `concurrently` sends all at the same moment."""
        return self._courier.again(event_id, times, concurrently=concurrently)

    def drop(self, event_id: str, *, acknowledged: bool = False) -> int:
        """Lose an event before it is delivered (hold first). How many deliveries were lost.

        Nobody has acknowledged it; with `acknowledged` somebody has, who was not the receiver.
        """
        dropped = self._courier.drop(event_id)
        if acknowledged:
            with self._store.lock:
                self._store.get("event", event_id)["pending_webhooks"] -= dropped
        return dropped

    @contextmanager
    def dropping(self, kind: str, about: str) -> Generator[None]:
        """Lose the events of one type, in the block, that are about the object or customer `about`."""

        def lost(told: Object) -> bool:
            content = told["data"]["object"]
            return told["type"] == kind and about in (content["id"], content.get("customer"))

        with self._courier.losing(lost):
            yield

    def post_thin(self, event_id: str, endpoint_id: str | None = None) -> tuple[Attempt, ...]:
        """Tell of an event's change with a thin event, signed as ever, to one endpoint or to all that are enabled.

        The attempts name the thin event, which `GET /v2/core/events/{id}` then answers; none is retried.
        DishonestEventError where Stripe has no thin events of that type.
        """
        with self._store.lock:
            thin = thin_event(self._store.get("event", event_id))
            wrong = faults(thin)
            if wrong:
                raise DishonestEventError("; ".join(wrong))
            self._store.add(thin)
            targets = [endpoint_id] if endpoint_id else [one["id"] for one in self._store.find("webhook_endpoint")]
        made = [self._courier.post(thin["id"], notification(thin), target) for target in targets]
        return tuple(attempt for attempt in made if attempt is not None)

    def make_event(
        self, kind: str, content: Object, *, created: int | None = None, previous: Object | None = None
    ) -> Object:
        """An event of this account for `emit_raw`; `created` defaults to now."""
        moment = int(time.time()) if created is None else created
        return event(kind, snapshot(content), created=moment, livemode=self.livemode, previous=previous)

    def emit_raw(self, made_up: dict[str, Any]) -> str:
        """Log and deliver an event as it is, and return its id. DishonestEventError if Stripe could not send it."""
        wrong = faults(made_up) if made_up.get("object") == "event" else ['event: `object` is not "event"']
        if made_up.get("api_version") != API_VERSION:
            wrong.append(f"event.api_version: {made_up.get('api_version')!r}, endpoints get {API_VERSION!r}")
        with self._store.lock:
            if self._store.find("event", id=made_up.get("id")):
                wrong.append(f"event.id: {made_up['id']} exists")
            if wrong:
                raise DishonestEventError("; ".join(wrong))
            told = self._store.add(snapshot(made_up))
            self._courier.enqueue(told)
        return told["id"]

    def remember(self, told: dict[str, Any]) -> None:
        """Keep an event that happened before this account was: the API shows it, and no endpoint is sent it."""
        with self._store.lock:
            self._store.add(snapshot(told))

    def roll_secret(self, endpoint_id: str, *, overlap: float = 86_400.0) -> str:
        """A new signing secret, as the dashboard's "roll secret"; the old one signs too for `overlap` seconds."""
        with self._store.lock:
            notes = self._store.notes(self._store.get("webhook_endpoint", endpoint_id))
            expiry = time.time() + overlap
            old = [(secret, min(expires or expiry, expiry)) for secret, expires in notes["secrets"]]
            secret = new_secret()
            notes["secrets"] = [(secret, None), *old]
        return secret

    def end_overlap(self, endpoint_id: str) -> None:
        """The time is over in which a rolled secret signs beside the new one."""
        with self._store.lock:
            notes = self._store.notes(self._store.get("webhook_endpoint", endpoint_id))
            notes["secrets"] = [(secret, expires) for secret, expires in notes["secrets"] if expires is None]

    @staticmethod
    def sign(body: bytes, secret: str, timestamp: int | None = None) -> str:
        """The `Stripe-Signature` header for `body`, at `timestamp` (seconds since the epoch, default now)."""
        return signature_header(body, [secret], int(time.time()) if timestamp is None else timestamp)
