"""API Gateway's regional domains: TLS in front of the local AWS, which speaks plain HTTP and enforces no mutual TLS.

A front has the certificate that ACM would have issued, asks for a client certificate where the domain's mutual TLS is
declared, verifies it against the truststore, and passes the bytes on. The real gateway ends the handshake when there
is no certificate and answers 403 to one that it does not trust; a front ends the handshake in both cases.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mutual-tls.html
"""

import contextlib
import selectors
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.edge import Origin
from rehearsal.twins.server import LOOPBACK

_CHUNK = 65536
_HANDSHAKE_SECONDS = 10.0
_FAREWELL_SECONDS = 1.0
_STOP_SECONDS = 0.05  # how soon a front sees that it shall stop


class GatewayFronts:
    """One front for each custom domain; `upstream` is the local AWS ("http://127.0.0.1:4566")."""

    def __init__(self, authority: CertificateAuthority, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (str(parts.hostname), int(parts.port or 80))
        self._authority = authority
        self._trust = authority.trust()  # one for all: the edge keeps its connections by it
        self._fronts: dict[str, _Front] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """A front starts when its domain is declared."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all."""
        self.stop()

    def serve(self, domain: str, truststore: str | None) -> int:
        """Serve `domain` from now on; the port. Connections from before end, so that everybody shakes hands anew.

        `truststore` holds the trusted authorities (PEM); without one every client is taken.
        """
        context = self._context(domain, truststore)
        with self._lock:
            front = self._fronts.get(domain)
            if front is None:
                front = self._fronts[domain] = _Front(self._upstream)
            front.context = context
        front.end_connections()
        return front.port

    def origin(self, domain: str) -> Origin | None:
        """How the edge reaches the domain; None while nobody declared it."""
        with self._lock:
            front = self._fronts.get(domain)
        if front is None:
            return None
        return Origin(https=f"https://{LOOPBACK}:{front.port}", trust=self._trust)

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where each domain is, for one who asks it around the edge."""
        with self._lock:
            return {domain: (LOOPBACK, front.port) for domain, front in self._fronts.items()}

    def trusted(self, domain: str) -> list[Mapping[str, Any]]:
        """The authorities that clients of the domain must be certified by, as the ssl module tells of them."""
        with self._lock:
            return list(self._fronts[domain].context.get_ca_certs())

    def stop(self) -> None:
        """Close the ports and every connection."""
        with self._lock:
            fronts, self._fronts = self._fronts, {}
        for front in fronts.values():
            front.stop()

    def _context(self, domain: str, truststore: str | None) -> ssl.SSLContext:
        context = self._authority.serve(domain)
        context.set_alpn_protocols(["http/1.1"])
        context.sni_callback = lambda _connection, name, _context: (
            None if name == domain else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        )
        if truststore is not None:
            context.load_verify_locations(cadata=truststore)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


class _Front(socketserver.ThreadingTCPServer):
    """Listens on a free port from the beginning; `context` must be set before the first connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    context: ssl.SSLContext

    def __init__(self, upstream: tuple[str, int]) -> None:
        super().__init__((LOOPBACK, 0), _Passage)
        self.upstream = upstream
        self.port: int = self.server_address[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(_STOP_SECONDS,), name="gateway-front", daemon=True).start()

    def stop(self) -> None:
        """Close the port and every connection."""
        self.shutdown()
        self.server_close()
        self.end_connections()

    def end_connections(self) -> None:
        """Close every connection, also one in the middle of a request."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            _end(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """See socketserver; remembers the connection until it is closed."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """See socketserver."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client or the local AWS that breaks off is no error of the front's; anything else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Passage(socketserver.BaseRequestHandler):
    """One connection: the handshake, then bytes both ways until one side ends."""

    request: socket.socket

    def handle(self) -> None:
        """See socketserver."""
        self.request.settimeout(_HANDSHAKE_SECONDS)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The handshake is made on a second handle of the socket: the first one stays to say farewell with.
        front = cast("_Front", self.server)
        try:
            client = front.context.wrap_socket(self.request.dup(), server_side=True)
        except OSError:
            self._say_farewell()
            return
        with client, socket.create_connection(front.upstream) as upstream:
            client.settimeout(None)
            _relay(client, upstream)

    def _say_farewell(self) -> None:
        """Let the alert arrive: to close with something unread would reset the connection and lose it."""
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_WR)
            self.request.settimeout(_FAREWELL_SECONDS)
            while self.request.recv(_CHUNK):
                pass


def _relay(client: ssl.SSLSocket, upstream: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, (client, upstream))
        selector.register(upstream, selectors.EVENT_READ, (upstream, client))
        while True:
            # What TLS has decrypted already does not make the socket readable again.
            ready = [(client, upstream)] if client.pending() else [key.data for key, _ in selector.select()]
            for source, sink in ready:
                chunk = source.recv(_CHUNK)
                if not chunk:
                    return
                sink.sendall(chunk)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
