"""Calls on what a zone has one of: bots, managed transforms, URL normalization, origin pulls."""

from rehearsal.twins.cloudflare_api import forms
from rehearsal.twins.cloudflare_api.envelope import RefusedError, paged, result
from rehearsal.twins.cloudflare_api.kinds import PULL_CERTIFICATES
from rehearsal.twins.cloudflare_api.shared_routes import Route, SharedRoutes
from rehearsal.twins.cloudflare_api.writing import Store, mapping_of
from rehearsal.twins.vendor import Call, Reply
from rehearsal.twins.zone import Kind, Zone
from rehearsal.twins.zone.naming import from_api, to_api


class ConductRoutes(SharedRoutes):
    """The part of a zone's calls that is not about its records, settings and rules."""

    def __init__(self, store: Store, *, zone_id: str) -> None:
        super().__init__(store, owner={"zoneId": zone_id})

    @property
    def zone(self) -> Zone:
        """The zone as it is now."""
        return next(zone for zone in self.store.twin.zones if zone.id == self.scope)

    def conduct_routes(self) -> tuple[Route, ...]:
        """Method, path and answer."""
        return (
            ("GET", r"bot_management", self._show_bots),
            ("PUT", r"bot_management", self._set_bots),
            ("GET", r"managed_headers", self._show_transforms),
            ("PATCH", r"managed_headers", self._set_transforms),
            ("DELETE", r"managed_headers", lambda call: self._reset(call, "managed_headers")),
            ("GET", r"url_normalization", self._show_normalization),
            ("PUT", r"url_normalization", self._set_normalization),
            ("DELETE", r"url_normalization", lambda call: self._reset(call, "url_normalization")),
            ("GET", r"healthchecks", self._list_healthchecks),
            ("GET", r"origin_tls_client_auth/settings", self._show_pulls),
            ("PUT", r"origin_tls_client_auth/settings", self._set_pulls),
            ("GET", r"origin_tls_client_auth/hostnames/certificates", self._list_pull_certificates),
            ("PUT", r"origin_tls_client_auth/hostnames", self._set_pull_hosts),
            ("GET", r"origin_tls_client_auth", lambda _: result([])),  # certificates of the zone as a whole: none
            ("GET", r"origin_tls_client_auth/hostnames/(?!certificates)([^/]+)", self._show_pull_host),
        )

    def _show_bots(self, _call: Call) -> Reply:
        kept = {key: value for key, value in self.zone.bots.items() if key not in ("zoneId", "createdOn", "modifiedOn")}
        return result({**to_api(kept), "using_latest_model": True})

    def _set_bots(self, call: Call) -> Reply:
        id_ = f"{self.zone.id}/bot_management"
        self.store.put(Kind.BOTS, id_, {**self.zone.bots, **from_api(mapping_of(call)), **self.owner})
        return self._show_bots(call)

    def _show_transforms(self, _call: Call) -> Reply:
        return result(forms.transforms(self.zone.managed_transforms))

    def _set_transforms(self, call: Call) -> Reply:
        id_ = f"{self.zone.id}/managed_headers"
        self.store.put(Kind.TRANSFORMS, id_, {**from_api(mapping_of(call)), **self.owner})
        return self._show_transforms(call)

    def _show_normalization(self, _call: Call) -> Reply:
        kind, scope = self.zone.url_normalization
        return result({"type": kind, "scope": scope})

    def _set_normalization(self, call: Call) -> Reply:
        id_ = f"{self.zone.id}/url_normalization"
        self.store.put(Kind.NORMALIZATION, id_, {**from_api(mapping_of(call)), **self.owner})
        return self._show_normalization(call)

    def _reset(self, _call: Call, name: str) -> Reply:
        entry = self.store.twin.read(f"{self.zone.id}/{name}")
        if entry is not None:
            self.store.remove(entry)
        return Reply(status=204)

    def _list_healthchecks(self, call: Call) -> Reply:
        return paged(call, [forms.plain(entry) for entry in self.entries(Kind.HEALTHCHECK)], 1001)

    def _show_pulls(self, _call: Call) -> Reply:
        return result({"enabled": self.zone.origin_pulls})

    def _set_pulls(self, call: Call) -> Reply:
        id_ = f"{self.zone.id}/origin_tls_client_auth"
        self.store.put(Kind.PULL_SETTINGS, id_, {**from_api(mapping_of(call)), **self.owner})
        return self._show_pulls(call)

    def _list_pull_certificates(self, _call: Call) -> Reply:
        return result([PULL_CERTIFICATES.form(entry) for entry in self.entries(Kind.PULL_CERTIFICATE)])

    def _set_pull_hosts(self, call: Call) -> Reply:
        """Hosts that are not named stay; one whose `enabled` is null is forgotten."""
        present = next(iter(self.entries(Kind.PULL_HOSTS)), None)
        configs = {one["hostname"]: one for one in (present.outputs["configs"] if present else [])}
        for config in from_api(mapping_of(call)).get("config") or []:
            configs[config.get("hostname")] = config
        kept = [one for one in configs.values() if one.get("enabled") is not None]
        inputs = {**self.owner, "configs": kept}
        if present is None:
            self.store.create(Kind.PULL_HOSTS, inputs)
        elif kept:
            self.store.update(present.id, inputs)
        else:
            self.store.remove(present)
        return result([to_api(one) for one in kept])

    def _show_pull_host(self, _call: Call, host: str) -> Reply:
        for entry in self.entries(Kind.PULL_HOSTS):
            for config in entry.outputs["configs"]:
                if config["hostname"] == host:
                    return result(to_api(config))
        raise RefusedError(404, 1414, "The hostname association was not found.")
