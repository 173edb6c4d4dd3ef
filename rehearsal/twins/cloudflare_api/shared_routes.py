"""Calls that zones and accounts have alike: rulesets and Access applications."""

from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.twins.cloudflare_api import forms
from rehearsal.twins.cloudflare_api.envelope import RefusedError, by_cursor, paged, result
from rehearsal.twins.cloudflare_api.kinds import RULESETS, Collection, rule_inputs
from rehearsal.twins.cloudflare_api.writing import Store, mapping_of
from rehearsal.twins.vendor import Call, Reply
from rehearsal.twins.zone import Entry, Kind
from rehearsal.twins.zone.naming import from_api

Route = tuple[str, str, Callable[..., Reply]]


class SharedRoutes:
    """`owner` is the zone or account, as the twin's inputs name it: {"zoneId": …} or {"accountId": …}."""

    def __init__(self, store: Store, *, owner: Mapping[str, str]) -> None:
        self.store = store
        self.owner = dict(owner)
        (self.scope,) = owner.values()

    @property
    def kind(self) -> str:
        """The kind of rulesets that live here."""
        return "zone" if "zoneId" in self.owner else "root"

    @property
    def collections(self) -> tuple[Collection, ...]:
        """Those that take the usual calls."""
        return ()

    def entries(self, kind: Kind) -> tuple[Entry, ...]:
        """What this zone or account has of a kind."""
        return self.store.twin.entries(kind, self.scope)

    def ruleset_routes(self) -> tuple[Route, ...]:
        """Lists, and the entry points of phases."""
        return (
            ("GET", r"rulesets", self._list_rulesets),
            ("GET", r"rulesets/phases/([^/]+)/entrypoint", self._show_entry_point),
            ("PUT", r"rulesets/phases/([^/]+)/entrypoint", self._put_entry_point),
        )

    def access_routes(self) -> tuple[Route, ...]:
        """Access applications, which may belong to either."""
        return (
            ("GET", r"access/apps", self._list_applications),
            ("POST", r"access/apps", self._add_application),
            ("GET", r"access/apps/([^/]+)", self._show_application),
            ("PUT", r"access/apps/([^/]+)", self._put_application),
            ("DELETE", r"access/apps/([^/]+)", self._remove_application),
        )

    def _list_rulesets(self, call: Call) -> Reply:
        """Without their rules; a zone sees Cloudflare's own rulesets too."""
        own = [forms.ruleset_summary(entry) for entry in self.entries(Kind.RULESET)]
        return by_cursor(call, [*own, *forms.managed_rulesets()])

    def _entry_point(self, phase: str) -> Entry | None:
        return next((entry for entry in self.entries(Kind.RULESET) if entry.outputs["phase"] == phase), None)

    def _show_entry_point(self, _call: Call, phase: str) -> Reply:
        entry = self._entry_point(phase)
        if entry is None:
            raise RefusedError(404, 10003, f"could not find entrypoint ruleset in the {phase} phase")
        return result(forms.ruleset(entry))

    def _put_entry_point(self, call: Call, phase: str) -> Reply:
        """Makes the entry point where there is none."""
        entry = self._entry_point(phase)
        inputs = {"name": "default", **rule_inputs(mapping_of(call)), **self.owner, "phase": phase, "kind": self.kind}
        made = self.store.create(Kind.RULESET, inputs) if entry is None else self.store.update(entry.id, inputs)
        return result(RULESETS.form(made))

    def _application(self, id_: str) -> Entry:
        entry = self.store.twin.read(id_)
        if entry is None or entry.kind != Kind.ACCESS_APPLICATION or entry.scope != self.scope:
            raise RefusedError(404, 11021, "access.api.error.unknown_application")
        return entry

    def _told(self, entry: Entry) -> dict[str, Any]:
        policies = {policy.id: policy for policy in self.store.twin.entries(Kind.ACCESS_POLICY)}
        return forms.access_application(entry, policies)

    def _list_applications(self, call: Call) -> Reply:
        return paged(call, [self._told(entry) for entry in self.entries(Kind.ACCESS_APPLICATION)], 12130)

    def _add_application(self, call: Call) -> Reply:
        inputs = {**_application_inputs(mapping_of(call)), **self.owner}
        return result(self._told(self.store.create(Kind.ACCESS_APPLICATION, inputs)))

    def _show_application(self, _call: Call, id_: str) -> Reply:
        return result(self._told(self._application(id_)))

    def _put_application(self, call: Call, id_: str) -> Reply:
        inputs = {**_application_inputs(mapping_of(call)), **self.owner}
        return result(self._told(self.store.update(self._application(id_).id, inputs)))

    def _remove_application(self, _call: Call, id_: str) -> Reply:
        return self.store.remove(self._application(id_))


def _application_inputs(body: Mapping[str, Any]) -> dict[str, Any]:
    """Policies come as objects or as ids alone."""
    inputs = from_api({key: value for key, value in body.items() if key not in ("aud", "created_at", "updated_at")})
    given = inputs.get("policies") or []
    policies = [one if isinstance(one, Mapping) else {"id": one} for one in given]
    return {**inputs, "policies": [{key: one[key] for key in ("id", "precedence") if key in one} for one in policies]}
