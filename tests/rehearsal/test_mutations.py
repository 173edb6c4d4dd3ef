"""The whole command says no to a declaration with a single mistake in it, and names the check that saw it."""

import compileall
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.mutations import JOURNEY, MUTATIONS, NEED_THE_API, PROD, ZONE_AREAS, Mutation
from tests.rehearsal.warm import Warm, warm

PROJECT = Path(__file__).resolve().parents[2]
PARTS = (
    *("launch_ready.py", "__main__.py", "pyproject.toml", "Pulumi.yaml", "Pulumi.prod.yaml"),
    *("Pulumi.prod.redirects.csv", "Pulumi.staging.yaml"),
)
PACKAGES = ("infra", "handlers", "checks", "rehearsal")
STAGE = Path(__file__).with_name("zone_stage.py")
LONGEST_SECONDS = 240
GREEN = {"pass", "only live", "not applicable"}

pytestmark = pytest.mark.timeout(LONGEST_SECONDS + 60)


@dataclass(frozen=True)
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
    """A copy in a new directory, without the environment and with all bytecode, so that nothing is compiled again."""
    place.mkdir()
    for part in PARTS:
        shutil.copy2(PROJECT / part, place / part)
    shutil.copy2(STAGE, place)
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, place / package)
    compileall.compile_dir(place, quiet=2)
    return place


@dataclass(frozen=True)
class Rehearsals:
    """Rehearses copies of one copy, whatever happens to the project meanwhile."""

    original: Path
    command: Warm

    def of(self, mutation: Mutation | None) -> Ending:
        """How the command ends for the mutation; None: for the declaration as it is."""
        project = self.original.with_name("mutated")
        shutil.copytree(self.original, project)
        try:
            if mutation is not None:
                mutation.apply(project)
            return self._rehearse(project, mutation.journey if mutation else JOURNEY)
        finally:
            shutil.rmtree(project)

    def seen_in_the_zone(self, mutation: Mutation) -> Ending:
        """How the zone alone fares with the mutation, looked at by the check that must catch it."""
        project = self.original.with_name("mutated")
        shutil.copytree(self.original, project)
        began = time.monotonic()
        try:
            mutation.apply(project)
            look = (STAGE.name, mutation.caught_by if mutation.exit_code == 1 else "dns.hosts")
            exit_code, said = self.command.run(project, *look, seconds=LONGEST_SECONDS)
        finally:
            shutil.rmtree(project)
        failed = json.loads(said.splitlines()[-1])["failed"] if exit_code == 0 else {}
        checks = [{"id": check, "status": "fail", "actual": saw} for check, saw in failed.items()]
        result = {"checks": checks, "journeys": [], "verdict": "NOT REHEARSED" if failed else "REHEARSED"}
        return Ending(1 if failed else exit_code, said, result, time.monotonic() - began)

    def _rehearse(self, project: Path, journey: str) -> Ending:
        began = time.monotonic()
        options = ("--journey", journey, "--json", "result.json")
        exit_code, said = self.command.run(project, "launch_ready.py", "rehearse", *options, seconds=LONGEST_SECONDS)
        written = project / "result.json"
        result = json.loads(written.read_text(encoding="utf-8")) if written.exists() else None
        return Ending(exit_code=exit_code, said=said, result=result, seconds=time.monotonic() - began)


@pytest.fixture(scope="module")
def command() -> Iterator[Warm]:
    with warm() as process:
        yield process


@pytest.fixture(scope="module")
def rehearsals(tmp_path_factory: pytest.TempPathFactory, command: Warm) -> Rehearsals:
    return Rehearsals(copy_of_the_project(tmp_path_factory.mktemp("mutations") / "original"), command)


def test_a_copy_runs_its_own_code(tmp_path: Path, command: Warm):
    project = copy_of_the_project(tmp_path / "project")
    (project / "whose.py").write_text(
        f"import launch_ready, {', '.join(PACKAGES)}\n"
        f"print(launch_ready.__file__, *({', '.join(f'{package}.__file__' for package in PACKAGES)}), sep='\\n')\n"
    )
    exit_code, said = command.run(project, "whose.py", seconds=LONGEST_SECONDS)
    files = said.split()
    assert (exit_code, len(files)) == (0, 1 + len(PACKAGES)), said
    assert [file for file in files if not Path(file).is_relative_to(project)] == []


def test_the_declaration_as_it_is_is_rehearsed(rehearsals: Rehearsals):
    ending = rehearsals.of(None)
    assert (ending.exit_code, ending.failed, ending.journeys) == (0, {}, {JOURNEY: True}), ending.said


@pytest.mark.parametrize("plan", ["free", "pro", "business"])
def test_the_app_is_rehearsed_on_each_plan(rehearsals: Rehearsals, plan: str):
    project = rehearsals.original.with_name(plan)
    shutil.copytree(rehearsals.original, project)
    Mutation("plan", PROD, "zonePlan: free", f"zonePlan: {plan}", "").apply(project)
    exit_code, said = rehearsals.command.run(
        project, STAGE.name, *(area.rstrip(".") for area in ZONE_AREAS), seconds=LONGEST_SECONDS
    )
    assert exit_code == 0, said
    assert json.loads(said.splitlines()[-1])["failed"].keys() <= set(NEED_THE_API)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "-"))
def test_a_mistake_is_caught(
    rehearsals: Rehearsals, mutation: Mutation, record_property: Callable[[str, object], None]
):
    ending = rehearsals.seen_in_the_zone(mutation) if mutation.in_the_zone else rehearsals.of(mutation)
    record_property("caught by", ending.line())
    print(f"{mutation.name:55} {ending.line()}  ({ending.seconds:.0f} s)")  # the table, with -rA or -s
    assert ending.exit_code == mutation.exit_code, ending.said
    if mutation.exit_code != 1:
        assert mutation.caught_by in ending.said
    elif mutation.caught_by == mutation.journey:
        assert not ending.journeys[mutation.journey]
    else:
        assert mutation.caught_by in ending.failed
        assert ending.result is not None
        assert ending.result["verdict"] == "NOT REHEARSED"


def test_every_mutation_changes_one_place(tmp_path: Path):
    for mutation in MUTATIONS:
        place = tmp_path / mutation.file
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / mutation.file, place)
        mutation.apply(tmp_path)


def test_every_mutation_is_of_its_own():
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 16
    assert len({(mutation.file, mutation.text, mutation.instead) for mutation in MUTATIONS}) == len(MUTATIONS)
