"""Which inputs are blocks, which are lists of them and which are plain maps: read from the SDK's own input types."""

import collections.abc
import functools
import importlib
import keyword
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulumi import _types  # pinned: no public name tells an input class's properties by their wire names

from checks.policy.errors import PolicyError

Arguments = type | None  # a generated class of inputs, where the SDK has one


@dataclass(frozen=True)
class Field:
    """One property: `arguments` is the class of the objects in it, None for plain values and maps.

    `text` says that a text will do, too: the objects are a document that the provider takes as JSON.
    """

    arguments: Arguments = None
    many: bool = False
    text: bool = False


PLAIN = Field()


def arguments_of(token: str) -> type:
    """The class of a resource's inputs; PolicyError where the SDK has no such type."""
    package, module, name = token.split(":")
    group = module.split("/")[0]
    path = f"pulumi_{package}" + ("" if group == "index" else f".{group}{'_' * keyword.iskeyword(group)}")
    try:
        # The SDK's packages load their modules when an attribute is asked for.
        resource = getattr(importlib.import_module(path), name)
    except (ImportError, AttributeError):
        raise PolicyError(f"{token} is no type of the SDK pulumi_{package} that is installed") from None
    scope = sys.modules[resource.__module__]
    # The generator adds "Init" where another resource's nested input has taken the name (BucketVersioningArgs).
    found = getattr(scope, f"{name}InitArgs", None) or getattr(scope, f"{name}Args", None)
    if found is None:
        raise PolicyError(f"{token}: the SDK pulumi_{package} has no class of its inputs")
    return found


@functools.cache
def fields(arguments: type) -> Mapping[str, Field]:
    """The properties of an input class by their camelCase names."""
    return {name: _field(hint) for name, hint in _types.input_type_types(arguments).items()}


def _field(hint: Any) -> Field:
    origin = typing.get_origin(hint)
    if origin is None:
        return Field(hint) if isinstance(hint, type) and _types.is_input_type(hint) else PLAIN
    inner = [_field(argument) for argument in typing.get_args(hint)]
    found = next((field for field in inner if field.arguments), PLAIN)
    if origin in (collections.abc.Mapping, dict):
        return PLAIN  # keys that the author chose, not blocks
    many = found.many or origin in (collections.abc.Sequence, list)
    return Field(found.arguments, many, text=found.text or str in typing.get_args(hint))
