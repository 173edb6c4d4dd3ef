"""Rules that a zone had when it was adopted: read from the configuration, with every parameter's name known.

Pulumi takes a mapping with a misspelt key in silence, and its classes do not; so the mappings become classes.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi_cloudflare as cloudflare

from infra.edge.sections import ExtraRule

_CLASS = re.compile(r"\b(RulesetRule\w*Args)\b")
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


class UnknownParameterError(ValueError):
    """A parameter that no rule has; `path` says where, `known` what is there."""

    def __init__(self, path: str, known: tuple[str, ...]) -> None:
        super().__init__(path)
        self.path = path
        self.known = known


def arguments(rule: ExtraRule) -> cloudflare.RulesetRuleArgs:
    """The rule as the provider takes it. Raises UnknownParameterError."""
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
    parameters = dict(list(inspect.signature(kind).parameters.items()))
    known = tuple(sorted(_camel(name) for name in parameters))
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = _HUMP.sub(lambda hump: "_" + hump[1].lower(), key)
        if key not in known:
            raise UnknownParameterError(f"{path}{key}", known)
        found[name] = _value(str(parameters[name].annotation), value, f"{path}{key}.")
    return found


def _value(annotation: str, value: Any, path: str) -> Any:
    """`value` as an instance of the class that the annotation names; as it is where it names none."""
    named = _CLASS.search(annotation)
    if named is None:
        return value
    kind = getattr(cloudflare, named[1])
    if isinstance(value, list):
        return [kind(**_keywords(kind, item, path)) for item in value]
    if "Mapping[str" in annotation:
        return {key: kind(**_keywords(kind, item, f"{path}{key}.")) for key, item in value.items()}
    return kind(**_keywords(kind, value, path))


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
