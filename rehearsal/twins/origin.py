"""The app's origin: a small stand-in for the Next.js app behind the edge, over TLS with a certificate of its own."""

import hashlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.edge import Origin
from rehearsal.twins.server import LOOPBACK, Server

_REVALIDATE = "public, max-age=0, must-revalidate"  # what Next.js hosts answer pages with
_IMMUTABLE = "public, max-age=31536000, immutable"  # what Next.js answers /_next/static/ with
_PRIVATE = "private, no-store"
_NOT_MODIFIED = 304
_SIGNED_IN = "__Host-session=rehearsal"  # the one session that the app knows
_SESSION = f"{_SIGNED_IN}; Path=/; Secure; HttpOnly; SameSite=Lax"
_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
_PAGES = ("/", "/pricing", "/about")
_METHODS = ("GET", "HEAD")
_BROKEN = "/launch-ready-broken"  # a page whose code fails


@dataclass(frozen=True)
class Visit:
    """One request as it reached the origin; header names are lower case."""

    method: str
    scheme: str
    host: str
    target: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class _Page:
    status: int
    content_type: str
    cache_control: str
    body: bytes
    others: tuple[tuple[str, str], ...] = ()


class OriginTwin:
    """Serves `hosts` by TLS, with a certificate that `authority` issued for them, and redirects plain HTTP to it.

    Pages revalidate, `/_next/static/` is immutable; `/auth/`, `/account/`, `/api/` and what somebody signed in sees are
    never stored, `/account/x.css` neither: it is the account's page. What the edge trusts is `trusted`, by default the
    same authority.
    """

    def __init__(
        self, authority: CertificateAuthority, hosts: Iterable[str], *, trusted: CertificateAuthority | None = None
    ) -> None:
        self.hosts = tuple(hosts)
        self._trust = (trusted or authority).trust()
        self._server = Server(self._serve, name="origin", tls=authority.serve(*self.hosts), plain_port=0)
        self._visits: list[Visit] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def start(self) -> Origin:
        """Listen on free ports, and return how the edge reaches them."""
        self._server.start()
        return self.origin

    def stop(self) -> None:
        """Close the ports and every connection."""
        self._server.stop()

    @property
    def origin(self) -> Origin:
        """How the edge reaches it."""
        https, http = f"https://{LOOPBACK}:{self._server.port}", f"http://{LOOPBACK}:{self._server.plain_port}"
        return Origin(https=https, http=http, trust=self._trust)

    def visits(self) -> list[Visit]:
        """Every request so far."""
        with self._lock:
            return list(self._visits)

    async def _serve(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass  # the body says nothing to this app, and must be read all the same
        visit = _visit(scope)
        with self._lock:
            self._visits.append(visit)
        page = _unchanged(visit, _to_https(visit) if scope["scheme"] == "http" else _page(visit, scope["path"]))
        length = [] if page.status == _NOT_MODIFIED else [("content-length", str(len(page.body)))]
        headers = [("content-type", page.content_type), ("cache-control", page.cache_control), *length, *page.others]
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": page.status, "headers": encoded})
        await send({"type": "http.response.body", "body": b"" if visit.method == "HEAD" else page.body})


def _visit(scope: Mapping[str, Any]) -> Visit:
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    return Visit(scope["method"], scope["scheme"], headers.get("host", ""), target, headers)


def _unchanged(visit: Visit, page: _Page) -> _Page:
    """The page with its tag; 304 where the visitor has this very page (RFC 9110 section 13.1.2)."""
    tag = f'"{hashlib.sha256(page.body).hexdigest()[:16]}"'
    tagged = replace(page, others=(("etag", tag), *page.others))
    asked = {one.strip().removeprefix("W/") for one in visit.headers.get("if-none-match", "").split(",")}
    return replace(tagged, status=_NOT_MODIFIED, body=b"") if page.status == 200 and tag in asked else tagged


def _to_https(visit: Visit) -> _Page:
    location = ("location", f"https://{visit.host}{visit.target}")
    return _Page(308, "text/plain; charset=utf-8", _PRIVATE, b"Redirecting...\n", (location,))


def _page(visit: Visit, path: str) -> _Page:
    method = visit.method
    if method not in (*_METHODS, "POST"):
        return replace(_html(405, "Method not allowed", _PRIVATE), others=(("allow", ", ".join(_METHODS)),))
    if path.startswith("/_next/static/"):
        kind = _TYPES.get(path.rpartition(".")[2])
        return (
            _html(404, "Not found", _PRIVATE)
            if kind is None
            else _Page(200, kind, _IMMUTABLE, f"/* {path} */".encode())
        )
    if path.startswith("/auth/"):
        if method == "POST":
            return _json(401, {"error": "invalid_credentials"})
        return _html(200, "Sign in", _PRIVATE, ("set-cookie", _SESSION))
    if path.startswith("/account"):
        return _html(200, "Your account", _PRIVATE)
    if path.startswith("/api/"):
        return _json(200, {"ok": True}) if path == "/api/status" else _json(404, {"error": "not_found"})
    if path == "/robots.txt":
        return _Page(200, "text/plain; charset=utf-8", _REVALIDATE, b"User-agent: *\nAllow: /\n")
    if path == _BROKEN:
        return _html(500, "Something went wrong", _PRIVATE)
    if path not in _PAGES:
        return _html(404, "Not found", _PRIVATE)
    signed_in = _SIGNED_IN in visit.headers.get("cookie", "")
    return _html(200, "Welcome back", _PRIVATE) if signed_in else _html(200, "Welcome", _REVALIDATE)


def _html(status: int, title: str, cache_control: str, *others: tuple[str, str]) -> _Page:
    body = (
        f'<!DOCTYPE html><html lang="en"><title>{title}</title><link rel="stylesheet" href="/_next/static/css/app.css">'
        f'<script src="/_next/static/chunks/main.js" defer></script><h1>{title}</h1></html>\n'
    ).encode()
    return _Page(status, "text/html; charset=utf-8", cache_control, body, others)


def _json(status: int, value: Mapping[str, Any]) -> _Page:
    return _Page(status, "application/json", _PRIVATE, json.dumps(value).encode())
