"""What is declared for a zone against its snapshot."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from checks.drift import declared as by_type
from checks.drift import records, rulesets
from checks.drift.declared import Resource
from checks.drift.forms import differing, snake
from checks.drift.model import Change, Difference, Drift, Field, Pair, Part


def compare(graphs: Iterable[Mapping[str, Any]], snapshot: Mapping[str, Any]) -> Drift:
    """The drift of the zone of `snapshot` (checks.drift.reading) from the graph documents of its owner and tenants."""
    zone = snapshot["zone"]
    wanted: Mapping[str, list[Resource]] = defaultdict(list, by_type.of_zone(graphs, zone["name"]))
    found = Part(pairs=[Pair(resource.urn, zone["id"]) for resource in wanted[by_type.ZONE]])
    found.take(records.compare(wanted[by_type.RECORD], snapshot["records"], zone["id"]))
    found.take(_settings(wanted[by_type.SETTING], snapshot["settings"], zone["id"]))
    found.take(rulesets.compare(wanted[by_type.RULESET], snapshot["rulesets"], "zone", f"zones/{zone['id']}"))
    found.take(_dnssec(wanted[by_type.DNSSEC], snapshot["dnssec"] or {}, zone["id"]))
    if snapshot["bot_management"] is not None:
        found.take(_bots(wanted[by_type.BOTS], snapshot["bot_management"], zone["id"]))
    _compare_account(wanted, snapshot, found)
    return Drift(
        domain=zone["name"],
        same=found.same,
        differences=tuple(found.differences),
        pairs=tuple(found.pairs),
        undecided=tuple(found.undecided),
        unread=tuple(f"{key}: {why}" for key, why in snapshot["unread"].items()),
    )


def _compare_account(wanted: Mapping[str, list[Resource]], snapshot: Mapping[str, Any], found: Part) -> None:
    """What stands beside the zone, as far as the token could read it."""
    zone, account = snapshot["zone"]["id"], snapshot["zone"]["account"]["id"]
    if snapshot["account_rulesets"] is not None:
        declared = wanted[by_type.RULESET]
        found.take(rulesets.compare(declared, snapshot["account_rulesets"], "root", f"accounts/{account}"))
    listed = (
        (by_type.ROUTE, "worker_routes", "worker route", "pattern", f"{zone}/"),
        (by_type.ACCESS, "access_applications", "access application", "domain", f"accounts/{account}/"),
        (by_type.LIST, "lists", "list", "name", f"{account}/"),
    )
    for type_, key, kind, identity, prefix in listed:
        if snapshot[key] is not None:
            found.take(_listed(wanted[type_], snapshot[key], kind, identity, prefix))


# Names of their own for what another resource gives, and lists that a plan does not expand.
_NOT_COMPARED = frozenset({"zone_id", "account_id", "policies", "destinations", "items"})


def _settings(declared: Iterable[Resource], live: Iterable[Mapping[str, Any]], zone: str) -> Part:
    present = {setting["id"]: setting for setting in live}
    found = Part()
    for resource in declared:
        name = resource.inputs["settingId"]
        setting = present.pop(name, {})
        found.pairs.append(Pair(resource.urn, f"{zone}/{name}"))  # every zone has every setting
        _judge(resource, "setting", name, {"value": resource.inputs["value"]}, setting, found)
    found.differences += [
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
    return found


def _dnssec(declared: Sequence[Resource], live: Mapping[str, Any], zone: str) -> Part:
    """Signed and waiting for the registrar ("pending") is as declared: whether the chain holds is a check's to say."""
    status = "active" if live.get("status") in ("active", "pending") else "disabled"
    found = Part()
    for resource in declared:
        found.pairs.append(Pair(resource.urn, zone))
        wanted = {"status": resource.inputs.get("status", "active")}
        _judge(resource, "dnssec", "dnssec", wanted, {"status": status}, found)
    if not declared and status == "active":
        fields = (Field("status", status, None),)
        found.differences.append(Difference(change=Change.UNMANAGED, kind="dnssec", name="dnssec", fields=fields))
    return found


def _bots(declared: Iterable[Resource], live: Mapping[str, Any], zone: str) -> Part:
    found = Part()
    for resource in declared:
        found.pairs.append(Pair(resource.urn, zone))
        _judge(resource, "bots", "bots", _own(resource), live, found)
    return found


def _listed(
    declared: Iterable[Resource], live: Iterable[Mapping[str, Any]], kind: str, identity: str, prefix: str
) -> Part:
    present = {one[identity]: one for one in live}
    found = Part()
    for resource in declared:
        name = resource.inputs[identity]
        one = present.pop(name, None)
        if one is None:
            found.differences.append(
                Difference(change=Change.MISSING, kind=kind, name=name, resource=resource.name, source=resource.source)
            )
            continue
        found.pairs.append(Pair(resource.urn, f"{prefix}{one['id']}"))
        _judge(resource, kind, name, _own(resource), one, found)
    found.differences += [
        Difference(change=Change.UNMANAGED, kind=kind, name=name, id=str(one.get("id", "")))
        for name, one in present.items()
    ]
    return found


def _own(resource: Resource) -> dict[str, Any]:
    return {key: value for key, value in snake(resource.inputs).items() if key not in _NOT_COMPARED}


def _judge(
    resource: Resource, kind: str, name: str, wanted: Mapping[str, Any], live: Mapping[str, Any], found: Part
) -> None:
    fields = tuple(differing(wanted, live))
    if not fields:
        found.same += 1
        return
    found.differences.append(
        Difference(
            change=Change.DIFFERENT,
            kind=kind,
            name=name,
            fields=fields,
            resource=resource.name,
            source=resource.source,
            id=str(live.get("id", "")),
        )
    )
