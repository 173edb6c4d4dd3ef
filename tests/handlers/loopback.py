"""A real HTTP/1.1 server on loopback that answers as a test says and records what it was asked."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import trustme


@dataclass(frozen=True)
class Asked:
    """One request; header names in lower case. `connection` tells the connections apart."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What to answer; `then` says what happens to the connection instead of or after the answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    then: Literal[
        "keep",
        "hang up",
        "reset",
        "never answer",
        "cut short",
        "close unannounced",
        "drip headers",
        "drip body",
    ] = "keep"

    @classmethod
    def of(cls, data: object, status: int = 200, **headers: str) -> "Answer":
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(data).encode(), {"Content-Type": "application/json", **names})


class Loopback(ThreadingHTTPServer):
    """The server. `answer` may be replaced at any time; `asked` holds the requests in order."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Callable[[Asked], Answer], tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[Asked] = []
        self.finish = threading.Event()
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that refuses our certificate or hangs up is what some tests are about."""


SLOW_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer of head and body waits 40 ms for the client's delayed ACK

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _serve(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, self.rfile.read(size), self.client_address[1])
        server = self.server
        assert isinstance(server, Loopback)
        server.asked.append(asked)
        answer = server.answer(asked)
        if answer.then == "never answer":
            server.finish.wait(30)
        elif answer.then == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif answer.then.startswith("drip"):
            self._drip(b"HTTP/1.1 200 OK\r\nX-Long: " if answer.then == "drip headers" else SLOW_BODY)
        elif answer.then != "hang up":
            self._send(answer)
        self.close_connection = answer.then != "keep"

    def _drip(self, start: bytes) -> None:
        """`start`, and then a byte now and then for as long as anybody listens."""
        server = self.server
        assert isinstance(server, Loopback)
        self.wfile.write(start)
        try:
            while not server.finish.wait(0.02):
                self.wfile.write(b"x")
        except OSError:
            pass

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + (answer.then == "cut short")))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815


@contextmanager
def serving(answer: Callable[[Asked], Answer], tls: ssl.SSLContext | None = None) -> Generator[Loopback]:
    """A running server, stopped at the end."""
    server = Loopback(answer, tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.finish.set()
        server.shutdown()
        server.server_close()
        thread.join()


def trusted_by(ca: trustme.CA) -> ssl.SSLContext:
    """The server side of TLS for 127.0.0.1, with a certificate that `ca` signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return context
