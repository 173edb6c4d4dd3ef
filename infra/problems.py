"""What is wrong with a stack's configuration, collected so that it can be said all at once."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing to mend: where it is, what was found there, which limit it breaks and what to do.

    `value` is shown as it is, so whoever makes a problem about a secret passes "[secret]".
    """

    key: str  # "launch-ready:hosts[1].ttl"
    value: str
    limit: str
    remedy: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.key}: got {self.value}; {self.limit}. {self.remedy}"


class ConfigError(Exception):
    """The configuration cannot be deployed. The text lists every problem, one a line."""

    def __init__(self, stack: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"the configuration of stack {stack!r} has {count} problem{'s' if count != 1 else ''}:"
        super().__init__("\n".join([head, *(f"  {number}. {p}" for number, p in enumerate(self.problems, start=1))]))


def problem(key: str, value: object, limit: str, remedy: str) -> Problem:
    """A problem about a value that may be shown."""
    return Problem(key=key, value=str(value), limit=limit, remedy=remedy)


def any_of(numbers: tuple[int, ...]) -> str:
    """The numbers as a list in a sentence."""
    return ", ".join(str(number) for number in numbers)


def repeated(names: Iterable[str]) -> list[str]:
    """Those that are there more than once, each once."""
    return [name for name, count in Counter(names).items() if count > 1]
