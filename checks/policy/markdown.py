"""The plan as Markdown, for a comment on a pull request."""

from collections import Counter
from collections.abc import Mapping
from typing import Any


def plan_as_markdown(graph: Mapping[str, Any]) -> str:
    """What a graph document declares: how many of each type, and every resource with the line that declares it."""
    resources = [entry for entry in graph["resources"] if entry["custom"]]
    counts = Counter(entry["type"] for entry in resources)
    lines = [
        f"### Plan of {graph['project']}, stack {graph['stack']}: {len(resources)} resources",
        "",
        "| type | resources |",
        "| --- | ---: |",
        *(f"| `{type_}` | {count} |" for type_, count in sorted(counts.items())),
        "",
        "<details><summary>Each resource</summary>",
        "",
        "| type | name | declared at |",
        "| --- | --- | --- |",
        *(f"| `{e['type']}` | `{_cell(e['name'])}` | `{_cell(e['source'])}` |" for e in resources),
        "",
        "</details>",
        "",
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
