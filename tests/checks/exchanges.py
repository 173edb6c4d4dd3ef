"""Makes HTTP exchanges and contracts for tests of rules."""

from typing import Any

from checks.contract import Contract
from checks.probes.http import Exchange


def exchange(url: str, status: int = 200, *, method: str = "GET", body: str = "", **headers: str) -> Exchange:
    """An exchange; header names are written with underscores."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Exchange(method=method, url=url, status=status, headers=pairs, body=body)


def changed(declared: Contract, **parts: Any) -> Contract:
    """The contract with other parts."""
    return declared.model_copy(update=parts)


def changed_edge(declared: Contract, **parts: Any) -> Contract:
    """The contract with other parts of its edge."""
    return changed(declared, edge=declared.edge.model_copy(update=parts))


def passes(verdict, said: str | None) -> bool:
    """Whether a verdict is PASS where nothing was to be `said`, and otherwise a FAIL that says it."""
    if said is None:
        return verdict.status == "pass"
    return verdict.status == "fail" and said in verdict.actual
