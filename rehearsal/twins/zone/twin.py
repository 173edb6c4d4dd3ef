"""The zone twin: what was declared to Cloudflare, by id, and how the DNS and edge twins read it."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.twins.zone.dnssec import SigningKey
from rehearsal.twins.zone.entries import Entry, Held, Kind, make
from rehearsal.twins.zone.plans import Plan
from rehearsal.twins.zone.records import PROXIABLE, Record
from rehearsal.twins.zone.refusals import CloudflareError
from rehearsal.twins.zone.rulesets import Rule, Ruleset
from rehearsal.twins.zone.settings import DEFAULTS


class ZoneTwin:
    """One Cloudflare account with one zone on `plan`, empty at first. Every method may be called from any thread.

    Raises CloudflareError where Cloudflare refuses and NotInTwinError where the twin would not act on what it is told.
    """

    def __init__(self, *, plan: Plan = "free") -> None:
        self.plan: Plan = plan
        self._lock = threading.RLock()
        self._entries: dict[str, Entry] = {}
        self._settings: dict[str, Any] = {}
        self._watchers: list[Callable[[], None]] = []
        self._revision = 0

    # Declaring

    def create(self, kind: Kind, inputs: Mapping[str, Any]) -> Entry:
        """Take `inputs` (camelCase, as Pulumi sends them); the entry has the new id and the outputs."""
        with self._lock:
            entry = make(kind, inputs, self._held(), None)
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
            entry = make(old.kind, inputs, self._held(), old)
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

    def entries(self, kind: Kind) -> tuple[Entry, ...]:
        """Everything of that kind, in the order in which it was made."""
        return tuple(self._held().of(kind))

    @property
    def name(self) -> str | None:
        """The zone's name, or None as long as there is no zone."""
        zone = self._held().zone
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
        found = [entry.meaning for entry in self._held().of(Kind.RULESET)]
        rulesets = [ruleset for ruleset in found if isinstance(ruleset, Ruleset) and ruleset.phase == phase]
        return [rule for ruleset in rulesets for rule in ruleset.rules if rule.enabled]

    def records(self) -> list[Record]:
        """All records."""
        return [entry.meaning for entry in self._held().of(Kind.RECORD) if isinstance(entry.meaning, Record)]

    def records_of(self, name: str) -> list[Record]:
        """The records that answer for `name`: its own, else those of the wildcard that covers it (RFC 4592)."""
        wanted, records = name.rstrip(".").lower(), self.records()
        names = {record.name for record in records}
        source = _source(wanted, names)
        return [record for record in records if record.name == source]

    def find_records(self, name: str) -> list[dict[str, Any]]:
        """The outputs of the records of exactly that name: `name`, `type`, `content`, `ttl`, `proxied`, …"""
        wanted = name.rstrip(".").lower()
        return [dict(entry.outputs) for entry in self._held().of(Kind.RECORD) if entry.outputs["name"] == wanted]

    def is_proxied(self, host: str) -> bool:
        """Whether the edge answers for `host`."""
        return any(record.proxied for record in self.records_of(host) if record.type in PROXIABLE)

    @property
    def name_servers(self) -> list[str]:
        """Cloudflare's two name servers for the zone; empty without one."""
        zone = self._held().zone
        return [] if zone is None else list(zone.outputs["nameServers"])

    @property
    def signing_key(self) -> SigningKey | None:
        """The key that signs the zone, while DNSSEC is declared active."""
        for entry in self._held().of(Kind.DNSSEC):
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

    def _held(self) -> Held:
        with self._lock:
            return Held(self.plan, tuple(self._entries.values()))

    def _existing(self, id_: str) -> Entry:
        entry = self._entries.get(id_)
        if entry is None:
            raise CloudflareError(f"nothing has the id {id_!r}: it was removed, or never made")
        return entry

    def _put(self, entry: Entry) -> None:
        self._entries[entry.id] = entry
        if entry.kind == Kind.SETTING:
            self._settings[entry.outputs["settingId"]] = entry.outputs["value"]
        self._revision += 1


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
