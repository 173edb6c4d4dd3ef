import pytest

from handlers.adapters import secrets
from handlers.adapters.aws import AwsError
from tests.handlers.loopback import Answer, serving

ARN = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:launch-ready-prod/kit-abc"


@pytest.fixture
def manager(monkeypatch):
    """A Secrets Manager whose secret is the number of times that it was asked."""
    with serving(lambda asked: Answer.of({"SecretString": f"value {len(server.asked)}"})) as server:
        for name, value in {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(secrets, "_held", {})
        secrets._client.cache_clear()
        yield server
        secrets._client().close()
        secrets._client.cache_clear()


def test_a_secret_is_fetched_once(manager):
    assert [secrets.get_secret(ARN) for _ in range(3)] == ["value 1"] * 3
    (asked,) = manager.asked
    assert asked.headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert asked.json() == {"SecretId": ARN}


def test_secrets_are_held_apart(manager):
    assert secrets.get_secret(ARN) != secrets.get_secret(ARN + "2")


def test_a_secret_past_its_age_is_fetched_again(manager, monkeypatch):
    secrets.get_secret(ARN)
    monkeypatch.setattr(secrets, "MAX_AGE_SECONDS", 0.0)
    assert secrets.get_secret(ARN) == "value 2"


def test_a_refusal_is_an_error_of_aws_and_is_not_held(manager):
    manager.answer = lambda asked: Answer.of({"__type": "ResourceNotFoundException", "message": "no"}, 400)
    with pytest.raises(AwsError, match="ResourceNotFound"):
        secrets.get_secret(ARN)
    manager.answer = lambda asked: Answer.of({"SecretString": "there"})
    assert secrets.get_secret(ARN) == "there"
