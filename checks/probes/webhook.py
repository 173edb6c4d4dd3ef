"""Sends the webhook what it must refuse, and what it must acknowledge soon."""

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from checks.errors import NeedsInput
from checks.probes.http import Browser, Exchange
from checks.scope import Scope

USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
STALE_SECONDS = 301  # Stripe's libraries tolerate 300
WRONG_SECRET = "whsec_" + "0" * 32  # nobody's
# So many answers in time, none late, show at 95 % confidence that 95 of 100 are; so do these with one late one.
ANSWERS, ANSWERS_WITH_ONE_LATE = 59, 93


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One request that must be refused, and what it met."""

    what: str
    answer: Exchange


def signature(body: bytes, secret: str, timestamp: int) -> str:
    """A Stripe-Signature header: HMAC-SHA256 over `timestamp.body` (Stripe, "Verify webhook signatures manually")."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def unsigned_post(scope: Scope) -> Exchange:
    """A POST as Stripe would send it, but without a signature."""
    with Browser(scope) as browser:
        return _post(scope, browser, _body(), None)


def unsigned(scope: Scope) -> tuple[Refusal, ...]:
    """Requests without a genuine signature: none, malformed, of a wrong secret, over another body."""
    body, now = _body(), int(time.time())
    key = scope.vantage.signing_secret or WRONG_SECRET
    signed = signature(body, key, now)
    wrong = signature(body, WRONG_SECRET, now)
    cases = {
        "no signature": (body, None),
        "a malformed signature": (body, "t=now,v1=zz"),
        "a wrong secret's signature": (body, wrong),
        "a tampered body": (body.replace(b"probe", b"prize"), signed),
    }
    with Browser(scope) as browser:
        return tuple(
            Refusal(what=what, answer=_post(scope, browser, sent, header)) for what, (sent, header) in cases.items()
        )


def stale(scope: Scope) -> tuple[Refusal, ...]:
    """Genuinely signed requests from 301 s ago and from 301 s ahead. Raises NeedsInput without the signing secret."""
    secret = scope.vantage.signing_secret
    if not secret:
        raise NeedsInput("give the webhook's signing secret (vantage: signing_secret): only a genuine one can be stale")
    body, now = _body(), int(time.time())
    cases = {"signed 301 s ago": now - STALE_SECONDS, "signed 301 s ahead": now + STALE_SECONDS + 5}
    with Browser(scope) as browser:
        return tuple(
            Refusal(what=what, answer=_post(scope, browser, body, signature(body, secret, when)))
            for what, when in cases.items()
        )


def acknowledgements(scope: Scope) -> tuple[Exchange, ...]:
    """The answers to genuinely signed events of a type that nobody acts on, one after another on one connection.

    The pipeline's ledger keeps them, always the same ids. Raises NeedsInput without the signing secret.
    """
    secret = scope.vantage.signing_secret
    if not secret:
        raise NeedsInput("give the webhook's signing secret (vantage: signing_secret): only what it accepts is timed")
    answers: list[Exchange] = []
    with Browser(scope) as browser:
        browser.ask(scope.contract.endpoints.health)  # opens the connection, as one that delivers often has it open
        while not enough(answers, scope.contract.thresholds.ack_p95_ms):
            now = int(time.time())
            body = _ignored_event(scope, len(answers), now)
            answers.append(_post(scope, browser, body, signature(body, secret, now)))
    return tuple(answers)


def enough(answers: Sequence[Exchange], limit_ms: int) -> bool:
    """Whether more answers could not change the verdict: 59, but 93 where a single one was late."""
    late = sum(answer.seconds * 1000 >= limit_ms for answer in answers)
    return len(answers) >= (ANSWERS_WITH_ONE_LATE if late == 1 else ANSWERS)


def _ignored_event(scope: Scope, number: int, created: int) -> bytes:
    event = {
        "id": f"evt_launch_ready_ack_{number:02d}",
        "object": "event",
        "api_version": scope.contract.stripe.api_version,
        "type": "launch_ready.probe",
        "created": created,
        "livemode": scope.contract.livemode,
        "data": {"object": {"id": f"launch_ready_ack_{number:02d}", "object": "launch_ready.probe"}},
    }
    return json.dumps(event).encode()


def _body() -> bytes:
    return json.dumps({"id": "evt_launch_ready_probe", "object": "event", "type": "launch_ready.probe"}).encode()


def _post(scope: Scope, browser: Browser, body: bytes, header: str | None) -> Exchange:
    headers = {"content-type": "application/json; charset=utf-8", "user-agent": USER_AGENT}
    if header is not None:
        headers["stripe-signature"] = header
    return browser.ask(scope.contract.endpoints.webhook, method="POST", headers=headers, body=body)
