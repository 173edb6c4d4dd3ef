"""The functions' environment, read once at cold start into frozen settings; nothing else reads it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.core import policy
from handlers.core.errors import LaunchError
from handlers.core.policy import Policy
from handlers.core.switch import Mode, Switch
from handlers.settings import DestinationSpec, Env, destination

STRIPE_API_BASE = "https://api.stripe.com"
CLAIM_DAYS = 30
MAX_CLAIM_DAYS = 90

Environ = Mapping[str, str]


class SettingsError(LaunchError):
    """A variable is missing or wrong; the message names it and what it must be."""


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """What every function that uses the table needs; all that members needs."""

    stack: str
    table: str
    policy: Policy

    @classmethod
    def load(cls, environ: Environ) -> "TableSettings":
        """From the function's environment; SettingsError or PolicyError."""
        return cls(
            stack=_text(environ, Env.STACK),
            table=_text(environ, Env.TABLE_NAME),
            policy=policy.parse(_text(environ, Env.POLICY)),
        )


@dataclass(frozen=True, kw_only=True)
class RecordSettings:
    """What sweep needs, and apply too: those record facts, nudge sync and ask Stripe."""

    table: TableSettings
    destinations: tuple[DestinationSpec, ...]
    sync_queue_urls: Mapping[str, str]
    stripe_secret: str
    stripe_api_base: str
    identity_secret: str | None  # None where the stack's app signs nothing
    claim_url: str | None  # None where payers cannot claim
    claim_days: int

    @classmethod
    def load(cls, environ: Environ) -> "RecordSettings":
        """From the function's environment; SettingsError or PolicyError."""
        urls = _json_object(environ, Env.SYNC_QUEUE_URLS)
        return cls(
            table=TableSettings.load(environ),
            destinations=tuple(_destination(name, Env.SYNC_QUEUE_URLS) for name in sorted(urls)),
            sync_queue_urls={name: str(url) for name, url in urls.items()},
            stripe_secret=_text(environ, Env.STRIPE_SECRET_ID),
            stripe_api_base=environ.get(Env.STRIPE_API_BASE) or STRIPE_API_BASE,
            identity_secret=environ.get(Env.IDENTITY_SECRET_ID) or None,
            claim_url=environ.get(Env.CLAIM_URL) or None,
            claim_days=_days(environ, Env.CLAIM_DAYS, CLAIM_DAYS),
        )


@dataclass(frozen=True, kw_only=True)
class ClaimSettings:
    """What claims needs: the table, the sync queues and the identity secret."""

    table: TableSettings
    destinations: tuple[DestinationSpec, ...]
    sync_queue_urls: Mapping[str, str]
    identity_secret: str
    live: bool

    @classmethod
    def load(cls, environ: Environ) -> "ClaimSettings":
        """From the function's environment; SettingsError or PolicyError."""
        urls = _json_object(environ, Env.SYNC_QUEUE_URLS)
        return cls(
            table=TableSettings.load(environ),
            destinations=tuple(_destination(name, Env.SYNC_QUEUE_URLS) for name in sorted(urls)),
            sync_queue_urls={name: str(url) for name, url in urls.items()},
            identity_secret=_text(environ, Env.IDENTITY_SECRET_ID),
            live=livemode(environ),
        )


@dataclass(frozen=True, kw_only=True)
class ReconcileSettings:
    """What reconcile needs: all of sweep's, the way that events come, and how far each destination is switched on."""

    record: RecordSettings
    live: bool
    events_queue_url: str
    switches: Mapping[str, Switch]  # by destination; one that is not named is on

    @classmethod
    def load(cls, environ: Environ) -> "ReconcileSettings":
        """From the function's environment; SettingsError or PolicyError."""
        modes = _json_object(environ, Env.DESTINATION_MODES) if environ.get(Env.DESTINATION_MODES) else {}
        return cls(
            record=RecordSettings.load(environ),
            live=livemode(environ),
            events_queue_url=_text(environ, Env.EVENTS_QUEUE_URL),
            switches={name: _switch(fields) for name, fields in modes.items()},
        )


