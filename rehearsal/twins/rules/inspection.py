"""What an expression uses, for the limits of a plan."""

from dataclasses import dataclass

from rehearsal.twins.rules.syntax import parse


@dataclass(frozen=True)
class Uses:
    """The fields that an expression reads, the functions that it calls, and whether it needs regular expressions."""

    fields: frozenset[str]
    functions: frozenset[str]
    regex: bool


def uses(expression: str) -> Uses:
    """What `expression` uses; raises ExpressionError."""
    if expression.strip() in ("true", "false"):
        return Uses(frozenset(), frozenset(), regex=False)
    tree = parse(expression)
    fields = frozenset(str(node.children[0]) for node in tree.find_data("field"))
    matches = any(str(node.children[1]) in ("matches", "~") for node in tree.find_data("compare"))
    functions = frozenset(str(node.children[0]) for node in tree.find_data("call"))
    return Uses(fields, functions, regex=matches or "regex_replace" in functions)
