"""Which kind of thing is made how."""

from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.twins.zone import access, conduct, lists, origin_pulls, workers, zones
from rehearsal.twins.zone.entries import Entry, Kind
from rehearsal.twins.zone.holdings import Holdings
from rehearsal.twins.zone.refusals import CloudflareError
from rehearsal.twins.zone.rulesets import Ruleset, list_names
from rehearsal.twins.zone.workers import Route


def make(kind: Kind, inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """The entry for `inputs` beside what is held; `old`, if any, is what it replaces.

    Raises CloudflareError or NotInTwinError.
    """
    return _MAKERS[kind](inputs, held, old)


def check_removable(entry: Entry, held: Holdings) -> None:
    """Raise CloudflareError while something else needs the entry, as Cloudflare does."""
    match entry.kind:
        case Kind.PULL_CERTIFICATE:
            origin_pulls.check_unused(entry, held)
        case Kind.LIST:
            _check_list_unused(entry, held)
        case Kind.SCRIPT:
            routes = [route for route in held.of(Kind.ROUTE) if _leads_to(route, entry.id)]
            if routes:
                raise CloudflareError(f"Workers script {entry.id} is in use by route {routes[0].outputs['pattern']}")
        case Kind.ACCESS_POLICY:
            _check_policy_unused(entry, held)


def _leads_to(route: Entry, script: str) -> bool:
    return isinstance(route.meaning, Route) and route.meaning.script == script


def _check_list_unused(entry: Entry, held: Holdings) -> None:
    name = entry.outputs["name"]
    for ruleset in held.of(Kind.RULESET, entry.scope):
        rules = ruleset.meaning.rules if isinstance(ruleset.meaning, Ruleset) else ()
        if any(name in list_names(rule) for rule in rules):
            raise CloudflareError(f"list {name} is in use by ruleset {ruleset.outputs['name']}", 10005)


def _check_policy_unused(entry: Entry, held: Holdings) -> None:
    for application in held.of(Kind.ACCESS_APPLICATION):
        if isinstance(application.meaning, access.Guarded) and entry.id in application.meaning.policies:
            raise CloudflareError(f"Access policy {entry.outputs['name']} is in use by an application", 12139)


_MAKERS: dict[Kind, Callable[[Mapping[str, Any], Holdings, Entry | None], Entry]] = {
    Kind.ZONE: zones.zone,
    Kind.RECORD: zones.record,
    Kind.SETTING: zones.setting,
    Kind.RULESET: zones.ruleset,
    Kind.DNSSEC: zones.dnssec_status,
    Kind.LIST: lists.redirect_list,
    Kind.LIST_ITEM: lists.list_item,
    Kind.BOTS: conduct.bots,
    Kind.ACCESS_POLICY: access.policy,
    Kind.ACCESS_APPLICATION: access.application,
    Kind.SCRIPT: workers.script,
    Kind.ROUTE: workers.route,
    Kind.PULL_CERTIFICATE: origin_pulls.certificate,
    Kind.PULL_HOSTS: origin_pulls.hosts,
    Kind.PULL_SETTINGS: origin_pulls.settings,
    Kind.HEALTHCHECK: conduct.healthcheck,
    Kind.NORMALIZATION: conduct.normalization,
    Kind.TRANSFORMS: conduct.transforms,
}
