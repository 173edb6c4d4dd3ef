import json
from datetime import UTC, datetime
from unittest.mock import patch

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from handlers.adapters import aws_json, connection
from handlers.adapters.aws_json import AwsJson
from handlers.adapters.secrets_http import REFRESH_SECONDS, SecretValueError, SigningSecrets
from handlers.adapters.sqs_http import EventsQueue
from handlers.core.errors import VendorError
from tests.handlers.loopback import Answer, Asked, serving

QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/000000000000/launch-ready-prod-events.fifo"


@pytest.fixture
def aws():
    with serving(lambda asked: Answer.of({"MessageId": "1"})) as server:
        yield server


@pytest.fixture
def environ(aws):
    return {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "sekret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL": aws.url,
    }


@pytest.fixture
def service(environ):
    client = AwsJson("sqs", version="1.0", environ=environ)
    yield client
    client.close()


def assert_signed_as_by_botocore(asked: Asked, host: str, service: str) -> None:
    """Sign what arrived once more, with botocore, and compare."""
    moment = datetime.strptime(asked.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    names = asked.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest("POST", f"http://{host}/", {name: asked.headers[name] for name in names}, asked.body)
    with patch.object(botocore.auth, "get_current_datetime", lambda: moment):
        botocore.auth.SigV4Auth(Credentials("AKID", "sekret", "token"), service, "eu-west-1").add_auth(request)
    assert request.headers["Authorization"] == asked.headers["authorization"]


def test_a_message_is_sent_as_sqs_documents_it(aws, environ):
    queue = EventsQueue(QUEUE_URL, environ)
    queue.send('{"name": "Zoë"}', group="cus_1", deduplication_id="evt_1")
    queue.close()
    (asked,) = aws.asked
    assert (asked.method, asked.path) == ("POST", "/")
    assert asked.headers["content-type"] == "application/x-amz-json-1.0"
    assert asked.headers["x-amz-target"] == "AmazonSQS.SendMessage"
    assert asked.json() == {
        "QueueUrl": QUEUE_URL,
        "MessageBody": '{"name": "Zoë"}',
        "MessageGroupId": "cus_1",
        "MessageDeduplicationId": "evt_1",
    }
    assert asked.headers["x-amz-security-token"] == "token"
    assert_signed_as_by_botocore(asked, f"127.0.0.1:{aws.server_port}", "sqs")


def test_the_connection_is_kept(aws, service):
    for _ in range(3):
        service.call("AmazonSQS.SendMessage", {})
    assert len({asked.connection for asked in aws.asked}) == 1


def test_a_connection_closed_while_idle_costs_one_reconnect(aws, service):
    aws.answer = lambda asked: Answer.of({"n": len(aws.asked)}, Connection="keep-alive")
    service.call("AmazonSQS.SendMessage", {})
    service._connection.sock.shutdown(2)
    assert service.call("AmazonSQS.SendMessage", {}) == {"n": 2}
    assert len({asked.connection for asked in aws.asked}) == 2


def test_a_kept_connection_that_is_reset_is_tried_once_more(aws, service):
    service.call("AmazonSQS.SendMessage", {})
    aws.answer = lambda asked: Answer(then="reset") if len(aws.asked) == 2 else Answer.of({"n": len(aws.asked)})
    assert service.call("AmazonSQS.SendMessage", {}) == {"n": 3}


def test_a_peer_that_resets_every_connection_is_tried_twice_at_most(aws, service):
    service.call("AmazonSQS.SendMessage", {})
    aws.answer = lambda asked: Answer(then="reset")
    with pytest.raises(VendorError) as caught:
        service.call("AmazonSQS.SendMessage", {})
    assert len(aws.asked) == 3
    assert caught.value.unknown


def test_a_new_connection_that_breaks_is_not_tried_again(aws, service):
    aws.answer = lambda asked: Answer(then="reset")
    with pytest.raises(VendorError) as caught:
        service.call("AmazonSQS.SendMessage", {})
    assert len(aws.asked) == 1
    assert caught.value.unknown
    assert not caught.value.permanent


def test_a_peer_that_says_it_will_close_is_believed(aws, service):
    aws.answer = lambda asked: Answer.of({}, Connection="close")
    for _ in range(2):
        service.call("AmazonSQS.SendMessage", {})
    assert len({asked.connection for asked in aws.asked}) == 2


def test_after_a_peer_closed_as_announced_the_next_connection_counts_as_new(aws, service):
    aws.answer = lambda asked: Answer.of({}, Connection="close")
    service.call("AmazonSQS.SendMessage", {})
    aws.answer = lambda asked: Answer(then="reset")
    with pytest.raises(VendorError):
        service.call("AmazonSQS.SendMessage", {})
    assert len(aws.asked) == 2


def test_silence_is_an_unknown_outcome(aws, service, monkeypatch):
    monkeypatch.setattr(aws_json, "TIMEOUT_SECONDS", 0.2)
    aws.answer = lambda asked: Answer(then="never answer")
    with pytest.raises(VendorError, match="TimeoutError") as caught:
        service.call("AmazonSQS.SendMessage", {})
    assert caught.value.unknown


def test_nobody_listening_is_known_to_have_had_no_effect(aws, service):
    aws.shutdown()
    aws.server_close()
    with pytest.raises(VendorError, match="ConnectionRefusedError") as caught:
        service.call("AmazonSQS.SendMessage", {})
    assert not caught.value.unknown


@pytest.mark.parametrize(
    ("status", "code", "permanent"),
    [
        (400, "com.amazonaws.sqs#QueueDoesNotExist", True),
        (403, "AccessDeniedException", True),
        (400, "ThrottlingException", False),
        (403, "com.amazonaws.sqs#RequestThrottled", False),
        (500, "InternalFailure", False),
        (503, "ServiceUnavailable", False),
    ],
)
def test_refusals_are_told_apart(aws, service, status, code, permanent):
    aws.answer = lambda asked: Answer.of({"__type": code, "message": "because of ada@example.com"}, status)
    with pytest.raises(VendorError, match=code.rpartition("#")[2]) as caught:
        service.call("AmazonSQS.SendMessage", {})
    assert caught.value.permanent is permanent
    assert "HTTP" in str(caught.value)
    assert "because of [email]" in str(caught.value)
    assert "sekret" not in str(caught.value)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"[" * 100_000])
