"""Frozen dataclasses to plain maps of a document store, and back."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_map(value: Any) -> dict[str, Any]:
    """The fields of the dataclass instance `value`, recursively; None and empty collections are left out."""
    plain = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return {name: content for name, content in plain.items() if content is not None and content not in ([], {})}


def from_map(cls: type[T], data: Mapping[str, Any]) -> T:
    """The instance of `cls` that `to_map` turned into `data`; fields that `cls` does not know are ignored.

    A field that is missing has its default; TypeError names one that has none.
    """
    hints = _hints(cls)
    known = {name: _typed(hints[name], content) for name, content in data.items() if name in hints}
    return cls(**known)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return to_map(value)
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    return value


def _typed(hint: Any, value: Any) -> Any:
    """`value` as the declared type: int for any number, nested dataclasses, tuples and dicts of them."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        return None if value is None else _typed(inner, value)
    if origin is tuple:
        return tuple(_typed(arguments[0], entry) for entry in value)
    if origin in (dict, Mapping):
        return {key: _typed(arguments[1], entry) for key, entry in value.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return from_map(hint, value)
    return int(value) if hint is int else value


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)
