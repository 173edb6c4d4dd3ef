"""The report as one HTML page: no script, no outside resource, everything escaped."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from checks.model import Status
from checks.report import Report
from checks.reports.areas import areas
from checks.reports.document import changes

TEMPLATES = Path(__file__).with_name("templates")


@functools.cache
def _template() -> jinja2.Template:
    # autoescape=True rather than select_autoescape(): that leaves a name ending in .j2 raw.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("report.html.j2")


def render(report: Report, sha256: str, previous: Mapping[str, Any] | None = None) -> str:
    """The page; `sha256` is that of the JSON document, `previous` an earlier one to tell the difference to."""
    return _template().render(
        report=report,
        areas=areas(report),
        Status=Status,
        changes=changes(report, previous) if previous is not None else None,
        previous=previous,
        sha256=sha256,
        when=f"{report.started:%Y-%m-%d %H:%M} UTC",
    )
