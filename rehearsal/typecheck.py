"""Holds a resource's inputs against the SDK's own `…Args` class: the provider's schema, without the provider.

Finds what static checkers let through: missing required inputs, values outside an enumeration, misspelt keys in
plain dictionaries.
"""

import collections.abc
import enum
import functools
import importlib
import inspect
import sys
import typing
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.runtime import rpc

from rehearsal import wire


class _Field(typing.NamedTuple):
    alternatives: tuple[Any, ...]  # the plain types that the input takes
    required: bool


def problems(type_token: str, properties: wire.Decoded) -> list[str]:
    """What is wrong with the inputs of one resource, each as `path: reason`; nothing for types that no SDK declares.

    An input that is not known yet is taken to be right.
    """
    arguments = _arguments_class(type_token)
    if arguments is None:
        return []
    return list(_check_object(properties.values, arguments, "", frozenset(properties.unknowns)))


@functools.cache
def _arguments_class(type_token: str) -> type | None:
    package, module, _name = type_token.split(":")
    if package == "pulumi":  # an explicit provider: its inputs other than text travel as JSON in text
        return None
    registered = rpc.get_resource_module(package, module, "")
    if registered is None:
        return None
    info = registered.mod_info  # ty: ignore[missing-attribute] # every generated SDK registers this class
    class_name = info["classes"][type_token]
    resource_class = getattr(importlib.import_module(info["fqn"]), class_name)
    module_of_class = sys.modules[resource_class.__module__]
    # The generator adds "Init" where another resource's nested input has taken the name (BucketVersioningArgs).
    return getattr(module_of_class, f"{class_name}InitArgs", None) or getattr(module_of_class, f"{class_name}Args")


@functools.cache
def _fields(arguments: type) -> Mapping[str, _Field]:
    """The inputs of a generated `…Args` class by their camelCase name."""
    scope = {**vars(sys.modules[arguments.__module__]), "Output": pulumi.Output}
    parameters = list(inspect.signature(arguments.__init__).parameters.values())[1:]
    fields = {}
    for parameter in parameters:
        found = inspect.getattr_static(arguments, parameter.name)
        getter = found.fget if isinstance(found, property) else found
        wire_name = getattr(getter, "_pulumi_name", parameter.name)
        required = parameter.default is inspect.Parameter.empty
        fields[wire_name] = _Field(_alternatives(_resolve(parameter.annotation, scope)), required)
    return fields


def _resolve(annotation: Any, scope: dict[str, Any]) -> Any:
    holder = type("Holder", (), {"__annotations__": {"value": annotation}})
    names = {"Awaitable": typing.Awaitable, "T": Any, "T_co": Any}
    return typing.get_type_hints(holder, globalns=scope, localns=names)["value"]


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """The plain types in `Input[T]`, which is `T | Awaitable[T] | Output[T]`."""
    options = typing.get_args(hint) if typing.get_origin(hint) is typing.Union else (hint,)
    wrappers = (collections.abc.Awaitable, pulumi.Output)
    return tuple(o for o in options if typing.get_origin(o) not in wrappers and o is not type(None))


def _check_object(
    value: Mapping[str, Any], arguments: type, path: str, unknown: frozenset[str]
) -> typing.Iterator[str]:
    fields = _fields(arguments)
    for key, item in value.items():
        at = f"{path}.{key}" if path else key
        if key not in fields:
            yield f"{at}: {arguments.__name__} has no such input"
        else:
            yield from _check(item, fields[key].alternatives, at, unknown)
    for key, found in fields.items():
        if found.required and key not in value:
            yield f"{path}.{key}: is required" if path else f"{key}: is required"


def _check(value: Any, alternatives: tuple[Any, ...], path: str, unknown: frozenset[str]) -> typing.Iterator[str]:
    if value is None or path in unknown or typing.Any in alternatives:
        return
    enumerations = [a for a in alternatives if isinstance(a, type) and issubclass(a, enum.Enum)]
    if enumerations and str not in alternatives:
        yield from _check_enumeration(value, enumerations[0], path)
        return
    for alternative in alternatives:
        found = _fit(value, alternative, path, unknown)
        if found is not None:
            yield from found
            return
    wanted = " or ".join(getattr(a, "__name__", str(a)) for a in alternatives)
    yield f"{path}: must be {wanted}, got {type(value).__name__}"


def _check_enumeration(value: Any, enumeration: type[enum.Enum], path: str) -> typing.Iterator[str]:
    allowed = [member.value for member in enumeration]
    if value not in allowed:
        yield f"{path}: must be one of {allowed}, got {value!r}"


def _fit(value: Any, alternative: Any, path: str, unknown: frozenset[str]) -> list[str] | None:
    """The problems of `value` as an `alternative`, or None where it is of another kind altogether."""
    origin = typing.get_origin(alternative)
    if origin in (collections.abc.Sequence, list):
        inner = _alternatives(typing.get_args(alternative)[0])
        return _fit_list(value, inner, path, unknown) if isinstance(value, list) else None
    if origin in (collections.abc.Mapping, dict):
        inner = _alternatives(typing.get_args(alternative)[1])
        return _fit_mapping(value, inner, path, unknown) if _is_object(value) else None
    if not isinstance(alternative, type):
        return None
    if issubclass(alternative, pulumi.Asset | pulumi.Archive):
        return [] if isinstance(value, dict) and not _is_object(value) else None
    if alternative.__name__.endswith("Args"):
        return list(_check_object(value, alternative, path, unknown)) if _is_object(value) else None
    return [] if _is_scalar(value, alternative) else None


def _fit_list(value: list[Any], inner: tuple[Any, ...], path: str, unknown: frozenset[str]) -> list[str]:
    return [p for index, item in enumerate(value) for p in _check(item, inner, f"{path}[{index}]", unknown)]


def _fit_mapping(value: Mapping[str, Any], inner: tuple[Any, ...], path: str, unknown: frozenset[str]) -> list[str]:
    return [p for key, item in value.items() for p in _check(item, inner, f"{path}.{key}", unknown)]


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and wire.ASSET_KEY not in value and wire.ARCHIVE_KEY not in value


def _is_scalar(value: Any, wanted: type) -> bool:
    if wanted in (int, float):
        whole = isinstance(value, int) or (wanted is float and isinstance(value, float))
        return whole and not isinstance(value, bool)
    return wanted in (str, bool) and isinstance(value, wanted)
