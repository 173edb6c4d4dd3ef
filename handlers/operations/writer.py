"""Writes what many payers bought, several at a time, telling nobody."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from handlers.adapters.aws import DynamoDb
from handlers.adapters.store import Store
from handlers.core.errors import EventError
from handlers.core.events import Facts
from handlers.entrypoints.recording import Recorder
from handlers.operations import audit
from handlers.operations.purchases import Unreadable
from handlers.operations.stack import LiveStack

WRITERS = 8  # transactions at a time: from an engineer's machine each takes several round trips


class Writer:
    """Several recorders at a time; the transactions of one payer follow one another."""

    def __init__(self, stack: LiveStack, *, dry: bool, payers: int) -> None:
        self.done = 0
        self.refused: list[Unreadable] = []
        self._stack = stack
        self._dry = dry
        self._payers = payers
        self._own = threading.local()
        self._pool = ThreadPoolExecutor(WRITERS)
        self._audited = False
        self._clients: list[DynamoDb] = []

    def close(self) -> None:
        """Let what is being written end, drop the rest."""
        self._pool.shutdown(cancel_futures=True)
        for client in self._clients:
            client.close()

    def write(self, payers: Sequence[Sequence[Facts]]) -> None:
        """Write everything, or count it; return when it is written."""
        if self._dry or not payers:
            self.done += sum(map(len, payers))
            return
        if not self._audited:
            audit.record(self._stack, "backfill", payers=self._payers)
            self._audited = True
        writing: list[Future[int]] = [self._pool.submit(self._write, facts) for facts in payers]
        for one in writing:
            self.done += one.result()

    def _write(self, payer: Sequence[Facts]) -> int:
        """How many of the payer's transactions were made; events may have filled the table since it was looked at."""
        recorder, done = self._recorder(), 0
        for facts in payer:
            try:
                recorder.record(facts, at=int(time.time()))
                done += 1
            except EventError as error:
                self.refused.append(Unreadable(facts.customer or "", str(error)))
        return done

    def _recorder(self) -> Recorder:
        """One for each thread, as a connection serves one at a time."""
        if not hasattr(self._own, "recorder"):
            settings = self._stack.settings
            client = DynamoDb(self._stack.environment, attempts=8)
            self._clients.append(client)
            self._own.recorder = Recorder(
                store=Store(client, settings.table.table),
                policy=settings.table.policy,
                destinations=settings.destinations,
                silent=True,
            )
        return self._own.recorder
