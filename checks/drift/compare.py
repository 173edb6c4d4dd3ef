"""What is declared for a zone against its snapshot."""

from collections.abc import Iterable, Mapping
from typing import Any

from checks.drift import declared as by_type
from checks.drift import records, rulesets
from checks.drift.declared import Resource
from checks.drift.forms import differing, snake
from checks.drift.model import Change, Difference, Drift, Field


def compare(graphs: Iterable[Mapping[str, Any]], snapshot: Mapping[str, Any]) -> Drift:
    """The drift of the zone of `snapshot` (checks.drift.reading) from the graph documents of its owner and tenants."""
    domain = snapshot["zone"]["name"]
    wanted = by_type.of_zone(graphs, domain)
    named = records.compare(wanted.get(by_type.RECORD, []), snapshot["records"])
    same, differences = named.same, named.differences
    parts = [
        _settings(wanted.get(by_type.SETTING, []), snapshot["settings"]),
        rulesets.compare(wanted.get(by_type.RULESET, []), snapshot["rulesets"], "zone"),
        _dnssec(wanted.get(by_type.DNSSEC, []), snapshot["dnssec"] or {}),
    ]
    if snapshot["bot_management"] is not None:
        parts.append(_alone(wanted.get(by_type.BOTS, []), snapshot["bot_management"], "bots"))
    if snapshot["account_rulesets"] is not None:
        parts.append(rulesets.compare(wanted.get(by_type.RULESET, []), snapshot["account_rulesets"], "root"))
    for type_, key, kind, identity, theirs in _LISTED:
        if snapshot[key] is not None:
            parts.append(_listed(wanted.get(type_, []), snapshot[key], kind, identity, theirs))
    return Drift(
        domain=domain,
        same=same + sum(count for count, _ in parts),
        differences=(*differences, *(one for _, found in parts for one in found)),
        undecided=tuple(named.undecided),
        unread=tuple(f"{key}: {why}" for key, why in snapshot["unread"].items()),
    )


# Type, key of the snapshot, kind, and what tells one from another: declared and live.
_LISTED = (
    (by_type.ROUTE, "worker_routes", "worker route", "pattern", "pattern"),
    (by_type.ACCESS, "access_applications", "access application", "domain", "domain"),
    (by_type.LIST, "lists", "list", "name", "name"),
)
# Names of their own for what another resource gives, and lists that a plan does not expand.
_NOT_COMPARED = frozenset({"zone_id", "account_id", "policies", "destinations"})


def _settings(declared: Iterable[Resource], live: Iterable[Mapping[str, Any]]) -> tuple[int, list[Difference]]:
    present = {setting["id"]: setting for setting in live}
    same, differences = 0, []
    for resource in declared:
        name = resource.inputs["settingId"]
        setting = present.pop(name, {})
        fields = tuple(differing(resource.inputs["value"], setting.get("value"), "value"))
        same += not fields
        differences += [_different(resource, "setting", name, fields, name)] if fields else []
    differences += [
        Difference(
            change=Change.UNMANAGED,
            kind="setting",
            name=name,
            fields=(Field("value", setting["value"], None),),
            id=name,
        )
        for name, setting in present.items()
        if setting.get("modified_on")  # somebody set it once; the others are Cloudflare's own
    ]
    return same, differences


def _dnssec(declared: Iterable[Resource], live: Mapping[str, Any]) -> tuple[int, list[Difference]]:
    """Signed and waiting for the registrar ("pending") is as declared: whether the chain holds is a check's to say."""
    signed = live.get("status") in ("active", "pending")
    for resource in declared:
        wanted = resource.inputs.get("status", "active") == "active"
        if wanted == signed:
            return 1, []
        field = Field("status", live.get("status"), resource.inputs.get("status", "active"))
        return 0, [_different(resource, "dnssec", "dnssec", (field,), "")]
    found = Difference(change=Change.UNMANAGED, kind="dnssec", name="dnssec", fields=(Field("status", "active", None),))
    return 0, [found] if signed else []


def _alone(declared: Iterable[Resource], live: Mapping[str, Any], kind: str) -> tuple[int, list[Difference]]:
    """What a zone has once."""
    for resource in declared:
        fields = tuple(differing(_own(resource), live))
        return (0, [_different(resource, kind, kind, fields, "")]) if fields else (1, [])
    return 0, []


def _listed(
    declared: Iterable[Resource], live: Iterable[Mapping[str, Any]], kind: str, identity: str, theirs: str
) -> tuple[int, list[Difference]]:
    present = {one[theirs]: one for one in live}
    same, differences = 0, []
    for resource in declared:
        name = resource.inputs[identity]
        one = present.pop(name, None)
        if one is None:
            found = Difference(
                change=Change.MISSING, kind=kind, name=name, resource=resource.name, source=resource.source
            )
            differences.append(found)
            continue
        fields = tuple(differing(_own(resource), one))
        same += not fields
        differences += [_different(resource, kind, name, fields, str(one.get("id", "")))] if fields else []
    differences += [
        Difference(change=Change.UNMANAGED, kind=kind, name=name, id=str(one.get("id", "")))
        for name, one in present.items()
    ]
    return same, differences


def _own(resource: Resource) -> dict[str, Any]:
    return {key: value for key, value in snake(resource.inputs).items() if key not in _NOT_COMPARED}


def _different(resource: Resource, kind: str, name: str, fields: tuple[Field, ...], id_: str) -> Difference:
    return Difference(
        change=Change.DIFFERENT,
        kind=kind,
        name=name,
        fields=fields,
        resource=resource.name,
        source=resource.source,
        id=id_,
    )
