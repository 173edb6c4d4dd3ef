"""The rules language: its values by hand, its grammar and types against Cloudflare's own parser."""

import ipaddress
from contextlib import suppress

import octorules_wirefilter as oracle
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rehearsal.twins.rules import ExpressionError, Request, Uses, compile_filter, compile_value, extension, uses
from rehearsal.twins.rules.fields import FIELDS

REQUEST = Request(
    method="GET",
    scheme="https",
    host="www.tidewriters.example",
    path="/blog/2024/hello.html",
    raw_path="/blog/2024//hello.html",
    query="a=1&b=2&a=3",
    headers=(
        ("x-a", "v1"),
        ("x-a", "v2"),
        ("user-agent", "curl/8"),
        ("cookie", "s=1; t=2"),
        ("referer", "https://r.example/"),
    ),
    client="198.51.100.7",
)
HELD = {
    'http.host eq "www.tidewriters.example"': True,
    'http.host == "x" or http.host != "x"': True,
    'http.host eq "a" or http.request.method eq "GET" and not ssl': False,
    'http.host eq "www.tidewriters.example" or ssl and not ssl': True,
    'not http.host eq "a" and ssl': True,
    '!(http.host eq "a" || ssl)': False,
    'ssl xor http.request.method in {"GET" "HEAD"}': False,
    "ssl and not ssl xor ssl or not ssl": True,
    "not not ssl": True,
    "ip.src in {198.51.100.0/24 10.0.0.1}": True,
    "ip.src in {198.51.100.8..198.51.100.9}": False,
    "ip.src in {198.51.100.1..198.51.100.9}": True,
    "ip.src eq 198.51.100.7": True,
    "ip.src ne 198.51.100.7": False,
    "ip.src eq ::1": False,
    "ip.src ne ::1": True,
    "not ip.src in {::1 2001:db8::/32}": True,
    'starts_with(http.request.uri.path, "/blog/")': True,
    'ends_with(http.request.uri.path, ".html")': True,
    'http.request.uri.path contains "2024"': True,
    'http.request.uri.path matches "^/blog/20[0-9]{2}/"': True,
    'http.request.uri.path ~ r"^/blog/\\d+"': True,
    'http.request.full_uri wildcard "https://WWW.*/blog/*"': True,
    'http.request.full_uri strict wildcard "https://WWW.*/blog/*"': False,
    'http.request.full_uri wildcard r"https://*.example/blog/*"': True,
    'any(http.request.headers["x-a"][*] contains "v2")': True,
    'all(http.request.headers["x-a"][*] contains "v2")': False,
    'any(lower(http.request.headers["x-a"][*])[*] eq "v1")': True,
    'any(starts_with(http.request.headers["x-a"][*], "v"))': True,
    'any(not http.request.headers["x-a"][*] eq "v1")': True,
    'any(http.request.headers["nope"][*] eq "v1")': False,
    'all(http.request.headers["nope"][*] eq "v1")': True,
    'any(http.request.headers[*][*] eq "curl/8")': True,
    'http.request.headers["x-a"][0] eq "v1"': True,
    'http.request.headers["x-a"][9] eq "v1"': False,
    'http.request.headers["nope"][0] eq "v1"': False,
    'http.request.headers["nope"][0] ne "v1"': True,
    'starts_with(http.request.headers["nope"][0], "v")': False,
    'any(http.request.headers.names[*] eq "x-a")': True,
    'http.request.headers.names[0] eq "x-a"': True,
    'http.request.cookies["t"][0] eq "2"': True,
    'http.request.uri.args["a"][1] eq "3"': True,
    "len(http.request.uri.query) gt 3": True,
    "len(http.request.uri.query) in {1..3 11}": True,
    'lower(http.user_agent) contains "curl" and not cf.client.bot': True,
    'http.request.uri.path.extension in {"html" "css"}': True,
    'raw.http.request.uri.path eq "/blog/2024//hello.html"': True,
    'http.request.uri.path eq "/a\\"b"': False,
    'http.host contains "\\x74ide\\167riters"': True,
    'http.request.version in {"HTTP/1.1" "HTTP/2"}': True,
    'http.host in {}': False,
    'substring(http.host, 0, 3) eq "www"': True,
    'upper(http.request.method) eq "GET" and to_string(len(http.host)) eq "23"': True,
    'concat("a", http.host, "b") eq "awww.tidewriters.exampleb"': True,
    'http.referer eq "https://r.example/" and http.cookie contains "t=2"': True,
    'http.host lt "x"': True,
    "http.request.body.size ge 1": False,
}  # fmt: skip


