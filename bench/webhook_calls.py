"""What the measured processes of `bench.webhook` do with a webhook function that has started."""

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Generator
from typing import Any

SECRET = "whsec_bench"

Request = dict[str, Any]
Receive = Callable[[Request], dict[str, Any]]


class ListQueue:
    """A queue in memory."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    def send(self, body: str, *, group: str, deduplication_id: str) -> None:
        """Keep the message."""
        self.sent.append((body, group, deduplication_id))


class OneSecret:
    """A signing secret that never changes."""

    def held(self) -> tuple[str, ...]:
        """The secret."""
        return (SECRET,)

    def refresh(self) -> bool:
        """Nothing new."""
        return False


def ours() -> tuple[Receive, ListQueue]:
    """Our function, the queue being a list."""
    from handlers.entrypoints.webhook import Webhook

    queue = ListQueue()
    return Webhook(queue=queue, secrets=OneSecret()).receive, queue


def usual() -> tuple[Receive, ListQueue]:
    """The same handler with `construct_event`, the queue being a list."""
    from bench.usual_webhook import UsualWebhook

    queue = ListQueue()
    return UsualWebhook(send=queue.send, secret=SECRET).receive, queue


def in_memory(side: tuple[Receive, ListQueue], request: Request, times: int) -> float:
    """p50 of a call in microseconds."""
    receive, queue = side
    figure = p50(receive, request, times)
    assert len(queue.sent) == times
    return figure


def p50(receive: Receive, request: Request, times: int) -> float:
    """Median microseconds of a call, after a quarter of them to warm up."""
    figures = []
    with _silence():
        for _ in range(times):
            begun = time.perf_counter()
            answer = receive(request)
            figures.append((time.perf_counter() - begun) * 1e6)
            assert answer["statusCode"] == 200, answer
    return statistics.median(figures[times // 4 :])


@contextlib.contextmanager
def _silence() -> Generator[None]:
    """What is logged goes nowhere, line by line as in Lambda."""
    with open(os.devnull, "w", buffering=1) as sink, contextlib.redirect_stdout(sink):  # noqa: PTH123
        yield
