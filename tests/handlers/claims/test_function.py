"""The claims function as Lambda calls it: from its environment alone."""

import json
from collections.abc import Iterator

import pytest

from handlers.adapters import secrets
from handlers.adapters.aws_json import AwsJson
from handlers.core.identity import claim_token
from handlers.entrypoints import claims
from handlers.entrypoints.claims import ClaimSettings
from handlers.entrypoints.environment import SettingsError
from handlers.settings import Env
from tests.handlers import story
from tests.handlers.pipeline_world import World

KEY = "an example key, known to everybody: 1"


@pytest.fixture
def environ(world: World) -> dict[str, str]:
    """What the function is deployed with."""
    manager = world.connect("secretsmanager")
    held = manager.create_secret(
        Name=f"{world.name}/identity", SecretString=json.dumps({"current": KEY, "previous": None})
    )
    return {
        **world.environ,
        "AWS_DEFAULT_REGION": world.environ["AWS_REGION"],
        Env.STACK: "test",
        Env.LIVEMODE: "true",
        Env.TABLE_NAME: world.name,
        Env.POLICY: json.dumps(story.POLICY),
        Env.SYNC_QUEUE_URLS: json.dumps(world.queue_urls),
        Env.IDENTITY_SECRET_ID: held["ARN"],
    }


@pytest.fixture
def deployed(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    made: list[AwsJson] = []
    make = AwsJson.__init__

    def making(client: AwsJson, *service: object, **settings: object) -> None:
        make(client, *service, **settings)  # ty: ignore[invalid-argument-type]
        made.append(client)

    monkeypatch.setattr(AwsJson, "__init__", making)
    for kept in (secrets._client, claims._claims):
        kept.cache_clear()
    yield
    for kept in (secrets._client, claims._claims):
        kept.cache_clear()
    for client in made:
        client.close()


def test_a_claim_is_recorded_and_read(world: World, deployed: None) -> None:
    world.deliver(story.subscription(user=None, customer="cus_Ada0001", period_end=4_000_000_000))
    token = claim_token("cus_Ada0001", KEY, 4_000_000_000)
    answer = claims.handler({"body": json.dumps({"token": token, "user_id": "user_ada"})}, None)
    assert answer["statusCode"] == 200
    member = world.member()
    assert member is not None
    assert member["access"] is True


@pytest.mark.parametrize(
    "name", [Env.TABLE_NAME, Env.POLICY, Env.SYNC_QUEUE_URLS, Env.IDENTITY_SECRET_ID, Env.LIVEMODE]
)
def test_a_missing_variable_is_named(environ: dict[str, str], name: Env) -> None:
    del environ[name]
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        ClaimSettings.load(environ)
