import json
from collections.abc import Callable
from typing import Any

import pytest

from handlers.core.errors import LaunchError
from handlers.core.switch import Mode, Switch
from handlers.entrypoints.environment import RecordSettings, SyncSettings, TableSettings, UndeliveredSettings, livemode
from handlers.settings import Env, destination
from tests.handlers import story

ENVIRON = {
    str(Env.STACK): "launch-ready-prod",
    str(Env.LIVEMODE): "true",
    str(Env.TABLE_NAME): "launch-ready-prod",
    str(Env.POLICY): json.dumps(story.POLICY),
    str(Env.SYNC_QUEUE_URLS): '{"slack": "https://sqs/slack", "kit": "https://sqs/kit"}',
    str(Env.STRIPE_SECRET_ID): "arn:stripe-read",
    str(Env.DESTINATION): "kit",
    str(Env.DESTINATION_SECRET_ID): "arn:kit",
    str(Env.DESTINATION_OPTIONS): '{"tags": {"member_active": 11}}',
}


def test_what_the_declaration_sets_is_read() -> None:
    record = RecordSettings.load(ENVIRON)
    assert record.table == TableSettings.load(ENVIRON)
    assert record.destinations == (destination("kit"), destination("slack"))
    assert record.sync_queue_urls == {"kit": "https://sqs/kit", "slack": "https://sqs/slack"}
    assert record.stripe_api_base == "https://api.stripe.com"
    sync = SyncSettings.load(ENVIRON)
    assert sync.options == {"tags": {"member_active": 11}}
    assert sync.base_url == "https://api.kit.com/v4"
    assert (sync.switch, sync.calls_per_month) == (Switch(mode=Mode.ON, percent=100), None)
    assert livemode(ENVIRON) is True
    assert UndeliveredSettings.load(ENVIRON).sync_queue_urls == record.sync_queue_urls


def test_a_destination_is_switched_as_its_mode_says() -> None:
    sync = SyncSettings.load(ENVIRON | switched('{"mode": "shadow", "percent": 5, "calls_per_month": 5000}'))
    assert (sync.switch, sync.calls_per_month) == (Switch(mode=Mode.SHADOW, percent=5), 5000)
    assert SyncSettings.load(ENVIRON | switched('{"calls_per_month": null}')).calls_per_month is None


def switched(mode: str) -> dict[str, str]:
    return {str(Env.DESTINATION_MODE): mode}


@pytest.mark.parametrize(
    ("mode", "problem"),
    [
        ("on", "DESTINATION_MODE is not JSON"),
        ('{"mode": "dark"}', "mode must be one of on, shadow, off, got 'dark'"),
        ('{"mode": []}', "mode must be one of"),
        ('{"percent": 101}', "percent must be a whole number, 0 to 100, got 101"),
        ('{"percent": true}', "percent must be a whole number"),
        ('{"calls_per_month": 0}', "calls_per_month must be a whole number from 1, got 0"),
    ],
)
def test_a_switch_that_is_none_is_refused(mode: str, problem: str) -> None:
    with pytest.raises(LaunchError, match=problem):
        SyncSettings.load(ENVIRON | switched(mode))


def test_a_vendor_can_be_elsewhere() -> None:
    elsewhere = {**ENVIRON, "KIT_API_BASE": "http://127.0.0.1:1", "STRIPE_API_BASE": "http://127.0.0.1:2"}
    assert SyncSettings.load(elsewhere).base_url == "http://127.0.0.1:1"
    assert RecordSettings.load(elsewhere).stripe_api_base == "http://127.0.0.1:2"


@pytest.mark.parametrize(
    ("load", "name", "value", "problem"),
    [
        (TableSettings.load, Env.TABLE_NAME, "", "TABLE_NAME is not set"),
        (TableSettings.load, Env.POLICY, "{}", "products: must be a list"),
        (RecordSettings.load, Env.SYNC_QUEUE_URLS, "x", "SYNC_QUEUE_URLS is not JSON"),
        (RecordSettings.load, Env.SYNC_QUEUE_URLS, "[]", "SYNC_QUEUE_URLS must be a JSON object, got list"),
        (RecordSettings.load, Env.SYNC_QUEUE_URLS, '{"fax": "u"}', "no destination 'fax'; known: kit, slack"),
        (SyncSettings.load, Env.DESTINATION, "fax", "DESTINATION: no destination 'fax'"),
        (livemode, Env.LIVEMODE, "yes", 'LAUNCH_LIVEMODE must be "true" or "false"'),
    ],
)
def test_what_is_missing_or_wrong_is_named(load: Callable[..., Any], name: str, value: str, problem: str) -> None:
    with pytest.raises(LaunchError, match=problem):
        load({**ENVIRON, str(name): value})
