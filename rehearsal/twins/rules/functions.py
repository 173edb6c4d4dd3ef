"""Functions of the rules language, as Cloudflare's parser takes them.

https://developers.cloudflare.com/ruleset-engine/rules-language/functions/
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rehearsal.twins.rules import literals, texts
from rehearsal.twins.rules.kinds import BOOL, BYTES, INT, IP, ExpressionError, Kind, array, mapping

_TEXTS = array(BYTES)


@dataclass(frozen=True)
class Function:
    """What a function takes and gives. The first argument must be computed; `literals_only` must be written out."""

    takes: tuple[Kind, ...]
    gives: Kind
    run: Callable[..., Any]
    optional: int = 0  # how many of `takes` may be left out, from the end
    repeats: bool = False  # the last of `takes` may be repeated
    literals_only: frozenset[int] = frozenset()  # places of arguments; the last place stands for those after it
    first_may_be_literal: bool = False
    fields: tuple[str, ...] = ()  # if any, the only ones that the first argument may be

    def accepts(self, count: int) -> bool:
        """Whether it may be called with `count` arguments."""
        least = len(self.takes) - self.optional
        return count >= least if self.repeats else least <= count <= len(self.takes)

    def wants_literal(self, index: int) -> bool:
        """Whether the argument at `index` must be written out."""
        return min(index, len(self.takes) - 1) in self.literals_only


def _cidr(address: literals.Address, bits4: int, bits6: int) -> literals.Address:
    """The first address of the network of that size around `address`."""
    bits = bits4 if address.version == 4 else bits6
    size = address.max_prefixlen - min(max(bits, 0), address.max_prefixlen)
    return type(address)(int(address) >> size << size)


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


def _split(source: str, separator: str, limit: int) -> list[str]:
    if not separator or not 1 <= limit <= 128:
        raise ExpressionError("split() takes a separator that is not empty and a limit from 1 to 128")
    return source.split(separator, limit - 1)


def _plain(run: Callable[[str], Any], gives: Kind = BYTES) -> Function:
    return Function((BYTES,), gives, run)


_QUERIES = ("http.request.uri.query", "raw.http.request.uri.query")
_SECOND = frozenset({1})
FUNCTIONS: dict[str, Function] = {
    "cidr": Function((IP, INT, INT), IP, _cidr, literals_only=frozenset({1, 2})),
    "cidr6": Function((IP, INT), IP, lambda address, bits: _cidr(address, 32, bits), literals_only=_SECOND),
    "concat": Function((BYTES, BYTES), BYTES, lambda *parts: "".join(parts), repeats=True, first_may_be_literal=True),
    "decode_base64": _plain(texts.decode_base64),
    "encode_base64": Function((BYTES, BYTES), BYTES, texts.encode_base64, optional=1, literals_only=_SECOND),
    "ends_with": Function((BYTES, BYTES), BOOL, str.endswith),
    "has_key": Function((mapping(_TEXTS), BYTES), BOOL, lambda held, key: key in held, literals_only=_SECOND),
    "has_value": Function((_TEXTS, BYTES), BOOL, lambda held, value: value in held, literals_only=_SECOND),
    "join": Function((_TEXTS, BYTES), BYTES, lambda items, separator: separator.join(items), literals_only=_SECOND),
    "len": _plain(len, INT),
    "lookup_json_integer": Function((BYTES, BYTES), INT, texts.json_integer, literals_only=_SECOND),
    "lookup_json_string": Function((BYTES, BYTES), BYTES, texts.json_string, literals_only=_SECOND),
    "lower": _plain(texts.lower),
    "regex_replace": Function((BYTES, BYTES, BYTES), BYTES, _regex_replace, literals_only=frozenset({1, 2})),
    "remove_bytes": Function((BYTES, BYTES), BYTES, texts.remove_bytes, literals_only=_SECOND),
    "remove_query_args": Function(
        (BYTES, BYTES), BYTES, texts.remove_query_args, repeats=True, literals_only=_SECOND, fields=_QUERIES
    ),
    "sha256": _plain(texts.sha256),
    "sha512": _plain(texts.sha512),
    "split": Function((BYTES, BYTES, INT), _TEXTS, _split, literals_only=frozenset({1, 2})),
    "starts_with": Function((BYTES, BYTES), BOOL, str.startswith),
    "substring": Function((BYTES, INT, INT), BYTES, lambda source, start, end: source[start:end]),
    "to_string": Function((INT,), BYTES, str),
    "upper": _plain(texts.upper),
    "url_decode": _plain(texts.url_decode),
    "uuidv4": _plain(texts.uuidv4),
    "wildcard_replace": Function(
        (BYTES, BYTES, BYTES, BYTES), BYTES, _wildcard_replace, optional=1, literals_only=frozenset({1, 2, 3})
    ),
}
QUANTIFIERS: dict[str, Callable[[list[bool]], bool]] = {"any": any, "all": all}
# Available in what rewrites and redirects compute, not in the filters that choose requests.
COMPUTING = ("regex_replace", "remove_query_args", "to_string", "uuidv4", "wildcard_replace")
# Where they occur, they do so once, and not one inside of the other.
ONCE = ("regex_replace", "wildcard_replace")
