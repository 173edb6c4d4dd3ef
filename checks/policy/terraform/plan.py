"""The graph document -> a Terraform plan in JSON (format 1.2).

Each resource stands in it three times, as plans have it: its values, what would change with what is unknown, and the
references by which checks of connections find one resource from another. Secrets are markers in the graph already.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.policy.errors import PolicyError
from checks.policy.terraform import shapes
from checks.policy.terraform.names import DYNAMIC, terraform_property, terraform_type
from checks.policy.terraform.values import Values, plain, values

FORMAT = "1.2"
TERRAFORM = "1.9.0"  # a version that writes this format
GRAPH_VERSION = 1


@dataclass(frozen=True)
class Plan:
    """The plan, the graph's entry behind each address, and which project it is of.

    `zone_plan` is the zone's Cloudflare plan, where the contract says it.
    """

    document: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    project: str
    zone_plan: str | None = None


@dataclass(frozen=True)
class _Mapped:
    entry: Mapping[str, Any]
    arguments: shapes.Arguments
    type: str
    name: str
    values: Values

    @property
    def address(self) -> str:
        return f"{self.type}.{self.name}"


def terraform_plan(graph: Mapping[str, Any]) -> Plan:
    """The plan of a graph document; PolicyError names every resource whose type has no counterpart."""
    if graph.get("version") != GRAPH_VERSION:
        raise PolicyError(f"the graph has version {graph.get('version')!r}, this reads {GRAPH_VERSION}")
    mapped = _mapped(graph["resources"])
    addresses = {one.entry["urn"]: one.address for one in mapped}
    document = {
        "format_version": FORMAT,
        "terraform_version": TERRAFORM,
        "planned_values": {"root_module": {"resources": [_planned(one) for one in mapped]}},
        "resource_changes": [_change(one) for one in mapped],
        "configuration": {"root_module": {"resources": [_configured(one, addresses) for one in mapped]}},
    }
    by_address = {one.address: one.entry for one in mapped}
    return Plan(document, by_address, graph["project"], _zone_plan(graph.get("outputs", {})))


def _zone_plan(outputs: Mapping[str, Any]) -> str | None:
    """No resource says on which plan a zone is; the contract does, which other programs have not."""
    found: Any = outputs
    for key in ("contract", "zone", "plan"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else None


def _mapped(resources: Sequence[Mapping[str, Any]]) -> list[_Mapped]:
    found, problems = [], []
    taken: set[str] = set()
    for entry in resources:
        if not entry["custom"] or entry["type"].startswith("pulumi:providers:"):
            continue  # a component groups, a provider connects: neither is a thing that is made
        try:
            found.append(_one(entry, taken))
        except PolicyError as error:
            problems.append(f"{entry['name']!r} ({entry['source']}): {error}")
    if problems:
        raise PolicyError("\n".join(problems))
    return found


def _one(entry: Mapping[str, Any], taken: set[str]) -> _Mapped:
    type_ = terraform_type(entry["type"])
    if entry["type"] == DYNAMIC:
        inputs = {key: value for key, value in entry["inputs"].items() if key != "__provider"}  # its pickled code
        return _Mapped(entry, None, type_, _name(type_, entry["name"], taken), plain({"input": inputs}))
    arguments = shapes.arguments_of(entry["type"])
    name = _name(type_, entry["name"], taken)
    return _Mapped(entry, arguments, type_, name, values(type_, arguments, entry["inputs"]))


def _name(type_: str, name: str, taken: set[str]) -> str:
    """An identifier of Terraform's that no other resource of the type has."""
    base = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    base = base if re.match(r"[A-Za-z_]", base) else f"_{base}"
    found = next(one for one in _candidates(base) if f"{type_}.{one}" not in taken)
    taken.add(f"{type_}.{found}")
    return found


def _candidates(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}_{number}"
        number += 1


def _head(one: _Mapped) -> dict[str, Any]:
    mode = "data" if "read" in one.entry["options"] else "managed"
    return {
        "address": one.address,
        "mode": mode,
        "type": one.type,
        "name": one.name,
        "provider_name": f"registry.terraform.io/{_NAMESPACES[one.type.partition('_')[0]]}",
    }


_NAMESPACES = {"aws": "hashicorp/aws", "cloudflare": "cloudflare/cloudflare", "terraform": "builtin/terraform"}


def _planned(one: _Mapped) -> dict[str, Any]:
    return {**_head(one), "values": one.values.known, "sensitive_values": one.values.secret}


def _change(one: _Mapped) -> dict[str, Any]:
    change = {
        "actions": ["create"],
        "before": None,
        "after": one.values.known,
        "after_unknown": one.values.unknown,
        "after_sensitive": one.values.secret,
    }
    return {**_head(one), "change": change}


def _configured(one: _Mapped, addresses: Mapping[str, str]) -> dict[str, Any]:
    fields = shapes.fields(one.arguments) if one.arguments else {}
    expressions = {}
    for name, urns in one.entry["property_dependencies"].items():
        references = sorted({addresses[urn] for urn in urns if urn in addresses})
        if references:
            property_ = fields.get(name, shapes.PLAIN)
            many = bool(property_.arguments and property_.many)
            key = terraform_property(one.type, name, many_blocks=many) if one.arguments else "input"
            expressions[key] = {"references": references}
    return {**_head(one), "expressions": expressions}
