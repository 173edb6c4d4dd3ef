"""What an expression uses, for the limits of a plan."""

from dataclasses import dataclass

from lark import Token, Tree

from rehearsal.twins.rules.syntax import parse


@dataclass(frozen=True)
class Uses:
    """The fields that an expression reads, and whether it needs regular expressions."""

    fields: frozenset[str]
    regex: bool


def uses(expression: str) -> Uses:
    """What `expression` uses; raises ExpressionError."""
    if expression.strip() in ("true", "false"):
        return Uses(frozenset(), regex=False)
    tree = parse(expression)
    fields = frozenset(str(node.children[0]) for node in tree.find_data("field"))
    matches = any(str(node.children[1]) in ("matches", "~") for node in tree.find_data("compare"))
    replaces = any(_is_regex_call(node) for node in tree.find_data("call"))
    return Uses(fields, regex=matches or replaces)


def _is_regex_call(node: Tree[Token]) -> bool:
    return str(node.children[0]) == "regex_replace"
