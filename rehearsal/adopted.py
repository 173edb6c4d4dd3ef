"""A rehearsal of a zone that was adopted: the twin begins with what is there, and that is updated instead of made.

`launch-ready adopt` writes both files: the zone as it was read, and the file for `pulumi import --file`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.errors import StackError

Key = tuple[str, str]  # type and logical name of a resource
# What a zone has one of is known to the twin by a name, and to the provider by the zone alone.
_SINGLES = {
    "cloudflare:index/zoneDnssec:ZoneDnssec": "dnssec",
    "cloudflare:index/botManagement:BotManagement": "bot_management",
}
_WHOLE = ("cloudflare:index/zone:Zone", "cloudflare:index/zoneSetting:ZoneSetting")


@dataclass(frozen=True)
class Adopted:
    """A live zone, and the ids at the twin of what the program declares of it."""

    snapshot: Mapping[str, Any]
    ids: Mapping[Key, str]


def read_adopted(project: Path, stack: str) -> Adopted:
    """What `launch-ready adopt --stack <stack>` left beside the stack's file. Raises StackError where it did not."""
    snapshot, imports = (_read(project / f"Pulumi.{stack}.{part}.json") for part in ("zone", "import"))
    if "zone" not in snapshot or "resources" not in imports:
        raise StackError(f"Pulumi.{stack}.zone.json and .import.json are not what `launch-ready adopt` writes")
    ids = {
        (entry["type"], entry.get("logicalName", entry["name"])): _twin_id(entry["type"], entry["id"])
        for entry in imports["resources"]
        if "id" in entry
    }
    return Adopted(snapshot, ids)


def _twin_id(type_: str, import_id: str) -> str:
    if type_ in _WHOLE:
        return import_id
    if type_ in _SINGLES:
        return f"{import_id}/{_SINGLES[type_]}"
    return import_id.rpartition("/")[2]


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StackError(f"{path.name}: {error.strerror}; `launch-ready adopt` writes it") from error
    except ValueError as error:
        raise StackError(f"{path.name} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise StackError(f"{path.name} must hold a JSON object, got {type(document).__name__}")
    return document
