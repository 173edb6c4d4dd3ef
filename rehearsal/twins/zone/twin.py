"""The zone twin: what was declared to Cloudflare, by id, and how the DNS and edge twins read it."""

import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from rehearsal.twins.zone import dnssec
from rehearsal.twins.zone.dnssec import SigningKey
from rehearsal.twins.zone.plans import LIMITS, Plan
from rehearsal.twins.zone.records import PROXIABLE, Record, check_beside, parse_record
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError, one_of, text
from rehearsal.twins.zone.rulesets import Rule, Ruleset, parse_ruleset
from rehearsal.twins.zone.settings import DEFAULTS, check_setting

_ID = re.compile(r"[0-9a-f]{32}")
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
_SERVERS = ("ada", "bob", "cleo", "dean", "elle", "finn", "gail", "hugh")


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
    meaning: Record | Ruleset | SigningKey | None = field(default=None, repr=False)


class ZoneTwin:
    """One Cloudflare account with one zone on `plan`, empty at first. Every method may be called from any thread.

    Raises CloudflareError where Cloudflare refuses and NotInTwinError where the twin would not act on what it is told.
    """

    def __init__(self, *, plan: Plan = "free") -> None:
        self.plan: Plan = plan
        self._limits = LIMITS[plan]
        self._lock = threading.RLock()
        self._entries: dict[str, Entry] = {}
        self._settings: dict[str, Any] = {}
        self._watchers: list[Callable[[], None]] = []
        self._revision = 0

    # Declaring

    def create(self, kind: Kind, inputs: Mapping[str, Any]) -> Entry:
        """Take `inputs` (camelCase, as Pulumi sends them); the entry has the new id and the outputs."""
        with self._lock:
            entry = self._made(kind, inputs, None)
            self._put(entry)
        self._tell()
        return entry

    def read(self, id_: str) -> Entry | None:
        """The entry of that id, or None."""
        with self._lock:
            return self._entries.get(id_)

    def update(self, id_: str, inputs: Mapping[str, Any]) -> Entry:
        """Replace the inputs of an existing entry, keeping its id."""
        with self._lock:
            old = self._existing(id_)
            entry = self._made(old.kind, inputs, old)
            self._put(entry)
        self._tell()
        return entry

    def delete(self, id_: str) -> None:
        """Remove an entry; a setting keeps its value, as at Cloudflare, and a zone takes everything with it."""
        with self._lock:
            entry = self._existing(id_)
            if entry.kind == Kind.ZONE:
                self._entries.clear()
                self._settings.clear()
            else:
                del self._entries[id_]
            self._revision += 1
        self._tell()

    # Reading

    @property
    def name(self) -> str | None:
        """The zone's name, or None as long as there is no zone."""
        zone = self._zone()
        return None if zone is None else zone.outputs["name"]

    @property
    def revision(self) -> int:
        """Grows with every change."""
        with self._lock:
            return self._revision

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that were declared."""
        with self._lock:
            return dict(self._settings)

    def setting(self, setting: str) -> Any:
        """The declared value of a setting, or what Cloudflare gives a zone that declares none."""
        return self.settings.get(setting, DEFAULTS.get(setting))

    def rulesets(self, phase: str) -> list[Rule]:
        """The enabled rules of a phase, in their order."""
        with self._lock:
            found = [entry.meaning for entry in self._of(Kind.RULESET)]
        rulesets = [ruleset for ruleset in found if isinstance(ruleset, Ruleset) and ruleset.phase == phase]
        return [rule for ruleset in rulesets for rule in ruleset.rules if rule.enabled]

    def records(self) -> list[Record]:
        """All records."""
        with self._lock:
            return [entry.meaning for entry in self._of(Kind.RECORD) if isinstance(entry.meaning, Record)]

    def records_of(self, name: str) -> list[Record]:
        """The records that answer for `name`: its own, else those of the wildcard that covers it (RFC 4592)."""
        wanted, records = name.rstrip(".").lower(), self.records()
        names = {record.name for record in records}
        source = _source(wanted, names)
        return [record for record in records if record.name == source]

    def find_records(self, name: str) -> list[dict[str, Any]]:
        """The outputs of the records of exactly that name: `name`, `type`, `content`, `ttl`, `proxied`, …"""
        wanted = name.rstrip(".").lower()
        with self._lock:
            return [dict(entry.outputs) for entry in self._of(Kind.RECORD) if entry.outputs["name"] == wanted]

    def is_proxied(self, host: str) -> bool:
        """Whether the edge answers for `host`."""
        return any(record.proxied for record in self.records_of(host) if record.type in PROXIABLE)

    @property
    def name_servers(self) -> list[str]:
        """Cloudflare's two name servers for the zone; empty without one."""
        zone = self._zone()
        return [] if zone is None else list(zone.outputs["nameServers"])

    @property
    def signing_key(self) -> SigningKey | None:
        """The key that signs the zone, while DNSSEC is declared active."""
        with self._lock:
            for entry in self._of(Kind.DNSSEC):
                if isinstance(entry.meaning, SigningKey):
                    return entry.meaning
        return None

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` now and after every change, in the thread that makes it."""
        with self._lock:
            self._watchers.append(watcher)
        watcher()

    # Inside

    def _tell(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher()

    def _of(self, kind: Kind) -> list[Entry]:
        return [entry for entry in self._entries.values() if entry.kind == kind]

    def _zone(self) -> Entry | None:
        with self._lock:
            return next(iter(self._of(Kind.ZONE)), None)

    def _existing(self, id_: str) -> Entry:
        entry = self._entries.get(id_)
        if entry is None:
            raise CloudflareError(f"nothing has the id {id_!r}: it was removed, or never made")
        return entry

    def _put(self, entry: Entry) -> None:
        self._entries[entry.id] = entry
        self._revision += 1

    def _made(self, kind: Kind, inputs: Mapping[str, Any], old: Entry | None) -> Entry:
        makers: dict[Kind, Callable[[Mapping[str, Any], Entry | None], Entry]] = {
            Kind.ZONE: self._zone_entry,
            Kind.RECORD: self._record_entry,
            Kind.SETTING: self._setting_entry,
            Kind.RULESET: self._ruleset_entry,
            Kind.DNSSEC: self._dnssec_entry,
        }
        return makers[kind](inputs, old)

    def _zone_entry(self, inputs: Mapping[str, Any], old: Entry | None) -> Entry:
        name = text(inputs, "name", "a zone").rstrip(".").lower()
        account = (inputs.get("account") or {}).get("id")
        if not isinstance(account, str) or not _ID.fullmatch(account):
            raise CloudflareError(f"zone {name}: account.id must be 32 hexadecimal digits, got {account!r}")
        if not _DOMAIN.fullmatch(name):
            raise CloudflareError(f"zone {name!r}: the name must be a registrable domain such as example.com")
        if inputs.get("type", "full") != "full":
            raise NotInTwinError(f"zone {name}: the twin serves zones of type 'full', got {inputs['type']!r}")
        present = self._zone()
        if present is not None and old is None:
            if present.outputs["name"] == name:
                raise CloudflareError(f"zone {name} already exists: import it, or destroy what made it")
            raise NotInTwinError(f"zone {name}: the twin holds one zone, {present.outputs['name']}")
        if old is not None and old.outputs["name"] != name:
            raise CloudflareError(f"zone {old.outputs['name']} cannot be renamed to {name}: make another zone")
        added = {"nameServers": _name_servers(name), "status": "active", "paused": False}
        return _entry(Kind.ZONE, {"type": "full", **inputs, "name": name, **added}, old)

    def _record_entry(self, inputs: Mapping[str, Any], old: Entry | None) -> Entry:
        zone = self._parent(inputs, "a record")
        record = parse_record(inputs, zone, self._limits)
        others = [entry.meaning for entry in self._of(Kind.RECORD) if entry is not old]
        check_beside(record, [other for other in others if isinstance(other, Record)], zone, self._limits)
        added = {
            "name": record.name,
            "content": record.content,
            "ttl": record.ttl,
            "proxied": record.proxied,
            "proxiable": record.type in PROXIABLE,
        }
        return _entry(Kind.RECORD, {**inputs, **added}, old, record)

    def _setting_entry(self, inputs: Mapping[str, Any], old: Entry | None) -> Entry:
        zone = self._parent(inputs, "a zone setting")
        setting = text(inputs, "settingId", "a zone setting")
        check_setting(setting, inputs.get("value"), self.plan)
        entry_id = f"{self._zone_id(zone)}/{setting}"  # Cloudflare's id is the name alone, unique in its zone
        self._settings[setting] = inputs["value"]
        made = _entry(Kind.SETTING, {**inputs, "editable": True}, old)
        return Entry(id=entry_id, kind=made.kind, outputs=made.outputs)

    def _ruleset_entry(self, inputs: Mapping[str, Any], old: Entry | None) -> Entry:
        self._parent(inputs, "a ruleset")
        ruleset = parse_ruleset(inputs, self._limits)
        for entry in self._of(Kind.RULESET):
            if entry is not old and isinstance(entry.meaning, Ruleset) and entry.meaning.phase == ruleset.phase:
                raise CloudflareError(f"phase {ruleset.phase} has its entry-point ruleset already: put all rules there")
        version = 1 if old is None else int(old.outputs["version"]) + 1
        rules = [{"id": secrets.token_hex(16), "enabled": True, **rule} for rule in inputs.get("rules") or []]
        added = {"rules": rules, "version": str(version), "lastUpdated": _now()}
        return _entry(Kind.RULESET, {**inputs, **added}, old, ruleset)

    def _dnssec_entry(self, inputs: Mapping[str, Any], old: Entry | None) -> Entry:
        zone = self._parent(inputs, "DNSSEC")
        status = one_of(inputs.get("status", "active"), ("active", "disabled"), "DNSSEC status")
        if old is None and self._of(Kind.DNSSEC):
            raise CloudflareError(f"zone {zone}: DNSSEC is declared already")
        if status == "disabled":
            return _entry(Kind.DNSSEC, {**inputs, "status": status}, old)
        key = old.meaning if old is not None and isinstance(old.meaning, SigningKey) else dnssec.generate()
        return _entry(Kind.DNSSEC, {**inputs, **key.outputs(zone)}, old, key)

    def _parent(self, inputs: Mapping[str, Any], what: str) -> str:
        zone_id, zone = inputs.get("zoneId"), self._zone()
        if zone is None or zone.id != zone_id:
            raise CloudflareError(f"{what}: no zone has the id {zone_id!r}")
        return zone.outputs["name"]

    def _zone_id(self, name: str) -> str:
        return next(entry.id for entry in self._of(Kind.ZONE) if entry.outputs["name"] == name)


def _entry(
    kind: Kind, outputs: Mapping[str, Any], old: Entry | None, meaning: Record | Ruleset | SigningKey | None = None
) -> Entry:
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


def _source(name: str, names: set[str]) -> str | None:
    """The name whose records answer for `name`: itself, or the wildcard below its closest existing ancestor."""
    if name in names:
        return name
    existing = {ancestor for known in names for ancestor in _upwards(known)}
    closest = next(ancestor for ancestor in (*_upwards(name), "") if ancestor in existing or not ancestor)
    wildcard = f"*.{closest}"
    return wildcard if closest != name and wildcard in names else None


def _upwards(name: str) -> list[str]:
    """`name` and every name above it."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]