@pytest.mark.parametrize(("expression", "held"), HELD.items())
def test_an_expression_holds_as_documented(expression: str, held: bool):
    assert compile_filter(expression)(REQUEST.fields()) is held


@pytest.mark.parametrize("expression", HELD)
def test_cloudflares_parser_takes_every_expression_that_is_tested(expression: str):
    assert "error" not in oracle.parse_expression(expression)


@pytest.mark.parametrize(("expression", "held"), [("true", True), ("false", False), (" true ", True)])
def test_the_api_takes_true_and_false_alone(expression: str, held: bool):
    assert compile_filter(expression)(REQUEST.fields()) is held


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('concat("https://tidewriters.example", http.request.uri.path)', "https://tidewriters.example/blog/2024/hello.html"),
        (
            'wildcard_replace(http.request.full_uri, "https://*/blog/*", "https://${1}/articles/${2}")',
            "https://www.tidewriters.example/articles/2024/hello.html?a=1&b=2&a=3",
        ),
        ('wildcard_replace(http.host, "WWW.*", "${1}")', "tidewriters.example"),
        ('wildcard_replace(http.host, "WWW.*", "${1}", "s")', "www.tidewriters.example"),
        ('wildcard_replace(http.host, "www.*", "${1}${2}")', "tidewriters.example${2}"),
        ('regex_replace(http.request.uri.path, "^/blog/([0-9]+)/", "/y/${1}/")', "/y/2024/hello.html"),
        ('regex_replace(http.request.uri.path, "nothing", "x")', "/blog/2024/hello.html"),
        ('lower(concat("A", http.host))', "awww.tidewriters.example"),
        ('url_decode(http.request.uri.query)', "a=1&b=2&a=3"),
        ("http.host", "www.tidewriters.example"),
    ],
)  # fmt: skip
def test_a_value_is_computed_as_documented(expression: str, value: str):
    assert compile_value(expression)(REQUEST.fields()) == value


REFUSED = {
    "": "it ends too early at column 1",
    "ssl and": "it ends too early at column",
    "ssl ssl": "'ssl' is not expected here at column 5",
    'http.host EQ "a"': "'E' is not expected here at column 11",
    "http.host": "it must give Bool, this gives Bytes",
    "ssl == 1": "Bool cannot be compared",
    'http.hots eq "a"': "the edge twin knows no field 'http.hots'; did you mean 'http.host'",
    'lowr(http.host) eq "a"': "no function 'lowr'; did you mean 'lower'",
    "http.host eq 3": "3 is not of the type of the field, which is Bytes",
    'http.host in {"a" 3}': "3 is not of the type of the field",
    "len(http.host) contains 3": "'contains' compares Bytes with a string, this is Int",
    'http.host eq "a\\d"': "is no escape",
    'http.host eq "\\777"': "more than one byte",
    'http.host wildcard "**"': "two stars in a row",
    'http.host wildcard "a\\\\b"': "has an escape other than",
    'http.host matches "a[b"': "is no regular expression",
    "ip.src in {1.2.3.4/24}": "host bits set",
    "ip.src eq 1.2.3.0/24": "is no single address",
    "len(http.host) in {5..3}": "5..3 is no range",
    "ip.src in $office": "knows lists of redirects alone",
    'http.request.headers["x"] eq "a"': "Array<Bytes> cannot be compared",
    'http.request.headers["x"][*] eq "a"': "it must give Bool, this gives Array<Bool>",
    'http.request.headers[0] eq "x"': "is not indexed by 0",
    'http.host[0] eq "x"': "Bytes has no elements",
    "any(ssl)": "takes one comparison of an array's elements",
    'lower("A") eq "a"': "must be a field or a function, not a literal",
    "starts_with(http.host)": "does not take 1 arguments",
    'concat("a", 1) eq "b"': "argument 2 of concat() must be Bytes, this is Int",
    'regex_replace(http.host, http.referer, "a") eq "b"': "argument 2 of regex_replace() must be a literal",
    'regex_replace(http.host, "(", "a") eq "b"': "is no regular expression",
    'wildcard_replace(http.host, "*", "a", "x") eq "b"': 'knows the flag "s"',
    "not http.host": "Bool is needed here, this is Bytes",
}


