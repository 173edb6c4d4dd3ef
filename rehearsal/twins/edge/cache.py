"""Phase http_request_cache_settings and the cache.

https://developers.cloudflare.com/cache/concepts/default-cache-behavior/ and
https://developers.cloudflare.com/cache/how-to/cache-rules/settings/
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from rehearsal.twins.edge.exchange import Answer, Exchange
from rehearsal.twins.rules import compile_filter, extension
from rehearsal.twins.zone import Rule

_EXTENSION_LIST = """
    7z apk avi avif bin bmp bz2 class css csv dmg doc docx ejs eot eps exe flac gif gz ico iso jar jpeg jpg js mid midi
    mkv mp3 mp4 ogg otf pdf pict pls png ppt pptx ps rar svg svgz swf tar tif tiff ttf webm webp woff woff2 xls xlsx
    zip zst
"""
_EXTENSIONS = frozenset(_EXTENSION_LIST.split())
_MINUTE = 60
_DEFAULT_SECONDS = {
    **dict.fromkeys((200, 206, 301), 120 * _MINUTE),
    **dict.fromkeys((302, 303), 20 * _MINUTE),
    **dict.fromkeys((404, 410), 3 * _MINUTE),
}
_FORBIDDING = ("private", "no-store", "no-cache")
_ALLOWS_AUTHORIZED = ("public", "s-maxage", "must-revalidate")  # RFC 9111 section 3.5
_ERRORS_FROM = 400
CONDITIONAL = ("if-none-match", "if-modified-since", "range", "if-range", "if-match", "if-unmodified-since")


@dataclass(frozen=True)
class Policy:
    """What the zone and its cache rules say of one request; times in seconds, None leaves it to the origin."""

    eligible: bool
    edge_seconds: int | None = None
    browser_seconds: int | None = None
    origin_must_ask: bool = False  # bypass_by_default: cached only when the origin's headers say so
    least_browser_seconds: int = 0  # zone setting browser_cache_ttl: raises what the origin says; 0 leaves it


def policy(rules: Iterable[Rule], exchange: Exchange, browser_cache_ttl: int) -> Policy:
    """By file extension, then by every rule that matches: the last one wins, setting by setting."""
    request = exchange.request
    by_default = extension(request.path) in _EXTENSIONS or request.path == "/robots.txt"
    found = Policy(by_default, least_browser_seconds=browser_cache_ttl)
    for rule in rules:
        if compile_filter(rule.expression)(exchange.fields):
            found = _with(found, rule)
    return replace(found, eligible=found.eligible and request.method in ("GET", "HEAD"))


def _with(found: Policy, rule: Rule) -> Policy:
    parameters = rule.parameters
    if parameters.get("cache") is not None:
        found = replace(found, eligible=bool(parameters["cache"]))
    edge, browser = parameters.get("edgeTtl"), parameters.get("browserTtl")
    if edge:
        seconds = int(edge["default"]) if edge["mode"] == "override_origin" else None
        found = replace(found, edge_seconds=seconds, origin_must_ask=edge["mode"] == "bypass_by_default")
    if browser:
        overriding = {"override_origin": int(browser.get("default") or 0), "bypass": 0}
        found = replace(found, browser_seconds=overriding.get(browser["mode"]), least_browser_seconds=0)
    return found


@dataclass(frozen=True)
class _Stored:
    answer: Answer
    since: float
    until: float


class Cache:
    """Answers by address; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._stored: dict[tuple[str, str, str, str], _Stored] = {}

    def find(self, exchange: Exchange) -> Answer | None:
        """The stored answer while it is fresh, with its age."""
        with self._lock:
            stored = self._stored.get(_key(exchange))
        now = self._clock()
        if stored is None or now >= stored.until:
            return None
        return stored.answer.having(("cf-cache-status", "HIT"), ("age", str(int(now - stored.since))))

    def take(self, exchange: Exchange, answer: Answer, rules: Policy) -> Answer:
        """Store the origin's `answer` if it may be, and tell in cf-cache-status what was done."""
        seconds = _seconds(exchange, answer, rules)
        if not seconds:
            return answer.having(("cf-cache-status", "BYPASS"))
        if rules.edge_seconds is not None:
            answer = answer.lacking("set-cookie")  # an override stores the answer, never somebody's cookie
        answer = _for_browsers(answer, rules)
        now = self._clock()
        with self._lock:
            expired = _key(exchange) in self._stored
            self._stored[_key(exchange)] = _Stored(answer, now, now + seconds)
        return answer.having(("cf-cache-status", "EXPIRED" if expired else "MISS"))


def _key(exchange: Exchange) -> tuple[str, str, str, str]:
    request = exchange.request
    return request.header("origin"), request.scheme, request.host, exchange.target


def _seconds(exchange: Exchange, answer: Answer, rules: Policy) -> int:
    """How long the edge may keep the answer; 0 is not at all."""
    default = _DEFAULT_SECONDS.get(answer.status, 0)
    if rules.edge_seconds is not None and answer.status < _ERRORS_FROM:
        return rules.edge_seconds if default else 0
    directives = _directives(answer)
    authorized = bool(exchange.request.header("authorization"))
    if authorized and not any(name in directives for name in _ALLOWS_AUTHORIZED):
        return 0
    if answer.value("set-cookie") is not None or any(name in directives for name in _FORBIDDING):
        return 0
    told = _told_seconds(answer, directives)
    if told is not None:
        return told
    return 0 if rules.origin_must_ask else default


def _told_seconds(answer: Answer, directives: dict[str, str]) -> int | None:
    for name in ("s-maxage", "max-age"):
        if directives.get(name, "").isdecimal():
            return int(directives[name])
    expires = answer.value("expires")
    if expires is None:
        return None
    try:
        return max(0, int((parsedate_to_datetime(expires) - datetime.now(UTC)).total_seconds()))
    except (TypeError, ValueError):
        return 0  # RFC 9111 section 5.3: an invalid date is in the past


def _directives(answer: Answer) -> dict[str, str]:
    header = ", ".join(value for name, value in answer.headers if name == "cache-control").lower()
    pairs = (part.strip().partition("=") for part in header.split(","))
    return {name: value.strip('"') for name, _, value in pairs if name}


def _for_browsers(answer: Answer, rules: Policy) -> Answer:
    """The Cache-Control that browsers get of a cached answer.

    https://developers.cloudflare.com/cache/how-to/edge-browser-cache-ttl/
    """
    if rules.browser_seconds is not None:
        return answer.lacking("expires").having(("cache-control", f"max-age={rules.browser_seconds}"))
    directives = _directives(answer)
    told = _told_seconds(answer, {name: value for name, value in directives.items() if name != "s-maxage"})
    if not rules.least_browser_seconds or (told is not None and told >= rules.least_browser_seconds):
        return answer
    others = [f"{name}={value}" if value else name for name, value in directives.items() if name != "max-age"]
    raised = ", ".join([*others, f"max-age={rules.least_browser_seconds}"])
    return answer.lacking("expires").having(("cache-control", raised))
