"""The functions as Lambda calls them: from their environment alone, one payment from event to tag and channel."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from handlers.adapters import secrets
from handlers.adapters.aws_json import AwsJson
from handlers.entrypoints import apply, members, sweep, sync, undelivered
from handlers.settings import Env
from tests.handlers import story
from tests.handlers.conftest import ACCOUNT, REGION
from tests.handlers.destinations.conftest import KitAccount
from tests.handlers.loopback import Answer, Asked, serving
from tests.handlers.pipeline_world import World

CACHED = (apply._apply, members._members, sweep._sweep, sync._sync, undelivered._undelivered)
KIT_KEY = "kit_0123456789abcdef"


class Context:
    """What Lambda hands a function beside the event."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.fixture
def environment(world: World, aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name, value in {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        Env.STACK: "test",
        Env.LIVEMODE: "true",
        Env.TABLE_NAME: world.name,
        Env.POLICY: json.dumps(story.POLICY),
        Env.SYNC_QUEUE_URLS: json.dumps(world.queue_urls),
        Env.STRIPE_SECRET_ID: secret(world, "stripe", "rk_live_read"),
        Env.DESTINATION: "kit",
        Env.DESTINATION_SECRET_ID: secret(world, "kit", KIT_KEY),
        Env.DESTINATION_OPTIONS: json.dumps({"tags": {"member_active": 11, "cancelled": 12}}),
    }.items():
        monkeypatch.setenv(name, value)
    made = clients(monkeypatch)
    clear()
    yield monkeypatch
    clear()
    for client in made:
        client.close()


def clients(monkeypatch: pytest.MonkeyPatch) -> list[AwsJson]:
    """Every client that the functions make from now on."""
    made: list[AwsJson] = []
    make = AwsJson.__init__

    def making(client: AwsJson, *service: Any, **settings: Any) -> None:
        make(client, *service, **settings)
        made.append(client)

    monkeypatch.setattr(AwsJson, "__init__", making)
    return made


def clear() -> None:
    """Forget what a warm function keeps."""
    secrets._client.cache_clear()
    for cached in CACHED:
        cached.cache_clear()


def secret(world: World, name: str, value: str) -> str:
    return world.connect("secretsmanager").create_secret(Name=f"{world.name}/{name}", SecretString=value)["ARN"]


def batch(*bodies: object) -> dict[str, Any]:
    records = [
        {"messageId": f"m{place}", "body": json.dumps(body), "attributes": {"MessageGroupId": "cus_Ada0001"}}
        for place, body in enumerate(bodies)
    ]
    return {"Records": records}


def test_a_payment_becomes_a_member_and_a_tag(world: World, environment: pytest.MonkeyPatch) -> None:
    _ = world.dynamodb  # make the table
    purchase = [story.subscription(period_end=4_000_000_000), story.session(), story.invoice("paid")]
    assert apply.handler(batch(*purchase), Context()) == {"batchItemFailures": []}
    answer = members.handler({"rawPath": "/v1/members/user_ada"}, Context())
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["state"] == "active"
    account = KitAccount(key=KIT_KEY)
    with serving(account) as server:
        environment.setenv("KIT_API_BASE", f"{server.url}/v4")
        (nudge,) = world.messages("kit")
        assert sync.handler(batch(nudge), Context()) == {"batchItemFailures": []}
        assert list(account.subscribers.values()) == ["ada@tidewriters.example"]
        assert list(account.tagged.values()) == [[11]]
    assert sweep.handler({}, Context()) == {"nudged": 0, "members": 0, "asked": 0, "left": 0}


def test_a_failed_payment_is_told_in_the_channel(world: World, environment: pytest.MonkeyPatch) -> None:
    _ = world.dynamodb
    now = int(sweep.time.time())
    failed = story.invoice("payment_failed", at=now - 60, id_="in_2")
    apply.handler(batch(story.subscription(period_end=4_000_000_000), failed), Context())
    environment.setenv(Env.DESTINATION, "slack")
    environment.setenv(Env.DESTINATION_OPTIONS, json.dumps({"channel": "C0123456789"}))
    environment.setenv(Env.DESTINATION_SECRET_ID, secret(world, "slack", "xoxb-0-made-up"))
    posted: list[Asked] = []

    def slack(asked: Asked) -> Answer:
        posted.append(asked)
        return Answer.of({"ok": True, "channel": "C0123456789", "ts": "1.2"})

    with serving(slack) as server:
        environment.setenv("SLACK_API_BASE", server.url)
        (nudge,) = world.messages("slack")
        sync.handler(batch(nudge, nudge), Context())
    (message,) = posted
    assert message.json()["text"].startswith("*Payment failed*\nmember: user_ada")


def test_a_destination_in_shadow_is_sent_nothing(world: World, environment: pytest.MonkeyPatch) -> None:
    _ = world.dynamodb
    apply.handler(batch(story.subscription(period_end=4_000_000_000), story.session()), Context())
    environment.setenv(Env.DESTINATION_MODE, '{"mode": "shadow", "percent": 100, "calls_per_month": null}')
    environment.setenv("KIT_API_BASE", "http://127.0.0.1:9")  # nobody answers there
    sync.handler(batch({"member": "user_ada"}), Context())
    record = world.item("MEMBER#user_ada", "DELIVERY#kit")
    assert record is not None
    assert record["shadow"] == ["level:member", "member_active"]
    assert "last_error" not in record


def test_a_dead_letter_is_parked_and_told(world: World, environment: pytest.MonkeyPatch) -> None:
    _ = world.dynamodb
    event = story.subscription()
    (letter,) = batch(event)["Records"]
    queue = {"eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:test-events-dlq.fifo"}
    assert undelivered.handler({"Records": [letter | queue]}, Context()) == {"batchItemFailures": []}
    entry = world.item(f"EVENT#{event['id']}", "LEDGER")
    assert entry is not None
    assert (entry["outcome"], entry["reason"]) == ("parked", "given up by the events queue")
    assert world.messages("slack") == [{"member": "cus_Ada0001", "notice": f"undelivered:{event['id']}"}]
