"""What one try of one check may use: the contract, the vantage and the time that is left."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from checks.contract import Contract
from checks.vantage import Vantage


@dataclass(frozen=True)
class Deadline:
    """A moment after which a check has no verdict any more."""

    at: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """The deadline `seconds` from now."""
        return cls(clock() + seconds, clock)

    def left(self, cap: float = 5.0) -> float:
        """Seconds that a socket may still take, at most `cap`. Raises TimeoutError when none are left."""
        rest = self.at - self.clock()
        if rest <= 0:
            raise TimeoutError("the check's deadline has passed")
        return min(rest, cap)


@dataclass(frozen=True)
class Scope:
    """Handed to every probe."""

    contract: Contract
    vantage: Vantage
    deadline: Deadline
