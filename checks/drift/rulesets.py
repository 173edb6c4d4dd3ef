"""Declared rulesets against the entry points of the zone's phases, rule by rule."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from checks.drift.declared import Resource
from checks.drift.forms import differing, snake
from checks.drift.model import Change, Difference, Field, Pair, Part

_COMPARED = ("expression", "action", "enabled", "description", "action_parameters", "ratelimit", "logging")
# What Cloudflare fills in by itself where a rule says nothing of it.
_DEFAULTS: Mapping[str, Any] = {"enabled": True, "description": ""}


def compare(declared: Sequence[Resource], live: Iterable[Mapping[str, Any]], kind: str, owner: str) -> Part:
    """Compare entry points of `kind` zone or root (the account's); `owner` is "zones/<id>" or "accounts/<id>"."""
    phases = {ruleset["phase"]: ruleset for ruleset in live}
    found = Part()
    for resource in [one for one in declared if one.inputs["kind"] == kind]:
        ruleset = phases.pop(resource.inputs["phase"], None)
        if ruleset is None:
            found.differences.append(_missing(resource))
            continue
        found.pairs.append(Pair(resource.urn, f"{owner}/{ruleset['id']}"))
        found.take(_rules(resource, ruleset))
    found.differences += [
        Difference(
            change=Change.UNMANAGED, kind="ruleset", name=f"{phase}: {len(ruleset['rules'])} rules", id=ruleset["id"]
        )
        for phase, ruleset in phases.items()
        if ruleset.get("rules")
    ]
    return found


def _missing(resource: Resource) -> Difference:
    name = f"{resource.inputs['phase']}: {len(resource.inputs.get('rules') or ())} rules"
    return Difference(change=Change.MISSING, kind="ruleset", name=name, resource=resource.name, source=resource.source)


def _rules(resource: Resource, ruleset: Mapping[str, Any]) -> Part:
    """A ruleset is written whole, so a rule of it that is not declared would be removed."""
    phase, wanted = resource.inputs["phase"], [snake(rule) for rule in resource.inputs.get("rules") or ()]
    present = {_ref(rule): rule for rule in ruleset.get("rules") or ()}
    found = Part()
    for rule in wanted:
        live = present.get(rule["ref"])
        fields = () if live is None else tuple(differing(_compared(rule), {**_DEFAULTS, **live}))
        if live is not None and not fields:
            found.same += 1
            continue
        change = Change.MISSING if live is None else Change.DIFFERENT
        name = f"{phase}: {rule['ref']}"
        found.differences.append(
            Difference(
                change=change,
                kind="rule",
                name=name,
                fields=fields,
                resource=resource.name,
                source=resource.source,
                id="" if live is None else live["id"],
            )
        )
    declared_refs = [rule["ref"] for rule in wanted]
    others = set(present) - set(declared_refs)
    found.differences += [
        Difference(
            change=Change.REMOVED,
            kind="rule",
            name=f"{phase}: {ref}",
            fields=tuple(Field(key, rule.get(key), None) for key in ("description", "action", "expression")),
            resource=resource.name,
            source=resource.source,
            id=rule["id"],
        )
        for ref, rule in present.items()
        if ref in others
    ]
    found.differences += _order(resource, declared_refs, list(present), ruleset["id"])
    return found


def _order(resource: Resource, declared: Sequence[str], live: Sequence[str], id_: str) -> list[Difference]:
    """Rules act one after another, so those that both have must be in the same order."""
    both = set(declared) & set(live)
    wanted, found = [ref for ref in declared if ref in both], [ref for ref in live if ref in both]
    if wanted == found:
        return []
    return [
        Difference(
            change=Change.DIFFERENT,
            kind="ruleset",
            name=resource.inputs["phase"],
            fields=(Field("order", found, wanted),),
            resource=resource.name,
            source=resource.source,
            id=id_,
        )
    ]


def _compared(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {key: rule[key] for key in _COMPARED if key in rule}


def _ref(rule: Mapping[str, Any]) -> str:
    return rule.get("ref") or rule["id"]
