"""Holds an object against the stripe SDK's own class: fields that the class does not declare, and missing ones.

The classes are generated from Stripe's OpenAPI description, at the API version that the SDK pins.
"""

import inspect
import re
from decimal import Decimal, InvalidOperation
from types import NoneType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

from stripe import ListObject, StripeObject

# Stripe's own registry of classes by object name; private, but the SDK's version is pinned.
from stripe._object_classes import OBJECT_CLASSES, get_object_class
from stripe.events._event_classes import get_v2_event_class
from stripe.v2.core import Event as ThinEvent


def faults(item: dict[str, Any], path: str = "") -> list[str]:
    """What is wrong with a JSON object and everything in it; empty if nothing is."""
    kind = item.get("object")
    if kind == ThinEvent.OBJECT_NAME:
        return _thin(item, path or kind)
    if kind not in OBJECT_CLASSES:
        return [f"{path or 'object'}: no such kind of object: {kind!r}"]
    found = _object(item, get_object_class("V1", str(kind)), path or str(kind))
    if kind == "event":
        found += _event(item, path or "event")
    return found


def _thin(item: dict[str, Any], path: str) -> list[str]:
    """A v2 event has a class for each type, which says what it is about."""
    cls = get_v2_event_class(str(item.get("type")))
    if not issubclass(cls, ThinEvent):
        return [f"{path}.type: there are no thin events of type {item.get('type')!r}"]
    return _object(item, cls, path)


def _event(item: dict[str, Any], path: str) -> list[str]:
    """An event's content is untyped in its class, but names its own kind; previous attributes are a part of it."""
    data = item.get("data")
    content = data.get("object") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(content, dict):
        return [f"{path}.data.object: missing"]
    found = faults(content, f"{path}.data.object")
    previous = data.get("previous_attributes")
    if previous and content.get("object") in OBJECT_CLASSES:
        owner = get_object_class("V1", content["object"])
        found += _object(previous, owner, f"{path}.data.previous_attributes", partial=True)
    return found


def _object(value: dict[str, Any], cls: type, path: str, *, partial: bool = False) -> list[str]:
    declared = _annotations(cls)
    found = [f"{path}.{name}: {cls.__name__} declares no such field" for name in value if name not in declared]
    if not partial and value.get("deleted") is not True:
        absent = [name for name, hint in declared.items() if name not in value and not _optional(hint)]
        found += [f"{path}.{name}: missing, and not Optional in {cls.__name__}" for name in absent]
    for name, inner in value.items():
        if name in declared:
            found += _value(inner, declared[name], f"{path}.{name}", partial=partial)
    return found


def _annotations(cls: type) -> dict[str, Any]:
    """Declared fields by their names on the wire."""
    names: dict[str, Any] = {}
    for parent in reversed(cls.__mro__):
        if issubclass(parent, StripeObject) and parent is not StripeObject:
            names.update(inspect.get_annotations(parent))
    fields = {name: hint for name, hint in names.items() if "ClassVar" not in str(hint) and not name.startswith("_")}
    if issubclass(cls, ListObject):
        fields["object"] = Literal["list"]
    return fields


def _optional(hint: Any) -> bool:
    return NoneType in get_args(hint)


def _value(value: Any, hint: Any, path: str, *, partial: bool = False) -> list[str]:
    origin = get_origin(hint)
    if partial and value is None:
        return []  # among previous attributes null also says that the field was not there, a new metadata key's say
    if hint is Any or type(hint).__name__ == "TypeVar":
        return []
    if origin is Union:
        return _union(value, get_args(hint), path, partial=partial)
    if origin is Literal:
        return [] if value in get_args(hint) else [f"{path}: {value!r} is none of {get_args(hint)[:8]}"]
    if isinstance(hint, str | ForwardRef):
        return _named(value, hint, path)
    if isinstance(origin, type) and issubclass(origin, list):
        return _elements(value, get_args(hint)[0], path)
    if isinstance(origin, type) and issubclass(origin, ListObject):
        return _list_object(value, origin, get_args(hint)[0], path, partial=partial)
    if isinstance(origin, type):  # UntypedStripeObject[T]: a free map
        return _map(value, get_args(hint)[0], path, partial=partial)
    return _plain(value, hint, path, partial=partial)


def _union(value: Any, alternatives: tuple[Any, ...], path: str, *, partial: bool) -> list[str]:
    found = [_value(value, alternative, path, partial=partial) for alternative in alternatives]
    if [] in found:
        return []
    # For an object, what the classes say tells more than that it is no string.
    told = [some for some, hint in zip(found, alternatives, strict=True) if not isinstance(value, dict) or _holds(hint)]
    return min(told or found, key=len)


def _holds(hint: Any) -> bool:
    """Whether a hint is of something with fields."""
    return not (hint in (str, int, bool, float, Decimal, NoneType) or get_origin(hint) is Literal)


def _named(value: Any, hint: "str | ForwardRef", path: str) -> list[str]:
    """A class that the SDK names without importing it, such as "Customer" or "CardResource"."""
    name = hint if isinstance(hint, str) else hint.__forward_arg__
    name = name.rpartition(".")[2].removesuffix("Resource")
    if not isinstance(value, dict):
        return [f"{path}: {type(value).__name__}, expected an object {name}"]
    kind = value.get("object")
    if kind not in OBJECT_CLASSES:
        return [f"{path}: {kind!r} is no kind of object, expected {name}"]
    cls = get_object_class("V1", str(kind))
    return _object(value, cls, path) if cls.__name__ == name else [f"{path}: a {cls.__name__}, expected {name}"]


def _elements(value: Any, hint: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{path}: {type(value).__name__}, expected a list"]
    return [line for index, inner in enumerate(value) for line in _value(inner, hint, f"{path}[{index}]")]


def _list_object(value: Any, cls: type, hint: Any, path: str, *, partial: bool) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {type(value).__name__}, expected a list object"]
    return _object(value, cls, path, partial=partial) + _elements(value.get("data", []), hint, f"{path}.data")


def _map(value: Any, hint: Any, path: str, *, partial: bool) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {type(value).__name__}, expected a map"]
    return [line for key, inner in value.items() for line in _value(inner, hint, f"{path}[{key}]", partial=partial)]


def _plain(value: Any, hint: type, path: str, *, partial: bool) -> list[str]:
    if hint is NoneType:
        return [] if value is None else [f"{path}: expected null"]
    if issubclass(hint, StripeObject):
        if isinstance(value, dict):
            return _object(value, hint, path, partial=partial)
    elif hint is Decimal:
        if isinstance(value, str) and _is_decimal(value):
            return []
    elif isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return []
    return [f"{path}: {re.sub(r'<.*>', '', type(value).__name__)}, expected {hint.__name__}"]


def _is_decimal(value: str) -> bool:
    try:
        Decimal(value)
    except InvalidOperation:
        return False
    return True
