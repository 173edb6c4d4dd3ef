"""Stripe's lists, page by page, at a pace that leaves the app its share of Stripe's rate limit."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from handlers.adapters.stripe_read import StripeReader
from handlers.core.errors import VendorError

PER_SECOND = 10.0  # of the 100 reads a second that Stripe grants in live mode, https://docs.stripe.com/rate-limits
PAGE = 100
TRIES = 6
STEP_SECONDS = 0.5  # before the second try; twice as long before each further one

Object = dict[str, Any]


class StripeLists:
    """Reads whole lists with `reader`, at most `per_second` requests. `pause` and `clock` are in seconds."""

    def __init__(
        self,
        reader: StripeReader,
        *,
        per_second: float = PER_SECOND,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._gap = 1 / per_second
        self._pause = pause
        self._clock = clock
        self._next = clock()

    def each(self, path: str, query: Mapping[str, str] | None = None, *, after: str | None = None) -> Iterator[Object]:
        """The objects of the list at `path`, newest first as Stripe has them; those that come `after` an id.

        Raises VendorError where a page cannot be read by any of several tries.
        """
        while True:
            asked = {"limit": str(PAGE), **(query or {}), **({"starting_after": after} if after else {})}
            page = self._page(path, asked)
            data = page.get("data")
            found = [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []
            yield from found
            if not page.get("has_more") or not found:
                return
            after = str(found[-1].get("id"))

    def _page(self, path: str, query: Mapping[str, str]) -> Object:
        for attempt in range(TRIES - 1):
            self._take_turn()
            try:
                return self._reader.page(path, query)
            except VendorError as error:
                if error.permanent:
                    raise
                self._pause(max(STEP_SECONDS * 2**attempt, error.retry_after or 0))
        self._take_turn()
        return self._reader.page(path, query)

    def _take_turn(self) -> None:
        wait = self._next - self._clock()
        if wait > 0:
            self._pause(wait)
        self._next = max(self._next, self._clock()) + self._gap
