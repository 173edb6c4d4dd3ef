"""The ASGI application: the API under /v1, the hosted payment page under /c/pay, the list of webhook addresses."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from rehearsal.twins.stripe import addresses, page
from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.service import HttpRequest, HttpResponse, Service

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

LARGEST_BODY = 1_000_000
TOO_LARGE = HttpResponse(413, {"content-type": "text/plain"}, b"request body too large")


class App:
    """Serves one account."""

    def __init__(self, account: Account, service: Service) -> None:
        self._account = account
        self._service = service

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """ASGI 3 entry point."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            body = await _body(receive)
            response = TOO_LARGE
            if body is not None:
                response = await asyncio.to_thread(self._respond, _request(scope, body))
            await _reply(send, response)

    def _respond(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(page.PREFIX):
            return page.serve(self._account, request)
        if request.path == addresses.PATH:
            return addresses.serve(request)
        return self._service.answer(request)


def _request(scope: Message, body: bytes) -> HttpRequest:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return HttpRequest(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, body)


async def _body(receive: Receive) -> bytes | None:
    """The request body, None if it is larger than we read."""
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        size += len(message.get("body", b""))
        if size <= LARGEST_BODY:
            chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(chunks) if size <= LARGEST_BODY else None


async def _reply(send: Send, response: HttpResponse) -> None:
    headers = {**response.headers, "content-length": str(len(response.body))}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": pairs})
    await send({"type": "http.response.body", "body": response.body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
