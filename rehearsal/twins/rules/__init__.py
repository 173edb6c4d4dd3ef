"""Cloudflare's rules language: expressions compiled to functions of a request.

https://developers.cloudflare.com/ruleset-engine/rules-language/
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from rehearsal.twins.rules.compiler import compile_node
from rehearsal.twins.rules.fields import LISTS
from rehearsal.twins.rules.functions import COMPUTING
from rehearsal.twins.rules.inspection import Uses, uses
from rehearsal.twins.rules.kinds import BOOL, BYTES, ExpressionError, Fields, Kind
from rehearsal.twins.rules.request import Request, extension
from rehearsal.twins.rules.texts import wire

MAX_LENGTH = 4096  # characters of one rule's expression


@lru_cache(maxsize=1024)
def compile_filter(expression: str) -> Callable[[Fields], bool]:
    """The test of a rule, which must be Bool; raises ExpressionError."""
    run = _compiled(expression, BOOL)
    computing = sorted(uses(expression).functions & set(COMPUTING))
    if computing:
        raise ExpressionError(f"{computing[0]}() is there for rewrites and redirects, not for filters", expression)
    return run


@lru_cache(maxsize=1024)
def compile_value(expression: str) -> Callable[[Fields], str | None]:
    """A computed text, such as a redirect's target, None where a header that it reads is not there.

    Raises ExpressionError.
    """
    return _compiled(expression, BYTES)


def _compiled(expression: str, wanted: Kind) -> Callable[[Fields], Any]:
    if len(expression) > MAX_LENGTH:
        raise ExpressionError(f"it has {len(expression)} characters, at most {MAX_LENGTH} are allowed")
    node = compile_node(expression)
    if node.each or node.kind != wanted:
        raise ExpressionError(f"it must give {wanted}, this gives {node.kind}", expression)
    return node.run


__all__ = [
    "LISTS",
    "ExpressionError",
    "Fields",
    "Request",
    "Uses",
    "compile_filter",
    "compile_value",
    "extension",
    "uses",
    "wire",
]