@pytest.mark.parametrize(("expression", "problem"), REFUSED.items())
def test_what_makes_no_sense_is_refused_with_the_reason(expression: str, problem: str, capfd):
    with pytest.raises(ExpressionError) as refused:
        compile_filter(expression)
    assert problem in str(refused.value)
    assert repr(expression) in str(refused.value)
    assert capfd.readouterr().err == ""


def test_an_expression_that_is_too_long_is_refused():
    with pytest.raises(ExpressionError, match="4107 characters, at most 4096"):
        compile_filter('http.host eq "' + "a" * 4092 + '"')


def test_every_field_has_the_type_that_cloudflare_gives_it():
    names = {
        "Bool": "BOOL", "Int": "INT", "Bytes": "STRING", "Ip": "IP",
        "Array<Bytes>": "ARRAY_STRING", "Map<Array<Bytes>>": "MAP_ARRAY_STRING",
    }  # fmt: skip
    theirs = {field["name"]: field["type"] for field in oracle.get_schema_info()["fields"]}
    theirs["http.request.uri.path"] = "STRING"  # the parser takes it and its schema leaves it out
    assert {name: names[str(kind)] for name, kind in FIELDS.items()} == {name: theirs.get(name) for name in FIELDS}


def test_a_request_fills_in_every_field():
    assert REQUEST.fields().keys() == FIELDS.keys()


def literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


texts = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=8).map(literal)
byte_fields = st.sampled_from(sorted(name for name, kind in FIELDS.items() if str(kind) == "Bytes"))
byte_values = st.recursive(
    byte_fields,
    lambda inner: st.one_of(
        inner.map(lambda value: f"lower({value})"),
        st.tuples(inner, texts).map(lambda pair: f"concat({pair[0]}, {pair[1]})"),
    ),
    max_leaves=3,
)
comparisons = st.one_of(
    st.tuples(byte_values, st.sampled_from(["eq", "ne", "==", "contains", "<", "ge"]), texts).map(" ".join),
    st.tuples(byte_values, st.lists(texts, max_size=3)).map(lambda pair: f"{pair[0]} in {{{' '.join(pair[1])}}}"),
    st.tuples(byte_values, st.integers(0, 99)).map(lambda pair: f"len({pair[0]}) gt {pair[1]}"),
    st.sampled_from(["ssl", "cf.client.bot", "ip.src in {10.0.0.0/8}", 'any(http.request.headers["a"][*] eq "b")']),
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


def test_addresses_of_the_two_versions_do_not_mix():
    fields = {**REQUEST.fields(), "ip.src": ipaddress.ip_address("2001:db8::1")}
    assert compile_filter("ip.src in {2001:db8::/32}")(fields)
    assert not compile_filter("ip.src in {10.0.0.0/8 1.2.3.4..1.2.3.9}")(fields)
    assert not compile_filter("ip.src gt 1.2.3.4")(fields)


def test_what_an_expression_uses_is_told_for_the_limits_of_plans():
    both = 'starts_with(http.request.uri.path, "/a") and http.host matches "b"'
    assert uses(both) == Uses(frozenset({"http.request.uri.path", "http.host"}), regex=True)
    assert uses('regex_replace(http.host, "a", "b") eq "c"').regex
    assert uses("true") == Uses(frozenset(), regex=False)
    assert not uses("not ssl").regex


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/a/b.JS", "js"), ("/a.b/c", ""), ("/", ""), ("/a.tar.gz", "gz"), ("/a.", ""), ("/.env", "env")],
)
def test_the_extension_is_that_of_the_last_part(path: str, expected: str):
    assert extension(path) == expected
