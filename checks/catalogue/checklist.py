"""The handover checklist: every id, how much it matters, what must hold, who says so."""

import csv
import functools
from pathlib import Path

from checks.model import Entry, Severity

FILE = Path(__file__).with_name("checklist.tsv")


@functools.cache
def entries() -> dict[str, Entry]:
    """Every entry by id, in the checklist's order."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        row[0]: Entry(id=row[0], severity=Severity(row[1]), criterion=row[2], source=row[3], not_covered=row[4])
        for row in rows[1:]
    }
