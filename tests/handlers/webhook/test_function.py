"""The function as Lambda runs it: a fresh interpreter, an environment, no more."""

import json
import subprocess
import sys
import time

import pytest
import trustme

from tests.handlers.loopback import Answer, Asked, serving, trusted_by

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

INVOKE = """
import json, sys
from handlers.entrypoints.webhook import handler
for line in sys.stdin:
    print("ANSWER", json.dumps(handler(json.loads(line), None)), flush=True)
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
