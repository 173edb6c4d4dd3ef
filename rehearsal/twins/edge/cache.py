"""The edge's cache: answers by address, each fresh for its time and then asked about again.

https://developers.cloudflare.com/cache/concepts/cache-responses/ names the values of cf-cache-status.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.twins.edge.cache_rules import Policy, edge_seconds, for_browsers
from rehearsal.twins.edge.exchange import Answer, Exchange, Headers

_Key = tuple[str, str, str, str]
_VALIDATORS = (("etag", "if-none-match"), ("last-modified", "if-modified-since"))
_NOT_MODIFIED = 304


@dataclass(frozen=True)
class _Kept:
    answer: Answer
    since: float
    until: float


@dataclass(frozen=True)
class Found:
    """What the cache has for a request at a moment."""

    key: _Key
    kept: _Kept | None
    now: float

    @property
    def is_fresh(self) -> bool:
        """Whether it can be served as it is."""
        return self.kept is not None and self.now < self.kept.until

    @property
    def conditions(self) -> Headers:
        """The request headers that ask the origin whether what is kept is still good (RFC 9111 section 4.3.1)."""
        kept = self.kept.answer if self.kept is not None else Answer(0)
        found = ((asking, kept.value(name)) for name, asking in _VALIDATORS)
        return tuple((asking, value) for asking, value in found if value is not None)

    def answer_to(self, exchange: Exchange) -> Answer:
        """The fresh answer with its age; 304 where the visitor has it already."""
        assert self.kept is not None
        shown = (("cf-cache-status", "HIT"), ("age", str(int(self.now - self.kept.since))))
        return _for_visitor(self.kept.answer, exchange).having(*shown)


class Cache:
    """Keeps answers of every zone; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[_Key, _Kept] = {}

    def find(self, exchange: Exchange, rules: Policy) -> Found:
        """What is kept for the request, fresh or not."""
        key = _key(exchange, rules)
        with self._lock:
            return Found(key, self._kept.get(key), self._clock())

    def take(self, exchange: Exchange, answer: Answer, rules: Policy, found: Found) -> Answer:
        """Keep the origin's `answer` if it may be, and tell in cf-cache-status what was done."""
        status = "MISS" if found.kept is None else "EXPIRED"
        if found.kept is not None and answer.status == _NOT_MODIFIED:
            answer, status = found.kept.answer.having(*answer.lacking("content-length").headers), "REVALIDATED"
        seconds = edge_seconds(exchange.request, answer, rules)
        if not seconds:
            with self._lock:
                self._kept.pop(found.key, None)
            return answer.having(("cf-cache-status", "BYPASS"))
        if rules.edge_seconds is not None:
            answer = answer.lacking("set-cookie")  # an override keeps the answer, never somebody's cookie
        answer, now = for_browsers(answer, rules), self._clock()
        with self._lock:
            self._kept[found.key] = _Kept(answer, now, now + seconds)
        return _for_visitor(answer, exchange).having(("cf-cache-status", status))


def _key(exchange: Exchange, rules: Policy) -> _Key:
    request = exchange.request
    path, mark, query = exchange.sent.partition("?")
    if rules.sorted_query:
        query = "&".join(sorted(query.split("&")))
    return request.header("origin"), request.scheme, request.host, f"{path}{mark}{query}"


def _for_visitor(answer: Answer, exchange: Exchange) -> Answer:
    """304 without a body where the visitor's If-None-Match names the answer (RFC 9110 section 13.1.2)."""
    etag, asked = answer.value("etag"), exchange.request.header("if-none-match")
    known = {one.strip().removeprefix("W/") for one in asked.split(",")}
    if answer.status == 200 and etag is not None and etag.removeprefix("W/") in known:
        return Answer(_NOT_MODIFIED, answer.lacking("content-length", "content-type").headers, from_edge=False)
    return answer
