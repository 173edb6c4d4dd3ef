"""What the webhook answers to what Stripe did not sign is the stack's choice."""

import json
import subprocess
import sys

import pytest

from handlers.entrypoints.webhook import Webhook
from tests.handlers.loopback import Answer, serving

INVOKE = """
import json, sys
from handlers.entrypoints.webhook import handler
request = {"requestContext": {"http": {"method": "POST"}}, "rawPath": "/webhooks/stripe", "headers": {}, "body": "{}"}
print("STATUS", handler(request, None)["statusCode"])
"""


def started(status: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The function in a fresh interpreter, asked once with a request that bears no signature."""
    value = json.dumps({"current": "whsec_current", "previous": None})
    with serving(lambda asked: Answer.of({"SecretString": value})) as aws:
        environ = {
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "sekret",
            "AWS_ENDPOINT_URL": aws.url,
            "EVENTS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/events.fifo",
            "SIGNING_SECRET_ID": "arn:signing",
            **status,
        }
        return subprocess.run([sys.executable, "-c", INVOKE], env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("value", "status"), [(None, 400), ("", 400), ("400", 400), ("401", 401), ("403", 403)])
def test_the_function_answers_with_the_status_of_its_environment(value, status):
    run = started({} if value is None else {"BAD_SIGNATURE_STATUS": value})
    assert f"STATUS {status}\n" in run.stdout, run.stderr


@pytest.mark.parametrize("value", ["200", "500", "0400", " 401", "four hundred"])
def test_another_status_ends_the_start_and_says_what_it_may_be(value):
    run = started({"BAD_SIGNATURE_STATUS": value})
    assert run.returncode != 0
    assert f"BAD_SIGNATURE_STATUS must be 400, 401 or 403, got {value!r}" in run.stderr


@pytest.mark.parametrize("status", [400, 401, 403])
def test_every_way_not_to_be_signed_has_that_status_and_the_rest_keeps_its_own(queue, secrets, signed, body, status):
    webhook = Webhook(queue=queue, secrets=secrets, refusal=status, clock=lambda: 1_800_000_000)
    for refused in (
        signed(body, headers={}),
        signed(body, secret="whsec_forged"),
        signed(body, at=1),
        signed(body, isBase64Encoded=True),
    ):
        assert webhook.receive(refused)["statusCode"] == status
    assert webhook.receive(signed(body))["statusCode"] == 200
    assert len(queue.sent) == 1
