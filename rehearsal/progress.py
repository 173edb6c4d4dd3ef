"""What a person sees while a rehearsal runs, and where its time went."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.status import Status

from rehearsal.interrupts import checkpoint


@dataclass(frozen=True)
class Stage:
    """One finished stage; `seconds` is wall time."""

    name: str
    seconds: float


class Progress(Protocol):
    """Told of stages as they begin, of what they wait for, and of their end."""

    def begin(self, name: str) -> None:
        """A stage begins."""
        ...

    def waiting(self, text: str) -> None:
        """What the running stage is doing or waiting for."""
        ...

    def end(self, stage: Stage, *, ok: bool) -> None:
        """The running stage has ended."""
        ...


class PlainProgress:
    """One line at a stage's begin and one at its end, for logs and CI."""

    def begin(self, name: str) -> None:
        """See Progress."""
        print(f"… {name}", file=sys.stderr, flush=True)

    def waiting(self, text: str) -> None:
        """Nothing: a log does not need each resource."""

    def end(self, stage: Stage, *, ok: bool) -> None:
        """See Progress."""
        print(f"{'✓' if ok else '✗'} {stage.name} ({stage.seconds:.1f} s)", file=sys.stderr, flush=True)


class LiveProgress:
    """A spinner with what is being waited for, for a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._name = ""

    def begin(self, name: str) -> None:
        """See Progress."""
        self._name = name
        self._status = self._console.status(name)
        self._status.start()

    def waiting(self, text: str) -> None:
        """See Progress."""
        if self._status:
            self._status.update(f"{self._name}: {text}")

    def end(self, stage: Stage, *, ok: bool) -> None:
        """See Progress."""
        if self._status:
            self._status.stop()
            self._status = None
        mark = "[green]✓[/]" if ok else "[red]✗[/]"
        self._console.print(f"{mark} {stage.name} [dim]({stage.seconds:.1f} s)[/]", highlight=False)


def for_terminal() -> Progress:
    """The live form on a terminal, plain lines elsewhere; both on standard error."""
    console = Console(stderr=True)
    return LiveProgress(console) if console.is_terminal else PlainProgress()


class Stages:
    """Times the stages of one run."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.finished: list[Stage] = []

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Time the block as the stage `name`; it counts also when the block raises."""
        self.progress.begin(name)
        began = time.monotonic()
        ok = False
        try:
            yield
            checkpoint()
            ok = True
        finally:
            stage = Stage(name, time.monotonic() - began)
            self.finished.append(stage)
            self.progress.end(stage, ok=ok)

    def slowest(self, count: int = 3) -> list[Stage]:
        """The stages that took longest, longest first."""
        return sorted(self.finished, key=lambda stage: -stage.seconds)[:count]
