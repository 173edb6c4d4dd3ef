"""The rules language: its values by hand, its grammar and types against Cloudflare's own parser."""

import ipaddress

import octorules_wirefilter as oracle
import pytest

from rehearsal.twins.rules import (
    LISTS,
    ExpressionError,
    Request,
    Uses,
    compile_filter,
    compile_value,
    extension,
    uses,
)
from rehearsal.twins.rules.fields import FIELDS
from rehearsal.twins.rules.kinds import Kind

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
        ("accept-language", "de-CH, en;q=0.8"),
        ("content-type", "application/json; charset=utf-8"),
        ("x-b64", "MTIzYWJj"),
        ("x-enc", "a+b%20c"),
        ("x-umlaut", "ÄA".encode().decode("latin-1")),
    ),
    client="198.51.100.7",
    body='{"kind": "grün", "n": 7}'.encode(),
    ray="7a",
    zone="tidewriters.example",
    at=1_700_000_000.5,
)
FORM = Request(
    method="POST",
    scheme="http",
    host="a.example",
    path="/",
    raw_path="/",
    headers=(("content-type", "application/x-www-form-urlencoded"),),
    body=b"a=1&b=2&a=3",
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
    'upper(http.request.method) eq "GET"': True,
    'concat("a", http.host, "b") eq "awww.tidewriters.exampleb"': True,
    'http.referer eq "https://r.example/" and http.cookie contains "t=2"': True,
    'http.host lt "x"': True,
    "http.request.body.size ge 1": True,
    'has_key(http.request.headers, "x-a") and not has_key(http.request.headers, "X-A")': True,
    'has_value(http.request.headers["x-a"], "v2")': True,
    'has_value(http.request.headers["nope"], "v2")': False,
    'any(has_value(http.request.headers[*], "v2"))': True,
    'any(http.request.headers[*][0] eq "v1") and not any(http.request.headers[*][0] eq "v2")': True,
    'any(http.request.headers[*][1] eq "v2")': True,
    'all(http.request.headers[*][9] ne "v2")': True,
    'any(http.request.headers.values[*] wildcard "CURL/*")': True,
    'any(http.request.uri.args.values[*] in {"3" "4"})': True,
    'http.request.accepted_languages[0] eq "de-CH" and http.request.accepted_languages[1] eq "en"': True,
    'cidr(ip.src, 24, 64) eq 198.51.100.0': True,
    'cidr(ip.src, 20, 64) in {198.51.96.0 198.51.100.0}': True,
    'cidr(ip.src, 40, 64) eq 198.51.100.7': True,
    'cidr6(ip.src, 24) eq 198.51.100.7': True,
    'any(decode_base64(http.request.headers["x-b64"][*])[*] eq "123abc")': True,
    'decode_base64(http.request.headers["x-a"][0]) eq "v1"': False,
    'encode_base64(sha256(http.request.method)) eq "FOMM0WPHMpEuBIxMg34VxOkMBi67eVq5R9V3BuLRDdg"': True,
    'encode_base64(sha256(http.request.method), "p") eq "FOMM0WPHMpEuBIxMg34VxOkMBi67eVq5R9V3BuLRDdg="': True,
    'encode_base64(http.request.method, "u") eq "R0VU"': True,
    'len(sha512(http.host)) eq 64 and len(sha256(http.host)) eq 32': True,
    'join(split(http.host, ".", 2), "/") eq "www/tidewriters.example"': True,
    'split(http.host, ".", 9)[2] eq "example"': True,
    'split(http.host, ".", 9)[3] eq "example"': False,
    'any(split(http.request.uri.query, "&", 9)[*] eq "b=2")': True,
    'remove_bytes(http.host, "\x2ew") eq "tideritersexample"': True,
    'lookup_json_string(http.request.body.raw, "kind") eq "grün"': True,
    'lookup_json_string(http.request.body.raw, "n") eq "7"': False,
    'lookup_json_integer(http.request.body.raw, "n") eq 7': True,
    'lookup_json_integer(http.request.body.raw, "none") ne 7': True,
    'url_decode(http.request.headers["x-enc"][0]) eq "a b c"': True,
    'lower(http.request.headers["x-umlaut"][0]) eq "Äa"': True,
    'http.request.headers["x-umlaut"][0] eq "ÄA"': True,
    'len(http.request.headers["x-umlaut"][0]) eq 3': True,
    'http.request.headers["x-umlaut"][0] eq "\\xc3\\x84A"': True,
    'len(http.host) eq 0x17 and len(http.host) eq 027': True,
    'http.host eq r##"a"#"##': False,
    'http.request.headers["x-a"][00] eq "v1"': True,
    'ip.src in {2001:DB8::/32 ::ffff:0:0/96}': False,
    'ip.geoip.country eq "XX" and ip.src.country eq "XX" and ip.geoip.asnum eq 0': True,
    'cf.bot_management.score lt 30 and not cf.bot_management.verified_bot': True,
    'cf.threat_score gt 10 or cf.waf.score lt 20 or cf.waf.score.class eq "attack"': False,
    'cf.tls_version in {"TLSv1" "TLSv1.1"} or cf.edge.server_port ne 443': False,
    'cf.zone.name eq "tidewriters.example"': True,
    'http.request.timestamp.sec in {1700000000..1700000001}': True,
    'http.request.body.mime eq "application/json" and not http.request.body.truncated': True,
    'any(http.request.body.form.values[*] contains "x")': False,
    'http.response.code eq 200 or any(http.response.headers["a"][*] eq "b")': False,
    'http.request.full_uri in $moved': False,
    'any(cf.bot_management.detection_ids[*] eq 3)': False,
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


VALUES = [
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
    ("to_string(len(http.host))", "23"),
    ('remove_query_args(http.request.uri.query, "a", "c")', "b=2"),
    ("uuidv4(cf.random_seed)", "fdee4726-c284-4c87-88b3-9cb69f2777cf"),
    ('wildcard_replace(http.host, "www.*", "$$1.${1}")', "$1.tidewriters.example"),
    ('lookup_json_string(http.request.body.raw, "none")', None),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "value"), VALUES)
