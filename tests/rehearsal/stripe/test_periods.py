"""Billing periods on the calendar."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.twins.stripe.billing.periods import advanced, longest, next_end

ANCHORS = st.integers(946_684_800, 2_208_988_800)  # 2000 to 2040
RECURRING = st.fixed_dictionaries(
    {"interval": st.sampled_from(["day", "week", "month", "year"]), "interval_count": st.integers(1, 4)}
)


def moment(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, 12, 30, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("steps", "expected"),
    [(1, moment(2027, 2, 28)), (2, moment(2027, 3, 31)), (3, moment(2027, 4, 30)), (13, moment(2028, 2, 29))],
)
def test_a_month_that_is_too_short_ends_on_its_last_day_and_the_anchor_returns(steps: int, expected: int) -> None:
    assert advanced(moment(2027, 1, 31), "month", steps) == expected


def test_a_leap_day_is_billed_on_28_february_in_other_years() -> None:
    assert advanced(moment(2028, 2, 29), "year", 1) == moment(2029, 2, 28)


@given(ANCHORS, RECURRING, st.integers(0, 400 * 86_400))
def test_the_next_end_is_the_first_one_later(anchor: int, recurring: dict[str, Any], later: int) -> None:
    after = anchor + later
    end = next_end(anchor, after, recurring)
    assert after < end <= after + longest(recurring)
    assert next_end(anchor, end - 1, recurring) == end
