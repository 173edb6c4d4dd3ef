"""The result of a scan as one JSON document, with SARIF and JUnit as checkov writes them."""

from typing import Any
from urllib.parse import quote

from checkov.common.output.record import Record
from checkov.common.output.report import Report
from checkov.common.output.sarif import Sarif


def document(report: Report, wanted: set[str], lines: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    """Findings, skips and counts. What policies log as not judged the caller adds."""
    return {
        "findings": sorted((_finding(record) for record in report.failed_checks), key=_order),
        "skipped": sorted((_finding(record) for record in report.skipped_checks), key=_order),
        "passed": len(report.passed_checks),
        "resources": len(lines),
        "checks": len(wanted),
        "problems": problems,
        "sarif": _sarif(report, lines),
        "junit": Report.get_junit_xml_string([report.get_test_suite()]),
    }


def _finding(record: Record) -> dict[str, Any]:
    return {
        "id": record.check_id,
        "name": record.check_name,
        "severity": record.severity.name.lower() if record.severity else "",
        "resource": record.resource,
        "details": list(record.details or ()),
        "guideline": record.guideline or "",
        "reason": record.check_result.get("suppress_comment") or "",
    }


def _order(finding: dict[str, Any]) -> tuple[str, str]:
    return finding["resource"], finding["id"]


def _sarif(report: Report, lines: dict[str, Any]) -> dict[str, Any]:
    """checkov's SARIF, with its attachments, which the format does not allow, as part of the message."""
    found = Sarif([report], "checkov").json
    records = [*report.failed_checks, *report.skipped_checks]
    for result, record in zip(found["runs"][0]["results"], records, strict=True):
        details = [attachment["description"] for attachment in result.pop("attachments", [])]
        result["message"]["text"] = f"{record.resource}: " + ". ".join([result["message"]["text"], *details])
        way = lines[record.resource]["way"]
        if way:
            result["relatedLocations"] = [_related(file, line) for file, line in way]
    return found


def _related(file: str, line: int) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": quote(file)}, "region": {"startLine": line}}
    return {"physicalLocation": place, "message": {"text": "on the way to the declaration"}}
