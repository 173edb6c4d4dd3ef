"""Clients of AWS against a server on loopback: how long they hold on."""

import pytest
from botocore.exceptions import ClientError

from handlers.adapters import aws
from handlers.adapters.deliveries import LEASE_SECONDS
from infra.timing import APPLY, SYNC
from tests.handlers.loopback import Answer, serving

UNAVAILABLE = Answer.of({"__type": "ServiceUnavailable"}, 503)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ACCESS_KEY_ID": "AKIDEXAMPLE",
        "SECRET_ACCESS_KEY": "x",
        "DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_a_call_is_made_as_often_as_asked_and_then_fails(attempts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda asked: UNAVAILABLE) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(ClientError, match="ServiceUnavailable"):
            aws.client("dynamodb", attempts=attempts).list_tables()
        assert len(server.asked) == attempts


def test_a_passing_fault_is_not_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([UNAVAILABLE, Answer.of({"TableNames": ["members"]})])
    with serving(lambda asked: next(answers)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        assert aws.client("dynamodb").list_tables()["TableNames"] == ["members"]


def test_all_tries_of_one_call_fit_into_apply() -> None:
    assert APPLY.timeout_seconds >= aws.ATTEMPTS * (aws.CONNECT_SECONDS + aws.READ_SECONDS)


def test_a_lease_outlives_the_function_that_holds_it() -> None:
    assert SYNC.timeout_seconds < LEASE_SECONDS
