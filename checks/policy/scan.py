"""Runs checkov in its own environment, beside whatever the caller does meanwhile."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from checks.policy import chosen
from checks.policy.errors import PolicyError
from checks.policy.lines import Lines, Place
from checks.policy.terraform import Plan

SCANNER = Path(__file__).with_name("scanner")
_KEPT_FROM_US = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check that failed, or was skipped by a comment with `reason`; `severity` is empty where checkov has none."""

    id: str
    name: str
    severity: str
    resource: str
    details: tuple[str, ...]
    guideline: str
    reason: str
    place: Place


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What a scan that took place found; `unjudged` are policies that a value unknown before the deployment stopped."""

    findings: tuple[Finding, ...]
    skipped: tuple[Finding, ...]
    left_out: Mapping[str, str]
    unjudged: tuple[str, ...]
    passed: int
    resources: int
    checks: int
    sarif: Mapping[str, Any]
    junit: str

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 2 where nothing was found but not everything could be judged."""
        return 1 if self.findings else 2 if self.unjudged else 0


class Scanner:
    """checkov, which takes seconds to import: start it, plan meanwhile, then hand it the plan."""

    def __init__(self, python: Path) -> None:
        self._python = python

    def __enter__(self) -> Self:
        """Start it."""
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8")
        environment = {key: value for key, value in os.environ.items() if key not in _KEPT_FROM_US}
        self._process = subprocess.Popen(  # noqa: S603 # our own program, in an environment of our lock file
            [self._python, "-I", SCANNER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,  # a file, which never fills up while nobody reads it
            text=True,
            encoding="utf-8",
            env=environment,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up. It is killed where it was not asked anything, because then it may import for seconds yet."""
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def scan(self, plan: Plan, root: Path, policies: Sequence[Path] = ()) -> Scan:
        """Scan a plan whose sources lie under `root`, with the policies of more folders beside our own.

        PolicyError with every reason why this would have been no scan.
        """
        if not plan.resources:
            raise PolicyError("the plan declares no resource, so there is nothing to scan")
        wanted = chosen.load()
        lines = Lines(root if _project(root) == plan.project else None)
        places = {address: lines.place(entry) for address, entry in plan.resources.items()}
        with tempfile.TemporaryDirectory(prefix="launch-ready-policy-") as folder:
            file = Path(folder) / "plan.json"
            # One value a line: checkov keeps the line of each.
            file.write_text(json.dumps(plan.document, indent=1), encoding="utf-8")
            request = _request(file, wanted, places, policies)
            answer = self._ask({**request, "zone_plan": plan.zone_plan})
        if answer["problems"]:
            raise PolicyError("the scan was none:\n" + "\n".join(f"- {one}" for one in answer["problems"]))
        return _result(answer, wanted, places)

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One line there and one back; without one, what it said when it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self._said.seek(0)
            said = self._said.read().strip() or "it said nothing"
            raise PolicyError(f"checkov ended with {self._process.wait()}: {said}")
        return json.loads(answer)


def _project(root: Path) -> str | None:
    """The project under `root`: a preview may be of another one, with files of the same names."""
    file = root / "Pulumi.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))["name"] if file.is_file() else None


def _request(
    file: Path, wanted: chosen.Chosen, places: Mapping[str, Place], policies: Sequence[Path]
) -> dict[str, Any]:
    return {
        "plan": str(file),
        "policies": [str(folder.resolve()) for folder in (chosen.RULES, *policies)],
        "allowed": sorted(wanted.allowed),
        "ours": sorted(wanted.ours),
        "lines": {address: asdict(place) for address, place in places.items()},
    }


def _result(answer: Mapping[str, Any], wanted: chosen.Chosen, places: Mapping[str, Place]) -> Scan:
    return Scan(
        findings=_findings(answer["findings"], places),
        skipped=_findings(answer["skipped"], places),
        left_out=wanted.left_out,
        unjudged=tuple(answer["unjudged"]),
        passed=answer["passed"],
        resources=answer["resources"],
        checks=answer["checks"],
        sarif=answer["sarif"],
        junit=answer["junit"],
    )


def _findings(found: Sequence[Mapping[str, Any]], places: Mapping[str, Place]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            id=one["id"],
            name=one["name"],
            severity=one["severity"],
            resource=one["resource"],
            details=tuple(one["details"]),
            guideline=one["guideline"],
            reason=one["reason"],
            place=places[one["resource"]],
        )
        for one in found
    )
