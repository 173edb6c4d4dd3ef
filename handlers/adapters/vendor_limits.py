"""What keeps one vendor from being hurried: quotas by the minute and by the month, and a breaker."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handlers.adapters import http
from handlers.adapters.aws import DynamoDb
from handlers.adapters.breaker import Breaker
from handlers.adapters.quotas import SLOT_SECONDS, MinuteQuota, MonthQuota, month_end, month_of, slot_end
from handlers.core.errors import LaunchError
from handlers.settings import DestinationSpec

CALLS_OF_A_TRY = {"state": 4, "notices": 1}  # bringing a state looks, creates and changes; a notice is one call
MAX_SPREAD_SECONDS = 600
REVIEW_SECONDS = 6 * 3600  # the plan at the vendor may have become a larger one


@dataclass(frozen=True, kw_only=True)
class Wait:
    """The vendor must be left alone until `until` (Unix seconds); those who wait come back within `spread` seconds."""

    until: int
    reason: str
    spread: int = SLOT_SECONDS
    month: str | None = None  # whose calls are used up, as in "2026-11"


class SpentError(LaunchError):
    """The vendor may not be called now: nothing failed, and this is no try."""

    def __init__(self, wait: Wait) -> None:
        super().__init__(wait.reason)
        self.wait = wait


class VendorLimits:
    """The limits of one destination, shared by all its workers through the table.

    A try is `enter`, any number of `request`, then `leave` and what became of it: `answered` or `failed`.
    """

    def __init__(
        self,
        client: DynamoDb,
        table: str,
        spec: DestinationSpec,
        *,
        calls_per_month: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`calls_per_month` is of the vendor's plan; None where the spec's holds, if any."""
        limit = calls_per_month or spec.calls_per_month
        self._breaker = Breaker(client, table, spec.name)
        self._minute = MinuteQuota(client, table, spec.name, spec.calls_per_minute)
        self._month = MonthQuota(client, table, spec.name, limit) if limit else None
        self._reserve = min(CALLS_OF_A_TRY[spec.carries], spec.calls_per_minute)
        self._clock = clock
        self._left = 0  # calls that were taken of the slot that ends at `_left_until`, and not made
        self._left_until = 0
        self._takes_access = False
        self._answering = False  # whether a call of this try succeeded

    @property
    def calls_per_month(self) -> int | None:
        """What the vendor's plan allows, where it has such a limit."""
        return self._month.limit if self._month else None

    def enter(self, now: int, *, takes_access: bool = False) -> Wait | None:
        """Take the calls of one try; a Wait when there are not as many left or the breaker is open."""
        self._takes_access, self._answering = takes_access, False
        closed = self._breaker.closed_until(now)
        if closed is not None:
            until, since = closed
            spread = max(SLOT_SECONDS, min(MAX_SPREAD_SECONDS, (now - since) // 10))  # the longer, the less hurry
            return Wait(until=until, reason="breaker open", spread=spread)
        return self._take(self._reserve, now)

    def request(self, method: str, url: str, **options: Any) -> http.Response:
        """As `http.request`, where the quotas allow one call more. Raises SpentError and VendorError."""
        now = int(self._clock())
        if self._left < 1 or now >= self._left_until:
            wait = self._take(1, now)
            if wait is not None:
                raise SpentError(wait)
        if self._month is not None and not self._month.take(now, takes_access=self._takes_access):
            until = min(month_end(now), now + REVIEW_SECONDS)
            reason = "the month's calls are used up"
            raise SpentError(Wait(until=until, reason=reason, spread=MAX_SPREAD_SECONDS, month=month_of(now)))
        self._left -= 1
        answer = http.request(method, url, **options)
        self._answering = self._answering or answer.status < 400
        return answer

    def leave(self) -> None:
        """The try made all its calls: let others have what it did not need."""
        now = int(self._clock())
        if self._left > 0 and now < self._left_until:
            self._minute.give_back(self._left, now)
        self._left = 0

    def failed(self, now: int, retry_after: float | None) -> None:
        """Count a failure that was not the request's own, after which the vendor may have asked for some seconds."""
        self._breaker.failed(now, retry_after, answering=self._answering)

    def answered(self) -> None:
        """The vendor is there: forget the failures that were on record."""
        self._breaker.answered()

    def _take(self, calls: int, now: int) -> Wait | None:
        free_at = self._minute.take(calls, now)
        if free_at is not None:
            return Wait(until=free_at, reason="quota used up")
        self._left, self._left_until = calls, slot_end(now)
        return None
