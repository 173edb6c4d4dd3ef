"""Calls on one zone: `/zones/<id>/…`."""

from typing import Any

from rehearsal.twins.cloudflare_api import forms
from rehearsal.twins.cloudflare_api.conduct_routes import ConductRoutes
from rehearsal.twins.cloudflare_api.envelope import paged, refusal, result
from rehearsal.twins.cloudflare_api.kinds import PLAIN_PATHS, RECORDS, RULESETS, matches
from rehearsal.twins.cloudflare_api.shared_routes import Route
from rehearsal.twins.cloudflare_api.writing import mapping_of
from rehearsal.twins.dns.zonefile import rdata
from rehearsal.twins.vendor import Call, Reply
from rehearsal.twins.zone import Kind, Record
from rehearsal.twins.zone.naming import from_api
from rehearsal.twins.zone.settings import DEFAULTS, KNOWN

_LIST_PARAMETERS = frozenset({"page", "per_page", "order", "direction", "match"})


class ZoneRoutes(ConductRoutes):
    """Everything below a zone."""

    def routes(self) -> tuple[Route, ...]:
        """Method, path and answer; the usual calls on collections are `serve`'s."""
        return (
            ("GET", r"", self._show),
            ("DELETE", r"", self._delete),
            ("GET", r"settings", self._list_settings),
            ("GET", r"settings/([^/]+)", self._show_setting),
            ("PATCH", r"settings/([^/]+)", self._set),
            ("GET", r"dns_records", self._list_records),
            ("GET", r"dns_records/export", self._export),
            ("PATCH", r"dns_records/([^/]+)", self._edit_record),
            ("GET", r"dnssec", self._show_dnssec),
            ("PATCH", r"dnssec", self._set_dnssec),
            ("DELETE", r"dnssec", self._remove_dnssec),
            ("GET", r"workers/routes", lambda _: result([forms.route(one) for one in self.entries(Kind.ROUTE)])),
            ("GET", r"ssl/certificate_packs", lambda call: paged(call, [forms.universal_pack(self.zone)])),
            *self.conduct_routes(),
            *self.ruleset_routes(),
            *self.access_routes(),
        )

    @property
    def collections(self) -> tuple[Any, ...]:
        """Those that take the usual calls."""
        return (*PLAIN_PATHS, RULESETS)

    def _show(self, _call: Call) -> Reply:
        return result(forms.zone(self.zone.entry, self.zone.plan))

    def _delete(self, _call: Call) -> Reply:
        return self.store.remove(self.zone.entry)

    # Settings

    def _list_settings(self, _call: Call) -> Reply:
        return result(list(self._settings().values()))

    def _show_setting(self, _call: Call, name: str) -> Reply:
        setting = self._settings().get(name)
        return result(setting) if setting else refusal(400, 1006, f"Unrecognized zone setting name: {name}")

    def _set(self, call: Call, name: str) -> Reply:
        if name not in KNOWN:
            return refusal(400, 1006, f"Unrecognized zone setting name: {name}")
        inputs = {**self.owner, "settingId": name, "value": mapping_of(call).get("value")}
        return result(forms.setting(self.store.put(Kind.SETTING, f"{self.zone.id}/{name}", inputs)))

    def _settings(self) -> dict[str, dict[str, Any]]:
        untouched = {name: forms.untouched_setting(name, value) for name, value in DEFAULTS.items()}
        declared = [forms.setting(entry) for entry in self.zone.held.get(Kind.SETTING, ())]
        return {**untouched, **{setting["id"]: setting for setting in declared}}

    # Records

    def _list_records(self, call: Call) -> Reply:
        if set(call.query) - _LIST_PARAMETERS - RECORDS.filters:
            return refusal(400, 1004, "DNS Validation Error")
        found = [forms.record(entry) for entry in self.entries(Kind.RECORD)]
        return paged(call, [record for record in found if matches(record, call.query)])

    def _edit_record(self, call: Call, id_: str) -> Reply:
        """A change of some parts; the dates and what Cloudflare derives are not sent back to it."""
        entry = self.store.find(RECORDS, self.zone.id, id_)
        derived = ("createdOn", "modifiedOn", "proxiable")
        before = {key: value for key, value in entry.outputs.items() if key not in derived}
        changed = {**before, **from_api(mapping_of(call)), **self.owner}
        return result(forms.record(self.store.update(id_, changed)))

    def _export(self, _call: Call) -> Reply:
        """The zone file, in BIND's form."""
        lines = [_line(record) for record in self.zone.records]
        text = f";; Domain: {self.zone.name}.\n" + "".join(f"{line}\n" for line in lines)
        return Reply(status=200, body=text.encode(), headers={"content-type": "text/plain; charset=utf-8"})

    # DNSSEC

    def _show_dnssec(self, _call: Call) -> Reply:
        return result(forms.dnssec(next(iter(self.entries(Kind.DNSSEC)), None)))

    def _set_dnssec(self, call: Call) -> Reply:
        present = next(iter(self.entries(Kind.DNSSEC)), None)
        inputs = {**from_api(mapping_of(call)), **self.owner}
        entry = self.store.create(Kind.DNSSEC, inputs) if present is None else self.store.update(present.id, inputs)
        return result(forms.dnssec(entry))

    def _remove_dnssec(self, _call: Call) -> Reply:
        for entry in self.entries(Kind.DNSSEC):
            self.store.remove(entry)
        return result("")


def _line(record: Record) -> str:
    return f"{record.name}.\t{record.ttl}\tIN\t{record.type}\t{rdata(record)}"
