"""One report, several renderings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.errors import UsageError
from checks.report import Report
from checks.reports import document, junit, page


@dataclass(frozen=True, kw_only=True)
class Written:
    """Where the report was written, and the SHA-256 of its JSON."""

    json: Path
    html: Path
    junit: Path
    sha256: str


def write(report: Report, directory: Path, previous: Mapping[str, Any] | None = None) -> Written:
    """Write report.json, report.html and junit.xml into `directory`, which is made if it is missing.

    The page tells the difference to `previous`, by default to the report.json that is replaced.
    Raises UsageError when the directory cannot be written.
    """
    text = document.render(report)
    written = Written(
        json=directory / "report.json",
        html=directory / "report.html",
        junit=directory / "junit.xml",
        sha256=document.digest(text),
    )
    before = previous if previous is not None else _earlier(written.json)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        written.html.write_text(page.render(report, written.sha256, before), encoding="utf-8")
        written.junit.write_text(junit.render(report), encoding="utf-8")
        written.json.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = f"{error.strerror}: {error.filename or directory}"
        raise UsageError(f"cannot write the report: {reason}; give a directory that you may write to") from error
    return written


def _earlier(path: Path) -> Mapping[str, Any] | None:
    """The document of an earlier run; None when there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("version") == document.VERSION else None
