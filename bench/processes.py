"""Fresh interpreters that take turns, so that whatever else the machine does meets both sides alike."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Measured(NamedTuple):
    """A program that prints "FIGURES" and numbers, where it runs and what its environment adds."""

    code: str
    folder: Path = ROOT
    environ: Mapping[str, str] = {}


def fresh(measured: Measured, request: object = None) -> list[float]:
    """The figures of one run, which reads `request` as JSON from its standard input."""
    done = subprocess.run(  # noqa: S603 (our own interpreter on the text above)
        [sys.executable, "-c", measured.code],
        cwd=measured.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **measured.environ},
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"bench: a measured process failed:\n{done.stderr}")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FIGURES ")]
    return [float(figure) for figure in line.split()[1:]]


def taking_turns(
    sides: Sequence[Measured], rounds: int, request: Callable[[], object] = lambda: None
) -> list[list[list[float]]]:
    """For each side, for each of its figures, one value a round. The first round warms the disk and is not counted."""
    taken: list[list[list[float]]] = [[] for _ in sides]
    for turn in range(rounds + 1):
        for side, runs in zip(sides, taken, strict=True):
            figures = fresh(side, request())
            if turn:
                runs.append(figures)
    return [[list(column) for column in zip(*runs, strict=True)] for runs in taken]