@dataclass(frozen=True, kw_only=True)
class SyncSettings:
    """What the sync function of one destination needs."""

    table: TableSettings
    destination: DestinationSpec
    secret: str
    options: Mapping[str, Any]
    base_url: str
    switch: Switch
    calls_per_month: int | None  # of the stack's plan at the vendor; None where that has no such limit

    @classmethod
    def load(cls, environ: Environ) -> "SyncSettings":
        """From the function's environment; SettingsError or PolicyError."""
        spec = _destination(_text(environ, Env.DESTINATION), Env.DESTINATION)
        mode = _json_object(environ, Env.DESTINATION_MODE) if environ.get(Env.DESTINATION_MODE) else {}
        return cls(
            table=TableSettings.load(environ),
            destination=spec,
            secret=_text(environ, Env.DESTINATION_SECRET_ID),
            options=_json_object(environ, Env.DESTINATION_OPTIONS),
            base_url=environ.get(spec.base_url_env) or spec.base_url,
            switch=_switch(mode),
            calls_per_month=_calls(mode),
        )


@dataclass(frozen=True, kw_only=True)
class UndeliveredSettings:
    """What undelivered needs: the table, and the sync queues, whose dead letters it reads too."""

    table: TableSettings
    sync_queue_urls: Mapping[str, str]

    @classmethod
    def load(cls, environ: Environ) -> "UndeliveredSettings":
        """From the function's environment; SettingsError or PolicyError."""
        urls = _json_object(environ, Env.SYNC_QUEUE_URLS)
        return cls(
            table=TableSettings.load(environ),
            sync_queue_urls={_destination(name, Env.SYNC_QUEUE_URLS).name: str(url) for name, url in urls.items()},
        )


def livemode(environ: Environ) -> bool:
    """Which Stripe mode this stack accepts; SettingsError when it is neither "true" nor "false"."""
    value = _text(environ, Env.LIVEMODE)
    if value not in {"true", "false"}:
        raise SettingsError(f'{Env.LIVEMODE} must be "true" or "false", got {value!r}')
    return value == "true"


def _text(environ: Environ, name: Env) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set: the function was deployed without it")
    return value


def _days(environ: Environ, name: Env, default: int) -> int:
    value = environ.get(name) or str(default)
    if not value.isdecimal() or not 1 <= int(value) <= MAX_CLAIM_DAYS:
        raise SettingsError(f"{name} must be a whole number of days, 1 to {MAX_CLAIM_DAYS}, got {value!r}")
    return int(value)


def _json_object(environ: Environ, name: Env) -> Mapping[str, Any]:
    try:
        value = json.loads(_text(environ, name))
    except ValueError as error:
        raise SettingsError(f"{name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise SettingsError(f"{name} must be a JSON object, got {type(value).__name__}")
    return value


def _destination(name: str, variable: Env) -> DestinationSpec:
    try:
        return destination(name)
    except KeyError as error:
        raise SettingsError(f"{variable}: {error.args[0]}") from None


def _switch(fields: Mapping[str, Any]) -> Switch:
    """How far the destination is on, from {"mode", "percent"}; all the way where they are absent."""
    mode, percent = fields.get("mode", Mode.ON), fields.get("percent", 100)
    if mode not in list(Mode):
        raise SettingsError(f"{Env.DESTINATION_MODE}: mode must be one of {', '.join(Mode)}, got {mode!r}")
    if type(percent) is not int or not 0 <= percent <= 100:
        raise SettingsError(f"{Env.DESTINATION_MODE}: percent must be a whole number, 0 to 100, got {percent!r}")
    return Switch(mode=Mode(mode), percent=percent)


def _calls(fields: Mapping[str, Any]) -> int | None:
    calls = fields.get("calls_per_month")
    if calls is not None and (type(calls) is not int or calls < 1):
        raise SettingsError(f"{Env.DESTINATION_MODE}: calls_per_month must be a whole number from 1, got {calls!r}")
    return calls
