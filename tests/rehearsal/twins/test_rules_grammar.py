"""Expressions made from the grammar, and damaged ones, held against Cloudflare's own parser."""

from contextlib import suppress

import octorules_wirefilter as oracle
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rehearsal.twins.rules import ExpressionError, Request, compile_filter
from rehearsal.twins.rules.fields import FIELDS

REQUEST = Request(
    method="GET",
    scheme="https",
    host="www.tidewriters.example",
    path="/blog/hello.html",
    raw_path="/blog//hello.html",
    query="a=1&b=2&a=3",
    headers=(("x-a", "v1"), ("x-a", "v2"), ("cookie", "s=1; t=2")),
)


def literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def named(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(name for name, of in FIELDS.items() if str(of) == kind))


def joined(form: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda values: form.format(*values))


texts = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=8).map(literal)
decimals = st.integers(-3, 99).map(str)
numbers = st.one_of(decimals, st.sampled_from(["0x1f", "017"]))
lists = st.one_of(
    named("Array<Bytes>"),
    joined("{}[{}]", named("Map<Array<Bytes>>"), texts),
    joined('split({}, ".", 4)', named("Bytes")),
)
byte_values = st.recursive(
    st.one_of(named("Bytes"), joined("{}[0]", lists), joined('join({}, ",")', lists)),
    lambda inner: st.one_of(
        joined("{}({})", st.sampled_from(["lower", "upper", "url_decode", "sha256", "decode_base64"]), inner),
        joined("{}({}, {})", st.sampled_from(["concat", "remove_bytes", "lookup_json_string"]), inner, texts),
        joined("substring({}, {}, {})", inner, decimals, decimals),
        joined("encode_base64({}, {})", inner, st.sampled_from(['"u"', '"p"', '"up"'])),
    ),
    max_leaves=3,
)
symbols = st.sampled_from(["eq", "ne", "==", "!=", "contains", "<", "ge"])
orderings = st.sampled_from(["eq", "ne", "gt", ">=", "lt"])
texts_listed = st.lists(texts, max_size=3).map(lambda items: f"{{{' '.join(items)}}}")
numeric = st.one_of(
    named("Int"), joined("len({})", byte_values), joined("lookup_json_integer({}, {})", byte_values, texts)
)
addresses = st.one_of(named("Ip"), joined("cidr({}, 24, 48)", named("Ip")), joined("cidr6({}, 48)", named("Ip")))
networks = st.sampled_from(["10.0.0.0/8", "::/0", "2001:DB8::/32", "1.2.3.4", "1.2.3.4..1.2.3.9"])
elements = st.one_of(
    joined("{}[*]", lists), joined("{}[*][*]", named("Map<Array<Bytes>>")), joined("lower({}[*])[*]", lists)
)
comparisons = st.one_of(
    named("Bool"),
    joined("{} {} {}", byte_values, symbols, texts),
    joined("{} in {}", byte_values, texts_listed),
    joined("{}({}, {})", st.sampled_from(["starts_with", "ends_with"]), byte_values, st.one_of(texts, byte_values)),
    joined("{} {} {}", numeric, orderings, numbers),
    joined("{} in {{{} 3..9}}", numeric, numbers),
    joined("{} in {{{} {}}}", addresses, networks, networks),
    joined("{}({} {} {})", st.sampled_from(["any", "all"]), elements, symbols, texts),
    joined("{}({} in {})", st.sampled_from(["any", "all"]), elements, texts_listed),
    joined("any(starts_with({}, {}))", elements, texts),
    joined("has_key({}, {})", named("Map<Array<Bytes>>"), texts),
    joined("has_value({}, {})", lists, texts),
    joined("{} {} {}", byte_values, st.sampled_from(["wildcard", "strict wildcard"]), st.just('"*a"')),
)
filters = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        inner.map(lambda one: f"not {one}"),
        inner.map(lambda one: f"({one})"),
        st.tuples(inner, st.sampled_from(["and", "or", "xor", "&&", "||", "^^"]), inner).map(" ".join),
    ),
    max_leaves=6,
)


@given(filters)
@settings(deadline=None, max_examples=150)
def test_what_is_built_from_the_grammar_is_taken_by_both_and_gives_a_verdict(expression: str):
    assert "error" not in oracle.parse_expression(expression)
    assert compile_filter(expression)(REQUEST.fields()) in (True, False)


@given(filters, st.integers(0), st.sampled_from(['"', "(", ")", " ", "{", "x", "\\", "3", "[*]", "not", ","]))
@example('http.host eq "a"', 14, "\\")
@settings(deadline=None, max_examples=400)
def test_nothing_is_taken_that_cloudflares_parser_refuses(expression: str, position: int, inserted: str):
    """The twin may know less than Cloudflare, never more: a rule that deploys here must deploy there."""
    at = position % (len(expression) + 1)
    damaged = expression[:at] + inserted + expression[at:]
    with suppress(ExpressionError):
        compile_filter(damaged)
        assert "error" not in oracle.parse_expression(damaged)


@given(st.text(max_size=30))
@settings(deadline=None)
def test_any_text_is_either_an_expression_or_an_error(text: str):
    with suppress(ExpressionError):
        compile_filter(text)
