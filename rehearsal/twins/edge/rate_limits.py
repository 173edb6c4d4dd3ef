"""Phase http_ratelimit.

https://developers.cloudflare.com/waf/rate-limiting-rules/
"""

import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from rehearsal.twins.edge.exchange import Answer, Exchange
from rehearsal.twins.edge.firewall import ended
from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.rules import compile_filter, uses
from rehearsal.twins.zone import Rule, Zone

PHASE = "http_ratelimit"
_LIMITED = 429
_TITLE = "Access denied | You are being rate limited"
_KEYED = re.compile(r'(http\.request\.(?:headers|cookies|uri\.args))\["([^"]*)"\]')
_PLAIN = ("ip.src", "http.host", "http.request.uri.path", "ip.src.country", "ip.src.asnum", "http.request.body.size")
_VISITOR = "cf.unique_visitor_id"  # addresses with NAT told apart; here every visitor has an address of its own
_Key = tuple[str, str, tuple[str, ...]]


@dataclass
class _Counter:
    """Requests of the last period, and until when more are refused."""

    seen: deque[float] = field(default_factory=deque)
    until: float = float("-inf")


class RateLimits:
    """Counters of the rules, one for each rule and combination of its characteristics; `clock` gives seconds.

    A rule counts over a sliding window. The request that exceeds it is the first to be refused, and the client then
    stays refused for the rule's mitigation time.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counters: dict[_Key, _Counter] = {}

    def check(self, passage: Passage) -> Answer | None:
        """Count the request for every rule that it matches; the answer of the first that refuses it."""
        for rule in passage.matching(PHASE):
            remaining = self._remaining(rule, _key(passage.zone, rule, passage.exchange), passage.exchange)
            if remaining is None:
                continue
            passage.log(PHASE, rule)
            if rule.action != "log":
                return ended(rule, _LIMITED, ("retry-after", str(max(1, round(remaining)))), title=_TITLE)
        return None

    def answered(self, passage: Passage, status: int) -> None:
        """Count an answer for the rules whose counting expression asks for what the response is."""
        fields = {**passage.exchange.fields, "http.response.code": status}
        for rule in passage.zone.rulesets(PHASE):
            counting = _counting(rule)
            if _after_the_response(counting) and compile_filter(counting)(fields):
                with self._lock:
                    self._count(rule, self._counter(_key(passage.zone, rule, passage.exchange)))

    def _remaining(self, rule: Rule, key: _Key, exchange: Exchange) -> float | None:
        """Seconds for which the client stays refused, or None while it is not."""
        counting, limit = _counting(rule), int(rule.ratelimit["requestsPerPeriod"])
        with self._lock:
            counter, now = self._counter(key), self._clock()
            if counter.until > now:
                return counter.until - now
            if not _after_the_response(counting) and compile_filter(counting)(exchange.fields):
                self._count(rule, counter)
            self._forget(rule, counter, now)
            if len(counter.seen) <= limit:
                return None
            period = float(rule.ratelimit["period"])
            mitigation = float(rule.ratelimit.get("mitigationTimeout", period))
            if not mitigation:  # throttling: what is over the rate is refused and not counted
                counter.seen.pop()
                return counter.seen[0] + period - now
            counter.seen.clear()
            counter.until = now + mitigation
            return mitigation

    def _counter(self, key: _Key) -> _Counter:
        return self._counters.setdefault(key, _Counter())

    def _count(self, rule: Rule, counter: _Counter) -> None:
        now = self._clock()
        self._forget(rule, counter, now)
        counter.seen.append(now)

    def _forget(self, rule: Rule, counter: _Counter, now: float) -> None:
        while counter.seen and counter.seen[0] <= now - float(rule.ratelimit["period"]):
            counter.seen.popleft()


def _counting(rule: Rule) -> str:
    return str(rule.ratelimit.get("countingExpression") or rule.expression)


def _after_the_response(expression: str) -> bool:
    return any(name.startswith(("http.response.", "cf.response.")) for name in uses(expression).fields)


def _key(zone: Zone, rule: Rule, exchange: Exchange) -> _Key:
    characteristics = sorted(rule.ratelimit.get("characteristics") or ())
    return zone.name, rule.ref, tuple(_value(name, exchange) for name in characteristics)


def _value(characteristic: str, exchange: Exchange) -> str:
    if characteristic == _VISITOR:
        return exchange.request.client
    keyed = _KEYED.fullmatch(characteristic)
    if keyed is not None:
        return "\n".join(exchange.fields[keyed[1]].get(keyed[2], ()))
    return str(exchange.fields[characteristic]) if characteristic in _PLAIN else ""  # one data centre: cf.colo.id
