"""The function as Lambda calls it: from its environment alone."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.adapters import secrets
from handlers.core.policy import DAY_SECONDS
from handlers.entrypoints import reconcile
from handlers.entrypoints.comparisons import ModeError
from handlers.entrypoints.reconcile import UnreadError
from handlers.settings import Env
from tests.handlers.loopback import Answer, Asked, serving
from tests.handlers.reconcile.conftest import HOUR, PLENTY_MS, Shop


class Context:
    """What Lambda hands a function beside the event."""

    def get_remaining_time_in_millis(self) -> int:
        return PLENTY_MS


@pytest.fixture
def environment(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    world = shop.world
    made = world.connect("secretsmanager").create_secret(Name=f"{world.name}/stripe", SecretString="rk_live_read")
    for name, value in {
        **world.environ,
        Env.STACK: "test",
        Env.LIVEMODE: "true",
        Env.TABLE_NAME: world.name,
        Env.POLICY: json.dumps(world.policy_document),
        Env.SYNC_QUEUE_URLS: json.dumps(world.queue_urls),
        Env.EVENTS_QUEUE_URL: shop.queue_url,
        Env.STRIPE_SECRET_ID: made["ARN"],
        Env.STRIPE_API_BASE: shop.twin.url,
        Env.DESTINATION_MODES: json.dumps({"kit": {"mode": "on", "percent": 100}}),
    }.items():
        monkeypatch.setenv(name, value)
    now = world.clock.now
    monkeypatch.setattr("time.time", lambda: now)
    forget()
    yield monkeypatch
    forget()


def forget() -> None:
    """What a warm function keeps."""
    if secrets._client.cache_info().currsize:
        secrets._client().close()
    secrets._client.cache_clear()


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def metrics(lines: list[dict[str, Any]]) -> Counter[str]:
    """The sums of reconcile's own."""
    sums: Counter[str] = Counter()
    for line in lines:
        sums.update({name: line[name] for name in ("ReconcileMissing", "ReconcileHealed") if name in line})
    return sums


def test_it_heals_and_tells_how_much(
    shop: Shop, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reconcile.handler({}, Context())
    shop.subscription()
    shop.world.clock.now += HOUR
    environment.setattr("time.time", lambda: shop.world.clock.now)
    capsys.readouterr()
    counts = reconcile.handler({}, Context())
    lines = printed(capsys)
    assert counts["missing"] == 7
    assert metrics(lines) == {"ReconcileMissing": 7, "ReconcileHealed": 7}
    done = lines[-1]
    assert (done["result"], done["applied"], done["missing"]) == ("complete", True, 7)
    assert len(shop.take()) == 7
    assert reconcile.handler({}, Context())["missing"] == 0


def test_what_was_before_the_first_pass_alarms_nobody(
    shop: Shop, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.subscription()
    assert reconcile.handler({}, Context())["missing"] > 0
    assert "ReconcileMissing" not in metrics(printed(capsys))


def test_a_dry_run_is_asked_for_by_the_payload(shop: Shop, environment: pytest.MonkeyPatch) -> None:
    shop.subscription()
    assert reconcile.handler({"apply": False}, Context())["missing"] > 0
    assert (shop.take(), shop.rows(), shop.table.cursor().version) == ([], {}, 0)


def test_beside_another_run_it_does_nothing(
    shop: Shop, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.table.take(int(shop.world.clock.now))
    assert reconcile.handler({}, Context()) == {}
    assert printed(capsys)[-1]["result"] == "busy"


def test_how_long_the_edges_certificate_is_good_for_is_told_whatever_becomes_of_the_run(
    shop: Shop, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = datetime.fromtimestamp(shop.world.clock.now + 20 * DAY_SECONDS, tz=UTC)
    environment.setenv(Env.ORIGIN_CERTIFICATE_ENDS, ends.isoformat())
    shop.table.take(int(shop.world.clock.now))
    reconcile.handler({}, Context())
    told, *_, last = printed(capsys)
    assert (told["OriginCertificateDays"], told["stack"], last["result"]) == (20.0, "test", "busy")


def test_a_key_of_the_other_mode_is_refused_before_anything_is_asked(
    shop: Shop, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv(Env.LIVEMODE, "false")
    with pytest.raises(ModeError, match="is a live key and the stack is test"):
        reconcile.handler({}, Context())
    assert printed(capsys)[-1]["result"] == "ModeError"


def test_what_cannot_be_read_fails_the_run_after_the_rest(shop: Shop, environment: pytest.MonkeyPatch) -> None:
    def refusing(asked: Asked) -> Answer:
        empty = Answer.of({"object": "list", "data": [], "has_more": False})
        return Answer.of({"error": {"message": "no"}}, 403) if "/refunds" in asked.path else empty

    with serving(refusing) as server:
        environment.setenv(Env.STRIPE_API_BASE, server.url)
        with pytest.raises(UnreadError, match="refunds: stripe: list /v1/refunds: HTTP 403"):
            reconcile.handler({}, Context())
