"""Comparisons of the rules language.

https://developers.cloudflare.com/ruleset-engine/rules-language/operators/
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from lark import Token, Tree

from rehearsal.twins.rules import literals
from rehearsal.twins.rules.kinds import BOOL, BYTES, IP, ExpressionError, Fields, Kind, Node, array

Test = Callable[[Any], bool]
_ALIASES = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "~": "matches"}
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def applied(left: Node, test: Test, missing: bool) -> Node:
    """`test` on the value of `left`, on each of them after `[*]`; `missing` is the answer where there is no value."""
    run = left.run
    if left.each:
        return Node(array(BOOL), lambda fields: [missing if one is None else test(one) for one in run(fields)])

    def compared(fields: Fields) -> bool:
        value = run(fields)
        return missing if value is None else test(value)

    return Node(BOOL, compared)


def ordering(kind: Kind, symbol: str, right: Tree[Token]) -> tuple[Test, bool]:
    """The test that `symbol` and the literal `right` make for a value of `kind`, and its answer for a missing one."""
    name = _ALIASES.get(symbol, symbol)
    if name in _ORDERINGS:
        wanted, compare = _literal(kind, right), _ORDERINGS[name]
        if kind == IP:
            return (lambda value: _same_version(value, wanted, compare, name)), name == "ne"
        return (lambda value: compare(value, wanted)), name == "ne"
    if kind != BYTES or right.data not in ("string", "raw"):
        raise ExpressionError(f"{name!r} compares Bytes with a string, this is {kind}")
    return _text_test(name, right), False


def _text_test(name: str, right: Tree[Token]) -> Test:
    if name == "matches":
        return literals.regex(literals.pattern_text(str(right.children[0])))
    wanted = text_of(right)
    if name == "contains":
        return lambda value: wanted in value
    pattern = literals.wildcard(wanted, strict=name == "strict wildcard")
    return lambda value: pattern.fullmatch(value) is not None


def _same_version(value: Any, wanted: Any, compare: Callable[[Any, Any], bool], name: str) -> bool:
    if value.version != wanted.version:
        return name == "ne"
    return compare(value, wanted)


def membership(kind: Kind, items: Sequence[Any]) -> Test:
    """Whether a value of `kind` is one of `items`, which may be ranges and networks."""
    tests = [_item(kind, item) for item in items]
    return lambda value: any(test(value) for test in tests)


def _item(kind: Kind, item: Tree[Token]) -> Test:
    tokens = [str(token) for token in item.children]
    match (kind, str(item.data)):
        case (Kind("Int"), "int_range"):
            return literals.between(*(literals.integer(end) for end in tokens[0].split("..")))
        case (Kind("Ip"), "address_range"):
            return literals.between(*(literals.address(end) for end in tokens[0].split("..")))
        case (Kind("Ip"), "address"):
            held = literals.network(tokens[0])
            return lambda value: value in held
        case _:
            wanted = _literal(kind, item)
            return lambda value: value == wanted


def text_of(tree: Tree[Token]) -> str:
    """The value of a quoted or raw string."""
    token = str(tree.children[0])
    return literals.text(token) if tree.data == "string" else literals.raw_text(token)


def _literal(kind: Kind, tree: Tree[Token]) -> Any:
    match (kind, str(tree.data)):
        case (Kind("Bytes"), "string" | "raw"):
            return text_of(tree)
        case (Kind("Int"), "integer"):
            return literals.integer(str(tree.children[0]))
        case (Kind("Ip"), "address"):
            return literals.address(str(tree.children[0]))
        case _:
            raise ExpressionError(f"{tree.children[0]} is not of the type of the field, which is {kind}")
