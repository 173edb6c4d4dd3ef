"""Drift for people: a line for each difference, with what would become of it."""

import json
from collections.abc import Iterator
from typing import Any

from checks.drift.model import Change, Difference, Drift

_MARKS = {Change.MISSING: "+", Change.DIFFERENT: "~", Change.REMOVED: "-", Change.UNMANAGED: "?"}
_MEANING = {
    Change.MISSING: "declared and not there: a deployment makes it",
    Change.DIFFERENT: "there, but otherwise: a deployment changes it",
    Change.REMOVED: "there and not declared, in a ruleset that is written whole: a deployment removes it",
    Change.UNMANAGED: "there and not declared: a deployment leaves it alone",
}
_SHOWN = 160  # characters of one value


def lines(drift: Drift) -> Iterator[str]:
    """The whole comparison; the last line says it in one sentence."""
    for change in Change:
        found = drift.of(change)
        if found:
            yield f"{_MARKS[change]} {_MEANING[change]}"
            for difference in found:
                yield from _difference(difference)
    for text in drift.undecided:
        yield f"… cannot be told before a deployment: {text}"
    for text in drift.unread:
        yield f"! the token may not read {text}"
    yield _sentence(drift)


def _difference(difference: Difference) -> Iterator[str]:
    declared = f"  ({difference.resource}, {difference.source})" if difference.resource else ""
    yield f"  {difference.kind} {difference.name}{declared}"
    for field in difference.fields:
        if difference.change in (Change.UNMANAGED, Change.REMOVED):
            yield f"      {field.path}: {_value(field.live)}"
        else:
            yield f"      {field.path}: {_value(field.live)} -> {_value(field.declared)}"


def _value(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _sentence(drift: Drift) -> str:
    if not drift.drifted:
        return f"NO DRIFT: {drift.domain} has the {drift.same} things that are declared, and nothing else."
    counts = {change: len(drift.of(change)) for change in Change}
    return (
        f"DRIFT: {drift.same} as declared, {counts[Change.MISSING]} missing, "
        f"{counts[Change.DIFFERENT]} different, {counts[Change.REMOVED]} to be removed, "
        f"{counts[Change.UNMANAGED]} not declared."
    )
