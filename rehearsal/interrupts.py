"""One way out for every signal that asks a rehearsal to end."""

import signal
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_on_signals() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt, so that the twins are stopped on the way out.

    SIGINT too: a shell starts background jobs with it ignored, and who sends it to one by hand means it.
    """
    for number in _ENDING:
        signal.signal(number, _interrupt)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)
