"""Makes HTTP exchanges for tests of rules."""

from checks.probes.http import Exchange


def exchange(url: str, status: int = 200, *, method: str = "GET", **headers: str) -> Exchange:
    """An exchange; header names are written with underscores."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Exchange(method=method, url=url, status=status, headers=pairs)


def passes(verdict, said: str | None) -> bool:
    """Whether a verdict is PASS where nothing was to be `said`, and otherwise a FAIL that says it."""
    if said is None:
        return verdict.status == "pass"
    return verdict.status == "fail" and said in verdict.actual
