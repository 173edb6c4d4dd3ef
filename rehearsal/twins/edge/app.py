"""A request's way through the edge: Cloudflare's phases in their documented order, as an ASGI application.

https://developers.cloudflare.com/ruleset-engine/reference/phases-list/
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from rehearsal.twins.edge import cache, firewall, redirects
from rehearsal.twins.edge.cache import Cache
from rehearsal.twins.edge.exchange import Answer, Exchange, failure, page
from rehearsal.twins.edge.firewall import RATE_PHASE, RateLimits
from rehearsal.twins.edge.normalise import normalise
from rehearsal.twins.edge.origins import OriginFetch, Origins
from rehearsal.twins.edge.responses import finished
from rehearsal.twins.rules import Request
from rehearsal.twins.zone import ZoneTwin

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
_MOST_BODY_OCTETS = 100 * 1024 * 1024  # of a request, on the free and pro plans
_COLO = "LCL"


class EdgeApp:
    """The edge for the hosts of `zone`; `clock` gives the seconds that rate limits and the cache go by."""

    def __init__(self, zone: ZoneTwin, origins: Origins, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._zone = zone
        self._origins = OriginFetch(origins)
        self._limits = RateLimits(clock)
        self._cache = Cache(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI scope."""
        match scope["type"]:
            case "lifespan":
                await self._live(receive, send)
            case "websocket":
                await send({"type": "websocket.close"})  # nothing here speaks it
            case "http":
                await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._origins.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        exchange = self._exchange(scope, body or b"")
        if not self._zone.is_proxied(exchange.request.host):
            answer = failure(409, "1001")  # DNS resolution error: no host of ours
        else:
            answer = page(413, "Payload Too Large") if body is None else await self.handle(exchange)
            header_rules = self._zone.rulesets("http_response_headers_transform")
            answer = finished(answer, exchange, self._zone.setting("security_header"), header_rules)
        headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        shown = b"" if exchange.request.method == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": shown})

    def _exchange(self, scope: Scope, body: bytes) -> Exchange:
        headers = tuple((name.decode().lower(), value.decode("latin-1")) for name, value in scope["headers"])
        authority = next((value for name, value in headers if name == "host"), "")
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        request = Request(
            method=scope["method"],
            scheme=scope["scheme"],
            host=authority.partition(":")[0].lower().rstrip("."),
            path=normalise(path),
            raw_path=path,
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            client=scope["client"][0],
            version=f"HTTP/{scope['http_version']}",
            body_size=len(body),
            ray=f"{secrets.token_hex(8)}-{_COLO}",
        )
        return Exchange(request=request, body=body, authority=authority, fields=request.fields())

    async def handle(self, exchange: Exchange) -> Answer:
        """Settings of the scheme, redirects, firewall, rate limits, then cache and origin."""
        answer = self._by_scheme(exchange)
        if answer is None:
            answer = redirects.redirect(self._zone.rulesets("http_request_dynamic_redirect"), exchange)
        if answer is None:
            answer, skipped = firewall.custom(self._zone.rulesets("http_request_firewall_custom"), exchange)
            if answer is None and RATE_PHASE not in skipped:
                answer = self._limits.check(self._zone.rulesets(RATE_PHASE), exchange)
        return answer or await self._from_cache_or_origin(exchange)

    def _by_scheme(self, exchange: Exchange) -> Answer | None:
        scheme = exchange.request.scheme
        if scheme == "http" and self._zone.setting("always_use_https") == "on":
            return redirects.to_scheme(exchange, "https")
        if scheme == "https" and self._zone.setting("ssl") == "off":
            return redirects.to_scheme(exchange, "http")
        return None

    async def _from_cache_or_origin(self, exchange: Exchange) -> Answer:
        mode, method = self._zone.setting("ssl"), exchange.request.method
        cache_rules = self._zone.rulesets("http_request_cache_settings")
        rules = cache.policy(cache_rules, exchange, int(self._zone.setting("browser_cache_ttl")))
        if not rules.eligible:
            answer = await self._origins.fetch(exchange, mode, method)
            return answer if answer.from_edge else answer.having(("cf-cache-status", "DYNAMIC"))
        stored = self._cache.find(exchange)
        if stored is not None:
            return stored
        # A cacheable answer is fetched whole, whatever part of it or condition the client asked for.
        answer = await self._origins.fetch(exchange, mode, "GET", cache.CONDITIONAL)
        return answer if answer.from_edge else self._cache.take(exchange, answer, rules)


async def _body(receive: Receive) -> bytes | None:
    """The request's body, or None when it is larger than the edge takes."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        part = message.get("body", b"")
        size += len(part)
        if size > _MOST_BODY_OCTETS:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
