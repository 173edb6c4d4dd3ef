"""Sends events to webhook endpoints: signed, in parallel, retried, recorded.

Source: https://docs.stripe.com/webhooks (delivery behaviours): 2xx is success and redirects are failures; every try has
a new timestamp and signature; no order is promised; an endpoint that is disabled or deleted when a retry is due gets
none.
"""

import heapq
import itertools
import random
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from rehearsal.twins.stripe.service import render
from rehearsal.twins.stripe.settings import Delivering
from rehearsal.twins.stripe.signing import signature_header, valid_secrets
from rehearsal.twins.stripe.store import Object, Store
from rehearsal.twins.stripe.transport import Attempt, Transport, outcome

STOP_WITHIN = 5.0  # seconds that a try under way gets when the twin stops


@dataclass
class _Pending:
    """An event that an endpoint has not acknowledged yet."""

    event_id: str
    endpoint_id: str
    failures: int = 0


class Courier:
    """Delivers what `enqueue` is given, on threads of its own between `start` and `stop`."""

    def __init__(self, store: Store, transport: Transport, settings: Delivering) -> None:
        self._store = store
        self._transport = transport
        self._settings = settings
        self._changed = threading.Condition()  # guards all below; the store's lock may be held first, never after
        self._queue: list[tuple[float, int, _Pending]] = []  # by the time.monotonic when due
        self._order = itertools.count()
        self._random = random.Random()  # noqa: S311 - spreads first tries, protects nothing
        self._under_way = 0
        self._held = False
        self._stopped = False
        self._losses: list[Callable[[Object], bool]] = []
        self._attempts: list[Attempt] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to deliver."""
        for number in range(self._settings.workers):
            thread = threading.Thread(target=self._work, name=f"stripe-delivery-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop after the tries that are under way, or without those that hang; what is pending stays undelivered."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        deadline = time.monotonic() + STOP_WITHIN
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def enqueue(self, event: Object) -> None:
        """Plan the delivery of a new event to every endpoint that wants it. The store's lock is held."""
        wanted = [endpoint for endpoint in self._store.find("webhook_endpoint") if _wants(endpoint, event["type"])]
        event["pending_webhooks"] = len(wanted)
        with self._changed:
            if any(lost(event) for lost in self._losses):
                return
            for endpoint in wanted:
                self._plan(_Pending(event["id"], endpoint["id"]), self._random.uniform(0, self._settings.spread))

    def _plan(self, pending: _Pending, delay: float) -> None:
        heapq.heappush(self._queue, (time.monotonic() + delay, next(self._order), pending))
        self._changed.notify_all()

    def _work(self) -> None:
        while (pending := self._take()) is not None:
            try:
                self._try_pending(pending)
            finally:
                with self._changed:
                    self._under_way -= 1
                    self._changed.notify_all()

    def _take(self) -> _Pending | None:
        """The next delivery that is due, waiting for it; None once stopped."""
        with self._changed:
            while not self._stopped:
                wait = None
                if self._queue and not self._held:
                    wait = self._queue[0][0] - time.monotonic()
                    if wait <= 0:
                        self._under_way += 1
                        return heapq.heappop(self._queue)[2]
                self._changed.wait(wait)
        return None

    def _try_pending(self, pending: _Pending) -> Attempt | None:
        """One try of a planned delivery, and its retry if that fails; nothing where the endpoint is gone."""
        attempt = self._attempt(pending.event_id, pending.endpoint_id)
        if attempt is None:
            return None
        with self._store.lock:
            if attempt.accepted:
                self._store.get("event", pending.event_id)["pending_webhooks"] -= 1
        if not attempt.accepted:
            pending.failures += 1
            if pending.failures < self._settings.max_attempts:
                with self._changed:
                    self._plan(pending, self._settings.delay(pending.failures))
        return attempt

    def _attempt(self, event_id: str, endpoint_id: str, document: Object | None = None) -> Attempt | None:
        """One signed request with `document`, by default the event itself."""
        with self._store.lock:
            endpoint = next(iter(self._store.find("webhook_endpoint", id=endpoint_id, status="enabled")), None)
            if endpoint is None:
                return None
            body = render(document or self._store.get("event", event_id))
            url, secrets = endpoint["url"], valid_secrets(self._store, endpoint)
        started = time.time()
        signature = signature_header(body, secrets, int(started))
        status, error = outcome(self._transport, url, body, {"stripe-signature": signature})
        accepted = status is not None and 200 <= status < 300
        at, monotonic = (time.time(), time.monotonic()) if accepted else (None, None)
        with self._changed:
            number = 1 + sum(a.event_id == event_id and a.endpoint_id == endpoint_id for a in self._attempts)
            attempt = Attempt(event_id, endpoint_id, number, started, status, error, at, monotonic)
            self._attempts.append(attempt)
        return attempt

    def attempts(self, event_id: str | None = None) -> tuple[Attempt, ...]:
        """The tries so far, of one event or of all, in the order in which they ended."""
        with self._changed:
            return tuple(attempt for attempt in self._attempts if event_id in (None, attempt.event_id))

    def wait_idle(self, timeout: float) -> bool:
        """Wait until nothing is pending or under way; False if `timeout` seconds were not enough."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._under_way, timeout)

    def hold(self) -> None:
        """Start no more tries until `release`; those under way end."""
        with self._changed:
            self._held = True

    def release(self) -> None:
        """Deliver again what has gathered."""
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def deliver_now(self, event_id: str) -> tuple[Attempt, ...]:
        """Make the pending tries of one event here and now, also while held. Empty if none is pending."""
        with self._changed:
            mine = [entry for entry in self._queue if entry[2].event_id == event_id]
            self._queue = [entry for entry in self._queue if entry[2].event_id != event_id]
            heapq.heapify(self._queue)
            self._under_way += len(mine)
        made = []
        for _, _, pending in mine:
            try:
                made.append(self._try_pending(pending))
            finally:
                with self._changed:
                    self._under_way -= 1
                    self._changed.notify_all()
        return tuple(attempt for attempt in made if attempt is not None)

    def drop(self, event_id: str) -> int:
        """Forget the pending tries of one event, which then counts as not delivered; how many there were."""
        with self._changed:
            kept = [entry for entry in self._queue if entry[2].event_id != event_id]
            dropped = len(self._queue) - len(kept)
            self._queue = kept
            heapq.heapify(self._queue)
            self._changed.notify_all()
        return dropped

    @contextmanager
    def losing(self, lost: Callable[[Object], bool]) -> Generator[None]:
        """Plan no delivery of the events that happen in the block and that `lost` is true of."""
        with self._changed:
            self._losses.append(lost)
        try:
            yield
        finally:
            with self._changed:
                self._losses.remove(lost)

    def post(self, event_id: str, document: Object, endpoint_id: str) -> Attempt | None:
        """One try to deliver `document` under an event's id; None where the endpoint is gone or disabled."""
        return self._attempt(event_id, endpoint_id, document)

    def again(self, event_id: str, times: int, *, concurrently: bool) -> tuple[Attempt, ...]:
        """`times` more tries to each endpoint that wants the event, whatever came of earlier ones; none is retried."""
        with self._store.lock:
            event = self._store.get("event", event_id)
            endpoints = [some for some in self._store.find("webhook_endpoint") if _wants(some, event["type"])]
        targets = [endpoint["id"] for endpoint in endpoints for _ in range(times)]
        made: list[Attempt | None] = []
        together = threading.Barrier(len(targets) if concurrently and targets else 1)

        def once(endpoint_id: str) -> None:
            together.wait()
            made.append(self._attempt(event_id, endpoint_id))

        if concurrently:
            threads = [threading.Thread(target=once, args=(target,), daemon=True) for target in targets]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        else:
            for target in targets:
                once(target)
        return tuple(attempt for attempt in made if attempt is not None)


def _wants(endpoint: Object, kind: str) -> bool:
    return endpoint["status"] == "enabled" and ("*" in endpoint["enabled_events"] or kind in endpoint["enabled_events"])