def test_a_value_is_computed_as_documented(expression: str, value: str | None):
    assert compile_value(expression)(REQUEST.fields()) == value


@pytest.mark.parametrize(("expression", "_"), VALUES)
def test_cloudflares_parser_takes_every_value_that_is_tested(expression: str, _: str | None):
    assert "error" not in oracle.parse_expression(f'{expression} eq "x"')


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
    'substring(http.host, 0x1, 2) eq "a"': "is no decimal number",
    "http.host in $office": "knows lists of redirects alone",
    "len(http.host) eq 9223372036854775808": "does not fit into 64 bits",
    "len(http.host) in {1 .. 3}": "is not expected here",
    'http.request.headers["a"] [0] eq "b"': "is not expected here",
    'http.request.headers["a"][*][0] eq "b"': "has no elements",
    'split(http.host, "", 3)[0] eq "b"': "a separator that is not empty",
    'split(http.host, ".", 129)[0] eq "b"': "a limit from 1 to 128",
    'split(http.host, http.referer, 3)[0] eq "b"': "argument 2 of split() must be a literal",
    'remove_query_args(http.host, "a") eq "b"': "must be one of http.request.uri.query",
    'remove_query_args(http.request.uri.query, "a", http.host) eq "b"': "argument 3 of remove_query_args() must be",
    'has_value(http.request.headers, "a")': "must be Array<Bytes>, this is Map<Array<Bytes>>",
    "has_key(http.request.headers, http.host)": "must be a literal",
    "cidr(1.2.3.4, 24, 24) eq 1.2.3.0": "must be a field or a function",
    'lookup_json_string(http.host, "a", "b") eq "c"': "does not take 3 arguments",
    'regex_replace(regex_replace(http.host, "a", "b"), "c", "d") eq "e"': "may occur once",
    'wildcard_replace(http.host, "*", "a") eq "b" or regex_replace(http.host, "a", "b") eq "c"': "not together",
    'wildcard_replace(http.host, "*", "a") eq "b"': "is there for rewrites and redirects, not for filters",
    "len(uuidv4(cf.random_seed)) eq 36": "uuidv4() is there for rewrites",
    'is_timed_hmac_valid_v0("k", http.request.uri, 1, http.request.timestamp.sec)': "knows no function",
    "ip.src.city in $cities": "knows lists of redirects alone",
    "cf.llm.prompt.detected": "knows no field",
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


