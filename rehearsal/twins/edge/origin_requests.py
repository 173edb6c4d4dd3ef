"""A request as an origin gets it, and what is made of its answer or of its silence."""

import ssl

import httpx

from rehearsal.twins.edge.exchange import Answer, Exchange, Headers, failure, without

CONNECT_SECONDS, READ_SECONDS = 19.0, 100.0  # Cloudflare's; after them 522 and 524
_HOP_BY_HOP = (
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
)
_OWN = ("cf-connecting-ip", "cf-ipcountry", "cf-ray", "cf-visitor", "cdn-loop", "x-forwarded-proto")


def origin_request(
    exchange: Exchange, base: str, method: str, omitted: tuple[str, ...], conditions: Headers
) -> httpx.Request:
    """The request to the origin at `base`: without the `omitted` headers, with `conditions` and the edge's own."""
    request = exchange.request
    headers = without(exchange.headers, (*_HOP_BY_HOP, *_OWN, *omitted, "host", "x-forwarded-for"))
    added = (
        ("host", exchange.authority),
        ("cdn-loop", "cloudflare; loops=1"),
        ("cf-ipcountry", exchange.fields["ip.src.country"]),
        ("cf-ray", request.ray),
        ("cf-visitor", f'{{"scheme":"{request.scheme}"}}'),
        ("x-forwarded-proto", request.scheme),
        *_client_headers(exchange),
        *conditions,
    )
    timeout = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS, "pool": CONNECT_SECONDS}
    return httpx.Request(
        method,
        base,
        headers=[(name.encode(), value.encode("latin-1")) for name, value in (*added, *headers)],
        content=exchange.body,
        extensions={
            "sni_hostname": request.host,
            "target": exchange.sent.encode("latin-1"),  # as it came: httpx would normalise it
            "timeout": timeout,
        },
    )


def _client_headers(exchange: Exchange) -> Headers:
    if not exchange.names_client:
        return ()
    client, before = exchange.request.client, exchange.request.header("x-forwarded-for")
    forwarded = f"{before}, {client}" if before else client
    return ("cf-connecting-ip", client), ("x-forwarded-for", forwarded)


async def sent(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> Answer:
    """The origin's whole answer; raises httpx.TransportError, or ssl.SSLError where TLS ends in the middle of it."""
    response = await transport.handle_async_request(request)
    try:
        body = b"".join([chunk async for chunk in response.aiter_raw()])
    finally:
        await response.aclose()
    return Answer(response.status_code, _headers(response, body, request.method), body, from_edge=False)


def _headers(response: httpx.Response, body: bytes, method: str) -> Headers:
    raw = tuple((name.decode().lower(), value.decode("latin-1")) for name, value in response.headers.raw)
    headers = without(raw, (*_HOP_BY_HOP, "server"))
    has_length = any(name == "content-length" for name, _ in headers)
    if has_length or method == "HEAD" or response.status_code in (204, 304):
        return headers
    return (*headers, ("content-length", str(len(body))))


def failed(error: httpx.TransportError | ssl.SSLError) -> Answer:
    """https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return failure(526, "526")
        if isinstance(cause, ssl.SSLError):
            return failure(525, "525")
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx.ConnectTimeout():
            return failure(522, "522")
        case httpx.ConnectError():
            return failure(521, "521")
        case httpx.TimeoutException():
            return failure(524, "524")
        case _:
            return failure(520, "520")
