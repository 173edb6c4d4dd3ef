"""The command: the function's comparisons in an engineer's process."""

import json
from collections.abc import Iterator

import boto3
import pytest

from handlers.adapters.reconcile_table import BusyError
from handlers.entrypoints.comparisons import ModeError
from handlers.operations import reconcile
from handlers.operations.reconcile import Reconciled, told
from handlers.operations.stack import LiveStack
from handlers.settings import Env
from tests.handlers.reconcile.conftest import HOUR, Shop


@pytest.fixture
def stack(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveStack]:
    world = shop.world
    for name, value in world.environ.items():
        monkeypatch.setenv(name, value)
    made = LiveStack(contract={"region": world.environ["AWS_REGION"]}, session=boto3.Session(region_name="eu-west-1"))
    vars(made)["environment"] = {
        **world.environ,
        Env.STACK: "test",
        Env.LIVEMODE: "true",
        Env.TABLE_NAME: world.name,
        Env.POLICY: json.dumps(world.policy_document),
        Env.SYNC_QUEUE_URLS: json.dumps(world.queue_urls),
        Env.STRIPE_SECRET_ID: "stripe",
        Env.STRIPE_API_BASE: shop.twin.url,
    }
    own = {Env.EVENTS_QUEUE_URL: shop.queue_url, Env.DESTINATION_MODES: json.dumps({"kit": {"mode": "off"}})}
    monkeypatch.setattr(LiveStack, "function_environment", lambda _stack, purpose: own)
    monkeypatch.setattr(LiveStack, "secret", lambda _stack, arn: "rk_live_read")
    monkeypatch.setattr("time.time", lambda: world.clock.now)
    yield made
    made.close()


def run(stack: LiveStack, *, apply: bool = False, since: int | None = None) -> tuple[Reconciled, list[str]]:
    """What it found, and how it told its progress."""
    said: list[str] = []
    return reconcile.run(stack, since, said.append, apply=apply), said


def test_it_says_what_it_would_heal_and_heals_it_when_told(shop: Shop, stack: LiveStack) -> None:
    shop.subscription()
    shop.later(HOUR)
    dry, said = run(stack)
    lines = list(told(dry))
    assert len(dry.found) == 7
    assert f"event          {dry.found[0].id} {dry.found[0].what}" in lines
    assert lines[-2:] == ["missing: 7 of event; looked at 8", "nothing was changed; with --apply it is"]
    assert said[0].startswith("events-0: looked at ")
    assert (shop.rows(), shop.take()) == ({}, [])
    done, _ = run(stack, apply=True)
    assert done.found == dry.found
    assert list(told(done))[-1] == "healed: events are on their way to apply"
    assert len(shop.take()) == 7
    assert shop.state() == "active"
    assert [key for key in shop.rows() if key[0].startswith("AUDIT#")]
    again, _ = run(stack)
    assert list(told(again)) == ["missing: nothing; looked at 9"]


def test_a_key_of_the_other_mode_is_told(shop: Shop, stack: LiveStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveStack, "secret", lambda _stack, arn: "rk_test_read")
    with pytest.raises(ModeError, match="is a test key and the stack is live: set a live key"):
        run(stack, apply=True)
    assert shop.rows() == {}


def test_beside_the_function_it_does_nothing(shop: Shop, stack: LiveStack) -> None:
    shop.table.take(int(shop.world.clock.now))
    with pytest.raises(BusyError):
        run(stack, apply=True)


def test_what_is_nobodys_is_told_apart(shop: Shop, stack: LiveStack) -> None:
    shop.subscription(user=None)
    done, _ = run(stack, since=int(shop.world.clock.now))
    assert list(told(done)) == [
        "missing: nothing; looked at 1",
        "1 objects are of nobody whom the table knows: backfill says whose they may be",
    ]
