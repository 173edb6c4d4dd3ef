from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rehearsal import wire
from rehearsal.graph import SECRET_MARKER, UNKNOWN_MARKER, marked


def _struct(values: dict[str, Any]) -> Any:
    struct = wire.new_struct()
    struct.update(values)
    return struct


def _secret(value: Any) -> dict[str, Any]:
    return {wire.SIGNATURE: wire.SECRET, "value": value}


KEYS = st.text("abcxyz", min_size=1, max_size=3)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, PLAIN, max_size=4))
def test_plain_values_come_back_as_they_were(values: dict[str, Any]) -> None:
    decoded = wire.decode(_struct(values))
    assert decoded == wire.Decoded(values=values)


@given(st.dictionaries(KEYS, PLAIN, min_size=1, max_size=4), st.data())
def test_a_secret_is_plain_in_the_values_and_never_in_the_graph(values: dict[str, Any], data: st.DataObject) -> None:
    hidden = data.draw(st.sampled_from(sorted(values)))
    decoded = wire.decode(_struct({**values, hidden: _secret("sesame-open")}))
    assert decoded.values == {**values, hidden: "sesame-open"}
    assert decoded.secrets == [hidden]
    assert marked(decoded) == {**values, hidden: SECRET_MARKER}


def test_fractions_stay_and_whole_numbers_become_int() -> None:
    values = wire.decode(_struct({"half": 0.5, "two": 2.0})).values
    assert values == {"half": 0.5, "two": 2}
    assert isinstance(values["two"], int)


def test_paths_lead_into_lists_and_objects() -> None:
    decoded = wire.decode(_struct({"rules": [{"value": _secret("s")}, {"value": wire.UNKNOWN}]}))
    assert decoded.secrets == ["rules[0].value"]
    assert decoded.unknowns == ["rules[1].value"]
    assert marked(decoded) == {"rules": [{"value": SECRET_MARKER}, {"value": UNKNOWN_MARKER}]}


def test_an_unknown_secret_counts_as_secret() -> None:
    decoded = wire.decode(_struct({"key": _secret(wire.UNKNOWN)}))
    assert (decoded.secrets, decoded.unknowns) == (["key"], ["key"])
    assert marked(decoded) == {"key": SECRET_MARKER}


def test_output_values_and_references_are_resolved() -> None:
    output = {wire.SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4"}
    reference = {wire.SIGNATURE: "5cf8f73096256a8f31e491e813e4eb8e", "urn": "urn:pulumi:x"}
    sent = {
        "known": {**output, "value": "v", "secret": True},
        "unknown": output,
        "component": reference,
        "custom": {**reference, "id": "i-1"},
    }
    decoded = wire.decode(_struct(sent))
    assert decoded.values == {"known": "v", "unknown": None, "component": "urn:pulumi:x", "custom": "i-1"}
    assert (decoded.secrets, decoded.unknowns) == (["known"], ["unknown"])


def test_an_archive_is_told_from_an_object() -> None:
    archive = {wire.SIGNATURE: "0def7320c3a5731c473e5ecbe6d01bc7", "path": "build/webhook.zip"}
    assert wire.decode(_struct({"code": archive})).values == {"code": {"$archive": {"path": "build/webhook.zip"}}}


def test_the_answer_keeps_the_marks_of_what_was_sent() -> None:
    sent = _struct({"key": _secret("s"), "name": "n"})
    answer = wire.response(sent, {"arn": "a", "token": "t"}, {"token"})
    decoded = wire.decode(answer)
    assert decoded.values == {"key": "s", "name": "n", "arn": "a", "token": "t"}
    assert sorted(decoded.secrets) == ["key", "token"]
