"""The whole command says no to a declaration with a single mistake in it, and names the check that saw it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.mutations import JOURNEY, MUTATIONS, Mutation

PROJECT = Path(__file__).resolve().parents[2]
PARTS = ("launch_ready.py", "__main__.py", "Pulumi.yaml", "Pulumi.prod.yaml", "pyproject.toml")
PACKAGES = ("infra", "handlers", "checks", "rehearsal")
AT_ONCE = 2  # each rehearsal keeps about one processor busy
LONGEST_SECONDS = 240
GREEN = {"pass", "only live"}

# Whoever waits, waits for rehearsals of others too: all are started by the first test.
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How the command ended; `result` is its JSON, None where it wrote none."""

    exit_code: int
    said: str
    result: dict[str, Any] | None
    seconds: float

    @property
    def failed(self) -> dict[str, str]:
        """The checks that are not green, and what they say."""
        found = self.result["checks"] if self.result else []
        return {check["id"]: check["actual"] for check in found if check["status"] not in GREEN}

    @property
    def journeys(self) -> dict[str, bool]:
        """The journeys, and whether each passed."""
        return {journey["name"]: journey["passed"] for journey in (self.result["journeys"] if self.result else [])}

    def line(self) -> str:
        """What caught the mistake, for the table."""
        told = [name for name, passed in self.journeys.items() if not passed]
        caught = ", ".join([*self.failed, *(f"journey {name}" for name in told)])
        return caught or self.said.strip().splitlines()[-1]


def copy_of_the_project(place: Path) -> Path:
    """A copy in a new directory, without the environment and with the bytecode, so that little is compiled again."""
    place.mkdir()
    for part in PARTS:
        shutil.copy2(PROJECT / part, place / part)
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, place / package)
    return place


def rehearse(project: Path) -> Ending:
    began = time.monotonic()
    answer = subprocess.run(
        [sys.executable, "launch_ready.py", "rehearse", "--journey", JOURNEY, "--json", "result.json"],
        cwd=project,
        env={name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    written = project / "result.json"
    result = json.loads(written.read_text(encoding="utf-8")) if written.exists() else None
    said = answer.stdout + answer.stderr
    return Ending(exit_code=answer.returncode, said=said, result=result, seconds=time.monotonic() - began)


@pytest.fixture(scope="module")
def endings(tmp_path_factory: pytest.TempPathFactory) -> Generator[Callable[[Mutation | None], Ending]]:
    """How the command ends for each mutation (None: for the declaration as it is); the first call starts them all.

    Each is made of the same copy, whatever happens to the project meanwhile.
    """
    place = tmp_path_factory.mktemp("mutations")
    original = copy_of_the_project(place / "original")

    def rehearsed(number: int, mutation: Mutation | None) -> Ending:
        project = place / f"mutation-{number}"
        shutil.copytree(original, project)
        if mutation is not None:
            mutation.apply(project)
        try:
            return rehearse(project)
        finally:
            shutil.rmtree(project)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        started: dict[Mutation | None, Future[Ending]] = {
            mutation: pool.submit(rehearsed, number, mutation) for number, mutation in enumerate((None, *MUTATIONS))
        }
        yield lambda mutation: started[mutation].result()
        pool.shutdown(cancel_futures=True)


def test_a_copy_runs_its_own_code(tmp_path: Path):
    project = copy_of_the_project(tmp_path / "project")
    (project / "whose.py").write_text(
        f"import launch_ready, {', '.join(PACKAGES)}\n"
        f"print(launch_ready.__file__, *({', '.join(f'{package}.__file__' for package in PACKAGES)}), sep='\\n')\n"
    )
    answer = subprocess.run([sys.executable, "whose.py"], cwd=project, capture_output=True, text=True, check=True)
    files = answer.stdout.split()
    assert len(files) == 1 + len(PACKAGES)
    assert [file for file in files if not Path(file).is_relative_to(project)] == []


def test_the_declaration_as_it_is_is_rehearsed(endings: Callable[[Mutation | None], Ending]):
    ending = endings(None)
    assert (ending.exit_code, ending.failed, ending.journeys) == (0, {}, {JOURNEY: True}), ending.said


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "-"))
def test_a_mistake_is_caught(
    endings: Callable[[Mutation | None], Ending], mutation: Mutation, record_property: Callable[[str, object], None]
):
    ending = endings(mutation)
    record_property("caught by", ending.line())
    print(f"{mutation.name:55} {ending.line()}  ({ending.seconds:.0f} s)")  # the table, with -rA or -s
    assert ending.exit_code == mutation.exit_code, ending.said
    if mutation.exit_code != 1:
        assert mutation.caught_by in ending.said
    elif mutation.caught_by == JOURNEY:
        assert not ending.journeys[JOURNEY]
    else:
        assert mutation.caught_by in ending.failed
        assert ending.result is not None
        assert ending.result["verdict"] == "NOT REHEARSED"


def test_every_mutation_changes_one_place(tmp_path: Path):
    for mutation in MUTATIONS:
        place = tmp_path / mutation.file
        place.parent.mkdir(exist_ok=True)
        shutil.copy2(PROJECT / mutation.file, place)
        mutation.apply(tmp_path)


def test_every_mutation_is_of_its_own():
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 16
    assert len({(mutation.file, mutation.text, mutation.instead) for mutation in MUTATIONS}) == len(MUTATIONS)
