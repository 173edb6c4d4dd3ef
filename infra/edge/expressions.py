"""Expressions of Cloudflare's rules language for what the stack declares. Pure; used by the rules and their limits.

https://developers.cloudflare.com/ruleset-engine/rules-language/
"""

import re
from collections.abc import Iterable

MAX_LENGTH = 4096  # characters of one rule's expression
EVERY_REQUEST = "true"  # the API takes it alone; the language itself has no such word
_TEXT = re.compile(r'r(#*)".*?"\1|"(?:\\.|[^"\\])*"', re.DOTALL)
_FIELD = re.compile(r"\b(?:http|ip|cf|raw)(?:\.[a-z0-9_]+)+|\bssl\b")
_REGEX = re.compile(r"\bmatches\b|~|\bregex_replace\b")


def plain_http_to(hosts: Iterable[str]) -> str:
    """Requests for `hosts` that did not come over TLS."""
    return f"(not ssl and http.host in {_set(hosts)})"


def asks_for(host: str) -> str:
    """Every request for `host`."""
    return f"(http.host eq {_string(host)})"


def asks_for_any(hosts: Iterable[str]) -> str:
    """Every request for one of `hosts`."""
    return f"(http.host in {_set(hosts)})"


def sent_by(addresses: Iterable[str], hosts: Iterable[str], path: str) -> str:
    """Requests over TLS from `addresses` for exactly `path` at `hosts`."""
    where = f"http.host in {_set(hosts)} and http.request.uri.path eq {_string(path)}"
    return f"(ssl and {where} and ip.src in {{{' '.join(addresses)}}})"


def path_starts_with(paths: Iterable[str]) -> str:
    """Requests for any of `paths` and what is below them."""
    return "(" + " or ".join(f"starts_with(http.request.uri.path, {_string(path)})" for path in paths) + ")"


def path_starts_with_in_any_case(paths: Iterable[str]) -> str:
    """The same, whatever the case of its letters: some origins do not tell them apart."""
    lowered = (f"starts_with(lower(http.request.uri.path), {_string(path.lower())})" for path in paths)
    return "(" + " or ".join(dict.fromkeys(lowered)) + ")"


def below(hosts: Iterable[str], paths: Iterable[str]) -> str:
    """Requests to `hosts` for `paths` and what is below them."""
    return f"(http.host in {_set(hosts)} and {path_starts_with(paths)})"


def pages(hosts: Iterable[str]) -> str:
    """Requests to `hosts` for what is a page by its name: without an extension, or with that of HTML."""
    return f'(http.host in {_set(hosts)} and http.request.uri.path.extension in {{"" "htm" "html"}})'


def carries_cookie(names: Iterable[str]) -> str:
    """Requests with one of these cookies; cookies by name are a field of larger plans only."""
    return "(" + " or ".join(f"http.cookie contains {_string(name + '=')}" for name in names) + ")"


def any_of(*expressions: str) -> str:
    """Requests that one of the expressions matches."""
    return "(" + " or ".join(expressions) + ")"


def answered_well(expression: str) -> str:
    """Of the requests that match, those answered with 200; for rules about responses."""
    return f"({expression} and http.response.code eq 200)"


def at_path(hosts: Iterable[str], path: str) -> str:
    """Requests to `hosts` for exactly `path`."""
    return f"(http.host in {_set(hosts)} and http.request.uri.path eq {_string(path)})"


def below_path(hosts: Iterable[str], path: str) -> str:
    """Requests to `hosts` for what is below `path`, which ends in a slash."""
    return f"(http.host in {_set(hosts)} and {path_starts_with([path])})"


def moved(path: str, url: str) -> str:
    """`url` with what the request asks for below `path` added; both end in a slash and neither has a `*` or a `$`."""
    origin, _, directory = url.removeprefix("https://").partition("/")
    wildcard = f'wildcard_replace(http.request.uri.path, {_string(path + "*")}, {_string(f"/{directory}${{1}}")}, "s")'
    return f"concat({_string(f'https://{origin}')}, {wildcard})"


def same_place_at(authority: str) -> str:
    """The URL with the request's path at `authority`, which is an expression; the query is the redirect's business."""
    return f'concat("https://", {authority}, http.request.uri.path)'


def literal(host: str) -> str:
    """A host as an expression."""
    return _string(host)


def fields(expression: str) -> frozenset[str]:
    """The fields that an expression of somebody else's reads."""
    return frozenset(_FIELD.findall(_TEXT.sub('""', expression)))


def uses_regex(expression: str) -> bool:
    """Whether an expression of somebody else's needs regular expressions."""
    return bool(_REGEX.search(_TEXT.sub('""', expression)))


def _set(values: Iterable[str]) -> str:
    return "{" + " ".join(_string(value) for value in values) + "}"


def _string(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
