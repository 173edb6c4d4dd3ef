"""Runs checks side by side on daemon threads, each within its deadline.

A check that outlives its deadline is abandoned, reported as ERROR and its worker replaced: a daemon thread never
keeps the process alive, which a ThreadPoolExecutor's would.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from checks.attempt import abandoned, attempt, tries
from checks.model import Check, Finding
from checks.scope import Scope

WORKERS = 16
GRACE_SECONDS = 1.0  # a check's own time-outs come first: they know what they were waiting for
POLL_SECONDS = 0.05
SERIAL_WAIT_SECONDS = 60.0

MakeScope = Callable[[float], Scope]  # seconds that one try may take -> its scope


@dataclass
class _Board:
    """What the workers and the collector share."""

    waiting: "queue.SimpleQueue[tuple[int, Check]]" = field(default_factory=queue.SimpleQueue)
    done: "queue.SimpleQueue[tuple[int, Finding]]" = field(default_factory=queue.SimpleQueue)
    started: dict[int, float] = field(default_factory=dict)
    serial: dict[str, threading.Lock] = field(default_factory=dict)


def run_checks(
    checks: Sequence[Check],
    scope: MakeScope,
    on_result: Callable[[Finding], None] | None = None,
    *,
    workers: int = WORKERS,
) -> tuple[Finding, ...]:
    """The findings of `checks`, in their order; `on_result` hears each as it ends, on the calling thread.

    Those that are `last` run after all the others: they leave the edge refusing this address for a while.
    """
    early, late = [check for check in checks if not check.last], [check for check in checks if check.last]
    found = [*_run_together(early, scope, on_result, workers), *_run_together(late, scope, on_result, workers)]
    by_check = {id(check): finding for check, finding in zip([*early, *late], found, strict=True)}
    return tuple(by_check[id(check)] for check in checks)


def _run_together(
    checks: Sequence[Check], scope: MakeScope, on_result: Callable[[Finding], None] | None, workers: int
) -> tuple[Finding, ...]:
    board = _Board(serial={check.serial: threading.Lock() for check in checks if check.serial})
    # The longest first: nothing long then starts when the rest is over.
    for position, check in sorted(enumerate(checks), key=lambda item: -item[1].timeout):
        board.waiting.put((position, check))
    for _ in range(min(workers, len(checks))):
        _start_worker(board, scope)
    findings: dict[int, Finding] = {}
    while len(findings) < len(checks):
        for position, finding in _next_findings(board, checks, findings, scope):
            findings[position] = finding
            if on_result:
                on_result(finding)
    return tuple(findings[position] for position in range(len(checks)))


def _next_findings(
    board: _Board, checks: Sequence[Check], findings: dict[int, Finding], scope: MakeScope
) -> list[tuple[int, Finding]]:
    try:
        position, finding = board.done.get(timeout=POLL_SECONDS)
    except queue.Empty:
        overdue = _overdue(board, checks, findings)
        for _ in overdue:
            _start_worker(board, scope)
        return overdue
    return [] if position in findings else [(position, finding)]


def _overdue(board: _Board, checks: Sequence[Check], findings: dict[int, Finding]) -> list[tuple[int, Finding]]:
    now = time.monotonic()
    late = []
    for position, started in list(board.started.items()):
        check = checks[position]
        if position not in findings and now - started > check.timeout * tries(check) + GRACE_SECONDS:
            late.append((position, abandoned(check, now - started)))
    return late


def _start_worker(board: _Board, scope: MakeScope) -> None:
    threading.Thread(target=_work, args=(board, scope), daemon=True, name="check").start()


def _work(board: _Board, scope: MakeScope) -> None:
    while True:
        try:
            position, check = board.waiting.get_nowait()
        except queue.Empty:
            return
        lock = board.serial.get(check.serial or "", threading.Lock())
        if not lock.acquire(timeout=SERIAL_WAIT_SECONDS):  # its holder was abandoned and never lets go
            board.done.put((position, abandoned(check, SERIAL_WAIT_SECONDS)))
            continue
        try:
            board.started[position] = time.monotonic()
            board.done.put((position, attempt(check, scope)))
        finally:
            lock.release()
