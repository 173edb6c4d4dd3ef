"""Billing periods: calendar arithmetic on an anchor, in UTC.

A period that would end on a day that the month lacks ends on the month's last day, and the next one returns to the
anchor's day. Source: https://docs.stripe.com/billing/subscriptions/billing-cycle.
"""

import calendar
from datetime import UTC, datetime, timedelta
from typing import Any

_FIXED = {"day": timedelta(days=1), "week": timedelta(weeks=1)}
_MONTHS = {"month": 1, "year": 12}
# Upper bounds, for limits that Stripe expresses in intervals.
_LONGEST = {"day": 86_400, "week": 7 * 86_400, "month": 31 * 86_400, "year": 366 * 86_400}


def next_end(anchor: int, after: int, recurring: dict[str, Any]) -> int:
    """The first period end later than `after` of a cycle anchored at `anchor` (seconds since the epoch)."""
    steps = 1
    while (end := advanced(anchor, recurring["interval"], recurring["interval_count"] * steps)) <= after:
        steps += 1
    return end


def advanced(start: int, interval: str, count: int) -> int:
    """`start` plus `count` intervals."""
    moment = datetime.fromtimestamp(start, UTC)
    if interval in _FIXED:
        return int((moment + _FIXED[interval] * count).timestamp())
    months = moment.year * 12 + moment.month - 1 + _MONTHS[interval] * count
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp())


def longest(recurring: dict[str, Any]) -> int:
    """The most seconds that one interval can take."""
    return _LONGEST[recurring["interval"]] * recurring["interval_count"]
