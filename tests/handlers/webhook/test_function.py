"""The function as Lambda runs it: a fresh interpreter, an environment, no more."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from unittest.mock import patch

import botocore.auth
import pytest
import trustme
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.handlers.loopback import Answer, Asked, Loopback, serving, trusted_by

OURS = {
    "handlers",
    "handlers.adapters",
    "handlers.adapters.aws_json",
    "handlers.adapters.connection",
    "handlers.adapters.logs",
    "handlers.adapters.secrets_http",
    "handlers.adapters.sigv4",
    "handlers.adapters.sqs_http",
    "handlers.core",
    "handlers.core.envelope",
    "handlers.core.errors",
    "handlers.core.signature",
    "handlers.entrypoints",
    "handlers.entrypoints.webhook",
    "handlers.settings",
}

IMPORTS = """
import json, sys
before = set(sys.modules)
import handlers.entrypoints.webhook
print(json.dumps(sorted(set(sys.modules) - before)))
"""

# One request a line; {"tick": seconds} lets that time pass for what measures durations.
INVOKE = """
import json, sys, time
passed, monotonic = 0.0, time.monotonic
time.monotonic = lambda: monotonic() + passed
from handlers.entrypoints.webhook import handler
for line in sys.stdin:
    request = json.loads(line)
    if "tick" in request:
        passed += request["tick"]
    else:
        print("ANSWER", json.dumps(handler(request, None)), flush=True)
