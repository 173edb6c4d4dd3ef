"""Types of Cloudflare's rules language, and what goes wrong with an expression."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Fields = Mapping[str, Any]  # field name -> value of one request


class ExpressionError(ValueError):
    """An expression that Cloudflare refuses, or that uses what the edge twin does not know.

    The message names the problem, where in the expression it is and the expression itself.
    """

    def __init__(self, problem: str, expression: str | None = None, column: int | None = None) -> None:
        where = "" if column is None else f" at column {column}"
        context = "" if expression is None else f" of {expression!r}"
        super().__init__(f"{problem}{where}{context}")
        self.problem = problem
        self.column = column


@dataclass(frozen=True)
class Kind:
    """A type; `of` is what an Array or a Map holds. Maps are keyed by strings."""

    name: str
    of: "Kind | None" = None

    def __str__(self) -> str:
        """As Cloudflare writes it: `Array<Bytes>`."""
        return self.name if self.of is None else f"{self.name}<{self.of}>"


BOOL, INT, BYTES, IP = Kind("Bool"), Kind("Int"), Kind("Bytes"), Kind("Ip")


def array(of: Kind) -> Kind:
    """An Array of `of`."""
    return Kind("Array", of)


def mapping(of: Kind) -> Kind:
    """A Map from strings to `of`."""
    return Kind("Map", of)


@dataclass(frozen=True)
class Node:
    """A compiled part of an expression.

    `run` gives its value for one request: str, int, bool, an ipaddress, list or dict; None where a header or argument
    is missing. With `each`, a `[*]` was applied: `kind` is that of one element and `run` gives the list of them.
    """

    kind: Kind
    run: Callable[[Fields], Any]
    each: bool = False
    literal: bool = False


def shown(node: Node) -> str:
    """The type of what `node` gives, for messages."""
    return f"each of Array<{node.kind}>" if node.each else str(node.kind)


def nearest(name: str, known: Iterable[str]) -> str:
    """A question for who may have meant another name, or nothing."""
    found = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
