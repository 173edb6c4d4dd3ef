"""Settings say what is wrong with them."""

from collections.abc import Callable

import pytest

from rehearsal.twins.stripe import Billing, Delivering


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Delivering(max_attempts=0), "max_attempts must be at least 1, got 0"),
        (lambda: Delivering(workers=0), "workers must be at least 1, got 0"),
        (lambda: Delivering(base_delay=-1), "base_delay must be at least 0, got -1"),
        (lambda: Billing(retry_days=(3, 0)), r"retry_days must be .* got \(3, 0\)"),
        (lambda: Billing(retry_days=(1,) * 9), "retry_days must be up to 8"),
    ],
)
def test_limits_are_loud(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_waits_double_up_to_the_longest() -> None:
    settings = Delivering(base_delay=1, longest_delay=5)
    assert [settings.delay(failures) for failures in (1, 2, 3, 4, 9)] == [1, 2, 4, 5, 5]
