"""From an expression to a function of a request's fields, with the types checked as Cloudflare checks them."""

from collections.abc import Callable
from typing import Any

from lark import Token, Tree

from rehearsal.twins.rules import calls, comparisons, literals
from rehearsal.twins.rules.fields import FIELDS, LISTS
from rehearsal.twins.rules.functions import ONCE
from rehearsal.twins.rules.kinds import BOOL, BYTES, INT, IP, ExpressionError, Fields, Kind, Node, array, nearest, shown
from rehearsal.twins.rules.syntax import parse

Parsed = Tree[Token] | Token


def compile_node(expression: str) -> Node:
    """The meaning of `expression`; raises ExpressionError."""
    if expression.strip() in ("true", "false"):  # the API takes these two, alone, for "all requests" and "none"
        value = expression.strip() == "true"
        return Node(BOOL, lambda _: value)
    tree = parse(expression)
    try:
        _check_once(tree)
        return _node(tree)
    except ExpressionError as error:
        raise ExpressionError(error.problem, expression, error.column) from error


def _check_once(tree: Tree[Token]) -> None:
    called = [str(call.children[0]) for call in tree.find_data("call") if call.children[0] in ONCE]
    if len(called) > 1:
        raise ExpressionError(f"{' and '.join(sorted(set(called)))}() may occur once, and not together")


def _node(tree: Parsed) -> Node:
    assert isinstance(tree, Tree)
    try:
        return _COMPILERS[str(tree.data)](tree)
    except ExpressionError as error:
        if error.column is None and not tree.meta.empty:
            raise ExpressionError(error.problem, column=tree.meta.start_pos + 1) from error
        raise


def _logic(tree: Tree[Token], join: Callable[[list[bool]], bool]) -> Node:
    parts = [_of_kind(child, BOOL) for child in tree.children]
    runs = [part.run for part in parts]
    return Node(BOOL, lambda fields: join([bool(run(fields)) for run in runs]))


def _any(tree: Tree[Token]) -> Node:
    runs = [_of_kind(child, BOOL).run for child in tree.children]
    return Node(BOOL, lambda fields: any(run(fields) for run in runs))


def _all(tree: Tree[Token]) -> Node:
    runs = [_of_kind(child, BOOL).run for child in tree.children]
    return Node(BOOL, lambda fields: all(run(fields) for run in runs))


def _odd(tree: Tree[Token]) -> Node:
    return _logic(tree, lambda values: sum(values) % 2 == 1)


def _negation(tree: Tree[Token]) -> Node:
    inner = _node(tree.children[0])
    run = inner.run
    if inner.kind == array(BOOL):
        return Node(inner.kind, lambda fields: [not value for value in run(fields)])
    _require(inner, BOOL)
    return Node(BOOL, lambda fields: not run(fields))


def _group(tree: Tree[Token]) -> Node:
    return _node(tree.children[0])


def _of_kind(tree: Parsed, kind: Kind) -> Node:
    node = _node(tree)
    try:
        _require(node, kind)
    except ExpressionError as error:
        assert isinstance(tree, Tree)
        raise ExpressionError(error.problem, column=tree.meta.start_pos + 1) from error
    return node


def _require(node: Node, kind: Kind) -> None:
    if node.each or node.kind != kind:
        raise ExpressionError(f"{kind} is needed here, this is {shown(node)}")


def _field(tree: Tree[Token]) -> Node:
    name = str(tree.children[0])
    kind = FIELDS.get(name)
    if kind is None:
        raise ExpressionError(f"the edge twin knows no field {name!r}{nearest(name, FIELDS)}")
    return Node(kind, lambda fields: fields[name])


def _index(tree: Tree[Token]) -> Node:
    held, key = _node(tree.children[0]), tree.children[1]
    assert isinstance(key, Tree)
    if held.kind.of is None:
        raise ExpressionError(f"{shown(held)} has no elements to pick from")
    if key.data == "every":
        return Node(held.kind.of, _every(held), each=True)
    token = str(key.children[0])
    wanted: Any = literals.text(token) if key.data == "string_key" else literals.integer(token)
    if isinstance(wanted, str) != (held.kind.name == "Map"):
        raise ExpressionError(f"{held.kind} is not indexed by {wanted!r}")
    if isinstance(wanted, int) and wanted < 0:
        raise ExpressionError("an index is 0 or more")
    if held.each:
        return Node(held.kind.of, lambda fields: [_element(one, wanted) for one in held.run(fields)], each=True)
    return Node(held.kind.of, lambda fields: _element(held.run(fields), wanted))


def _every(held: Node) -> Callable[[Fields], list[Any]]:
    def run(fields: Fields) -> list[Any]:
        value = held.run(fields)
        containers = value if held.each else [value]
        return [item for container in containers for item in _items(container)]

    return run


def _items(container: Any) -> list[Any]:
    if container is None:
        return []
    return list(container.values()) if isinstance(container, dict) else list(container)


def _element(container: Any, key: str | int) -> Any:
    if container is None:
        return None
    if isinstance(container, dict):
        return container.get(key)
    return container[key] if isinstance(key, int) and key < len(container) else None


def _call(tree: Tree[Token]) -> Node:
    name, first = str(tree.children[0]), tree.children[1:2]
    field = next((str(one.children[0]) for one in first if isinstance(one, Tree) and one.data == "field"), None)
    return calls.call(name, [_argument(child) for child in tree.children[1:]], field)


def _argument(tree: Parsed) -> Node:
    assert isinstance(tree, Tree)
    match str(tree.data):
        case "string" | "raw":
            value: Any = comparisons.text_of(tree)
            return Node(BYTES, lambda _: value, literal=True)
        case "integer":
            number = literals.decimal(str(tree.children[0]))
            return Node(INT, lambda _: number, literal=True)
        case "address":
            place = literals.address(str(tree.children[0]))
            return Node(IP, lambda _: place, literal=True)
        case _:
            return _node(tree)


def _comparison(tree: Tree[Token]) -> Node:
    left = _node(tree.children[0])
    if left.kind not in (BYTES, INT, IP):
        raise ExpressionError(f"{shown(left)} cannot be compared; a Bool stands alone, as in `not ssl`")
    match str(tree.data):
        case "compare":
            operator, right = tree.children[1:]
            assert isinstance(right, Tree)
            return comparisons.applied(left, *comparisons.ordering(left.kind, str(operator), right))
        case "among":
            return comparisons.applied(left, comparisons.membership(left.kind, tree.children[1:]), missing=False)
        case _:
            return _listed(tree)


def _listed(tree: Tree[Token]) -> Node:
    """Bulk redirects alone use lists here, and theirs are of whole URLs."""
    field, name = tree.children[0], str(tree.children[1])
    if not isinstance(field, Tree) or field.data != "field" or str(field.children[0]) not in _LISTED:
        raise ExpressionError(f"the edge twin knows lists of redirects alone, as in {_LISTED[0]} in {name}")
    return Node(BOOL, lambda fields: name[1:] in fields[LISTS])


_LISTED = ("http.request.full_uri", "raw.http.request.full_uri")
_COMPILERS: dict[str, Callable[[Tree[Token]], Node]] = {
    "or_": _any,
    "and_": _all,
    "xor_": _odd,
    "negation": _negation,
    "group": _group,
    "field": _field,
    "index": _index,
    "call": _call,
    "compare": _comparison,
    "among": _comparison,
    "in_list": _comparison,
}