"""


def run(code: str, environ: dict[str, str] | None = None, lines: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ or {}, input=lines, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_loads_the_standard_library_and_these_modules_only():
    loaded = set(json.loads(run(IMPORTS)))
    assert {name for name in loaded if name.partition(".")[0] == "handlers"} == OURS
    others = {name.partition(".")[0] for name in loaded - OURS}
    assert others <= set(sys.stdlib_module_names)


@pytest.fixture
def ca():
    return trustme.CA()


@pytest.fixture
def aws(ca):
    """Secrets Manager and SQS in one, over TLS."""

    def answer(asked: Asked) -> Answer:
        if asked.headers["x-amz-target"] == "secretsmanager.GetSecretValue":
            return Answer.of({"SecretString": json.dumps({"current": "whsec_current", "previous": None})})
        return Answer.of({"MessageId": "1"})

    with serving(answer, trusted_by(ca)) as server:
        yield server


@pytest.fixture
def environ(aws, ca, tmp_path):
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "sekret",
        "AWS_SESSION_TOKEN": "session-token",
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_CA_BUNDLE": str(tmp_path / "ca.pem"),
        "LAUNCH_STACK": "prod",
        "LAUNCH_LIVEMODE": "true",
        "EVENTS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/launch-ready-prod-events.fifo",
        "SIGNING_SECRET_ID": "arn:signing",
    }


def secret(current: str, previous: str | None = None) -> Answer:
    return Answer.of({"SecretString": json.dumps({"current": current, "previous": previous})})


def fetches(aws: Loopback) -> list[Asked]:
    return [asked for asked in aws.asked if asked.headers["x-amz-target"] == "secretsmanager.GetSecretValue"]


def sent(aws: Loopback) -> list[Asked]:
    return [asked for asked in aws.asked if asked.headers["x-amz-target"] == "AmazonSQS.SendMessage"]


def statuses(environ: dict[str, str], *lines: dict) -> list[int]:
    out = run(INVOKE, environ, "".join(json.dumps(line) + "\n" for line in lines))
    return [answer["statusCode"] for answer in answers(out)]


def answers(out: str) -> list[dict]:
    return [json.loads(line.removeprefix("ANSWER ")) for line in out.splitlines() if line.startswith("ANSWER ")]


def test_it_starts_verifies_and_sends_over_tls_with_a_session_token(aws, environ, signed, body):
    requests = "".join(json.dumps(signed(body, at=int(time.time()))) + "\n" for _ in range(2))
    out = run(INVOKE, environ, requests)
    assert [answer["statusCode"] for answer in answers(out)] == [200, 200]
    fetched, *sent = aws.asked
    assert fetched.json() == {"SecretId": "arn:signing"}
    assert [asked.json()["MessageBody"] for asked in sent] == [body, body]
    assert {asked.headers["x-amz-security-token"] for asked in aws.asked} == {"session-token"}
    assert len({asked.connection for asked in sent}) == 1
    assert "session-token" not in out


def test_a_certificate_that_is_not_trusted_stops_it_before_it_shows_its_credentials(aws, environ, signed, body):
    del environ["AWS_CA_BUNDLE"]
    out = run(INVOKE, environ, json.dumps(signed(body, at=int(time.time()))) + "\n")
    assert [answer["statusCode"] for answer in answers(out)] == [503]
    assert aws.asked == []


def test_the_secret_is_fetched_at_the_start_before_any_request(aws, environ):
    run(INVOKE, environ)
    assert [asked.headers["x-amz-target"] for asked in aws.asked] == ["secretsmanager.GetSecretValue"]


def test_a_start_without_secrets_manager_leaves_the_health_route_up(aws, environ):
    aws.answer = lambda asked: Answer(503)
    health = {"rawPath": "/health", "requestContext": {"http": {"method": "GET"}}}
    out = run(INVOKE, environ, json.dumps(health) + "\n")
    assert [answer["statusCode"] for answer in answers(out)] == [200]


def test_a_session_token_is_part_of_what_is_signed(aws, environ, signed, body):
    assert statuses(environ, signed(body, at=int(time.time()))) == [200]
    for asked, service in zip(aws.asked, ("secretsmanager", "sqs"), strict=True):
        moment = datetime.strptime(asked.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        names = asked.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
        assert "x-amz-security-token" in names
        again = AWSRequest("POST", f"{aws.url}/", {name: asked.headers[name] for name in names}, asked.body)
        with patch.object(botocore.auth, "get_current_datetime", lambda moment=moment: moment):
            known = Credentials("ASIAEXAMPLE", "sekret", "session-token")
            botocore.auth.SigV4Auth(known, service, "eu-west-1").add_auth(again)
        assert again.headers["Authorization"] == asked.headers["authorization"]


@pytest.mark.parametrize("bundle", ["another CA", "no certificate", None], ids=["another CA", "garbage", "missing"])
def test_the_trust_is_that_one_file(aws, environ, tmp_path, signed, body, bundle):
    file = tmp_path / "other.pem"
    if bundle == "another CA":
        trustme.CA().cert_pem.write_to_path(str(file))
    elif bundle:
        file.write_text(bundle)
    environ["AWS_CA_BUNDLE"] = str(file)
    request = signed(body, at=int(time.time()))
    assert statuses(environ, request, request) == [503, 503]
    assert aws.asked == []


def test_a_host_that_the_certificate_does_not_name_is_not_trusted(aws, environ, signed, body):
    environ["AWS_ENDPOINT_URL"] = aws.url.replace("127.0.0.1", "localhost")
    assert statuses(environ, signed(body, at=int(time.time()))) == [503]
    assert aws.asked == []


def test_a_connection_that_sqs_closed_while_idle_costs_one_reconnect(aws, environ, signed, body):
    aws.answer = lambda asked: secret("whsec_current") if asked in fetches(aws) else Answer(then="close unannounced")
    request = signed(body, at=int(time.time()))
    assert statuses(environ, request, request, request) == [200, 200, 200]
    assert len(sent(aws)) == len({asked.connection for asked in sent(aws)}) == 3


def test_there_is_one_reconnect_and_only_one(aws, environ, signed, body):
    """The second event meets a kept connection that breaks, and a new one that breaks; the third a queue that is up."""

    def answer(asked: Asked) -> Answer:
        if asked in fetches(aws):
            return secret("whsec_current")
        return Answer(then="reset") if len(sent(aws)) in {2, 3} else Answer.of({"MessageId": "1"})

    aws.answer = answer
    request = signed(body, at=int(time.time()))
    assert statuses(environ, request, request, request) == [200, 503, 200]
    assert len(sent(aws)) == 4


def test_both_secrets_count_during_a_roll(aws, environ, signed, body):
    aws.answer = lambda asked: secret("whsec_new", "whsec_old")
    now = int(time.time())
    requests = [signed(body, secret=held, at=now) for held in ("whsec_new", "whsec_old", "whsec_older")]
    assert statuses(environ, *requests) == [200, 200, 400]
    assert len(fetches(aws)) == 1


def test_what_looks_genuine_but_is_not_has_the_secret_fetched_once_a_minute_at_most(aws, environ, signed, body):
    aws.answer = lambda asked: secret("whsec_old") if len(fetches(aws)) < 3 else secret("whsec_new", "whsec_old")
    now = int(time.time())
    forged, rolled = signed(body, secret="whsec_forged", at=now), signed(body, secret="whsec_new", at=now)
    minute = {"tick": 61}
    assert statuses(environ, *[forged] * 5) == [400] * 5
    assert len(fetches(aws)) == 1  # at the start
    aws.asked.clear()
    assert (
        statuses(environ, minute, *[forged] * 5, minute, forged, rolled, *[forged] * 5) == [400] * 6 + [200] + [400] * 5
    )
    assert len(fetches(aws)) == 3
    assert len(sent(aws)) == 1
