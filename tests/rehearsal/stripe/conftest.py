"""A Stripe twin, the official SDK that talks to it, and a real webhook receiver on loopback.

Whatever a test does, everything that the twin answered and told is held against the SDK's own classes afterwards.
"""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import stripe

from rehearsal.twins.stripe import Delivering, StripeTwin
from rehearsal.twins.stripe.declared import faults

HOOK = "https://api.tidewriters.example/webhooks/stripe"
DAY = 86_400


@dataclass
class Received:
    """One webhook request."""

    body: bytes
    headers: Mapping[str, str]

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    def verify(self, secret: str) -> None:
        stripe.WebhookSignature.verify_header(self.body.decode(), self.headers["stripe-signature"], secret, 300)


@dataclass
class Receiver:
    """What arrived, and what to answer: one status a request from `statuses`, then 200."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    before_answer: Callable[[], object] = lambda: None

    def types(self) -> list[str]:
        return [one.event["type"] for one in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            state.received.append(Received(body, {name.lower(): value for name, value in self.headers.items()}))
            state.before_answer()
            status = state.statuses.pop(0) if state.statuses else 200
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", f"http://127.0.0.1:{state.port}/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that is overridden
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


class ToLoopback(httpx.BaseTransport):
    """Sends every https host to the receiver's port, as the rehearsal does with its edge."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._receiver.port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class Recording(stripe.RequestsClient):
    """The SDK's own HTTP client, which also remembers successful answers."""

    def __init__(self) -> None:
        super().__init__()
        self.documents: list[dict[str, Any]] = []
        self.last_headers: Mapping[str, str] = {}

    def request(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        answer = super().request(method, url, headers, post_data)
        self.last_headers = answer[2]
        if answer[1] == 200:
            self.documents.append(json.loads(answer[0]))
        return answer


@pytest.fixture
def deliveries_client(receiver: Receiver) -> Iterator[httpx.Client]:
    with httpx.Client(transport=ToLoopback(receiver)) as client:
        yield client


@pytest.fixture
def twin(deliveries_client: httpx.Client) -> Iterator[StripeTwin]:
    quick = Delivering(base_delay=0.01, longest_delay=0.05, max_attempts=5)
    made = StripeTwin(transport=deliveries_client, delivering=quick)
    made.start()
    yield made
    made.stop()
    assert [fault for event in made.events() for fault in faults(event)] == []


@pytest.fixture
def recording() -> Iterator[Recording]:
    client = Recording()
    yield client
    client.close()
    assert [fault for document in client.documents for fault in faults(document)] == []


@pytest.fixture
def sdk(twin: StripeTwin, recording: Recording) -> Any:
    return stripe.StripeClient(twin.api_key, base_addresses={"api": twin.url}, http_client=recording).v1


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@dataclass
class Shop:
    """Shorthands for what most stories begin with; `sdk` is the official client."""

    sdk: Any
    twin: StripeTwin
    start: int = field(default_factory=lambda: int(time.time()) - 90 * DAY)

    def price(self, amount: int = 1900, interval: str | None = "month", **more: Any) -> Any:
        params = {"currency": "eur", "unit_amount": amount, "product_data": {"name": "Membership"}, **more}
        return self.sdk.prices.create(params | ({"recurring": {"interval": interval}} if interval else {}))

    def clock(self) -> Any:
        return self.sdk.test_helpers.test_clocks.create({"frozen_time": self.start})

    def customer(self, card: str | None = "pm_card_visa", **more: Any) -> Any:
        made = self.sdk.customers.create({"email": "ada@example.com", **more})
        if card:
            self.use_card(made.id, card)
        return made

    def use_card(self, customer_id: str, card: str) -> Any:
        method = self.sdk.payment_methods.attach(card, {"customer": customer_id})
        settings = {"default_payment_method": method.id}
        self.sdk.customers.update(customer_id, {"invoice_settings": settings})
        return method

    def subscribed(self, clock: Any, price: Any | None = None, **more: Any) -> Any:
        customer = self.customer(test_clock=clock.id)
        price = price or self.price()
        return self.sdk.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}], **more})

    def at(self, clock: Any, days: float) -> None:
        """Advance the clock to `days` after the start of the story."""
        self.twin.advance(clock.id, self.start + int(days * DAY))

    def session(self, price: Any, mode: str = "subscription", **more: Any) -> Any:
        params = {"mode": mode, "line_items": [{"price": price.id, "quantity": 1}]}
        success = "https://www.tidewriters.example/welcome?session={CHECKOUT_SESSION_ID}"
        return self.sdk.checkout.sessions.create({**params, "success_url": success, **more})

    def intent_of(self, invoice_id: str) -> str:
        link = self.sdk.invoice_payments.list({"invoice": invoice_id}).data[0]
        return link.payment.payment_intent

    def happened(self, since: int = 0) -> list[str]:
        return [event["type"] for event in self.twin.events()[since:]]


@pytest.fixture
def open_shop() -> type[Shop]:
    return Shop


@pytest.fixture
def shop(sdk: Any, twin: StripeTwin) -> Shop:
    return Shop(sdk, twin)


@pytest.fixture
def hook(sdk: Any) -> Any:
    return sdk.webhook_endpoints.create({"url": HOOK, "enabled_events": ["*"], "api_version": stripe.api_version})
