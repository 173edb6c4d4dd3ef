"""What Cloudflare makes of what it is told: from inputs to an entry with an id and outputs."""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from rehearsal.twins.zone import dnssec
from rehearsal.twins.zone.dnssec import SigningKey
from rehearsal.twins.zone.plans import LIMITS, Limits, Plan
from rehearsal.twins.zone.records import PROXIABLE, Record, check_beside, parse_record
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError, one_of, text
from rehearsal.twins.zone.rulesets import Ruleset, parse_ruleset
from rehearsal.twins.zone.settings import check_setting

_ID = re.compile(r"[0-9a-f]{32}")
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
_SERVERS = ("ada", "bob", "cleo", "dean", "elle", "finn", "gail", "hugh")
Meaning = Record | Ruleset | SigningKey | None


class Kind(StrEnum):
    """The kinds of things that a zone is declared with."""

    ZONE = "zone"
    RECORD = "record"
    SETTING = "setting"
    RULESET = "ruleset"
    DNSSEC = "dnssec"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One declared thing: `outputs` are the inputs and what Cloudflare adds, camelCase; `meaning` is what it parsed."""

    id: str
    kind: Kind
    outputs: Mapping[str, Any]
    meaning: Meaning = field(default=None, repr=False)


@dataclass(frozen=True)
class Held:
    """What an account on `plan` holds at the moment."""

    plan: Plan
    entries: tuple[Entry, ...]

    @property
    def limits(self) -> Limits:
        """Those of the plan."""
        return LIMITS[self.plan]

    def of(self, kind: Kind) -> list[Entry]:
        """The entries of a kind."""
        return [entry for entry in self.entries if entry.kind == kind]

    @property
    def zone(self) -> Entry | None:
        """The zone, or None."""
        return next(iter(self.of(Kind.ZONE)), None)

    def without(self, entry: Entry | None) -> "Held":
        """The same but for one entry, known by its id."""
        return Held(self.plan, tuple(other for other in self.entries if entry is None or other.id != entry.id))


def make(kind: Kind, inputs: Mapping[str, Any], held: Held, old: Entry | None) -> Entry:
    """The entry for `inputs` beside what is held; `old`, if any, is what it replaces.

    Raises CloudflareError or NotInTwinError.
    """
    return _MAKERS[kind](inputs, held.without(old), old)


def _zone(inputs: Mapping[str, Any], held: Held, old: Entry | None) -> Entry:
    name = text(inputs, "name", "a zone").rstrip(".").lower()
    account = (inputs.get("account") or {}).get("id")
    if not isinstance(account, str) or not _ID.fullmatch(account):
        raise CloudflareError(f"zone {name}: account.id must be 32 hexadecimal digits, got {account!r}")
    if not _DOMAIN.fullmatch(name):
        raise CloudflareError(f"zone {name!r}: the name must be a registrable domain such as example.com")
    if inputs.get("type", "full") != "full":
        raise NotInTwinError(f"zone {name}: the twin serves zones of type 'full', got {inputs['type']!r}")
    present = held.zone
    if present is not None:
        if present.outputs["name"] == name:
            raise CloudflareError(f"zone {name} already exists: import it, or destroy what made it")
        raise NotInTwinError(f"zone {name}: the twin holds one zone, {present.outputs['name']}")
    if old is not None and old.outputs["name"] != name:
        raise CloudflareError(f"zone {old.outputs['name']} cannot be renamed to {name}: make another zone")
    added = {"nameServers": _name_servers(name), "status": "active", "paused": False}
    return _entry(Kind.ZONE, {"type": "full", **inputs, "name": name, **added}, old)


def _record(inputs: Mapping[str, Any], held: Held, old: Entry | None) -> Entry:
    zone = _parent(inputs, held, "a record").outputs["name"]
    record = parse_record(inputs, zone, held.limits)
    others = [entry.meaning for entry in held.of(Kind.RECORD)]
    check_beside(record, [other for other in others if isinstance(other, Record)], zone, held.limits)
    added = {
        "name": record.name,
        "content": record.content,
        "ttl": record.ttl,
        "proxied": record.proxied,
        "proxiable": record.type in PROXIABLE,
    }
    return _entry(Kind.RECORD, {**inputs, **added}, old, record)


def _setting(inputs: Mapping[str, Any], held: Held, old: Entry | None) -> Entry:
    zone = _parent(inputs, held, "a zone setting")
    setting = text(inputs, "settingId", "a zone setting")
    check_setting(setting, inputs.get("value"), held.plan)
    id_ = f"{zone.id}/{setting}"  # Cloudflare's own id is the name alone, unique in its zone only
    return replace(_entry(Kind.SETTING, {**inputs, "editable": True}, old), id=id_)


def _ruleset(inputs: Mapping[str, Any], held: Held, old: Entry | None) -> Entry:
    _parent(inputs, held, "a ruleset")
    ruleset = parse_ruleset(inputs, held.limits)
    for entry in held.of(Kind.RULESET):
        if isinstance(entry.meaning, Ruleset) and entry.meaning.phase == ruleset.phase:
            raise CloudflareError(f"phase {ruleset.phase} has its entry-point ruleset already: put all rules there")
    version = 1 if old is None else int(old.outputs["version"]) + 1
    rules = [{"id": secrets.token_hex(16), "enabled": True, **rule} for rule in inputs.get("rules") or []]
    added = {"rules": rules, "version": str(version), "lastUpdated": _now()}
    return _entry(Kind.RULESET, {**inputs, **added}, old, ruleset)


def _dnssec(inputs: Mapping[str, Any], held: Held, old: Entry | None) -> Entry:
    zone = _parent(inputs, held, "DNSSEC").outputs["name"]
    status = one_of(inputs.get("status", "active"), ("active", "disabled"), "DNSSEC status")
    if held.of(Kind.DNSSEC):
        raise CloudflareError(f"zone {zone}: DNSSEC is declared already")
    if status == "disabled":
        return _entry(Kind.DNSSEC, {**inputs, "status": status}, old)
    key = old.meaning if old is not None and isinstance(old.meaning, SigningKey) else dnssec.generate()
    return _entry(Kind.DNSSEC, {**inputs, **key.outputs(zone)}, old, key)


def _parent(inputs: Mapping[str, Any], held: Held, what: str) -> Entry:
    zone_id, zone = inputs.get("zoneId"), held.zone
    if zone is None or zone.id != zone_id:
        raise CloudflareError(f"{what}: no zone has the id {zone_id!r}")
    return zone


def _entry(kind: Kind, outputs: Mapping[str, Any], old: Entry | None, meaning: Meaning = None) -> Entry:
    created = _now() if old is None else old.outputs.get("createdOn", _now())
    id_ = secrets.token_hex(16) if old is None else old.id
    dated = {**outputs, "createdOn": created, "modifiedOn": _now()}
    return Entry(id=id_, kind=kind, outputs=dated, meaning=meaning)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name_servers(zone: str) -> list[str]:
    """Two of Cloudflare's, always the same ones for a zone."""
    first = hashlib.sha256(zone.encode()).digest()[0] % len(_SERVERS)
    return sorted(f"{_SERVERS[(first + step) % len(_SERVERS)]}.ns.cloudflare.com" for step in (0, 3))


_MAKERS: dict[Kind, Callable[[Mapping[str, Any], Held, Entry | None], Entry]] = {
    Kind.ZONE: _zone,
    Kind.RECORD: _record,
    Kind.SETTING: _setting,
    Kind.RULESET: _ruleset,
    Kind.DNSSEC: _dnssec,
}
