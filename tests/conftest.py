"""How tests are run: with one Hypothesis profile, and all of them by two workers, the longest first.

HYPOTHESIS_PROFILE=nightly looks longer. Tests that are named run in one process; `-n 0` does that for all.
"""

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Deadlines would time the machine, not the code; CI has two busy cores.
settings.register_profile("default", deadline=None)
settings.register_profile("nightly", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

WORKERS = 2  # of the time that one takes, half is waiting; rehearsals of more than two wait for each other too long
TABLE = "table: "

# They take minutes, so they begin first, lest one worker is left with them at the end. What they make for a parameter
# no other parameter needs.
LONGEST = (
    "tests/rehearsal/faults/test_faults.py",
    "tests/handlers/histories/test_histories.py",
    "tests/test_launch_ready.py",
    "tests/rehearsal/faults/test_stories.py",
    "tests/rehearsal/test_mutations.py",
)


class ByFile(LoadScopeScheduling):
    """Gives a worker a whole file, whose fixtures are then made once; of the longest files, one parameter's tests."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        _, bracket, parameter = test.partition("[") if file in LONGEST else ("", "", "")
        return file + bracket + parameter


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """For `-n auto`; a few tests are over before workers have imported what they need."""
    return WORKERS if config.args_source is pytest.Config.ArgsSource.TESTPATHS else 0


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """In place of what `--dist` names."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, after they were shuffled."""
    rank = {file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0], len(rank)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector the SDKs' classes: half a million objects, imported meanwhile, that stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)  # as the command has it: a stack is many small objects that all stay
        gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables whose rows, cells by column, tests recorded as a property `table: <title>`.

    Properties are what a worker hands over of a test beside its outcome and its output.
    """
    tables: dict[str, list[dict[str, str]]] = {}
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for name, row in report.user_properties:
            if report.when == "call" and name.startswith(TABLE):
                tables.setdefault(name.removeprefix(TABLE), []).append(row)
    for title, rows in tables.items():
        terminalreporter.section(title)
        lines = [tuple(rows[0]), *(tuple(row.values()) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            terminalreporter.write_line("  ".join(cells).rstrip())
