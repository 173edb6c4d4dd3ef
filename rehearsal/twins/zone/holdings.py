"""What an account holds, found by id, by kind and owner, and records by name."""

from collections.abc import Mapping
from typing import Any

from rehearsal.twins.zone.entries import Entry, Kind
from rehearsal.twins.zone.plans import LIMITS, ORDER, Limits, Plan
from rehearsal.twins.zone.refusals import CloudflareError, identifier

_Group = dict[str, Entry]


class Holdings:
    """Entries in the order in which they were made. Not safe for threads: the twin holds its lock around it.

    `plans` gives the plan of zones by name, `plan` that of all others.
    """

    def __init__(self, plan: Plan, plans: Mapping[str, Plan]) -> None:
        self._plan = plan
        self._plans = dict(plans)
        self._all: _Group = {}
        self._kinds: dict[Kind, _Group] = {}
        self._scopes: dict[tuple[Kind, str], _Group] = {}
        self._names: dict[tuple[str, str], _Group] = {}

    def assign(self, name: str, plan: Plan) -> None:
        """Let the zone of that name be on `plan`."""
        self._plans[name] = plan

    def put(self, entry: Entry) -> None:
        """Take an entry in, in the place of the one with its id if there is one."""
        old = self._all.get(entry.id)
        if old is not None and _record_key(old) != _record_key(entry):
            self._names.get(_record_key(old), {}).pop(old.id, None)
        for group in self._groups(entry):
            group[entry.id] = entry

    def remove(self, id_: str) -> None:
        """Take the entry out, and with a zone all that belongs to it."""
        entry = self._all[id_]
        if entry.kind == Kind.ZONE:
            for owned in [owned for owned in self._all.values() if owned.scope == id_]:
                self.remove(owned.id)
        for group in self._groups(entry):
            group.pop(id_, None)

    def get(self, id_: str) -> Entry | None:
        """The entry of that id, or None."""
        return self._all.get(id_)

    def of(self, kind: Kind, scope: str | None = None, *, but: Entry | None = None) -> list[Entry]:
        """The entries of a kind, of one zone or account where `scope` is given, without `but`."""
        group = self._kinds.get(kind, {}) if scope is None else self._scopes.get((kind, scope), {})
        return [entry for entry in group.values() if but is None or entry.id != but.id]

    def count(self, kind: Kind, scope: str) -> int:
        """How many there are."""
        return len(self._scopes.get((kind, scope), {}))

    def records_named(self, zone_id: str, name: str, *, but: Entry | None = None) -> list[Entry]:
        """The records of exactly that name."""
        found = self._names.get((zone_id, name), {}).values()
        return [entry for entry in found if but is None or entry.id != but.id]

    def zone(self, inputs: Mapping[str, Any], what: str) -> Entry:
        """The zone that `inputs` belong to; CloudflareError when there is none."""
        zone_id = inputs.get("zoneId")
        found = self._all.get(zone_id) if isinstance(zone_id, str) else None
        if found is None or found.kind != Kind.ZONE:
            raise CloudflareError(f"{what}: no zone has the id {zone_id!r}", 7003)
        return found

    def account(self, inputs: Mapping[str, Any], what: str) -> str:
        """The id of the account that `inputs` belong to; CloudflareError when it is not the zones'."""
        given = identifier(inputs.get("accountId"), f"{what}: accountId")
        owners = {zone.scope for zone in self.of(Kind.ZONE)}
        if owners and given not in owners:
            raise CloudflareError(f"{what}: the token has no access to account {given}", 10000)
        return given

    def plan_of(self, zone: Entry) -> Plan:
        """The plan of a zone."""
        return self._plans.get(zone.outputs["name"], self._plan)

    def limits_of(self, zone: Entry) -> Limits:
        """What a zone's plan allows."""
        return LIMITS[self.plan_of(zone)]

    @property
    def account_limits(self) -> Limits:
        """What the account may do: the largest plan of its zones decides."""
        return LIMITS[max((self.plan_of(zone) for zone in self.of(Kind.ZONE)), key=ORDER.index, default=self._plan)]

    def _groups(self, entry: Entry) -> list[_Group]:
        groups = [
            self._all,
            self._kinds.setdefault(entry.kind, {}),
            self._scopes.setdefault((entry.kind, entry.scope), {}),
        ]
        if entry.kind == Kind.RECORD:
            groups.append(self._names.setdefault(_record_key(entry), {}))
        return groups


def _record_key(entry: Entry) -> tuple[str, str]:
    return entry.scope, str(entry.outputs.get("name"))
