"""What a journey is, what it expects, and how a difference is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rehearsal.journeys.world import World

Observed = Mapping[str, Any]


class MismatchError(Exception):
    """A step ended in another state than expected; `step` says which, both states are JSON-serialisable."""

    def __init__(self, step: str, expected: Observed, actual: Observed) -> None:
        super().__init__(f"{step}: expected {dict(expected)}, got {dict(actual)}")
        self.step = step
        self.expected = expected
        self.actual = actual


@dataclass(frozen=True)
class Person:
    """A made-up customer; one a journey, so that journeys can run side by side."""

    user_id: str
    email: str
    name: str

    def another(self, name: str) -> "Person":
        """Somebody else in the same story."""
        return Person(f"{self.user_id}_{name}", f"{name}.{self.email}", name.capitalize())


@dataclass(frozen=True, kw_only=True)
class Journey:
    """One story of a customer, driven through the edge; `story` raises MismatchError where it ends otherwise."""

    name: str
    title: str
    story: Callable[["World", Person], None]
    # Journeys that break a vendor for everybody run by themselves, after the others.
    alone: bool = False
    # Journeys that mostly wait begin before the others.
    long: bool = False

    def person(self) -> Person:
        """The customer of this journey."""
        return Person(f"u_{self.name}", f"{self.name.replace('_', '-')}@customer.example", self.title)


@dataclass(frozen=True, kw_only=True)
class JourneyResult:
    """How a journey ended: of the last step when it passed, of the step that differed when not."""

    name: str
    title: str
    passed: bool
    step: str
    expected: Observed
    actual: Observed
    seconds: float
    evidence: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The journey's entry in the rehearsal's JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "passed": self.passed,
            "step": self.step,
            "expected": dict(self.expected),
            "actual": dict(self.actual),
            "seconds": round(self.seconds, 3),
            "evidence": list(self.evidence),
        }


def in_words(observed: Observed) -> str:
    """What was observed as a person reads it: "state active, access yes, levels writer; kit level:writer"."""
    return "; ".join(_part(name, value) for name, value in observed.items())


def _part(name: str, value: Any) -> str:
    if name == "membership" and isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(inner)}" for key, inner in value.items())
    return f"{name.replace('_', ' ')} {_value(value)}"


def _value(value: Any) -> str:
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " + ".join(f"{inner} {key}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
