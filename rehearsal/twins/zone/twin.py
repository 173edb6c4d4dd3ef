"""The zone twin: what was declared to Cloudflare, by id, and how the DNS and edge twins read it."""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rehearsal.twins.zone.entries import SETTLED, Entry, Kind
from rehearsal.twins.zone.holdings import Holdings
from rehearsal.twins.zone.lists import RedirectItem, items_of
from rehearsal.twins.zone.loading import entries_of
from rehearsal.twins.zone.making import check_removable, make
from rehearsal.twins.zone.plans import ORDER, Plan
from rehearsal.twins.zone.refusals import CloudflareError
from rehearsal.twins.zone.rulesets import Rule, Ruleset
from rehearsal.twins.zone.view import Zone

_SHARED = (Kind.SCRIPT, Kind.ACCESS_POLICY, Kind.ACCESS_APPLICATION)


class ZoneTwin:
    """One Cloudflare account, empty at first. Every method may be called from any thread.

    `plans` gives the plan of zones by name; those that it does not name are on `plan`. Raises CloudflareError where
    Cloudflare refuses and NotInTwinError where the twin would not act on what it is told.
    """

    def __init__(self, *, plan: Plan = "free", plans: Mapping[str, Plan] | None = None) -> None:
        self._lock = threading.RLock()
        self._held = Holdings(plan, plans or {})
        self._kept: dict[str, Entry] = {}  # what stays when its declaration goes, by id
        self._watchers: list[Callable[[], None]] = []
        self._revision = 0
        self._seen: tuple[int, tuple[Zone, ...]] = (0, ())

    # Declaring

    def create(self, kind: Kind, inputs: Mapping[str, Any]) -> Entry:
        """Take `inputs` (camelCase, as Pulumi sends them); the entry has the id and the outputs."""
        with self._lock:
            entry = make(kind, inputs, self._held, None)
            self._put((entry,))
        self._tell()
        return entry

    def read(self, id_: str) -> Entry | None:
        """The entry of that id, or None."""
        with self._lock:
            return self._held.get(id_)

    def update(self, id_: str, inputs: Mapping[str, Any]) -> Entry:
        """Replace the inputs of an existing entry, keeping its id."""
        with self._lock:
            old = self._existing(id_)
            entry = make(old.kind, inputs, self._held, old)
            self._put((entry,))
        self._tell()
        return entry

    def delete(self, id_: str) -> None:
        """Remove an entry; a setting keeps its value, as at Cloudflare, and a zone takes everything with it."""
        with self._lock:
            entry = self._existing(id_)
            check_removable(entry, self._held)
            self._held.remove(id_)
            if entry.kind == Kind.ZONE:
                self._kept = {known: kept for known, kept in self._kept.items() if kept.scope != id_}
            self._revision += 1
        self._tell()

    def load(self, snapshot: Mapping[str, Any]) -> Entry:
        """Take a live zone in the API's own forms (see `entries_of`), whatever it holds; the zone's entry.

        What the account holds is replaced where the snapshot has it under the same id.
        """
        with self._lock:
            loaded = list(entries_of(snapshot))
            plan = (snapshot["zone"].get("plan") or {}).get("legacy_id")
            if plan in ORDER:
                self._held.assign(loaded[0].outputs["name"], plan)
            self._put(loaded)
        self._tell()
        return loaded[0]

    # Reading

    def entries(self, kind: Kind, scope: str | None = None) -> tuple[Entry, ...]:
        """Everything of that kind, in the order in which it was made; of one zone or account where `scope` is given."""
        with self._lock:
            return tuple(self._held.of(kind, scope))

    @property
    def revision(self) -> int:
        """Grows with every change."""
        with self._lock:
            return self._revision

    @property
    def zones(self) -> tuple[Zone, ...]:
        """Every zone as it is now."""
        with self._lock:
            if self._seen[0] != self._revision:
                self._seen = (self._revision, tuple(self._view(zone) for zone in self._held.of(Kind.ZONE)))
            return self._seen[1]

    def zone_for(self, host: str) -> Zone | None:
        """The zone that `host` is in, now, or None."""
        name = host.rstrip(".").lower()
        inside = [zone for zone in self.zones if name == zone.name or name.endswith(f".{zone.name}")]
        return max(inside, key=lambda zone: len(zone.name), default=None)

    def find_records(self, name: str) -> list[dict[str, Any]]:
        """The outputs of the records of exactly that name: `name`, `type`, `content`, `ttl`, `proxied`, …"""
        wanted = name.rstrip(".").lower()
        with self._lock:
            zones = self._held.of(Kind.ZONE)
            return [dict(one.outputs) for zone in zones for one in self._held.records_named(zone.id, wanted)]

    def bulk_redirects(self) -> list[Rule]:
        """The account's enabled rules of phase http_request_redirect."""
        found = [one.meaning for one in self.entries(Kind.RULESET)]
        bulk = [one for one in found if isinstance(one, Ruleset) and one.phase == "http_request_redirect"]
        return [rule for ruleset in bulk for rule in ruleset.rules if rule.enabled]

    def redirect_list(self, name: str) -> tuple[RedirectItem, ...]:
        """The items of the list of that name; empty where there is none."""
        with self._lock:
            named = [one for one in self._held.of(Kind.LIST) if one.outputs["name"] == name]
            return tuple(item for one in named for item in items_of(one, self._held))

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

    def _view(self, zone: Entry) -> Zone:
        held = {kind: tuple(self._held.of(kind, zone.id)) for kind in Kind}
        for kind in SETTLED:
            held[kind] = tuple(one for one in self._kept.values() if one.kind == kind and one.scope == zone.id)
        shared = {kind: tuple(self._held.of(kind, zone.scope)) for kind in _SHARED}
        return Zone(zone, self._held.plan_of(zone), held, shared)

    def _existing(self, id_: str) -> Entry:
        entry = self._held.get(id_)
        if entry is None:
            raise CloudflareError(f"nothing has the id {id_!r}: it was removed, or never made", 81044)
        return entry

    def _put(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._held.put(entry)
            if entry.kind in SETTLED:
                self._kept[entry.id] = entry
        self._revision += 1
