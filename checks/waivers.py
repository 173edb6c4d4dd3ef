"""Waivers: failures that an owner has accepted, with a reason and until a date."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from checks.errors import UsageError
from checks.model import Finding, Status

KEYS = ("id", "owner", "reason", "expires")


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """Who accepts that check `id` fails, why, and up to which day (inclusive)."""

    id: str
    owner: str
    reason: str
    expires: date

    def __str__(self) -> str:
        """Who, until when and why, on one line."""
        return f"{self.owner}, until {self.expires}: {self.reason}"


def load(path: Path, known: Iterable[str]) -> tuple[Waiver, ...]:
    """The waivers in a TOML file (`[[waiver]]` tables) or a JSON file ({"waiver": [...]}).

    Raises UsageError for a file that cannot be read, a missing or unknown key, an unknown check and a bad date.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"cannot read the waivers {path}: {error.strerror}") from error
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the waivers {path} cannot be parsed: {error}") from error
    rows = document.get("waiver") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise UsageError(f"the waivers {path} must hold a list called 'waiver'")
    ids = frozenset(known)
    return tuple(_waiver(row, f"{path}: waiver {number}", ids) for number, row in enumerate(rows, 1))


def apply(findings: Iterable[Finding], waivers: Iterable[Waiver], today: date) -> tuple[Finding, ...]:
    """Findings in which what fails or warns and is waived is WAIVED; an expired waiver changes only the text."""
    by_id = {waiver.id: waiver for waiver in waivers}
    return tuple(_applied(finding, by_id.get(finding.id), today) for finding in findings)


def unused(findings: Iterable[Finding], waivers: Iterable[Waiver]) -> tuple[str, ...]:
    """The waivers that no finding needed, as lines to print: they should be removed."""
    needed = {finding.id for finding in findings if finding.waiver}
    return tuple(f"{waiver.id} ({waiver})" for waiver in waivers if waiver.id not in needed)


def _applied(finding: Finding, waiver: Waiver | None, today: date) -> Finding:
    if waiver is None or finding.status not in {Status.FAIL, Status.WARN}:
        return finding
    if waiver.expires < today:
        return replace(
            finding,
            status=Status.FAIL,
            waiver=str(waiver),
            actual=f"{finding.actual} (the waiver of {waiver.owner} expired on {waiver.expires})",
        )
    return replace(finding, status=Status.WAIVED, waiver=str(waiver))


def _waiver(row: Any, where: str, known: frozenset[str]) -> Waiver:
    if not isinstance(row, Mapping):
        raise UsageError(f"{where}: must be a table with the keys {', '.join(KEYS)}")
    for key in KEYS:
        if not row.get(key):
            raise UsageError(f"{where}: {key} is missing")
    if extra := sorted(set(row) - set(KEYS)):
        raise UsageError(f"{where}: unknown key {extra[0]!r}; known: {', '.join(KEYS)}")
    if row["id"] not in known:
        raise UsageError(f"{where}: there is no check {row['id']!r}")
    return Waiver(id=row["id"], owner=str(row["owner"]), reason=str(row["reason"]), expires=_date(row, where))


def _date(row: Mapping[str, Any], where: str) -> date:
    value = row["expires"]
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise UsageError(f"{where}: expires must be a date such as 2027-01-31, got {value!r}") from error
