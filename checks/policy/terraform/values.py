"""The inputs of one resource as Terraform's values, and where in them something is unknown or secret."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.policy.terraform import shapes
from checks.policy.terraform.names import snake, terraform_property

SECRET = "[secret]"  # the graph's marker, in the place of a secret
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_ASSETS = ("$asset", "$archive")
_ASSET_SIGNATURE = "4dabf18193072939515e22adb298388d"  # how the engine's own previews mark an asset


@dataclass
class Values:
    """`known` leaves out nulls and what is unknown; `unknown` and `secret` have true in its place, as plans do."""

    known: dict[str, Any] = field(default_factory=dict)
    unknown: dict[str, Any] = field(default_factory=dict)
    secret: dict[str, Any] = field(default_factory=dict)


def values(terraform_type: str, arguments: type | None, inputs: Mapping[str, Any]) -> Values:
    """Convert `inputs`; an input that `arguments` does not have is taken as the plain value that it is."""
    converted = {}
    known_fields = shapes.fields(arguments) if arguments else {}
    for name, value in inputs.items():
        property_ = known_fields.get(name, shapes.PLAIN)
        blocks = bool(property_.arguments and property_.many)
        key = terraform_property(terraform_type, name, many_blocks=blocks)
        converted[key] = _converted(terraform_type, property_, value)
    return _parted(converted)


def plain(inputs: Mapping[str, Any]) -> Values:
    """Inputs that no schema describes, under the names that they have."""
    return _parted(dict(inputs))


def _converted(terraform_type: str, property_: shapes.Field, value: Any) -> Any:
    aws = terraform_type.startswith("aws_")
    if isinstance(value, dict) and (path := _asset_path(value)) is not None:
        return path
    if isinstance(value, dict) and property_.arguments:
        if aws and property_.text:
            return json.dumps(value)
        block = _block(terraform_type, property_.arguments, value)
        return [block] if aws else block  # the AWS provider has blocks, of which one at most is a list of one
    if isinstance(value, list) and property_.arguments:
        return [_block(terraform_type, property_.arguments, one) if isinstance(one, dict) else one for one in value]
    return value


def _block(terraform_type: str, arguments: type, value: Mapping[str, Any]) -> dict[str, Any]:
    known_fields = shapes.fields(arguments)
    block = {}
    for name, inner in value.items():
        property_ = known_fields.get(name, shapes.PLAIN)
        many = bool(property_.arguments and property_.many)
        key = terraform_property(terraform_type, name, many_blocks=many) if name in known_fields else snake(name)
        block[key] = _converted(terraform_type, property_, inner)
    return block


def _asset_path(value: Mapping[str, Any]) -> str | None:
    for key in _ASSETS:
        if key in value:
            inner = value[key]
            return str(inner.get("path") or inner.get("uri") or "(built by the program)")
    if _ASSET_SIGNATURE in value:
        return str(value.get("path") or value.get("uri") or "(built by the program)")
    return None


def _parted(converted: Mapping[str, Any]) -> Values:
    result = Values()
    for key, value in converted.items():
        known, unknown, secret = _part(value)
        if known is not None:
            result.known[key] = known
        if unknown:
            result.unknown[key] = unknown
        if secret:
            result.secret[key] = secret
    return result


def _part(value: Any) -> tuple[Any, Any, Any]:
    """A value as (what is known, what is unknown, what is secret)."""
    if value == UNKNOWN:
        return None, True, False
    if value == SECRET:
        return SECRET, False, True
    if isinstance(value, dict):
        parts = _parted(value)
        return parts.known, parts.unknown, parts.secret
    if isinstance(value, list):
        return _part_list(value)
    if isinstance(value, float) and value.is_integer():
        return int(value), False, False  # the wire has one kind of number, a plan has two
    return value, False, False


def _part_list(value: list[Any]) -> tuple[Any, Any, Any]:
    """A list with an unknown element is unknown; one of objects keeps them, each without what it does not know."""
    parts = [_part(one) for one in value if one is not None]
    if any(unknown is True for _, unknown, _ in parts):
        return None, True, False
    known = [one for one, _, _ in parts]
    unknown = [inner for _, inner, _ in parts] if any(inner for _, inner, _ in parts) else False
    secret = [inner for _, _, inner in parts] if any(inner for _, _, inner in parts) else False
    return known, unknown, secret
