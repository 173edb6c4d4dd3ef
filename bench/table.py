"""Two sides of one benchmark in lines of text: medians, how far they spread, their ratio and what it must be."""

import statistics
from collections.abc import Sequence

_WIDTH = 38


def header(ours: str, theirs: str) -> str:
    """The first line. Spreads are the middle half of the rounds; a ratio's is that of the rounds' own ratios."""
    return f"{'medians (p25 to p75)':{_WIDTH}}{ours:>30}{theirs:>30}{'ratio':>24}{'target':>9}"


def line(name: str, ours: Sequence[float], theirs: Sequence[float], target: float) -> str:
    """One line; `ours` and `theirs` hold one figure a round, in the same order."""
    ratio = statistics.median(ours) / statistics.median(theirs)
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    verdict = "met" if ratio <= target else "MISSED"
    return (
        f"{name:{_WIDTH}}{_figure(ours, 1):>30}{_figure(theirs, 1):>30}"
        f"{f'{ratio:.3f} {_spread(ratios, 3)}':>24}{target:9.2f} {verdict}"
    )


def _figure(values: Sequence[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} {_spread(values, digits)}"


def _spread(values: Sequence[float], digits: int) -> str:
    low, _, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return f"({low:.{digits}f} to {high:.{digits}f})"
