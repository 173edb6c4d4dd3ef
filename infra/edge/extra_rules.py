"""Rules that a zone had when it was adopted: read from the configuration, with every parameter's name known.

Pulumi takes a mapping with a misspelt key in silence, and its classes do not; so the mappings become classes.
"""

import functools
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi_cloudflare as cloudflare

from infra.edge.sections import ExtraRule

_CLASS = re.compile(r"\b(RulesetRule\w*Args)\b")


class ParameterError(ValueError):
    """A parameter that no rule has, one that is missing, or a value where parameters are; `path` says where."""

    def __init__(self, path: str, limit: str) -> None:
        super().__init__(f"{path}: {limit}")
        self.path = path
        self.limit = limit


def arguments(rule: ExtraRule) -> cloudflare.RulesetRuleArgs:
    """The rule as the provider takes it. Raises ParameterError."""
    given = {"actionParameters": rule.action_parameters, "ratelimit": rule.ratelimit, "logging": rule.logging}
    parts = {key: value for key, value in given.items() if value is not None}
    return cloudflare.RulesetRuleArgs(
        ref=rule.ref,
        description=rule.description or None,
        expression=rule.expression,
        action=rule.action,
        enabled=rule.enabled,
        **_keywords(cloudflare.RulesetRuleArgs, parts, ""),
    )


def _keywords(kind: type, values: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The arguments of the class `kind` for `values`, which are named in camel case, as Pulumi's YAML names them."""
    known = _parameters(kind)
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise ParameterError(f"{path}{key}", f"there is no such parameter; known there: {', '.join(known)}")
        found[known[key].name] = _value(known[key].annotation, value, f"{path}{key}.")
    return found


@dataclass(frozen=True)
class _Parameter:
    name: str  # in Python
    annotation: str
    required: bool


@functools.cache
def _parameters(kind: type) -> dict[str, _Parameter]:
    """The arguments of a class by their names in camel case."""
    return {
        _camel(found.name): _Parameter(found.name, str(found.annotation), found.default is inspect.Parameter.empty)
        for found in inspect.signature(kind).parameters.values()
    }


def _value(annotation: str, value: Any, path: str) -> Any:
    """`value` as an instance of the class that the annotation names; as it is where it names none."""
    named = _CLASS.search(annotation)
    if named is None:
        return value
    kind = getattr(cloudflare, named[1])
    if isinstance(value, list):
        return [_instance(kind, item, path) for item in value]
    if isinstance(value, Mapping) and "Mapping[str" in annotation:
        return {key: _instance(kind, item, f"{path}{key}.") for key, item in value.items()}
    return _instance(kind, value, path)


def _instance(kind: type, values: Any, path: str) -> Any:
    known, here = _parameters(kind), path.removesuffix(".")
    if not isinstance(values, Mapping):
        raise ParameterError(here, f"it is an object; known there: {', '.join(known)}")
    if missing := [key for key, parameter in known.items() if parameter.required and values.get(key) is None]:
        raise ParameterError(here, f"it needs {', '.join(missing)}")
    return kind(**_keywords(kind, values, path))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def texts(rule: ExtraRule) -> Iterator[str]:
    """Every expression in it: its own, and those of a redirect's target or a header's value."""
    yield rule.expression
    yield from _expressions(rule.action_parameters)


def _expressions(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "expression" and isinstance(item, str):
                yield item
            else:
                yield from _expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _expressions(item)
