"""The request encoding, held against the SDK's own encoder."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

from rehearsal.twins.stripe.errors import ApiError
from rehearsal.twins.stripe.form import decode

NAMES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
NESTED = st.recursive(
    VALUES,
    lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3),
    max_leaves=8,
)


def as_decoded(value: Any) -> Any:
    """Lists come back as maps from their indices: only a parameter's type says which it is."""
    if isinstance(value, list):
        return {str(index): as_decoded(inner) for index, inner in enumerate(value)}
    if isinstance(value, dict):
        return {key: as_decoded(inner) for key, inner in value.items()}
    return value


@given(st.dictionaries(NAMES, NESTED, max_size=4))
def test_what_the_sdk_encodes_is_read_back(params: dict[str, Any]) -> None:
    encoded = urlencode(list(_api_encode(params)))
    assert decode(encoded) == as_decoded(params)


def test_empty_brackets_append() -> None:
    assert decode("expand[]=a&expand[]=b") == {"expand": {"0": "a", "1": "b"}}


NONSENSE = ["a[b=1", "[a]=1", "a]=1", "=1", "a=1&a[b]=2", "a[b]=2&a=1", "a" + "[b]" * 9 + "=1"]


@pytest.mark.parametrize("encoded", NONSENSE)
def test_keys_that_make_no_sense_are_refused(encoded: str) -> None:
    with pytest.raises(ApiError) as refused:
        decode(encoded)
    assert refused.value.status == 400
