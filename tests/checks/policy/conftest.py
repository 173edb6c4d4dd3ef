"""One checkov for all tests of a worker, and small Pulumi programs for it to scan."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checks import policy
from checks.policy import Scan, Scanner
from rehearsal.plan import plan

with warnings.catch_warnings():
    # The SDKs announce, while they are imported, which resources were renamed.
    warnings.simplefilter("ignore", DeprecationWarning)
    import infra.program  # noqa: F401

ROOT = Path(__file__).parents[3]
HEAD = """
import json

import pulumi
import pulumi_aws as aws
import pulumi_cloudflare as cf

"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave time for the environment with checkov, which the first of these tests makes."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def policy_python() -> Path:
    """The interpreter of the environment with checkov; making it takes a minute, once."""
    return policy.environment(ROOT, lambda _: None)


@pytest.fixture(scope="session")
def scanner(policy_python: Path) -> Iterator[Scanner]:
    with Scanner(policy_python) as running:
        yield running


@dataclass
class Programs:
    """Writes a program, plans it and scans the plan."""

    root: Path
    scanner: Scanner

    def write(self, program: str, *, name: str = "__main__.py") -> str:
        (self.root / "Pulumi.yaml").write_text("name: sample\nruntime: python\n", encoding="utf-8")
        (self.root / "Pulumi.prod.yaml").write_text("config: {aws:region: eu-west-1}\n", encoding="utf-8")
        text = HEAD + program.strip() + "\n"
        (self.root / name).write_text(text, encoding="utf-8")
        return text

    def graph(self, program: str, *, assume_arns: bool = True) -> dict[str, Any]:
        self.write(program)
        return plan(self.root, "prod", assume_arns=assume_arns).to_document()

    def scan(self, program: str, *, policies: Sequence[Path] = (), assume_arns: bool = True) -> Scan:
        return self.scanner.scan(
            policy.terraform_plan(self.graph(program, assume_arns=assume_arns)), self.root, policies
        )


@pytest.fixture
def programs(tmp_path: Path, scanner: Scanner) -> Programs:
    return Programs(tmp_path, scanner)


def line_of(text: str, part: str) -> int:
    """The one line of a program with `part` in it."""
    [number] = [number for number, line in enumerate(text.splitlines(), 1) if part in line]
    return number
