"""One zone as the DNS and edge twins read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rehearsal.twins.zone.access import AccessApplication, AccessPolicy, Guarded
from rehearsal.twins.zone.conduct import BOTS, NORMALIZATION
from rehearsal.twins.zone.dnssec import SigningKey
from rehearsal.twins.zone.entries import Entry, Kind
from rehearsal.twins.zone.origin_pulls import ClientCertificate, PullHosts
from rehearsal.twins.zone.plans import Plan
from rehearsal.twins.zone.records import PROXIABLE, Record
from rehearsal.twins.zone.rulesets import Rule, Ruleset
from rehearsal.twins.zone.settings import DEFAULTS
from rehearsal.twins.zone.workers import Route, Worker


@dataclass(frozen=True)
class Zone:
    """What a zone is at one moment: it does not change, so that one request or query sees one state.

    `held` are the zone's entries by kind, those that a zone always has also after their declaration was removed;
    `shared` those of its account (scripts, Access).
    """

    entry: Entry = field(repr=False)
    plan: Plan
    held: Mapping[Kind, tuple[Entry, ...]] = field(repr=False)
    shared: Mapping[Kind, tuple[Entry, ...]] = field(repr=False)

    @property
    def id(self) -> str:
        """Cloudflare's id of the zone."""
        return self.entry.id

    @property
    def name(self) -> str:
        """The domain."""
        return self.entry.outputs["name"]

    @property
    def account_id(self) -> str:
        """Cloudflare's id of the account that the zone belongs to."""
        return self.entry.scope

    @property
    def name_servers(self) -> list[str]:
        """Cloudflare's two name servers for the zone."""
        return list(self.entry.outputs["nameServers"])

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The settings that were declared."""
        return {one.outputs["settingId"]: one.outputs["value"] for one in self.held.get(Kind.SETTING, ())}

    def setting(self, setting: str) -> Any:
        """The declared value of a setting, or what Cloudflare gives a zone that declares none."""
        return self.settings.get(setting, DEFAULTS.get(setting))

    def rulesets(self, phase: str) -> list[Rule]:
        """The enabled rules of a phase, in their order."""
        return self._rules.get(phase, [])

    @cached_property
    def _rules(self) -> dict[str, list[Rule]]:
        found = [one.meaning for one in self.held.get(Kind.RULESET, ())]
        rulesets = [ruleset for ruleset in found if isinstance(ruleset, Ruleset)]
        return {ruleset.phase: [rule for rule in ruleset.rules if rule.enabled] for ruleset in rulesets}

    @cached_property
    def records(self) -> list[Record]:
        """All records."""
        return [one.meaning for one in self.held.get(Kind.RECORD, ()) if isinstance(one.meaning, Record)]

    def records_of(self, name: str) -> list[Record]:
        """The records that answer for `name`: its own, else those of the wildcard that covers it (RFC 4592)."""
        wanted = name.rstrip(".").lower()
        closest = next((above for above in upwards(wanted) if above in self._existing), "")
        return self._by_name.get(wanted if closest == wanted else f"*.{closest}", [])

    def is_proxied(self, host: str) -> bool:
        """Whether the edge answers for `host`."""
        return any(record.proxied for record in self.records_of(host) if record.type in PROXIABLE)

    @cached_property
    def _by_name(self) -> dict[str, list[Record]]:
        names: dict[str, list[Record]] = {}
        for record in self.records:
            names.setdefault(record.name, []).append(record)
        return names

    @cached_property
    def _existing(self) -> set[str]:
        """Every name with records, and every name above one."""
        return {above for name in self._by_name for above in upwards(name)}

    @cached_property
    def signing_key(self) -> SigningKey | None:
        """The key that signs the zone, while DNSSEC is declared active."""
        keys = [one.meaning for one in self.held.get(Kind.DNSSEC, ())]
        return next((key for key in keys if isinstance(key, SigningKey)), None)

    @property
    def bots(self) -> Mapping[str, Any]:
        """Bot management, camelCase: `fightMode` and others."""
        return next((one.outputs for one in self.held.get(Kind.BOTS, ())), BOTS)

    @property
    def url_normalization(self) -> tuple[str, str]:
        """Type (cloudflare, rfc3986) and scope (incoming, both, none)."""
        declared = [one.outputs for one in self.held.get(Kind.NORMALIZATION, ())]
        return (declared[0]["type"], declared[0]["scope"]) if declared else NORMALIZATION

    @property
    def managed_transforms(self) -> tuple[frozenset[str], frozenset[str]]:
        """The ids of the enabled ones, for requests and for responses."""
        outputs = next((one.outputs for one in self.held.get(Kind.TRANSFORMS, ())), {})
        request, response = (
            frozenset(one["id"] for one in outputs.get(key) or [] if one.get("enabled"))
            for key in ("managedRequestHeaders", "managedResponseHeaders")
        )
        return request, response

    def worker(self, host: str, path: str) -> Worker | None:
        """The script that answers for `host` and `path` (with its query): that of the most specific route, or None."""
        routes = [one.meaning for one in self.held.get(Kind.ROUTE, ())]
        matching = [route for route in routes if isinstance(route, Route) and route.matches(host.lower(), path)]
        name = max(matching, key=lambda route: route.weight).script if matching else None
        scripts = [one.meaning for one in self.shared.get(Kind.SCRIPT, ()) if name is not None and one.id == name]
        return next((script for script in scripts if isinstance(script, Worker)), None)

    def access(self, host: str, path: str) -> AccessApplication | None:
        """The application that guards `host` and `path`: the most specific one, or None."""
        found: list[tuple[int, AccessApplication]] = []
        for one in (*self.held.get(Kind.ACCESS_APPLICATION, ()), *self.shared.get(Kind.ACCESS_APPLICATION, ())):
            if isinstance(one.meaning, Guarded):
                weights = [len(domain) for domain in one.meaning.domains if _guards(domain, host.lower(), path)]
                found.extend((weight, self._application(one, one.meaning)) for weight in weights)
        return max(found, key=lambda pair: pair[0], default=(0, None))[1]

    def _application(self, one: Entry, guarded: Guarded) -> AccessApplication:
        policies = {policy.id: policy.outputs for policy in self.shared.get(Kind.ACCESS_POLICY, ())}
        return AccessApplication(
            id=one.id,
            aud=one.outputs["aud"],
            domains=guarded.domains,
            session_duration=one.outputs["sessionDuration"],
            policies=tuple(_policy(id_, policies[id_]) for id_ in guarded.policies if id_ in policies),
        )

    @property
    def origin_pulls(self) -> bool:
        """Whether origin pulls are authenticated for the whole zone."""
        return any(one.outputs["enabled"] for one in self.held.get(Kind.PULL_SETTINGS, ()))

    def origin_certificate(self, host: str) -> ClientCertificate | None:
        """The client certificate that the edge shows to the origin of `host`, if pulls are enabled for it.

        The zone's own switch decides first
        (https://developers.cloudflare.com/ssl/origin-configuration/authenticated-origin-pull/set-up/per-hostname/).
        """
        if self.setting("tls_client_auth") != "on":
            return None
        hosts = [one.meaning for one in self.held.get(Kind.PULL_HOSTS, ())]
        ids = {h: id_ for one in hosts if isinstance(one, PullHosts) for h, id_ in one.certificates.items()}
        found = [one.meaning for one in self.held.get(Kind.PULL_CERTIFICATE, ()) if one.id == ids.get(host.lower())]
        return next((one for one in found if isinstance(one, ClientCertificate)), None)


def upwards(name: str) -> list[str]:
    """`name` and every name above it, the nearest first."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def _policy(id_: str, outputs: Mapping[str, Any]) -> AccessPolicy:
    rules = {key: tuple(outputs.get(key) or ()) for key in ("includes", "requires", "excludes")}
    return AccessPolicy(id=id_, name=outputs["name"], decision=outputs["decision"], **rules)


def _guards(domain: str, host: str, path: str) -> bool:
    """A domain covers its path and all below it; `*.` at its start covers one label or more."""
    name, _, below = domain.partition("/")
    named = host.endswith(name[1:]) if name.startswith("*") else host == name
    inside = below.rstrip("*").strip("/")
    return named and (not inside or f"{path.partition('?')[0].strip('/')}/".startswith(f"{inside}/"))
