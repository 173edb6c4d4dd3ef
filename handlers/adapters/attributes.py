"""Plain values in DynamoDB's JSON, and back.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

import base64
from collections.abc import Mapping
from typing import Any

Attribute = dict[str, Any]


def encode(fields: Mapping[str, Any]) -> dict[str, Attribute]:
    """`fields` as an item or a part of one; None is left out. TypeError names what DynamoDB cannot hold exactly."""
    return {name: _encoded(value) for name, value in fields.items() if value is not None}


def decode(item: Mapping[str, Attribute]) -> dict[str, Any]:
    """An item as plain values. ValueError names a type that we never write."""
    return {name: _decoded(value) for name, value in item.items()}


def _encoded(value: Any) -> Attribute:
    match value:  # the usual types by themselves: an abstract class takes ten times as long
        case str() if type(value) is str:
            return {"S": value}
        case dict():
            return {"M": {str(name): _encoded(content) for name, content in value.items()}}
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():  # a StrEnum too, as the text that it stands for
            return {"S": str(value)}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case Mapping():
            return {"M": {str(name): _encoded(content) for name, content in value.items()}}
        case list() | tuple():
            return {"L": [_encoded(content) for content in value]}
    raise TypeError(f"no attribute value for {type(value).__name__}: use text, whole numbers, bytes, maps and lists")


def _decoded(attribute: Attribute) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value)
        case "M":
            return {name: _decoded(content) for name, content in value.items()}
        case "L":
            return [_decoded(content) for content in value]
        case "B":
            return base64.b64decode(value)
        case "NULL":
            return None
    raise ValueError(f"an attribute of the type {kind}, which nobody here writes")
