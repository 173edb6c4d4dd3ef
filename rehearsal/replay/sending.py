"""Sends events to the webhook as Stripe would: signed at the moment, and again while there is no good answer.

In the given order all go over one connection, each after the answer to the one before: as orderly as arrivals can be.
Shuffled ones go over several connections at once.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from rehearsal.replay.history import Event
from rehearsal.twins.stripe.signing import signature_header

CONNECTIONS = 4  # for shuffled events
TRIES = 8
FIRST_PAUSE_SECONDS = 0.1  # doubled after each try: all tries take 13 seconds
_TOO_MANY = 429

Progress = Callable[[int], None]  # how many were sent so far
Pause = Callable[[float], object]  # seconds


class Endpoint(Protocol):
    """Where events are posted; `rehearsal.journeys.world.Webhook`."""

    @property
    def secret(self) -> str:
        """What signs."""
        ...

    def post(self, body: bytes, signature: str | None) -> int:
        """The HTTP status that answers `body`. Raises httpx.TransportError."""
        ...


@dataclass
class Sent:
    """What became of the requests: how many there were, how long they took, and which events were refused, and how."""

    requests: int = 0
    seconds: float = 0.0
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds if self.seconds else 0.0


def in_order(ids: Sequence[str], repeat: int, seed: int | None) -> list[str]:
    """All of `ids` `repeat` times over: as given, or all of that shuffled, the same for the same seed."""
    every = [*ids] * repeat
    if seed is not None:
        random.Random(seed).shuffle(every)  # noqa: S311 - an order that can be had again, no secret
    return every


def send(
    events: Mapping[str, Event],
    ids: Sequence[str],
    endpoint: Endpoint,
    *,
    connections: int = 1,
    progress: Progress = lambda _: None,
    pause: Pause | None = None,
) -> Sent:
    """Post the events `ids` in this order; an event that the endpoint does not take in all tries is in `refused`."""
    sending = _Sending(events, iter(ids), endpoint, progress, pause)
    began = time.monotonic()
    with ThreadPoolExecutor(connections, "replay") as pool:
        try:
            workers = [pool.submit(sending.work) for _ in range(connections)]
            for ended in wait(workers, return_when=FIRST_EXCEPTION).done:
                ended.result()
        finally:
            sending.stop()  # after an interrupt, what is under way ends and nothing more begins
    sending.sent.seconds = time.monotonic() - began
    return sending.sent


class _Sending:
    """What the connections share."""

    def __init__(
        self,
        events: Mapping[str, Event],
        ids: Iterator[str],
        endpoint: Endpoint,
        progress: Progress,
        pause: Pause | None,
    ) -> None:
        self.sent = Sent()
        self._events = events
        self._ids = ids
        self._endpoint = endpoint
        self._progress = progress
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._pause = pause or self._stopping.wait  # which an interrupt cuts short

    def stop(self) -> None:
        """Begin no more tries."""
        self._stopping.set()

    def work(self) -> None:
        """Send what comes next until nothing does."""
        while (id_ := self._next()) is not None:
            refusal = self._deliver(self._events[id_])
            with self._lock:
                self.sent.requests += 1
                if refusal is None:
                    self.sent.refused.pop(id_, None)
                else:
                    self.sent.refused[id_] = refusal
                self._progress(self.sent.requests)

    def _next(self) -> str | None:
        with self._lock:
            return None if self._stopping.is_set() else next(self._ids, None)

    def _deliver(self, event: Event) -> str | None:
        """Why the endpoint did not take the event; None once it has."""
        answer = "it was interrupted"
        for attempt in range(TRIES):
            if attempt:
                self._pause(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            if self._stopping.is_set():
                break
            signature = signature_header(event.body, [self._endpoint.secret], int(time.time()))
            try:
                status = self._endpoint.post(event.body, signature)
            except httpx.TransportError as error:
                answer = f"the webhook did not answer: {error}"
                continue
            if status < httpx.codes.MULTIPLE_CHOICES:
                return None
            answer = f"the webhook answered {status}"
            if status < httpx.codes.INTERNAL_SERVER_ERROR and status != _TOO_MANY:
                break  # the same body would be refused again
        return answer
