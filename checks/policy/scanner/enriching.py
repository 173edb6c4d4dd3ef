"""Puts each record on the Python lines that declared its resource, with checkov's own functions for it."""

from typing import Any

from checkov.common.output.report import Report


def enrich(report: Report, lines: dict[str, Any]) -> None:
    """Move findings from the plan's lines to the program's, and honour the comments that skip them.

    `lines` has for each address its file, first and last line, code and skips.
    """
    places = {address: _place(line) for address, line in lines.items()}
    for record in [*report.failed_checks, *report.passed_checks]:
        file = places[record.resource]["scanned_file"]
        # What SARIF and JUnit name; checkov's own enriching leaves these as the plan's.
        record.repo_file_path = record.file_path = file
    Report.enrich_plan_report(report, places)
    Report.handle_skipped_checks(report, places)


def _place(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "scanned_file": f"/{line['file']}",
        "entity_lines_range": [line["start"], line["end"]],
        "entity_code_lines": [(number, text) for number, text in line["code"]],
        # In a list: checkov asks whether the id is in it, and in a text CKV_AWS_1 would be in CKV_AWS_11.
        "skipped_checks": [{"id": [id_], "suppress_comment": reason} for id_, reason in line["skips"].items()],
    }
