"""How long it takes from an accepted event to a membership that shows it."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

AcceptedAt = Callable[[str], float | None]  # event id -> Unix seconds of its first 2xx answer


class LagMeter:
    """Collects, for each event that a member's transitions name, the time until it was first seen there.

    The figure includes the read itself and up to one polling interval: it is what an app would notice.
    """

    def __init__(self, accepted_at: AcceptedAt) -> None:
        self._accepted_at = accepted_at
        self._lags_ms: dict[str, float] = {}
        self._lock = threading.Lock()

    def saw(self, member: Mapping[str, Any]) -> None:
        """A member as just read from the API."""
        now = time.time()
        for transition in member.get("transitions", ()):
            event = transition.get("event")
            with self._lock:
                if not event or event in self._lags_ms:
                    continue
                accepted = self._accepted_at(event)
                if accepted is not None:
                    self._lags_ms[event] = max(0.0, now - accepted) * 1000

    def summary(self) -> dict[str, float | int | None]:
        """`{"p50", "p95", "count"}`: milliseconds by the nearest-rank method; None when nothing was measured."""
        with self._lock:
            lags = sorted(self._lags_ms.values())
        return {"p50": percentile(lags, 50), "p95": percentile(lags, 95), "count": len(lags)}


def percentile(ordered: Iterable[float], percent: float) -> float | None:
    """The nearest-rank percentile of values in ascending order; None for no values."""
    values = list(ordered)
    if not values:
        return None
    return round(values[max(0, math.ceil(percent / 100 * len(values)) - 1)], 1)
