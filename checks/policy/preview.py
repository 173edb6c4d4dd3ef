"""`pulumi preview --json` of the real engine -> the graph document, as `rehearsal/graph.schema.json` describes it.

The engine's markers for secrets and unknowns are the graph's own. A preview has neither the stack's outputs nor the
options of a resource; what a preview would delete is no part of the declaration.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from checks.policy.errors import PolicyError
from checks.policy.terraform.plan import GRAPH_VERSION
from checks.policy.terraform.values import SECRET, UNKNOWN

_DELETED = ("delete", "delete-replaced", "discard", "discard-replaced")
_POSITION = re.compile(r"project:///(?P<file>.+)#(?P<line>\d+)(?:,\d+)?")


@dataclass(frozen=True)
class Preview:
    """The graph document, and how many resources the preview leaves out because they would stay as they are."""

    graph: Mapping[str, Any]
    left_out: int

    def whole(self) -> Mapping[str, Any]:
        """The graph, if it is that of the whole stack; else PolicyError."""
        if self.left_out:
            raise PolicyError(
                f"the preview leaves out {self.left_out} resources that stay as they are; make it with "
                "`pulumi preview --json --show-sames`"
            )
        return self.graph


def read_preview(file: Path) -> Preview:
    """Read a preview; PolicyError where the file is none, or the preview itself failed."""
    try:
        preview = json.loads(file.read_text(encoding="utf-8"))
        steps = preview["steps"]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise PolicyError(f"{file} is no output of `pulumi preview --json`: {error}") from None
    _refuse_failed(file, preview)
    # A replacement has several steps, each with the same new state.
    states = {step["urn"]: step["newState"] for step in steps if step["op"] not in _DELETED and step.get("newState")}
    if not states:
        raise PolicyError(f"{file}: the preview has no resource in it")
    stack, project = next(iter(states)).removeprefix("urn:pulumi:").split("::")[:2]
    resources = [_entry(states[urn]) for urn in sorted(states)]
    graph = {"version": GRAPH_VERSION, "project": project, "stack": stack, "resources": resources, "outputs": {}}
    shown = sum(step["op"] == "same" for step in steps)
    return Preview(graph, preview.get("changeSummary", {}).get("same", 0) - shown)


def _refuse_failed(file: Path, preview: Mapping[str, Any]) -> None:
    errors = [one["message"].strip() for one in preview.get("diagnostics", ()) if one.get("severity") == "error"]
    if errors:
        raise PolicyError(f"{file}: the preview failed, so it does not hold everything: " + "; ".join(errors))


def _entry(state: Mapping[str, Any]) -> dict[str, Any]:
    inputs = state.get("inputs", {})
    lines = _lines(state)
    urn = state["urn"]
    return {
        "urn": urn,
        "type": state["type"],
        "name": urn.rpartition("::")[2],
        "custom": state["custom"],
        "parent": state.get("parent", ""),
        "provider": _provider(state.get("provider", "")),
        "inputs": inputs,
        "secrets": sorted(_paths(inputs, SECRET)),
        "unknowns": sorted(_paths(inputs, UNKNOWN)),
        "dependencies": sorted(set(state.get("dependencies", ()))),
        "property_dependencies": {
            key: sorted(set(urns)) for key, urns in sorted((state.get("propertyDependencies") or {}).items()) if urns
        },
        "options": {"read": state.get("id", "")} if state.get("external") else {},
        "source": lines[0] if lines else "unknown",
        "sources": lines,
    }


def _provider(reference: str) -> str:
    """The URN of an explicit provider: those that the engine makes itself are no part of the declaration."""
    urn = reference.rpartition("::")[0]
    return "" if "::default_" in urn else urn


def _lines(state: Mapping[str, Any]) -> list[str]:
    """The way back, innermost first; the engine's own frames lie outside of the project."""
    frames = [state.get("sourcePosition", ""), *(frame["sourcePosition"] for frame in state.get("stackTrace") or ())]
    matches = [_POSITION.fullmatch(frame) for frame in frames]
    found = [f"{unquote(match['file'])}:{match['line']}" for match in matches if match]
    inside = (line for line in found if not line.startswith("..") and "site-packages/" not in line)
    return list(dict.fromkeys(inside))


def _paths(value: Any, marker: str, path: str = "") -> Iterator[str]:
    if value == marker:
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, marker, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, marker, f"{path}[{index}]")
