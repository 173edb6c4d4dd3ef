"""Phases http_request_firewall_custom and http_request_firewall_managed.

https://developers.cloudflare.com/waf/custom-rules/ and https://developers.cloudflare.com/waf/managed-rules/
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import unquote_plus

from rehearsal.twins.edge.exchange import Answer, Exchange, page
from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.zone import Rule
from rehearsal.twins.zone.rulesets import CHALLENGES

CUSTOM, MANAGED = "http_request_firewall_custom", "http_request_firewall_managed"
_BLOCKED = 403
# A managed ruleset's signatures are Cloudflare's own; here each stops requests that carry one of its markers, and
# nothing else. The lookup of CVE-2021-44228 is one that Cloudflare's rulesets really know, on every plan:
# https://developers.cloudflare.com/waf/change-log/historical-2021/
_LOG4SHELL = "${jndi:"
MARKERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "77454fe2d30c4220b5701f6fdfb893ba": ("launch-ready-waf-free", _LOG4SHELL),
        "efb7b8c949ac4650a09736fc376e9aee": ("launch-ready-waf-cloudflare", _LOG4SHELL),
        "4814384a9e5d4991b9815dcfc25d2f1f": ("launch-ready-waf-owasp",),
    }
)


def custom(passage: Passage) -> Answer | None:
    """The answer of the first rule that ends the request; one before it may skip phases, products and later rules.

    https://developers.cloudflare.com/waf/custom-rules/skip/options/
    """
    for rule in passage.matching(CUSTOM):
        if rule.action != "skip":
            passage.log(CUSTOM, rule)
            if rule.action != "log":
                return ended(rule, _BLOCKED)
            continue
        if rule.logging:
            passage.log(CUSTOM, rule)
        passage.skipped.update(rule.parameters.get("phases") or ())
        passage.skipped.update(rule.parameters.get("products") or ())
        if "current" in (rule.parameters.get("ruleset"), rule.parameters.get("phase")):
            break
    return None


def under_attack(passage: Passage) -> Answer | None:
    """A challenge for everybody while the security level is under_attack.

    https://developers.cloudflare.com/fundamentals/reference/under-attack-mode/
    """
    return challenge() if passage.setting("security_level") == "under_attack" else None


def managed(passage: Passage) -> Answer | None:
    """The answer of the first managed ruleset one of whose markers the request carries, or None."""
    excepted: set[str] = set()
    for rule in passage.matching(MANAGED):
        if rule.action == "skip":  # an exception: https://developers.cloudflare.com/waf/managed-rules/waf-exceptions/
            if rule.logging:
                passage.log(MANAGED, rule)
            if rule.parameters.get("ruleset") == "current":
                break
            excepted.update(rule.parameters.get("rulesets") or ())
            continue
        action = _action(rule, passage.exchange) if rule.parameters["id"] not in excepted else None
        if action is not None:
            passage.log(MANAGED, rule)
        if action not in (None, "log"):
            return challenge() if action in CHALLENGES else ended(rule, _BLOCKED)
    return None


def _action(rule: Rule, exchange: Exchange) -> str | None:
    """What the ruleset that `rule` executes does with the request; None where it finds nothing."""
    overrides = rule.parameters.get("overrides") or {}
    markers = MARKERS.get(str(rule.parameters["id"]), ())
    if overrides.get("enabled") is False or not any(_carries(exchange, marker) for marker in markers):
        return None
    return str(overrides.get("action") or "block")


def _carries(exchange: Exchange, marker: str) -> bool:
    values = [value for _, value in exchange.request.headers]
    texts = (unquote_plus(exchange.sent), *values, exchange.body.decode("latin-1"))
    return any(marker in text for text in texts)


def ended(rule: Rule, status: int, *headers: tuple[str, str], title: str = "Sorry, you have been blocked") -> Answer:
    """What the visitor gets whose request `rule` ends."""
    if rule.action in CHALLENGES:
        return challenge()
    own = rule.parameters.get("response")
    if own:
        content_type = ("content-type", str(own["contentType"]))
        return Answer(int(own.get("statusCode") or status), (content_type, *headers), str(own["content"]).encode())
    return page(status, title, *headers)


def challenge() -> Answer:
    """A challenge; nobody here can pass it."""
    return page(_BLOCKED, "Just a moment...", ("cf-mitigated", "challenge"))
