"""Moments as an engineer types them."""

from datetime import UTC, datetime

from handlers.operations.errors import UsageError


def moment(text: str | None) -> int | None:
    """Unix seconds of a whole number of them, a date, or a time of ISO 8601, in UTC where it names no zone.

    None for None; raises UsageError.
    """
    if text is None:
        return None
    if text.isascii() and text.isdecimal():
        return int(text)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no moment: give a date, 2026-11-21T10:00:00Z, or Unix seconds") from None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
