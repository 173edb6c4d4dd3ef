"""What follows from one try at a destination: the pure half of `sync`."""

from dataclasses import dataclass

from handlers.core.errors import VendorError

BASE_SECONDS = 5
CAP_SECONDS = 6 * 3600
BREAKER_FAILURES = 5  # in a row, over all members: then the vendor is left alone for a while
BREAKER_SECONDS = 30
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
    error: VendorError, *, attempts: int, max_attempts: int, once: bool, now: int, draw: float
) -> Retry | Park:
    """What to do after the try number `attempts` failed with `error`.

    `once` is for a destination that must not be told twice: an unknown outcome goes to a person.
    """
    text = str(error)[:MAX_ERROR_TEXT]
    if error.permanent:
        return Park(error=text)
    if error.unknown and once:
        return Park(error=f"the outcome is unknown, and telling twice is worse: {text}")
    if attempts >= max_attempts:
        return Park(error=f"gave up after {attempts} tries: {text}")
    wait = max(backoff(attempts, draw), int(error.retry_after or 0))
    return Retry(due_at=now + wait, error=text)
