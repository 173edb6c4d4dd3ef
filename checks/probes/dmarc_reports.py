"""Reads aggregate reports (RFC 9990): XML as it is, gzipped or zipped, from a directory.

Reports are files that strangers send. They are read within bounds, and one that declares entities is refused: the
standard library's parser would expand them.
"""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from checks.errors import NeedsInput, NotDeclared, ProbeError
from checks.scope import Scope

FILES_MOST = 5000
OCTETS_MOST = 20 * 1024 * 1024  # of one report, unpacked
ROWS_MOST = 200_000
ENDINGS = (".xml", ".xml.gz", ".gz", ".zip")
FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Row:
    """Some messages of one source: from when, how many, whether they align, and who they were proven to be from.

    `signed` are (domain, selector) of the signatures that held, `passed` the envelope domains that SPF passed.
    """

    day: date
    source: str
    count: int
    author: str
    aligned: bool
    signed: tuple[tuple[str, str], ...]
    named: tuple[tuple[str, str], ...]
    passed: tuple[str, ...]
    envelopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """What the reports say of the domain, how many there are, files that are no report, and when they were read."""

    rows: tuple[Row, ...]
    reports: int
    refused: tuple[str, ...]
    today: date


class _Unreadable(Exception):  # noqa: N818 - what a file is, not an error of ours
    """Why a file is no report."""


def reports(scope: Scope) -> ReportFacts:
    """Every report about the contract's domain. Raises NotDeclared, NeedsInput, ProbeError."""
    if not scope.contract.mail.senders:
        raise NotDeclared("no sender is declared")
    if not scope.vantage.dmarc_reports:
        raise NeedsInput("dmarc_reports: a directory of aggregate reports (.xml, .xml.gz, .zip)")
    rows: list[Row] = []
    refused: list[str] = []
    count = 0
    for path in _files(Path(scope.vantage.dmarc_reports)):
        scope.deadline.left()
        try:
            found = _rows(_content(path), scope.contract.domain)
        except _Unreadable as fault:
            refused.append(f"{path.name}: {fault}")
            continue
        rows += found
        count += bool(found)
        if len(rows) > ROWS_MOST:
            raise ProbeError(f"the reports hold more than {ROWS_MOST} rows; give those of the last month")
    return ReportFacts(rows=tuple(rows), reports=count, refused=tuple(refused), today=datetime.now(UTC).date())


def _files(directory: Path) -> list[Path]:
    try:
        found = sorted(path for path in directory.iterdir() if path.name.lower().endswith(ENDINGS))
    except OSError as error:
        raise ProbeError(f"cannot read the reports in {directory}: {error.strerror}") from error
    if len(found) > FILES_MOST:
        raise ProbeError(f"{directory} holds {len(found)} reports, at most {FILES_MOST}; give those of the last month")
    return found


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(OCTETS_MOST + 1)
        octets = _unpacked(octets)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise _Unreadable(f"cannot be unpacked: {error}") from error  # RuntimeError: zipfile's word for encrypted
    if len(octets) > OCTETS_MOST:
        raise _Unreadable(f"more than {OCTETS_MOST} bytes")
    if FORBIDDEN.search(octets) or b"\0" in octets:  # without NUL octets nothing can hide in UTF-16
        raise _Unreadable("declares a document type or entities, or is no UTF-8")
    return octets


def _unpacked(octets: bytes) -> bytes:
    if octets.startswith(b"\x1f\x8b"):
        with gzip.open(io.BytesIO(octets)) as file:
            return file.read(OCTETS_MOST + 1)
    if octets.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            members = [name for name in archive.namelist() if name.lower().endswith(".xml")]
            if len(members) != 1:
                raise _Unreadable(f"holds {len(members)} reports, must be one")
            with archive.open(members[0]) as file:
                return file.read(OCTETS_MOST + 1)
    return octets


def _rows(octets: bytes, domain: str) -> list[Row]:
    try:
        root = ET.fromstring(octets)  # noqa: S314 - see _content
    except ET.ParseError as error:
        raise _Unreadable(f"is no XML: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag != "feedback":
        raise _Unreadable(f"is <{root.tag}>, not <feedback>")
    policy = root.findtext("policy_published/domain", "").strip().lower()
    if policy != domain and not policy.endswith(f".{domain}"):
        return []
    day = _day(root.findtext("report_metadata/date_range/begin", ""))
    return [_row(record, day) for record in root.iter("record")]


def _day(text: str) -> date:
    try:
        return datetime.fromtimestamp(int(text), UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise _Unreadable(f"begins at {text!r}, not at a time") from error


def _row(record: ET.Element, day: date) -> Row:
    evaluated = {record.findtext(f"row/policy_evaluated/{name}", "").strip() for name in ("dkim", "spf")}
    signed = [(one, _text(one, "domain"), _text(one, "selector")) for one in record.iterfind("auth_results/dkim")]
    sent = [(one, _text(one, "domain")) for one in record.iterfind("auth_results/spf")]
    return Row(
        day=day,
        source=_text(record, "row/source_ip"),
        count=_count(_text(record, "row/count")),
        author=_text(record, "identifiers/header_from"),
        aligned="pass" in evaluated,
        signed=tuple((domain, selector) for one, domain, selector in signed if _text(one, "result") == "pass"),
        named=tuple((domain, selector) for _, domain, selector in signed),
        passed=tuple(domain for one, domain in sent if _text(one, "result") == "pass"),
        envelopes=tuple(domain for _, domain in sent),
    )


def _text(element: ET.Element, path: str) -> str:
    return element.findtext(path, "").strip().lower()


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise _Unreadable(f"counts {text!r} messages")
    return int(text)


def recent(facts: ReportFacts, days: int) -> Iterator[Row]:
    """The rows of the last `days` days."""
    return (row for row in facts.rows if 0 <= (facts.today - row.day).days <= days)
