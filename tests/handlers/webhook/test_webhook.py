import base64
import hashlib
import json

import pytest

from handlers.adapters.secrets_http import SecretValueError
from handlers.core.envelope import MAX_BYTES, Reference, decode
from handlers.core.errors import VendorError
from handlers.entrypoints.webhook import handler

NOW = 1_800_000_000


def test_a_signed_event_is_queued_as_it_came(webhook, queue, signed, body):
    assert webhook.receive(signed(body))["statusCode"] == 200
    assert queue.sent == [(body, "cus_1", "evt_1")]


def test_what_is_not_text_arrives_in_base64_and_is_verified_on_its_bytes(webhook, queue, signed, body):
    request = signed(body, isBase64Encoded=True)
    request["body"] = base64.b64encode(body.encode()).decode()
    assert webhook.receive(request)["statusCode"] == 200
    assert queue.sent == [(body, "cus_1", "evt_1")]


@pytest.mark.parametrize("secret", ["whsec_current", "whsec_previous"])
def test_current_and_previous_secret_both_count(webhook, queue, secrets, signed, body, secret):
    assert webhook.receive(signed(body, secret=secret))["statusCode"] == 200
    assert secrets.refreshes == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda request: request["headers"].clear(),
        lambda request: request.update(headers=None),
        lambda request: request.update(body=request["body"] + " "),
        lambda request: request.update(body=None),
        lambda request: request.update(isBase64Encoded=True),
        lambda request: request.update(isBase64Encoded=True, body="é"),
        lambda request: request.update(body="\ud800"),
        lambda request: request["headers"].update({"stripe-signature": "t=1,v1=é"}),
        lambda request: request["headers"].update({"stripe-signature": f"t={NOW},v1=00"}),
    ],
    ids=["unsigned", "no headers", "tampered", "empty", "not base64", "not ASCII", "surrogate", "garbage", "wrong"],
)
def test_what_stripe_did_not_sign_is_400_and_queues_nothing(webhook, queue, signed, body, spoil):
    request = signed(body)
    spoil(request)
    assert webhook.receive(request)["statusCode"] == 400
    assert queue.sent == []


@pytest.mark.parametrize("at", [NOW - 301, NOW + 301])
def test_stale_and_future_dated_requests_are_400_and_fetch_no_secret(webhook, queue, secrets, signed, body, at):
    assert webhook.receive(signed(body, at=at))["statusCode"] == 400
    assert queue.sent == []
    assert secrets.refreshes == 0


def test_after_an_immediate_roll_the_new_secret_is_fetched_and_the_event_taken(webhook, queue, secrets, signed, body):
    secrets.later = ("whsec_next", "whsec_current")
    assert webhook.receive(signed(body, secret="whsec_next"))["statusCode"] == 200
    assert len(queue.sent) == 1
    assert secrets.refreshes == 1


def test_a_wrong_signature_that_no_new_secret_explains_is_400(webhook, queue, secrets, signed, body):
    secrets.later = ("whsec_next", "whsec_current")
    assert webhook.receive(signed(body, secret="whsec_forged"))["statusCode"] == 400
    assert queue.sent == []
    assert secrets.refreshes == 1


@pytest.mark.parametrize("permanent", [True, False])
def test_a_queue_that_does_not_take_the_event_is_503_so_that_stripe_keeps_it(webhook, queue, signed, body, permanent):
    queue.refusal = VendorError("AmazonSQS.SendMessage: HTTP 503", permanent=permanent)
    assert webhook.receive(signed(body))["statusCode"] == 503
    queue.refusal = None
    assert webhook.receive(signed(body))["statusCode"] == 200


@pytest.mark.parametrize("refusal", [VendorError("no answer", permanent=False), SecretValueError("wrong form")])
def test_without_secrets_nothing_is_judged(webhook, queue, secrets, signed, body, refusal):
    secrets.refusal = refusal
    webhook.start()
    assert webhook.receive(signed(body))["statusCode"] == 503
    assert queue.sent == []


@pytest.mark.parametrize("body", ["not json", "[1, 2]", '{"object": "event"}', "\ufffe"])
def test_a_verified_body_that_is_no_event_is_queued_all_the_same(webhook, queue, signed, body):
    assert webhook.receive(signed(body))["statusCode"] == 200
    ((message, group, deduplication_id),) = queue.sent
    assert message == body.replace("\ufffe", "\ufffd\ufffd")
    assert (group, deduplication_id) == ("unreadable", hashlib.sha256(body.encode()).hexdigest())


def test_an_event_too_large_for_the_queue_is_queued_as_a_reference(webhook, queue, signed):
    body = json.dumps({"id": "evt_1", "type": "x", "created": 5, "livemode": False, "note": "x" * MAX_BYTES})
    assert webhook.receive(signed(body))["statusCode"] == 200
    assert decode(queue.sent[0][0]) == Reference(id="evt_1", type="x", created=5, livemode=False)


def test_a_thin_event_is_taken(webhook, queue, signed):
    thin = {"id": "evt_9", "object": "v2.core.event", "type": "v1.x", "created": "2026-10-28T12:00:00.000Z"}
    body = json.dumps({**thin, "livemode": False, "related_object": {"id": "mtr_1", "type": "x", "url": "/v1/x"}})
    assert webhook.receive(signed(body))["statusCode"] == 200
    assert queue.sent == [(body, "mtr_1", "evt_9")]


@pytest.mark.parametrize("livemode", [True, False])
def test_the_mode_stays_in_the_message(webhook, queue, signed, livemode):
    body = json.dumps({"id": "evt_1", "livemode": livemode})
    webhook.receive(signed(body))
    assert json.loads(queue.sent[0][0])["livemode"] is livemode


def test_the_log_says_what_was_done_and_never_shows_the_body(webhook, queue, signed, body, capsys):
    webhook.receive(signed(body))
    webhook.receive(signed(body, secret="whsec_forged"))
    queue.refusal = VendorError("AmazonSQS.SendMessage: HTTP 503", permanent=False)
    webhook.receive(signed(body))
    out = capsys.readouterr().out
    taken, refused, failed = map(json.loads, out.splitlines())
    assert taken == {
        "level": "info",
        "message": "took an event",
        "event_id": "evt_1",
        "event_type": "invoice.paid",
        "customer": "cus_1",
        "action": "enqueue",
        "result": "queued",
    }
    assert (refused["level"], refused["result"]) == ("warning", "refused")
    assert (failed["level"], failed["event_id"], failed["result"]) == ("error", "evt_1", "failed")
    assert "ada" not in out
    assert "whsec" not in out


@pytest.mark.parametrize("name", ['"' + "x" * MAX_BYTES + '"', "[" * 600 + "]" * 600, "7", '{"a": "ada@example.com"}'])
def test_a_type_that_is_no_name_is_taken_all_the_same_and_stays_out_of_the_log(webhook, queue, signed, capsys, name):
    assert webhook.receive(signed(f'{{"id": "evt_1", "type": {name}}}'))["statusCode"] == 200
    assert len(queue.sent) == 1
    (taken,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert "event_type" not in taken


def request(method: str, path: str) -> dict:
    return {"rawPath": path, "requestContext": {"http": {"method": method}}}


def test_health_needs_neither_secret_nor_queue():
    response = handler(request("GET", "/health"), None)
    assert (response["statusCode"], json.loads(response["body"])) == (200, {"status": "ok"})


@pytest.mark.parametrize(("method", "path"), [("GET", "/webhooks/stripe"), ("POST", "/health"), ("POST", "/")])
def test_other_routes_are_not_found(method, path):
    assert handler(request(method, path), None)["statusCode"] == 404
