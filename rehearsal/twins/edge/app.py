"""The edge as an ASGI application: from what came over the wire to an exchange, and from the answer back."""

import ipaddress
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from rehearsal.twins.edge.access import Access
from rehearsal.twins.edge.exchange import Answer, Exchange, failure, page
from rehearsal.twins.edge.normalise import normalised
from rehearsal.twins.edge.origins import OriginFetch, Origins
from rehearsal.twins.edge.passage import Passage, SecurityEvent
from rehearsal.twins.edge.phases import Phases
from rehearsal.twins.edge.responses import finished
from rehearsal.twins.edge.upstream import Upstream
from rehearsal.twins.rules import Request
from rehearsal.twins.zone import Zone, ZoneTwin

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
CLIENT_HEADER = "x-rehearsal-client"  # stands for where the connection comes from; nothing behind the edge sees it
_MOST_BODY_OCTETS = 100 * 1024 * 1024  # of a request, on the free and pro plans
_REFUSED_METHODS = ("TRACE", "TRACK")  # never reach an origin
_MOST_EVENTS = 10_000
_COLO = "LCL"


class EdgeApp:
    """The edge for the hosts of every zone of `account`; `clock` gives the seconds that whatever ends goes by."""

    def __init__(self, account: ZoneTwin, origins: Origins, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self.events: deque[SecurityEvent] = deque(maxlen=_MOST_EVENTS)
        self.access = Access(clock)
        self._phases = Phases(account, self.access, clock)
        self._upstream = Upstream(OriginFetch(origins), clock)

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
        await self._upstream.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        zone = self._account.zone_for(_host(scope))
        answer = await self._answered(scope, body, zone)
        headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _answered(self, scope: Scope, body: bytes | None, zone: Zone | None) -> Answer:
        if zone is None or not zone.is_proxied(_host(scope)):
            return failure(409, "1001").having(("server", "cloudflare"))  # DNS resolution error: no host of ours
        try:
            exchange = _exchange(scope, body or b"", zone)
        except ValueError as error:
            return page(400, str(error))
        passage = Passage(zone=zone, exchange=exchange, record=self.events.append)
        if exchange.request.method in _REFUSED_METHODS:
            return finished(page(405, "Method Not Allowed"), passage)
        if body is None:
            return finished(page(413, "Payload Too Large"), passage)
        answer = self._phases.answer(passage) or await self._upstream.answer(passage)
        self._phases.answered(passage, answer)
        return finished(answer, passage)


def _exchange(scope: Scope, body: bytes, zone: Zone) -> Exchange:
    """The request with its path as rules and origin see it; ValueError where the client's address is none."""
    received = [(name.decode().lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    headers = tuple((name, value) for name, value in received if name != CLIENT_HEADER)
    client = next((value for name, value in received if name == CLIENT_HEADER), scope["client"][0])
    raw_path = scope["raw_path"].decode("latin-1").partition("?")[0]
    kind, where = zone.url_normalization
    path = raw_path if where == "none" else normalised(raw_path, kind)
    request = Request(
        method=scope["method"],
        scheme=scope["scheme"],
        host=_host(scope),
        path=path,
        raw_path=raw_path,
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        client=str(ipaddress.ip_address(client)),
        version=f"HTTP/{scope['http_version']}",
        body=body,
        ray=f"{secrets.token_hex(8)}-{_COLO}",
        zone=zone.name,
    )
    exchange = Exchange.of(request, body, _authority(scope))
    return exchange.at(path, request.query) if where == "both" else exchange


def _authority(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"), "")


def _host(scope: Scope) -> str:
    return _authority(scope).partition(":")[0].lower().rstrip(".")


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
