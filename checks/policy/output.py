"""What a scan found, for people and for machines: console, Markdown, annotations of GitHub, SARIF, JUnit."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from checks.policy.errors import PolicyError
from checks.policy.scan import Finding, Scan

_ANNOTATIONS = {"critical": "error", "high": "error", "": "error", "medium": "warning", "low": "notice"}


@dataclass(frozen=True)
class Files:
    """Where what is written; None writes nothing."""

    sarif: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None


def write(scan: Scan, files: Files) -> None:
    """Write what was asked for; PolicyError where a file cannot be written."""
    contents = {
        files.sarif: json.dumps(scan.sarif, indent=1) + "\n",
        files.junit: scan.junit,
        files.markdown: markdown(scan),
    }
    for path, content in contents.items():
        if path is not None:
            try:
                path.write_text(content, encoding="utf-8")
            except OSError as error:
                raise PolicyError(f"{path} cannot be written: {error.strerror}") from None


def console(scan: Scan, *, annotate: bool) -> Iterator[str]:
    """Findings by file and line, what was skipped and why, what could not be judged, and the count of everything.

    With `annotate`, also the commands by which GitHub puts findings beside the lines.
    """
    for finding in scan.findings:
        yield _line(finding)
        if annotate:
            yield _annotation(finding)
    for finding in scan.skipped:
        yield f"{_at(finding)}: skipped {finding.id} [{finding.resource}]: {finding.reason or 'no reason given'}"
    for reason in scan.unjudged:
        yield f"not judged: {reason}"
    yield summary(scan)


def summary(scan: Scan) -> str:
    """One line with the counts."""
    found = f"{len(scan.findings)} findings, {len(scan.skipped)} skipped by comments, {scan.passed} passed"
    late = f", {len(scan.unjudged)} not judged before the deployment" if scan.unjudged else ""
    return f"policy: {scan.resources} resources, {scan.checks} checks: {found}{late}"


def markdown(scan: Scan) -> str:
    """The same for a comment on a pull request."""
    lines = ["### Policy", "", summary(scan).removeprefix("policy: "), ""]
    if scan.findings:
        lines += ["| where | check | resource | what |", "| --- | --- | --- | --- |"]
        lines += [f"| `{_at(f)}` | {f.id} {f.severity} | `{f.resource}` | {_cell(_what(f))} |" for f in scan.findings]
        lines.append("")
    lines += [f"- skipped: {f.id} at `{_at(f)}` (`{f.resource}`): {f.reason}" for f in scan.skipped]
    lines += [f"- not judged: {reason}" for reason in scan.unjudged]
    return "\n".join(lines) + "\n"


def _line(finding: Finding) -> str:
    severity = f" {finding.severity}" if finding.severity else ""
    way = "".join(f"\n    via {file}:{line}" for file, line in finding.place.way)
    return f"{_at(finding)}:{severity} {finding.id} {_what(finding)} [{finding.resource}]{way}"


def _at(finding: Finding) -> str:
    return f"{finding.place.file}:{finding.place.start}"


def _what(finding: Finding) -> str:
    return ". ".join([finding.name, *finding.details])


def _annotation(finding: Finding) -> str:
    """A workflow command of GitHub; its properties escape more than its message."""
    place = finding.place
    level = _ANNOTATIONS[finding.severity]
    properties = {"file": place.file, "line": place.start, "endLine": place.end, "title": finding.id}
    told = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in properties.items())
    return f"::{level} {told}::{_escaped(f'{_what(finding)} [{finding.resource}]', '')}"


def _escaped(text: str, more: str) -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
