"""Between the API's snake case and the camel case that Pulumi sends and the zone twin keeps."""

import re
from collections.abc import Mapping
from typing import Any

_VERBATIM = frozenset({"headers", "header"})  # their keys are names of headers


def snake(name: str) -> str:
    """`sourceUrl` as the API writes it."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def camel(name: str) -> str:
    """`source_url` as Pulumi writes it."""
    first, *others = name.split("_")
    return first + "".join(other[:1].upper() + other[1:] for other in others)


def to_api(value: Any) -> Any:
    """A value with the API's keys, whole numbers as such: Pulumi's wire format turns them into floats."""
    return _renamed(value, snake)


def from_api(value: Any) -> Any:
    """A value with Pulumi's keys."""
    return _renamed(value, camel)


def _renamed(value: Any, rename: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            rename(key): {name: _renamed(change, rename) for name, change in one.items()}
            if key in _VERBATIM and isinstance(one, Mapping)
            else _renamed(one, rename)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_renamed(one, rename) for one in value]
    return whole(value)


def whole(value: Any) -> Any:
    """Whole numbers as such, everything else as it is; keys stay."""
    if isinstance(value, Mapping):
        return {key: whole(one) for key, one in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value
