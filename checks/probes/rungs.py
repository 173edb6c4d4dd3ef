"""Tells when, and in which world, a declared rung is looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from checks.contract import Rung
from checks.errors import NotDeclared
from checks.scope import Scope


@dataclass(frozen=True, kw_only=True)
class RungFacts:
    """A declared rung, the day on which it is judged (UTC), and whether a rehearsal judges it."""

    rung: Rung
    today: date
    rehearsal: bool


def of(ladder: str) -> Callable[[Scope], RungFacts]:
    """A probe of one ladder ("dmarc", "hsts", "csp"). It raises NotDeclared where there is no such rung."""

    def probe(scope: Scope) -> RungFacts:
        found = [rung for rung in scope.contract.rungs if rung.ladder == ladder]
        if not found:
            raise NotDeclared(f"the contract declares no rung of {ladder}")
        return RungFacts(rung=found[0], today=datetime.now(UTC).date(), rehearsal=scope.vantage.rehearsal)

    return probe
