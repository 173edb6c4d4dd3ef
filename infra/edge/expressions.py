"""Expressions of Cloudflare's rules language for what the stack declares. Pure; used by the rules and their limits.

https://developers.cloudflare.com/ruleset-engine/rules-language/
"""

from collections.abc import Iterable

MAX_LENGTH = 4096  # characters of one rule's expression


def plain_http_to(hosts: Iterable[str]) -> str:
    """Requests for `hosts` that did not come over TLS."""
    return f"(not ssl and http.host in {_set(hosts)})"


def asks_for(host: str) -> str:
    """Every request for `host`."""
    return f"(http.host eq {_string(host)})"


def path_starts_with(paths: Iterable[str]) -> str:
    """Requests for any of `paths` and what is below them."""
    return "(" + " or ".join(f"starts_with(http.request.uri.path, {_string(path)})" for path in paths) + ")"


def static_files(hosts: Iterable[str], paths: Iterable[str]) -> str:
    """Requests to `hosts` for files under `paths`."""
    return f"(http.host in {_set(hosts)} and {path_starts_with(paths)})"


def same_place_at(authority: str) -> str:
    """The URL with the request's path at `authority`, which is an expression; the query is the redirect's business."""
    return f'concat("https://", {authority}, http.request.uri.path)'


def literal(host: str) -> str:
    """A host as an expression."""
    return _string(host)


def _set(values: Iterable[str]) -> str:
    return "{" + " ".join(_string(value) for value in values) + "}"


def _string(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
