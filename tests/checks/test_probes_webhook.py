import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from checks.errors import NeedsInput
from checks.probes import webhook
from checks.probes.http import Exchange
from tests.checks.exchanges import exchange
from tests.checks.loopback import WebServer

SECRET = "whsec_of_this_test"
HOST = "api.tidewriters.example"


@given(st.binary(max_size=200), st.text("abcdef0123456789", min_size=16), st.integers(0, 2**40))
def test_signatures_are_those_of_stripes_own_library(body, secret, timestamp):
    text = body.hex()
    header = webhook.signature(text.encode(), secret, timestamp)

    assert stripe.WebhookSignature.verify_header(text, header, secret, tolerance=None)


def test_a_tampered_body_does_not_verify():
    header = webhook.signature(b"probe", "whsec_x", 1)

    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header("prize", header, "whsec_x", tolerance=None)


class Endpoint:
    """A webhook that verifies with Stripe's own library."""

    def __init__(self) -> None:
        self.events: list[dict] = []

    def __call__(self, method, host, path, headers, body):
        if method == "GET":
            return 200, {}, '{"status": "ok"}'
        stripe.WebhookSignature.verify_header(body.decode(), headers["stripe-signature"], SECRET, tolerance=300)
        self.events.append(json.loads(body))
        return 200, {}, '{"received": true}'


@pytest.fixture
def answers(look, names, declared) -> Callable[[Endpoint], tuple[Exchange, ...]]:
    """What the probe meets at an endpoint that is never late."""
    plain = {"webhook": f"http://{HOST}/webhooks/stripe", "health": f"http://{HOST}/health"}
    never = declared.thresholds.model_copy(update={"ack_p95_ms": 60_000})
    endpoints = declared.endpoints.model_copy(update=plain)
    subject = declared.model_copy(update={"endpoints": endpoints, "thresholds": never})
    names.set(HOST, "A", "127.0.0.1")

    def met(endpoint: Endpoint) -> tuple[Exchange, ...]:
        with WebServer(endpoint) as server:
            scope = look(seconds=60.0, subject=subject, ports={53: names.port, 80: server.port}, signing_secret=SECRET)
            return webhook.acknowledgements(scope)

    return met


def test_acknowledged_events_are_genuine_of_the_stacks_mode_and_mean_nothing(answers, declared):
    endpoint = Endpoint()

    assert [answer.status for answer in answers(endpoint)] == [200] * webhook.ANSWERS
    assert {event["type"] for event in endpoint.events} == {"launch_ready.probe"}
    assert {event["livemode"] for event in endpoint.events} == {declared.livemode}
    assert len({event["id"] for event in endpoint.events}) == webhook.ANSWERS


def test_every_run_sends_the_same_events(answers):
    first, second = Endpoint(), Endpoint()
    answers(first)
    answers(second)

    assert [event["id"] for event in first.events] == [event["id"] for event in second.events]


@pytest.mark.parametrize(
    ("late", "needed"),
    [((), 59), ((500.0,), 93), ((500.0, 501.0), 59), ((499.9,), 59)],
    ids=["none late", "one late", "two late", "none quite late"],
)
def test_one_late_answer_asks_for_more_of_them(late, needed):
    times = (*late, *[1.0] * (needed - len(late)))
    made = [exchange(f"https://{HOST}/") for _ in times]
    timed = [replace(one, seconds=time / 1000) for one, time in zip(made, times, strict=True)]

    assert webhook.enough(timed, 500)
    assert not webhook.enough(timed[:-1], 500)


def test_nothing_is_sent_without_the_signing_secret(look):
    with pytest.raises(NeedsInput, match="signing_secret"):
        webhook.acknowledgements(look())
