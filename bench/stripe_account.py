"""A Stripe account with many customers, as its lists alone: newest first, in pages, over loopback."""

import json
import threading
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.handlers import story
from tests.handlers.story import DAY, START

REFUNDED, DISPUTED, ONCE = 50, 200, 10  # one in so many subscribers got the money back, objects, bought once too

Object = dict[str, Any]


@dataclass
class Account:
    """`lists` by path, newest first. `asked` are the moments of the requests so far, monotonic seconds."""

    lists: Mapping[str, Sequence[Object]]
    asked: list[float] = field(default_factory=list)
    url: str = ""

    def page(self, path: str, query: Mapping[str, str]) -> Object:
        """One page of a list. https://docs.stripe.com/api/pagination"""
        found, limit = self.lists.get(path, ()), int(query.get("limit", 10))
        after = query.get("starting_after")
        first = next(place for place, one in enumerate(found) if one["id"] == after) + 1 if after else 0
        return {
            "object": "list",
            "url": path,
            "has_more": len(found) > first + limit,
            "data": found[first : first + limit],
        }

    def busiest_second(self) -> int:
        """The most requests that began within any one second."""
        moments = sorted(self.asked)
        return max(
            (sum(1 for other in moments[place:] if other < moment + 1) for place, moment in enumerate(moments)),
            default=0,
        )


def account(subscribers: int, endpoint: str, price: str) -> Account:
    """`subscribers` people with a subscription each; the app's user ids are in its metadata."""
    people = range(subscribers)
    soon = int(time.time()) + 20 * DAY
    customers = [_of(story.event("customer.created", at=START, id=f"cus_{n:06d}", metadata={})) for n in people]
    subscriptions = [
        _of(story.subscription(id_=f"sub_{n:06d}", customer=f"cus_{n:06d}", user=f"user_{n:06d}", period_end=soon))
        for n in people
    ]
    invoices = [
        {**_of(story.invoice(id_=f"in_{n:06d}", subscription=f"sub_{n:06d}", customer=f"cus_{n:06d}")), **_payments(n)}
        for n in people
    ]
    once = [n for n in people if n % ONCE == 0]
    return Account(
        {
            "/v1/webhook_endpoints": [
                {"id": endpoint, "url": "https://x.example", "enabled_events": [], "status": "enabled"}
            ],
            "/v1/events": [story.subscription(at=START + DAY)],
            "/v1/customers": customers,
            "/v1/subscriptions": subscriptions,
            "/v1/invoices": invoices,
            "/v1/checkout/sessions": [_session(n, price) for n in once],
            "/v1/payment_intents": [_intent(f"pi_{n:06d}") for n in people]
            + [_intent(f"pi_once{n:06d}") for n in once],
            "/v1/refunds": [
                _of(story.refund(id=f"re_{n:06d}", payment=f"pi_{n:06d}")) for n in people if n % REFUNDED == 1
            ],
            "/v1/disputes": [
                _of(story.event("charge.dispute.created", at=START, id=f"dp_{n:06d}", payment_intent=f"pi_{n:06d}"))
                for n in people
                if n % DISPUTED == 2
            ],
        }
    )


def states(subscribers: int) -> Counter[str]:
    """In which state the members of such an account are."""
    refunded = sum(1 for n in range(subscribers) if n % REFUNDED == 1)
    return Counter(active=subscribers - refunded, refunded=refunded)


@contextmanager
def answering(held: Account) -> Generator[Account]:
    """The account with its lists over HTTP."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            held.asked.append(time.monotonic())
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = json.dumps(held.page(parts.path, query)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name that is overridden)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    held.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _of(event: Object) -> Object:
    return event["data"]["object"]


def _payments(number: int) -> Object:
    (link,) = [_of(story.invoice_payment(invoice=f"in_{number:06d}", payment=f"pi_{number:06d}"))]
    return {"payments": {"object": "list", "data": [link], "has_more": False}}


def _intent(id_: str) -> Object:
    return {**_of(story.recorded("payment_intent.succeeded")), "id": id_, "metadata": {}, "latest_charge": None}


def _session(number: int, price: str) -> Object:
    lines = {"object": "list", "data": [{"price": {"id": "price_once", "lookup_key": price}}], "has_more": False}
    told = story.event(
        "checkout.session.completed",
        at=START,
        id=f"cs_{number:06d}",
        mode="payment",
        subscription=None,
        invoice=None,
        customer=f"cus_{number:06d}",
        payment_intent=f"pi_once{number:06d}",
        metadata={"user_id": f"user_{number:06d}"},
        line_items=lines,
    )
    return _of(told)
