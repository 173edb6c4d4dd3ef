"""Writes configuration into the text of a stack file, leaving every other line of it as it is."""

import itertools
import re
from collections.abc import Mapping
from typing import Any

import yaml

_WIDTH = 110
_INDENT = "  "


def stack_file(text: str, config: Mapping[str, Any], project: str, headline: str) -> str:
    """`text`, a stack file, with the keys of `config` (without namespace) set to their values.

    A key that is there is replaced where it stands, with the comments inside it; a new one comes at the end. What the
    file says of itself at its top is somebody else's, so `headline` takes its place.
    """
    lines = [f"# {headline}", *itertools.dropwhile(lambda line: line.startswith("#"), text.splitlines())]
    for key, value in config.items():
        _set(lines, f"{project}:{key}", value)
    return "\n".join(lines) + "\n"


def _set(lines: list[str], key: str, value: Any) -> None:
    block = [_INDENT + line for line in _dumped(key, value)]
    start = next(
        (n for n, line in enumerate(lines) if re.match(rf"{_INDENT}[\"']?{re.escape(key)}[\"']?:", line)), None
    )
    if start is None:
        lines.extend(block)
        return
    end = start + 1
    while end < len(lines) and (lines[end].startswith(_INDENT * 2) or not lines[end].strip()):
        end += 1
    lines[start:end] = block


def _dumped(key: str, value: Any) -> list[str]:
    """Leaves of collections on one line each, and a plain value after its key and not in braces."""
    style = None if isinstance(value, dict | list) else False
    text = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=style)
    return text.splitlines()
