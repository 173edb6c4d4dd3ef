"""One way out for every signal that asks a rehearsal to end."""

import signal
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_asked: list[str] = []


def end_on_signals() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt, so that the twins are stopped on the way out.

    SIGINT too: a shell starts background jobs with it ignored, and who sends it to one by hand means it.
    """
    for number in _ENDING:
        signal.signal(number, _interrupt)


def checkpoint() -> None:
    """Raise the KeyboardInterrupt of a signal that was swallowed.

    Python drops an exception that is raised while a weak reference's callback or a finaliser happens to run.
    """
    if _asked:
        raise KeyboardInterrupt(_asked[0])


def _interrupt(number: int, _frame: FrameType | None) -> None:
    _asked.append(signal.Signals(number).name)
    raise KeyboardInterrupt(_asked[0])
