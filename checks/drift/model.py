"""What drift is: how a live zone differs from what is declared for it. Pure data."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # what stands in a graph for a value known only after a deployment
SECRET = "[secret]"
VERSION = 1  # of the document


class Change(StrEnum):
    """What a deployment would do about a difference, or not."""

    MISSING = "missing"  # declared, and not there: would be made
    DIFFERENT = "different"  # there, but otherwise: would be changed
    REMOVED = "removed"  # there, not declared, and part of something that is written whole: would be removed
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


@dataclass(frozen=True)
class Pair:
    """A declared resource that is there already, as declared or not; `id` is the provider's import id."""

    urn: str
    id: str


@dataclass
class Part:
    """The comparison of one kind of thing."""

    same: int = 0
    differences: list[Difference] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)

    def take(self, other: "Part") -> None:
        """Add another part to this one."""
        self.same += other.same
        self.differences += other.differences
        self.pairs += other.pairs
        self.undecided += other.undecided


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The comparison of one zone: how many things are as declared, and what is not.

    `pairs` are the declared resources that a deployment must import, not make. `undecided` names declared things that
    only a deployment can tell more of, `unread` what the token may not read.
    """

    domain: str
    same: int
    differences: tuple[Difference, ...]
    pairs: tuple[Pair, ...] = ()
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
        return {"version": VERSION, **asdict(self)}
