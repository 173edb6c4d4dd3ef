"""Every check of checkov's over a plan written by hand, and over the plan made of a Pulumi program of the same."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.policy import terraform_plan
from tests.checks.policy.conftest import Programs
from tests.checks.policy.differential import by_hand

PROGRAM = (Path(__file__).parent / "differential" / "program.txt").read_text(encoding="utf-8")
# Check, resource and outcome of each difference, and why it is one. There is none.
EXPLAINED: dict[tuple[str, str, str], str] = {}
RUN = """
import json, logging, os, sys
os.environ["EVAL_TF_PLAN_AFTER_UNKNOWN"] = "true"
from checkov.runner_filter import RunnerFilter
from checkov.terraform.plan_runner import Runner

found = {}
for path in sys.argv[1:]:
    report = Runner().run(files=[path], runner_filter=RunnerFilter(framework=["terraform_plan"]))
    records = [*report.passed_checks, *report.failed_checks]
    found[path] = sorted({(r.check_id, r.resource, r.check_result["result"].name) for r in records})
print(json.dumps(found))
"""


@pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")  # SDKs, while imported
def test_findings_are_those_of_a_plan_written_by_hand(
    programs: Programs, policy_python: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    ours, theirs = tmp_path / "ours.json", tmp_path / "by_hand.json"
    made = terraform_plan(programs.graph(PROGRAM, assume_arns=False))
    assert len(by_hand.RESOURCES) == len(made.resources) >= 30
    ours.write_text(json.dumps(made.document, indent=1), encoding="utf-8")
    theirs.write_text(json.dumps(by_hand.plan(), indent=1), encoding="utf-8")
    command = [policy_python, "-I", "-c", RUN, str(ours), str(theirs)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {path: {tuple(one) for one in rows} for path, rows in json.loads(ran.stdout.splitlines()[-1]).items()}
    failed = [one for one in found[str(theirs)] if one[2] == "FAILED"]
    assert len(failed) > 50
    row = {"resources": len(made.resources), "outcomes": len(found[str(theirs)]), "failed": len(failed)}
    record_property("table: a plan by hand and ours agree", {key: str(value) for key, value in row.items()})
    assert found[str(ours)] ^ found[str(theirs)] == set(EXPLAINED)
