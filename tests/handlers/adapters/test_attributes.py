"""Attribute values as boto3 has them."""

import base64
from enum import StrEnum
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from handlers.adapters.attributes import decode, encode

SCALARS = st.one_of(
    st.none(), st.booleans(), st.text(), st.binary(), st.integers(min_value=-(10**37), max_value=10**37)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
FIELDS = st.dictionaries(st.text(), VALUES)


class Colour(StrEnum):
    RED = "red"


def _with_bytes_as_text(attribute: Any) -> Any:
    """The form on the wire: botocore's serializer encodes bytes only there."""
    if isinstance(attribute, dict):
        return {name: _with_bytes_as_text(value) for name, value in attribute.items()}
    if isinstance(attribute, list):
        return [_with_bytes_as_text(value) for value in attribute]
    return base64.b64encode(attribute).decode() if isinstance(attribute, bytes) else attribute


@given(FIELDS)
def test_values_are_encoded_as_by_boto3(fields: dict[str, Any]) -> None:
    theirs = {name: TypeSerializer().serialize(value) for name, value in fields.items() if value is not None}
    assert encode(fields) == _with_bytes_as_text(theirs)


@given(FIELDS)
def test_what_was_encoded_is_read_again(fields: dict[str, Any]) -> None:
    assert decode(encode(fields)) == {name: value for name, value in fields.items() if value is not None}


@given(st.dictionaries(st.text(), SCALARS.filter(lambda value: not isinstance(value, bytes))))
def test_values_are_read_as_by_boto3(fields: dict[str, Any]) -> None:
    item = encode(fields)
    assert decode(item) == {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def test_an_enum_and_a_tuple_are_what_they_stand_for() -> None:
    assert encode({"colour": Colour.RED, "pair": (1, 2)}) == {
        "colour": {"S": "red"},
        "pair": {"L": [{"N": "1"}, {"N": "2"}]},
    }


@pytest.mark.parametrize("value", [1.5, {1, 2}, object()])
def test_what_would_not_come_back_the_same_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        encode({"x": [value]})


def test_a_type_that_nobody_writes_is_named() -> None:
    with pytest.raises(ValueError, match="SS"):
        decode({"x": {"SS": ["a"]}})
