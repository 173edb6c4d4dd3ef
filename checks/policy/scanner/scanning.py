"""One scan: load the policies, run the checks that were asked for, and hold what ran against what should have."""

import os
from typing import Any

import loading
from checkov.common.bridgecrew.check_type import CheckType
from checkov.common.output.report import Report
from checkov.runner_filter import RunnerFilter
from checkov.terraform.checks.utils.base_cloudsplaining_iam_scanner import BaseTerraformCloudsplainingIAMScanner
from checkov.terraform.plan_runner import Runner
from enriching import enrich
from results import document

ZONE_PLAN = "LAUNCH_READY_ZONE_PLAN"  # where the policies on limits look, under checkov's own command too


def scan(request: dict[str, Any]) -> dict[str, Any]:
    """The result document; a scan with `problems` was none, whatever else it holds."""
    os.environ[ZONE_PLAN] = request["zone_plan"] or ""
    built_in = loading.built_in()
    added, problems = loading.load(request["policies"])
    wanted = {*request["allowed"], *added}
    problems += [
        f"the check {one} is allowed, but checkov has none" for one in sorted({*request["allowed"]} - built_in)
    ]
    problems += [f"the policy {one} is missing: no file registered it" for one in sorted({*request["ours"]} - added)]
    report = _run(request["plan"], wanted)
    problems += _unseen(report, request["lines"])
    enrich(report, request["lines"])
    return document(report, wanted, request["lines"], problems)


def _run(plan: str, wanted: set[str]) -> Report:
    # By name of file and resource, for the life of the process: another plan may have the same names.
    BaseTerraformCloudsplainingIAMScanner.policy_document_cache.clear()
    chosen = RunnerFilter(framework=[CheckType.TERRAFORM_PLAN], checks=sorted(wanted))
    report = Runner().run(files=[plan], runner_filter=chosen)
    assert isinstance(report, Report), "several reports come only with container images, which are not looked at"
    return report


def _unseen(report: Report, lines: dict[str, Any]) -> list[str]:
    """Resources that checkov did not take in; it says nothing of them itself."""
    seen = {resource.rpartition(":")[2] for resource in report.resources}
    missing = sorted(set(lines) - seen)
    problems = [f"checkov did not read {path}" for path in report.parsing_errors]
    if missing:
        problems.append(f"{len(missing)} of {len(lines)} resources were not scanned: {', '.join(missing[:5])}")
    return problems
