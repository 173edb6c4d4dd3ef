"""Writes configuration into the text of a stack file, leaving every other line of it as it is."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

_WIDTH = 110
_INDENT = "  "


def stack_file(text: str, config: Mapping[str, Any], project: str) -> str:
    """`text`, a stack file, with the keys of `config` (without namespace) set to their values.

    A key that is there is replaced where it stands, with the comments inside it; a new one comes at the end.
    """
    lines = text.splitlines()
    for key, value in config.items():
        _set(lines, f"{project}:{key}", value)
    return "\n".join(lines) + "\n"


def _set(lines: list[str], key: str, value: Any) -> None:
    dumped = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None)
    block = [_INDENT + line for line in dumped.rstrip("\n").splitlines()]
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
