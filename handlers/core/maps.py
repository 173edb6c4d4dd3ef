"""Frozen dataclasses to plain maps of a document store, and back.

What a class needs is worked out once: a member's item has some hundred of these, and is read and written with each
event.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

Reader = Callable[[Any], Any]

_AS_IT_IS = frozenset({str, int, bool, bytes, type(None)})
_EMPTY: tuple[Any, ...] = ([], {})


def to_map(value: Any) -> dict[str, Any]:
    """The fields of the dataclass instance `value`, recursively; None and empty collections are left out."""
    plain = {}
    for name in _names(type(value)):
        content = getattr(value, name)
        if content is None:
            continue
        if type(content) not in _AS_IT_IS:
            content = _plain(content)
            if content in _EMPTY:
                continue
        plain[name] = content
    return plain


def from_map(cls: type[T], data: Mapping[str, Any]) -> T:
    """The instance of `cls` that `to_map` turned into `data`; fields that `cls` does not know are ignored.

    A field that is missing has its default; TypeError names one that has none.
    """
    readers = _readers(cls)
    return cls(**{name: readers[name](content) for name, content in data.items() if name in readers})


def _plain(value: Any) -> Any:
    if type(value) in _AS_IT_IS:
        return value
    if is_dataclass(value):
        return to_map(value)
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    return value


@cache
def _names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


@cache
def _readers(cls: type) -> dict[str, Reader]:
    return {name: _reader(hint) for name, hint in get_type_hints(cls).items()}


def _reader(hint: Any) -> Reader:
    """What makes the declared type of a value: int for any number, nested dataclasses, tuples and dicts of them."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        some = _reader(inner)
        return lambda value: None if value is None else some(value)
    if origin is tuple:
        entry = _reader(arguments[0])
        return lambda value: tuple(map(entry, value))
    if origin in (dict, Mapping):
        content = _reader(arguments[1])
        return lambda value: {key: content(one) for key, one in value.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda value: from_map(hint, value)
    return int if hint is int else _unchanged


def _unchanged(value: Any) -> Any:
    return value
