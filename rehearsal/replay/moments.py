"""Moments as people write them and read them; inside, they are Unix seconds."""

from datetime import UTC, datetime

from rehearsal.errors import EventsError

_LAST = 253_402_300_799  # the end of the year 9999
_EXAMPLES = "give Unix seconds (1790000000) or ISO 8601 (2026-09-21, 2026-09-21T14:13:20Z)"


def parse(text: str) -> int:
    """Unix seconds of what `text` says: Unix seconds, or ISO 8601, where no zone means UTC and a date its beginning.

    Raises EventsError.
    """
    wanted = text.strip()
    if wanted.isascii() and wanted.isdigit():
        if len(wanted) > len(str(_LAST)) or int(wanted) > _LAST:
            raise EventsError(f"--now {text}: is later than the year 9999, perhaps in milliseconds; {_EXAMPLES}")
        return int(wanted)
    try:
        moment = datetime.fromisoformat(wanted)
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise EventsError(f"--now {text}: is no moment; {_EXAMPLES}") from None
    if seconds < 0:
        raise EventsError(f"--now {text}: is before 1970; {_EXAMPLES}")
    return seconds


def in_words(moment: int) -> str:
    """`moment` in UTC, as "2026-09-21 14:13:20"."""
    return datetime.fromtimestamp(min(moment, _LAST), UTC).strftime("%Y-%m-%d %H:%M:%S")
