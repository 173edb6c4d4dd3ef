"""One rule, and whether the plan takes its expressions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.twins.rules import ExpressionError, compile_filter, compile_value, uses
from rehearsal.twins.zone.plans import Limits
from rehearsal.twins.zone.refusals import CloudflareError


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule that is enabled or not; `parameters` and `ratelimit` are as declared, camelCase."""

    ref: str
    expression: str
    action: str
    enabled: bool
    parameters: Mapping[str, Any]
    ratelimit: Mapping[str, Any]
    logging: bool = True


def compiled(expression: str, what: str, limits: Limits, *, value: bool = False) -> None:
    """Raise CloudflareError unless the plan allows the expression: a filter, or with `value` one that gives a text."""
    try:
        if value:
            compile_value(expression)
        else:
            compile_filter(expression)
        needs_regex = uses(expression).regex
    except ExpressionError as error:
        raise CloudflareError(f"{what}: {error}", 20127) from error
    if needs_regex and not limits.regex:
        raise CloudflareError(f"{what}: the plan allows no regular expressions; use starts_with(), in or wildcard")


def computed(part: Mapping[str, Any], what: str, limits: Limits) -> None:
    """Either a value or an expression that gives one."""
    if bool(part.get("value")) == bool(part.get("expression")):
        raise CloudflareError(f"{what} needs either a value or an expression")
    if part.get("expression"):
        compiled(part["expression"], what, limits, value=True)
