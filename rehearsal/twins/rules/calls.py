"""Calls of functions: what they are called with, checked, and what they then give."""

from typing import Any

from rehearsal.twins.rules.functions import FUNCTIONS, QUANTIFIERS, Function
from rehearsal.twins.rules.kinds import BOOL, BYTES, ExpressionError, Fields, Node, array, nearest, shown


def call(name: str, arguments: list[Node], field: str | None) -> Node:
    """The meaning of `name(arguments)`; `field` is the first argument where that is a field. Raises ExpressionError."""
    if name in QUANTIFIERS:
        return _quantifier(name, arguments)
    function = FUNCTIONS.get(name)
    if function is None:
        raise ExpressionError(f"the edge twin knows no function {name!r}{nearest(name, FUNCTIONS)}")
    _check_arguments(name, function, arguments)
    if function.fields and field not in function.fields:
        raise ExpressionError(f"argument 1 of {name}() must be one of {', '.join(function.fields)}")
    return _mapped(function, arguments) if arguments[0].each else _called(function, arguments)


def _quantifier(name: str, arguments: list[Node]) -> Node:
    holds = QUANTIFIERS[name]
    if len(arguments) != 1 or arguments[0].each or arguments[0].kind != array(BOOL):
        raise ExpressionError(f"{name}() takes one comparison of an array's elements, such as field[*] eq …")
    run = arguments[0].run
    return Node(BOOL, lambda fields: holds(run(fields)))


def _check_arguments(name: str, function: Function, arguments: list[Node]) -> None:
    if not function.accepts(len(arguments)):
        raise ExpressionError(f"{name}() does not take {len(arguments)} arguments")
    for index, argument in enumerate(arguments):
        wanted = function.takes[min(index, len(function.takes) - 1)]
        if argument.kind != wanted or (argument.each and index > 0):
            raise ExpressionError(f"argument {index + 1} of {name}() must be {wanted}, this is {shown(argument)}")
        if index == 0 and argument.literal and not function.first_may_be_literal:
            raise ExpressionError(f"argument 1 of {name}() must be a field or a function, not a literal")
        if function.wants_literal(index) and not argument.literal:
            raise ExpressionError(f"argument {index + 1} of {name}() must be a literal")
    if function.literals_only and function.takes[0] == BYTES:
        # A bad pattern is an error of the rule, not of the first request.
        nothing: Fields = {}
        function.run("", *(argument.run(nothing) for argument in arguments[1:]))


def _called(function: Function, arguments: list[Node]) -> Node:
    runs = [argument.run for argument in arguments]

    def run(fields: Fields) -> Any:
        values = [argument(fields) for argument in runs]
        if any(value is None for value in values):  # of a header that is not there
            return False if function.gives == BOOL else None
        return function.run(*values)

    return Node(function.gives, run)


def _mapped(function: Function, arguments: list[Node]) -> Node:
    first, others = arguments[0].run, [argument.run for argument in arguments[1:]]

    def run(fields: Fields) -> list[Any]:
        rest = [other(fields) for other in others]
        return [None if value is None else function.run(value, *rest) for value in first(fields)]

    return Node(array(function.gives), run)
