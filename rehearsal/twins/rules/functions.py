"""Functions of the rules language.

https://developers.cloudflare.com/ruleset-engine/rules-language/functions/
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from rehearsal.twins.rules import literals
from rehearsal.twins.rules.kinds import BOOL, BYTES, INT, ExpressionError, Kind


@dataclass(frozen=True)
class Function:
    """What a function takes and gives. The first argument must be computed; `literals_only` must be written out."""

    takes: tuple[Kind, ...]
    gives: Kind
    run: Callable[..., Any]
    optional: int = 0  # how many of `takes` may be left out, from the end
    repeats: bool = False  # the last of `takes` may be repeated
    literals_only: frozenset[int] = frozenset()
    first_may_be_literal: bool = False

    def accepts(self, count: int) -> bool:
        """Whether it may be called with `count` arguments."""
        least = len(self.takes) - self.optional
        return count >= least if self.repeats else least <= count <= len(self.takes)


def _concat(*parts: str) -> str:
    return "".join(parts)


def _length(value: str) -> int:
    return len(value.encode("utf-8", "surrogateescape"))


def _substring(value: str, start: int, end: int) -> str:
    return value[start:end]


def _regex_replace(source: str, pattern: str, replacement: str) -> str:
    """Replace the first match."""
    match = literals.compile_regex(pattern).search(source)
    if match is None:
        return source
    return source[: match.start()] + literals.substitute(replacement, match.groups()) + source[match.end() :]


def _wildcard_replace(source: str, pattern: str, replacement: str, flags: str = "") -> str:
    """Replace the whole of `source` when the wildcard matches all of it; flag `s` makes case count."""
    if flags not in ("", "s"):
        raise ExpressionError(f'wildcard_replace knows the flag "s", not {flags!r}')
    match = literals.wildcard(pattern, strict=flags == "s").fullmatch(source)
    return source if match is None else literals.substitute(replacement, match.groups())


FUNCTIONS: dict[str, Function] = {
    "concat": Function((BYTES, BYTES), BYTES, _concat, repeats=True, first_may_be_literal=True),
    "ends_with": Function((BYTES, BYTES), BOOL, str.endswith),
    "len": Function((BYTES,), INT, _length),
    "lower": Function((BYTES,), BYTES, str.lower),
    "regex_replace": Function((BYTES, BYTES, BYTES), BYTES, _regex_replace, literals_only=frozenset({1, 2})),
    "starts_with": Function((BYTES, BYTES), BOOL, str.startswith),
    "substring": Function((BYTES, INT, INT), BYTES, _substring),
    "to_string": Function((INT,), BYTES, str),
    "upper": Function((BYTES,), BYTES, str.upper),
    "url_decode": Function((BYTES,), BYTES, unquote),
    "wildcard_replace": Function(
        (BYTES, BYTES, BYTES, BYTES), BYTES, _wildcard_replace, optional=1, literals_only=frozenset({1, 2, 3})
    ),
}
QUANTIFIERS: dict[str, Callable[[list[bool]], bool]] = {"any": any, "all": all}
