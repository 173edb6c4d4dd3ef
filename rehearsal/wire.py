"""Reads the property values that a Pulumi program sends to its engine.

The marks are those of the engine's protocol (pulumi/sdk `resource/plugin/rpc.go`): a struct that holds `SIGNATURE`
is a secret, an asset, an archive, an output or a resource, told apart by the signature's value.
"""

from dataclasses import dataclass, field
from typing import Any

from google.protobuf import empty_pb2, struct_pb2

# protobuf makes its classes when it is imported, where no type checker sees them.
Struct = Any
new_struct = struct_pb2.Struct  # ty: ignore[missing-attribute]
new_empty = empty_pb2.Empty  # ty: ignore[missing-attribute]

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # also how `pulumi preview --json` writes an unknown value

# How a decoded asset or archive is told from a plain object: {"$archive": {"path": …}} or {"$asset": {"text": …}}.
ASSET_KEY = "$asset"
ARCHIVE_KEY = "$archive"


@dataclass
class Decoded:
    """Plain values of one property bag, and the paths (`a.b[0]`) of those that are secret or not yet known.

    Secrets are plain in `values`; an unknown value is None there.
    """

    values: dict[str, Any] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    unknowns: list[str] = field(default_factory=list)


def decode(struct: Struct) -> Decoded:
    """The property bag `struct` as plain values; integral numbers come back as int (the wire knows only doubles)."""
    decoded = Decoded()
    decoded.values = {key: _value(value, key, decoded) for key, value in struct.fields.items()}
    return decoded


def _value(value: Any, path: str, into: Decoded) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _object(value.struct_value.fields, path, into)
        case "list_value":
            return [_value(item, f"{path}[{index}]", into) for index, item in enumerate(value.list_value.values)]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            if value.string_value == UNKNOWN:
                into.unknowns.append(path)
                return None
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _object(fields: Any, path: str, into: Decoded) -> Any:
    if SIGNATURE not in fields:
        return {key: _value(item, f"{path}.{key}", into) for key, item in fields.items()}
    kind = fields[SIGNATURE].string_value
    if kind == SECRET:
        into.secrets.append(path)
        return _value(fields["value"], path, into)
    if kind == _OUTPUT:
        return _output(fields, path, into)
    if kind == _RESOURCE:
        # The engine passes the id of a custom resource, the URN of a component.
        return _value(fields["id"], path, into) if "id" in fields else fields["urn"].string_value
    if kind in (_ASSET, _ARCHIVE):
        key = ASSET_KEY if kind == _ASSET else ARCHIVE_KEY
        return {key: {name: _value(item, f"{path}.{name}", into) for name, item in fields.items() if name != SIGNATURE}}
    raise ValueError(f"{path}: unknown property signature {kind!r}")


def _output(fields: Any, path: str, into: Decoded) -> Any:
    if "secret" in fields and fields["secret"].bool_value:
        into.secrets.append(path)
    if "value" not in fields:
        into.unknowns.append(path)
        return None
    return _value(fields["value"], path, into)


def response(sent: Struct, outputs: dict[str, Any], secret_outputs: set[str]) -> Struct:
    """What the program gets back: its own properties in wire form, with `outputs` over them.

    The wire form keeps the marks of secrets and archives; an archive that was decoded and encoded again raises
    inside the SDK. An output is secret when `secret_outputs` names it.
    """
    merged = new_struct()
    merged.CopyFrom(sent)
    merged.update(
        {key: {SIGNATURE: SECRET, "value": value} if key in secret_outputs else value for key, value in outputs.items()}
    )
    return merged


def top_level(path: str) -> str:
    """The property that `path` lies in: `rules` for `rules[0].action`."""
    return path.split(".", 1)[0].split("[", 1)[0]


def masked(values: Any, paths: list[str], marker: str, at: str = "") -> Any:
    """`values` with everything at `paths` replaced by `marker`."""
    if at in paths:
        return marker
    if isinstance(values, dict):
        return {key: masked(item, paths, marker, f"{at}.{key}" if at else key) for key, item in values.items()}
    if isinstance(values, list):
        return [masked(item, paths, marker, f"{at}[{index}]") for index, item in enumerate(values)]
    return values
