"""The file of old paths: its bytes in; its lines, and what is wrong with the others, out. Pure.

The format is that of RFC 4180 with one restriction: a record is one line, so that a stray quote spoils its own line
and not the rest of the file.
"""

import codecs
import csv
from dataclasses import dataclass

HEADER = ["from", "to", "status"]
DEFAULT_STATUS = 301
STATUSES = (301, 302, 307, 308)  # those that a bulk list takes
MAX_BYTES = 128 * 1024 * 1024  # a million lines, which the largest plan's lists hold, of 130 characters
_SHOWN = 80  # characters of a line in a fault


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with a line of the file; lines count from 1."""

    line: int
    value: str
    limit: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One record of the file as it is written there."""

    number: int
    source: str
    target: str
    status: int


def read(content: bytes) -> tuple[list[Line], list[Fault]]:
    """The records, and what is wrong with the lines that are none; a blank line is neither."""
    text = _text(content)
    if isinstance(text, Fault):
        return [], [text]
    head, *rows = text.split("\n")
    if _columns(head.removesuffix("\r")) != HEADER:
        limit = f"the first line names the columns: {','.join(HEADER)}"
        return [], [fault(1, head, limit, "Write that line first and the old paths below it.")]
    records = [_record(number, row.removesuffix("\r")) for number, row in enumerate(rows, start=2) if row.strip()]
    lines = [record for record in records if isinstance(record, Line)]
    return lines, [record for record in records if isinstance(record, Fault)]


def fault(line: int, value: str, limit: str, remedy: str) -> Fault:
    """A fault whose value is shown shortened, with what cannot be printed written as escapes."""
    shown = value if value.isprintable() else value.encode("unicode_escape").decode("ascii")
    shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
    return Fault(line=line, value=shown or "nothing", limit=limit, remedy=remedy)


def _text(content: bytes) -> str | Fault:
    if len(content) > MAX_BYTES:
        return fault(1, f"{len(content)} bytes", f"the file has at most {MAX_BYTES} bytes", "List fewer paths.")
    if content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        limit = "the file is UTF-8 without a byte order mark"
        return fault(1, "a byte order mark", limit, "Save it as plain UTF-8 (in spreadsheets: CSV, not CSV UTF-8).")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        limit = f"the file is UTF-8, and byte {error.start} begins no character of it"
        return fault(line, f"byte 0x{content[error.start]:02x}", limit, "Save it as plain UTF-8.")


def _record(number: int, row: str) -> Line | Fault:
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in row):
        return fault(number, row, "a line holds no control characters", "Remove them; columns are parted by commas.")
    columns = _columns(row)
    if columns is None:
        limit = "a quoted column begins and ends with a quote on the same line (RFC 4180)"
        return fault(number, row, limit, "Close it, and write a quote inside it as %22.")
    if len(columns) not in (2, 3):
        limit = f"a line has the columns from, to and, if it likes, status, this one {len(columns)}"
        return fault(number, row, limit, "Put a column that holds a comma in quotes.")
    status = columns[2].strip() if len(columns) == 3 else ""
    if status not in ("", *map(str, STATUSES)):
        limit = f"a status is {', '.join(map(str, STATUSES))}, or nothing for {DEFAULT_STATUS}"
        return fault(number, status, limit, "301 and 308 are for good, 302 and 307 for now.")
    return Line(number=number, source=columns[0], target=columns[1], status=int(status or DEFAULT_STATUS))


def _columns(row: str) -> list[str] | None:
    """The columns of a line; None where its quotes do not match."""
    try:
        return next(csv.reader([row], strict=True), [])
    except csv.Error:
        return None
