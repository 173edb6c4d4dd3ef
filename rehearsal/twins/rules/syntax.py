"""The grammar of the rules language, as far as the edge twin knows it.

Everything that it takes, Cloudflare's own parser takes too; the tests hold it against that parser.
https://developers.cloudflare.com/ruleset-engine/rules-language/expressions/
"""

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from rehearsal.twins.rules.kinds import ExpressionError

# Precedence, strongest first: not, and, xor, or.
_GRAMMAR = r"""
?start: or_
?or_: xor_ (("or" | "||") xor_)*
?xor_: and_ (("xor" | "^^") and_)*
?and_: not_ (("and" | "&&") not_)*
?not_: ("not" | "!") not_ -> negation
     | "(" or_ ")" -> group
     | comparison
?comparison: operand OPERATOR literal -> compare
     | operand "in" "{" item* "}" -> among
     | operand "in" LIST -> in_list
     | operand
?operand: NAME -> field
     | NAME "(" [argument ("," argument)*] ")" -> call
     | operand _AT key "]" -> index
?argument: or_ | literal
?key: STRING -> string_key | INT -> int_key | "*" -> every
?literal: STRING -> string | RAW -> raw | INT -> integer | ADDRESS -> address
?item: literal | INT_RANGE -> int_range | ADDRESS_RANGE -> address_range

OPERATOR.2: "strict wildcard" | "wildcard" | "contains" | "matches" | "eq" | "ne" | "lt" | "le" | "gt" | "ge"
     | "==" | "!=" | "<=" | ">=" | "<" | ">" | "~"
NAME: /[a-z_][a-z0-9_]*(\.[a-z0-9_]+)*/
LIST: /\$[a-z0-9_.]+/
ADDRESS.3: /[0-9]{1,3}(\.[0-9]{1,3}){3}(\/[0-9]{1,2})?/ | /[0-9a-fA-F]{0,4}:[0-9a-fA-F:]+(\/[0-9]{1,3})?/
ADDRESS_RANGE.5: /[0-9a-fA-F.:]*[.:][0-9a-fA-F.:]*?\.\.[0-9a-fA-F.:]+/
INT: /-?(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)/
INT_RANGE.5: /-?(0|[1-9][0-9]*)\.\.-?(0|[1-9][0-9]*)/
_AT: /(?<=[\w\])])\[/
STRING: /"(\\.|[^"\\])*"/s
RAW.4: /r"[^"]*"/ | /r#".*?"#/s | /r##".*?"##/s
%ignore /[ \t\r\n]+/
"""

_PARSER = Lark(_GRAMMAR, parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=False)
_EXPECTED_SHOWN = 6


def parse(expression: str) -> Tree[Token]:
    """The syntax tree of `expression`; ExpressionError says where it ends to make sense."""
    try:
        tree = _PARSER.parse(expression)
    except UnexpectedEOF as error:
        raise ExpressionError("it ends too early", expression, len(expression) + 1) from error
    except UnexpectedInput as error:
        raise ExpressionError(_problem(error), expression, _column(error, expression)) from error
    return tree


def _problem(error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedToken):
        if error.token.type == "$END":
            return "it ends too early"
        return f"{str(error.token)!r} is not expected here"
    if isinstance(error, UnexpectedCharacters):
        return f"{error.char!r} is not expected here"
    return "it cannot be read"


def _column(error: UnexpectedInput, expression: str) -> int:
    position = error.pos_in_stream
    return len(expression) + 1 if position is None or position < 0 else position + 1
