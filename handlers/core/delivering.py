"""What follows from one try at a destination: the pure half of `sync`."""

from collections.abc import Set
from dataclasses import dataclass

from handlers.core.errors import VendorError

BASE_SECONDS = 5
CAP_SECONDS = 3600
KEEP_TRYING_SECONDS = 2 * 86_400  # a vendor that is down for a day costs nothing but delay
BREAKER_FAILURES = 5  # in a row, over all members: then the vendor is left alone
BREAKER_SECONDS = 60  # between two tries at a vendor that is down
MAX_ERROR_TEXT = 300


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Try again, not before `due_at` (Unix seconds)."""

    due_at: int
    error: str


@dataclass(frozen=True, kw_only=True)
class Park:
    """Never try again by ourselves: a person has to look."""

    error: str


def backoff(attempts: int, draw: float) -> int:
    """Seconds to wait after `attempts` tries: full jitter, `draw` of [0, 1) of an exponential step, at least one.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    step = min(CAP_SECONDS, BASE_SECONDS * 2 ** min(attempts, 32))
    return max(1, int(step * draw))


def after_failure(
    error: VendorError, *, attempts: int, max_attempts: int, since: int, once: bool, now: int, draw: float
) -> Retry | Park:
    """What to do after the try number `attempts`, the first of which was made at `since`, failed with `error`.

    What may pass by itself is given up after `max_attempts` and KEEP_TRYING_SECONDS, whichever is later. `once` is
    for a destination that must not be told twice: an unknown outcome goes to a person.
    """
    text = str(error)[:MAX_ERROR_TEXT]
    if error.permanent:
        return Park(error=text)
    if error.unknown and once:
        return Park(error=f"the outcome is unknown, and telling twice is worse: {text}")
    if attempts >= max_attempts and now - since >= KEEP_TRYING_SECONDS:
        return Park(error=f"gave up after {attempts} tries: {text}")
    wait = max(backoff(attempts, draw), int(error.retry_after or 0))
    return Retry(due_at=now + wait, error=text)


def takes_access(shown: Set[str] | None, wanted: Set[str]) -> bool:
    """Whether a destination that shows the labels `shown` has to take a level away; None: nobody knows that."""
    if shown is None:
        return not any(map(_is_level, wanted))
    return any(map(_is_level, shown - wanted))


def _is_level(label: str) -> bool:
    return label.startswith("level:")
