import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.core.delivering import (
    CAP_SECONDS,
    KEEP_TRYING_SECONDS,
    Park,
    Retry,
    after_failure,
    backoff,
    takes_access,
)
from handlers.core.errors import VendorError

NOW = 1_800_000_000


def verdict(
    error: VendorError, *, attempts: int = 1, since: int = NOW, once: bool = False, draw: float = 0.5
) -> Retry | Park:
    return after_failure(error, attempts=attempts, max_attempts=12, since=since, once=once, now=NOW, draw=draw)


@given(attempts=st.integers(1, 10_000), draw=st.floats(0, 1, exclude_max=True))
def test_the_wait_is_between_a_second_and_the_cap(attempts: int, draw: float) -> None:
    assert 1 <= backoff(attempts, draw) <= CAP_SECONDS


def test_the_wait_doubles_and_is_spread_over_all_of_its_step() -> None:
    assert [backoff(attempts, 0.5) for attempts in (1, 2, 3, 4)] == [5, 10, 20, 40]
    assert [backoff(4, draw) for draw in (0.0, 0.25, 0.999)] == [1, 20, 79]


def test_a_vendor_that_is_down_is_tried_again() -> None:
    assert verdict(VendorError("HTTP 503", permanent=False)) == Retry(due_at=NOW + 5, error="HTTP 503")


def test_a_vendor_that_says_when_is_not_asked_before() -> None:
    assert verdict(VendorError("HTTP 429", permanent=False, retry_after=90.5)) == Retry(
        due_at=NOW + 90, error="HTTP 429"
    )


def test_a_permanent_refusal_goes_to_a_person_at_once() -> None:
    assert verdict(VendorError("HTTP 404", permanent=True)) == Park(error="HTTP 404")


def test_after_the_last_try_a_person_takes_over() -> None:
    down, long_ago = VendorError("HTTP 503", permanent=False), NOW - KEEP_TRYING_SECONDS
    assert isinstance(verdict(down, attempts=11, since=long_ago), Retry)
    assert verdict(down, attempts=12, since=long_ago) == Park(error="gave up after 12 tries: HTTP 503")


def test_a_vendor_that_is_down_for_a_day_is_not_given_up() -> None:
    assert isinstance(verdict(VendorError("HTTP 503", permanent=False), attempts=60, since=NOW - 86_400), Retry)


@pytest.mark.parametrize(
    ("shown", "wanted", "less"),
    [
        ({"level:pro", "member_active"}, {"cancelled"}, True),
        ({"level:pro", "level:team"}, {"level:team"}, True),
        ({"level:pro"}, {"level:team"}, True),
        ({"level:pro"}, {"level:pro", "payment_failed"}, False),
        ({"member_active"}, {"cancelled"}, False),
        (set(), set(), False),
        (None, {"cancelled"}, True),
        (None, {"level:pro"}, False),
    ],
)
def test_whoever_loses_a_level_loses_access(shown: set[str] | None, wanted: set[str], less: bool) -> None:
    assert takes_access(shown, wanted) is less


@pytest.mark.parametrize("once", [True, False])
def test_what_must_not_be_told_twice_is_not_tried_again_blindly(once: bool) -> None:
    got = verdict(VendorError("timed out", permanent=False, unknown=True), once=once)
    assert isinstance(got, Park if once else Retry)


def test_a_long_error_is_cut() -> None:
    assert len(verdict(VendorError("x" * 5000, permanent=True)).error) == 300
