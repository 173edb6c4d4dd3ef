"""The file for `pulumi import --file`: what is there already, under the names and parents that the program gives it.

https://www.pulumi.com/docs/iac/adopting-pulumi/import/#bulk-import-operations
"""

from collections.abc import Iterable, Mapping
from typing import Any


def import_document(graph: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """The document for the resources of `graph` (a graph document) whose URNs are in `ids`, with their components.

    `ids` maps a URN to the provider's import id. A component is made by the import itself; it comes before its parts.
    """
    by_urn = {entry["urn"]: entry for entry in graph["resources"]}
    names: dict[str, str] = {}
    resources: list[dict[str, Any]] = []
    for urn in [entry["urn"] for entry in graph["resources"] if entry["urn"] in ids]:
        for one in (*_components_above(by_urn, urn), urn):
            if one not in names:
                names[one] = _unique(by_urn[one]["name"], names.values())
                resources.append(_resource(by_urn[one], names, ids.get(one)))
    return {"nameTable": {}, "resources": resources}


def _components_above(by_urn: Mapping[str, Mapping[str, Any]], urn: str) -> list[str]:
    """From the outermost to the resource's own parent, without the stack."""
    above: list[str] = []
    parent = by_urn[urn]["parent"]
    while parent in by_urn and not by_urn[parent]["custom"] and by_urn[parent]["parent"]:
        above.insert(0, parent)
        parent = by_urn[parent]["parent"]
    return above


def _resource(entry: Mapping[str, Any], names: Mapping[str, str], id_: str | None) -> dict[str, Any]:
    """`name` is unique in the file, because parents are named by it; the program's own name is the logical one."""
    found: dict[str, Any] = {"type": entry["type"], "name": names[entry["urn"]]}
    if names[entry["urn"]] != entry["name"]:
        found["logicalName"] = entry["name"]
    if entry["parent"] in names:
        found["parent"] = names[entry["parent"]]
    if id_ is None:
        return {**found, "component": True}
    return {**found, "id": id_}


def _unique(name: str, taken: Iterable[str]) -> str:
    used = set(taken)
    candidate, number = name, 2
    while candidate in used:
        candidate, number = f"{name}-{number}", number + 1
    return candidate