NAMES = {
    "Bool": "BOOL", "Int": "INT", "Bytes": "STRING", "Ip": "IP", "Array<Int>": "ARRAY_INT",
    "Array<Bytes>": "ARRAY_STRING", "Map<Array<Bytes>>": "MAP_ARRAY_STRING",
}  # fmt: skip
USES = {
    "Bool": "not {}", "Int": "{} eq 1", "Bytes": '{} eq "a"', "Ip": "{} eq ::1", "Array<Int>": "any({}[*] eq 1)",
    "Array<Bytes>": 'any({}[*] eq "a")', "Map<Array<Bytes>>": 'has_key({}, "a")',
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), FIELDS.items())
def test_every_field_has_the_type_that_cloudflare_gives_it(name: str, kind: Kind):
    """The parser takes some fields that its schema leaves out: those of old names, and the path."""
    theirs = {field["name"]: field["type"] for field in oracle.get_schema_info()["fields"]}
    assert theirs.get(name, NAMES[str(kind)]) == NAMES[str(kind)]
    expression = USES[str(kind)].format(name)
    assert "error" not in oracle.parse_expression(expression)
    assert compile_filter(expression)(REQUEST.fields()) in (True, False)


def test_a_request_fills_in_every_field():
    assert {**REQUEST.fields()}.keys() == {*FIELDS, LISTS}


def test_a_forms_values_are_seen():
    for expression in (
        'http.request.body.form["a"][1] eq "3"',
        'any(http.request.body.form.names[*] eq "b")',
        "len(http.request.body.form.values[2]) eq 1",
        'not ssl and cf.edge.server_port eq 80 and cf.tls_version eq "none"',
    ):
        assert compile_filter(expression)(FORM.fields())


def test_a_list_holds_what_the_edge_found_in_it():
    matching = compile_filter("http.request.full_uri in $moved and ssl")
    assert matching({**REQUEST.fields(), LISTS: frozenset({"moved"})})
    assert not matching({**REQUEST.fields(), LISTS: frozenset({"other"})})


def test_addresses_of_the_two_versions_do_not_mix():
    fields = {**REQUEST.fields(), "ip.src": ipaddress.ip_address("2001:db8::1")}
    assert compile_filter("ip.src in {2001:db8::/32}")(fields)
    assert not compile_filter("ip.src in {10.0.0.0/8 1.2.3.4..1.2.3.9}")(fields)
    assert not compile_filter("ip.src gt 1.2.3.4")(fields)


def test_what_an_expression_uses_is_told_for_the_limits_of_plans():
    both = 'starts_with(http.request.uri.path, "/a") and http.host matches "b"'
    assert uses(both) == Uses(frozenset({"http.request.uri.path", "http.host"}), frozenset({"starts_with"}), regex=True)
    assert uses('regex_replace(http.host, "a", "b") eq "c"').regex
    assert uses("true") == Uses(frozenset(), frozenset(), regex=False)
    assert not uses("not ssl").regex


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/a/b.JS", "js"), ("/a.b/c", ""), ("/", ""), ("/a.tar.gz", "gz"), ("/a.", ""), ("/.env", "env")],
)
def test_the_extension_is_that_of_the_last_part(path: str, expected: str):
    assert extension(path) == expected
