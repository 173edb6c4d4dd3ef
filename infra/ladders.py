"""Ladders: what is made stricter in steps, with the step where it stands, the one where it must be, and by when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from infra.problems import Problem, problem


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """One ladder as a stack declares it. `key` is the section of the configuration; `rungs` go from weak to strict."""

    name: str
    key: str
    rungs: tuple[str, ...]
    rung: str
    target: str
    by: date | None

    @property
    def reached(self) -> bool:
        """Whether it stands at its target."""
        return self.rungs.index(self.rung) >= self.rungs.index(self.target)

    def problems(self) -> Iterator[Problem]:
        """A target is not behind, and one that is ahead has a date."""
        if self.rungs.index(self.target) < self.rungs.index(self.rung):
            limit = f"the target is not below the rung, {self.rung}; the rungs are {', '.join(self.rungs)}"
            yield problem(f"{self.key}.target", self.target, limit, "Raise the target, or go back to its rung.")
        elif not self.reached and self.by is None:
            limit = f"rung {self.rung} is below the target {self.target}, which must have a day by which it is reached"
            yield problem(f"{self.key}.by", "nothing", limit, 'Write it as by: "2027-03-01".')

    def entry(self) -> dict[str, Any]:
        """Its entry in the contract."""
        return {
            "ladder": self.name,
            "rung": self.rung,
            "target": self.target,
            "reached": self.reached,
            "by": self.by.isoformat() if self.by else None,
        }
