"""The graph: everything that one run of the program declared, as a document.

`plan`, `policy`, the checks and the tests read it. Secret values are never part of it: their place holds
`SECRET_MARKER`, and `UNKNOWN_MARKER` stands where the value is known only after the deployment. Both markers are the
ones that `pulumi preview --json` prints.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rehearsal import wire

VERSION = 1
SECRET_MARKER = "[secret]"
UNKNOWN_MARKER = wire.UNKNOWN
SCHEMA_FILE = Path(__file__).with_name("graph.schema.json")
STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One declared resource; `inputs` are camelCase as the provider gets them, with markers for secret and unknown.

    `secrets` and `unknowns` are paths into `inputs` (`rules[0].value`); `parent`, `provider` and the dependencies are
    URNs, empty when there is none; `source` is `file:line` of the declaration, relative to the project's root, and
    `sources` the way back from it to the program's root: `source` itself, its caller, the caller's caller.
    """

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    provider: str
    inputs: Mapping[str, Any]
    secrets: tuple[str, ...]
    unknowns: tuple[str, ...]
    dependencies: tuple[str, ...]
    property_dependencies: Mapping[str, tuple[str, ...]]
    options: Mapping[str, Any]
    source: str
    sources: tuple[str, ...] = ()  # documents from before it was kept have none

    def __str__(self) -> str:
        """As messages name it, with the line that declared it."""
        return f'{self.type} "{self.name}" ({self.source})'


@dataclass(frozen=True, kw_only=True)
class Graph:
    """All resources of one run, ordered by URN, and the stack's outputs with the same markers."""

    project: str
    stack: str
    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    version: int = VERSION

    def __iter__(self) -> Iterator[Resource]:
        """Over the resources."""
        return iter(self.resources)

    def of_type(self, type_token: str) -> list[Resource]:
        """The resources whose type is exactly `type_token`."""
        return [resource for resource in self.resources if resource.type == type_token]

    def get(self, type_token: str, name: str) -> Resource:
        """The one resource of that type and name; KeyError names what there is of the type."""
        found = self.of_type(type_token)
        for resource in found:
            if resource.name == name:
                return resource
        raise KeyError(f'no {type_token} "{name}"; declared: {", ".join(r.name for r in found) or "none"}')

    def to_document(self) -> dict[str, Any]:
        """The document as plain JSON values, as `graph.schema.json` describes it."""
        return json.loads(self.to_json())

    def to_json(self) -> str:
        """The document as text: the same declaration gives the same bytes."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Graph":
        """Read what `to_document` wrote; ValueError for another version."""
        if document.get("version") != VERSION:
            raise ValueError(f"graph document has version {document.get('version')!r}, this reads {VERSION}")
        return cls(
            project=document["project"],
            stack=document["stack"],
            resources=tuple(_resource(entry) for entry in document["resources"]),
            outputs=document["outputs"],
        )


def _resource(entry: Mapping[str, Any]) -> Resource:
    fields = dict(entry)
    for key in ("secrets", "unknowns", "dependencies", "sources"):
        fields[key] = tuple(fields.get(key, ()))
    fields["property_dependencies"] = {key: tuple(urns) for key, urns in entry["property_dependencies"].items()}
    return Resource(**fields)


def marked(decoded: wire.Decoded) -> dict[str, Any]:
    """The values of `decoded` with its secrets and unknowns replaced by the markers; a secret that is not known
    yet counts as secret."""
    hidden = wire.masked(decoded.values, decoded.secrets, SECRET_MARKER)
    return wire.masked(hidden, [path for path in decoded.unknowns if path not in decoded.secrets], UNKNOWN_MARKER)
