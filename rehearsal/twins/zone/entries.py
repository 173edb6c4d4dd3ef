"""One thing that Cloudflare was told, with its id and what Cloudflare adds to it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kinds of things that an account is declared with."""

    ZONE = "zone"
    RECORD = "record"
    SETTING = "setting"
    RULESET = "ruleset"
    DNSSEC = "dnssec"
    LIST = "list"
    LIST_ITEM = "list item"
    BOTS = "bot management"
    ACCESS_POLICY = "Access policy"
    ACCESS_APPLICATION = "Access application"
    SCRIPT = "Workers script"
    ROUTE = "Workers route"
    PULL_CERTIFICATE = "origin pull certificate"
    PULL_HOSTS = "origin pull hosts"
    PULL_SETTINGS = "origin pull settings"
    HEALTHCHECK = "health check"
    NORMALIZATION = "URL normalization"
    TRANSFORMS = "managed transforms"


SETTLED = frozenset({Kind.SETTING, Kind.BOTS, Kind.PULL_SETTINGS, Kind.NORMALIZATION, Kind.TRANSFORMS})
"""Kinds that a zone always has: declaring overwrites the one that is there, and deleting resets nothing."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One declared thing: `outputs` are the inputs and what Cloudflare adds, camelCase; `meaning` is what it parsed.

    `scope` is the id of the zone or account that it belongs to.
    """

    id: str
    kind: Kind
    scope: str
    outputs: Mapping[str, Any]
    meaning: object = field(default=None, repr=False)


def entry(
    kind: Kind,
    scope: str,
    outputs: Mapping[str, Any],
    old: Entry | None,
    meaning: object = None,
    id_: str | None = None,
) -> Entry:
    """The entry that takes the place of `old`, or a new one with `id_` or an id of Cloudflare's form."""
    created = now() if old is None else old.outputs.get("createdOn", now())
    known = id_ or (secrets.token_hex(16) if old is None else old.id)
    dated = {**outputs, "createdOn": created, "modifiedOn": now()}
    return Entry(id=known, kind=kind, scope=scope, outputs=dated, meaning=meaning)


def now() -> str:
    """The time as Cloudflare writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
