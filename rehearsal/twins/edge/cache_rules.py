"""Phase http_request_cache_settings: what may be kept, for how long, and what browsers are told.

https://developers.cloudflare.com/cache/concepts/default-cache-behavior/ and
https://developers.cloudflare.com/cache/how-to/cache-rules/settings/
"""

import mimetypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from rehearsal.twins.edge.exchange import Answer
from rehearsal.twins.rules import Request, extension
from rehearsal.twins.zone import Rule

PHASE = "http_request_cache_settings"
CONDITIONAL = ("if-none-match", "if-modified-since", "range", "if-range", "if-match", "if-unmodified-since")
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
_ANY_FILE = "application/octet-stream"
_PICTURES = ("image", "video")  # taken for one another: .jpg as image/webp, .gif as video/webm


@dataclass(frozen=True)
class Policy:
    """What the zone and its cache rules say of one request; times in seconds, None leaves it to the origin."""

    eligible: bool
    edge_seconds: int | None = None
    browser_seconds: int | None = None
    origin_must_ask: bool = False  # bypass_by_default: cached only when the origin's headers say so
    least_browser_seconds: int = 0  # zone setting browser_cache_ttl: raises what the origin says; 0 leaves it
    by_status: tuple[Mapping[str, Any], ...] = ()
    armored: bool = False  # Cache Deception Armor
    sorted_query: bool = False  # whether the order of arguments is no difference


def policy(matching: Iterable[Rule], request: Request, browser_cache_ttl: int) -> Policy:
    """By file extension, then by every rule that matches: the last one wins, setting by setting."""
    by_default = extension(request.path) in _EXTENSIONS or request.path == "/robots.txt"
    found = Policy(by_default, least_browser_seconds=browser_cache_ttl)
    for rule in matching:
        found = _with(found, rule)
    return replace(found, eligible=found.eligible and request.method in ("GET", "HEAD"))


def _with(found: Policy, rule: Rule) -> Policy:
    parameters = rule.parameters
    if parameters.get("cache") is not None:
        found = replace(found, eligible=bool(parameters["cache"]))
    edge, browser, key = (parameters.get(name) or {} for name in ("edgeTtl", "browserTtl", "cacheKey"))
    if edge:
        seconds = int(edge["default"]) if edge["mode"] == "override_origin" else None
        found = replace(found, edge_seconds=seconds, origin_must_ask=edge["mode"] == "bypass_by_default")
        found = replace(found, by_status=tuple(edge.get("statusCodeTtls") or edge.get("statusCodeTtl") or ()))
    if browser:
        overriding = {"override_origin": int(browser.get("default") or 0), "bypass": 0}
        found = replace(found, browser_seconds=overriding.get(browser["mode"]), least_browser_seconds=0)
    if key.get("cacheDeceptionArmor") is not None:
        found = replace(found, armored=bool(key["cacheDeceptionArmor"]))
    if key.get("ignoreQueryStringsOrder") is not None:
        found = replace(found, sorted_query=bool(key["ignoreQueryStringsOrder"]))
    return found


def edge_seconds(request: Request, answer: Answer, rules: Policy) -> int:
    """How long the edge may keep the origin's answer; 0 is not at all."""
    default = _DEFAULT_SECONDS.get(answer.status, 0)
    status_seconds = _status_seconds(answer.status, rules)
    if status_seconds is not None:
        return max(0, status_seconds)
    if rules.edge_seconds is not None and answer.status < _ERRORS_FROM:
        return rules.edge_seconds if default else 0
    directives = directives_of(answer)
    if request.header("authorization") and not any(name in directives for name in _ALLOWS_AUTHORIZED):
        return 0
    if answer.value("set-cookie") is not None or any(name in directives for name in _FORBIDDING):
        return 0
    told = _told_seconds(answer, directives)
    if told is not None:
        return told
    return 0 if rules.origin_must_ask or (rules.armored and _deceives(request, answer)) else default


def _status_seconds(status: int, rules: Policy) -> int | None:
    """https://developers.cloudflare.com/cache/how-to/configure-cache-status-code/."""
    for entry in rules.by_status:
        span = entry.get("statusCodeRange") or {"from": entry.get("statusCode"), "to": entry.get("statusCode")}
        if int(span.get("from") or 0) <= status <= int(span.get("to") or 999):
            return int(entry["value"])
    return None


def _deceives(request: Request, answer: Answer) -> bool:
    """Whether a file's name promises another kind of content than the answer has.

    https://developers.cloudflare.com/cache/cache-security/cache-deception-armor/
    """
    promised, _ = mimetypes.guess_type(request.path)
    served = (answer.value("content-type") or "").partition(";")[0].strip().lower()
    if promised is None or not served or served == _ANY_FILE:
        return False
    families = {promised.partition("/")[0], served.partition("/")[0]}
    return promised != served and not families <= set(_PICTURES) and not _are_scripts(promised, served)


def _are_scripts(*kinds: str) -> bool:
    return all(kind.endswith("javascript") for kind in kinds)


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


def directives_of(answer: Answer) -> dict[str, str]:
    """The Cache-Control of an answer: names in lower case, values without quotes."""
    header = ", ".join(value for name, value in answer.headers if name == "cache-control").lower()
    pairs = (part.strip().partition("=") for part in header.split(","))
    return {name: value.strip('"') for name, _, value in pairs if name}


def for_browsers(answer: Answer, rules: Policy) -> Answer:
    """The answer with the Cache-Control that browsers get of what the edge keeps.

    https://developers.cloudflare.com/cache/how-to/edge-browser-cache-ttl/
    """
    if rules.browser_seconds is not None:
        return answer.lacking("expires").having(("cache-control", f"max-age={rules.browser_seconds}"))
    directives = directives_of(answer)
    told = _told_seconds(answer, {name: value for name, value in directives.items() if name != "s-maxage"})
    if not rules.least_browser_seconds or (told is not None and told >= rules.least_browser_seconds):
        return answer
    others = [f"{name}={value}" if value else name for name, value in directives.items() if name != "max-age"]
    raised = ", ".join([*others, f"max-age={rules.least_browser_seconds}"])
    return answer.lacking("expires").having(("cache-control", raised))