def test_an_answer_that_is_not_a_json_object_is_an_unknown_outcome(aws, service, body):
    aws.answer = lambda asked: Answer(200, body)
    with pytest.raises(VendorError) as caught:
        service.call("AmazonSQS.SendMessage", {})
    assert caught.value.unknown


def test_an_endless_answer_is_cut_off(aws, service):
    aws.answer = lambda asked: Answer(200, b"x" * (connection.MAX_ANSWER_BYTES + 1))
    with pytest.raises(VendorError, match="no answer"):
        service.call("AmazonSQS.SendMessage", {})


def test_without_an_endpoint_the_service_is_found_at_its_regional_address(environ):
    del environ["AWS_ENDPOINT_URL"]
    service = AwsJson("sqs", version="1.0", environ=environ)
    assert service._host == "sqs.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_missing_variable_is_named(environ, name):
    del environ[name]
    with pytest.raises(KeyError, match=name):
        AwsJson("sqs", version="1.0", environ=environ)


def secret(current, previous=None):
    value = json.dumps({"current": current, "previous": previous})
    return lambda asked: Answer.of({"SecretString": value})


class Clock:
    """Seconds that pass only when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def signing(aws, environ, clock):
    secrets = SigningSecrets("arn:signing", environ, clock=clock)
    yield secrets
    secrets.close()


def test_the_signing_secrets_are_fetched_once_and_both_held(aws, signing):
    aws.answer = secret("whsec_new", "whsec_old")
    assert signing.held() == signing.held() == ("whsec_new", "whsec_old")
    (asked,) = aws.asked
    assert asked.headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert asked.headers["content-type"] == "application/x-amz-json-1.1"
    assert asked.json() == {"SecretId": "arn:signing"}


def test_a_refresh_within_a_minute_asks_nobody(aws, signing, clock):
    aws.answer = secret("whsec_old")
    signing.held()
    aws.answer = secret("whsec_new", "whsec_old")
    clock.tick(REFRESH_SECONDS - 1)
    assert signing.refresh() is False
    clock.tick(1)
    assert signing.refresh() is True
    assert signing.held() == ("whsec_new", "whsec_old")
    assert len(aws.asked) == 2


def test_a_refresh_that_finds_the_same_secrets_says_so(aws, signing, clock):
    aws.answer = secret("whsec_a")
    signing.held()
    clock.tick(REFRESH_SECONDS)
    assert signing.refresh() is False


def test_a_refresh_that_fails_keeps_what_was_held(aws, signing, clock):
    aws.answer = secret("whsec_a")
    signing.held()
    aws.answer = lambda asked: Answer(503)
    clock.tick(REFRESH_SECONDS)
    with pytest.raises(VendorError):
        signing.refresh()
    assert signing.held() == ("whsec_a",)
    assert signing.refresh() is False


@pytest.mark.parametrize(
    "value",
    [
        None,
        "whsec_plain",
        "[]",
        '{"current": ""}',
        '{"current": " ", "previous": null}',
        '{"current": "a", "previous": 1}',
    ],
)
def test_a_secret_of_another_form_is_refused_unseen(aws, signing, value):
    aws.answer = lambda asked: Answer.of({"SecretString": value})
    with pytest.raises(SecretValueError, match='"current"') as caught:
        signing.held()
    assert "plain" not in str(caught.value)
