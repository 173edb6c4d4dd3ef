"""How the program names the resources of records, so that what is there already can be imported under them.

Pure and without configuration: `launch-ready adopt` calls it with what it reads from a zone.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

from infra.hostnames import APEX

DIGITS = 6  # hexadecimal digits of the content's hash, more where two of one name and type share them


def record_resource(name: str, kind: str, content: str, *, repeated: bool, digits: int = DIGITS) -> str:
    """The resource's name of a record at `name` ("@", "app", "*.eu"), for the lists `records` and `validation`.

    A record whose name and type are `repeated` is told apart by the hash of its content and not by a number: taking
    one out of the list must not rename the others.
    """
    plain = f"record-{_label(name)}-{kind.lower()}"
    return f"{plain}-{_hash(content)[:digits]}" if repeated else plain


def record_resources(records: Sequence[tuple[str, str, str]]) -> list[str]:
    """The names for all records, (name, type, content) each, in their order. Contents of one name and type differ."""
    counts = Counter((name, kind) for name, kind, _ in records)
    digits = _digits(records)
    return [
        record_resource(name, kind, content, repeated=counts[name, kind] > 1, digits=digits[name, kind])
        for name, kind, content in records
    ]


def former_resources(records: Sequence[tuple[str, str, str]]) -> list[str | None]:
    """What each record was called before another of its name and type came, or went; None where that changes nothing.

    The engine then renames it. Made anew it would be refused: Cloudflare still has the record under its former name.
    """
    counts = Counter((name, kind) for name, kind, _ in records)
    found: list[str | None] = []
    first: set[tuple[str, str]] = set()
    for name, kind, content in records:
        alone = counts[name, kind] == 1
        renamed = alone or (name, kind) not in first
        found.append(record_resource(name, kind, content, repeated=alone) if renamed else None)
        first.add((name, kind))
    return found


def host_resources(name: str, kinds: Sequence[str]) -> list[str]:
    """The names for the records of one host, by their types: `host-app-cname`, `host-apex-a`, `host-apex-a-2`."""
    seen: Counter[str] = Counter()
    found = []
    for kind in kinds:
        seen[kind] += 1
        number = f"-{seen[kind]}" if seen[kind] > 1 else ""
        found.append(f"host-{_label(name)}-{kind.lower()}{number}")
    return found


def _digits(records: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str], int]:
    """How many digits tell the contents of each name and type apart."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, kind, content in records:
        groups[name, kind].append(_hash(content))
    return {key: _enough(hashes) for key, hashes in groups.items()}


def _enough(hashes: Sequence[str]) -> int:
    different = len(set(hashes))
    return next((n for n in range(DIGITS, 64) if len({text[:n] for text in hashes}) == different), 64)


def _hash(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _label(name: str) -> str:
    """A host may be called apex; the dot, which no name ends in, keeps it from being taken for the apex."""
    return {APEX: "apex", "apex": "apex."}.get(name, name)
