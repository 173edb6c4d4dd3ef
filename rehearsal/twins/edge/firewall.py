"""Phases http_request_firewall_custom and http_ratelimit.

https://developers.cloudflare.com/waf/custom-rules/ and https://developers.cloudflare.com/waf/rate-limiting-rules/
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from rehearsal.twins.edge.exchange import Answer, Exchange, page
from rehearsal.twins.rules import compile_filter
from rehearsal.twins.zone import Rule
from rehearsal.twins.zone.rulesets import CHALLENGES

_BLOCKED, _LIMITED = 403, 429
RATE_PHASE = "http_ratelimit"


def custom(rules: Iterable[Rule], exchange: Exchange) -> tuple[Answer | None, frozenset[str]]:
    """The answer of the first rule that ends the request, and the phases that a rule before it skips."""
    skipped: set[str] = set()
    for rule in rules:
        if not compile_filter(rule.expression)(exchange.fields):
            continue
        if rule.action == "skip":
            skipped.update(rule.parameters.get("phases") or ())
            if rule.parameters.get("ruleset") == "current":
                break
        elif rule.action != "log":
            return _ended(rule, _BLOCKED), frozenset(skipped)
    return None, frozenset(skipped)


class RateLimits:
    """Counters of the rate limiting rules, one a rule and client address; `clock` gives seconds.

    A rule counts over a sliding window. The request that exceeds it is the first to be refused, and the client then
    stays refused for the rule's mitigation time.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], deque[float]] = {}
        self._until: dict[tuple[str, str], float] = {}

    def check(self, rules: Iterable[Rule], exchange: Exchange) -> Answer | None:
        """Count the request for every rule that matches it; the answer of the first that refuses it."""
        for rule in rules:
            if not compile_filter(rule.expression)(exchange.fields):
                continue
            remaining = self._remaining(rule, exchange.request.client)
            if remaining is not None and rule.action != "log":
                return _ended(rule, _LIMITED, ("retry-after", str(max(1, round(remaining)))))
        return None

    def _remaining(self, rule: Rule, client: str) -> float | None:
        """Seconds for which the client stays refused, or None while it is not."""
        period = float(rule.ratelimit["period"])
        key, now = (rule.ref, client), self._clock()
        with self._lock:
            if self._until.get(key, now) > now:
                return self._until[key] - now
            seen = self._seen.setdefault(key, deque())
            while seen and seen[0] <= now - period:
                seen.popleft()
            seen.append(now)
            if len(seen) <= int(rule.ratelimit["requestsPerPeriod"]):
                return None
            seen.clear()
            mitigation = float(rule.ratelimit.get("mitigationTimeout", period))
            self._until[key] = now + mitigation
            return mitigation


def _ended(rule: Rule, status: int, *headers: tuple[str, str]) -> Answer:
    if rule.action in CHALLENGES:
        return page(_BLOCKED, "Just a moment...", ("cf-mitigated", "challenge"))
    own = rule.parameters.get("response")
    if own:
        content_type = ("content-type", str(own["contentType"]))
        return Answer(int(own.get("statusCode", status)), (content_type, *headers), str(own["content"]).encode())
    title = "Access denied | You are being rate limited" if status == _LIMITED else "Sorry, you have been blocked"
    return page(status, title, *headers)
