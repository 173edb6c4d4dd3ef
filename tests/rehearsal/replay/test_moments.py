import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.errors import EventsError
from rehearsal.replay.moments import in_words, parse


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0", 0),
        ("1790000000", 1790000000),
        (" 1790000000 ", 1790000000),
        ("2026-09-21", 1789948800),
        ("2026-09-21T14:13:20", 1790000000),
        ("2026-09-21 14:13:20", 1790000000),
        ("2026-09-21T14:13:20Z", 1790000000),
        ("2026-09-21T14:13:20.750Z", 1790000000),
        ("2026-09-21T16:13:20+02:00", 1790000000),
    ],
)
def test_moments_are_unix_seconds_or_iso_8601_in_utc(text, moment):
    assert parse(text) == moment


@pytest.mark.parametrize(
    "text", ["", "yesterday", "-5", "1790000000000", "9" * 5000, "2026-13-01", "1969-12-31", "0001-01-01", "12:00"]
)
def test_anything_else_is_refused_with_examples(text):
    with pytest.raises(EventsError, match="give Unix seconds"):
        parse(text)


@given(st.integers(0, 253_402_300_799))
def test_a_moment_in_words_can_be_given_again(moment):
    assert parse(in_words(moment)) == moment
