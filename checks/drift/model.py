"""What drift is: how a live zone differs from what is declared for it. Pure data."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # what stands in a graph for a value known only after a deployment
SECRET = "[secret]"


class Change(StrEnum):
    """What a deployment would do about a difference, or not."""

    MISSING = "missing"  # declared, and not there: would be made
    DIFFERENT = "different"  # there, but otherwise: would be changed
    UNMANAGED = "unmanaged"  # there, and not declared: would be left alone


@dataclass(frozen=True)
class Field:
    """One value that differs; None where there is none."""

    path: str
    live: Any
    declared: Any


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing of the zone that is not as declared.

    `kind` is record, setting, ruleset, rule, dnssec, …; `name` says which one; `resource` and `source` are the Pulumi
    name and the line that declares it, `id` is Cloudflare's: each is empty where there is none.
    """

    change: Change
    kind: str
    name: str
    fields: tuple[Field, ...] = ()
    resource: str = ""
    source: str = ""
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The comparison of one zone: how many things are as declared, and what is not.

    `undecided` names declared things that only a deployment can tell more of, `unread` what the token may not read.
    """

    domain: str
    same: int
    differences: tuple[Difference, ...]
    undecided: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def drifted(self) -> bool:
        """Whether a deployment would change anything, or somebody added something by hand."""
        return bool(self.differences)

    def of(self, change: Change) -> Sequence[Difference]:
        """The differences of one kind."""
        return [difference for difference in self.differences if difference.change == change]

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {"version": 1, **asdict(self)}
