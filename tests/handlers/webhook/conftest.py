import json
from dataclasses import dataclass, field

import pytest
import stripe

from handlers.core.errors import VendorError
from handlers.entrypoints.webhook import Webhook

NOW = 1_800_000_000
CURRENT, PREVIOUS, NEXT = "whsec_current", "whsec_previous", "whsec_next"


@dataclass
class MemoryQueue:
    """A queue that keeps what it is sent, or refuses as it is told."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    refusal: VendorError | None = None

    def send(self, body: str, *, group: str, deduplication_id: str) -> None:
        if self.refusal:
            raise self.refusal
        self.sent.append((body, group, deduplication_id))


@dataclass
class MemorySecrets:
    """The secrets that are held, and those that a refresh would bring."""

    now: tuple[str, ...] = (CURRENT, PREVIOUS)
    later: tuple[str, ...] = (CURRENT, PREVIOUS)
    refreshes: int = 0
    refusal: Exception | None = None

    def held(self) -> tuple[str, ...]:
        if self.refusal:
            raise self.refusal
        return self.now

    def refresh(self) -> bool:
        self.refreshes += 1
        changed, self.now = self.now != self.later, self.later
        return changed


def post(body: str, *, secret: str = CURRENT, at: int = NOW, **changes: object) -> dict:
    """What API Gateway hands over (payload format 2.0) for a POST that Stripe signed."""
    header = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=at)
    return {
        "version": "2.0",
        "routeKey": "POST /webhooks/stripe",
        "rawPath": "/webhooks/stripe",
        "headers": {"content-type": "application/json; charset=utf-8", "stripe-signature": header},
        "requestContext": {"http": {"method": "POST", "path": "/webhooks/stripe"}},
        "body": body,
        "isBase64Encoded": False,
        **changes,
    }


@pytest.fixture
def body():
    subject = {"id": "in_1", "object": "invoice", "customer": "cus_1", "customer_email": "ada@example.com"}
    return json.dumps({"id": "evt_1", "type": "invoice.paid", "livemode": True, "data": {"object": subject}})


@pytest.fixture
def signed():
    """`signed(body, secret=…, at=…, **changes)`: a request as API Gateway hands it over."""
    return post


@pytest.fixture
def queue():
    return MemoryQueue()


@pytest.fixture
def secrets():
    return MemorySecrets()


@pytest.fixture
def webhook(queue, secrets):
    return Webhook(queue=queue, secrets=secrets, clock=lambda: NOW)
