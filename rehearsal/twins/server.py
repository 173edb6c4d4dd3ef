"""An ASGI application on free loopback ports: HTTP/1.1 and HTTP/2 by hypercorn, in a thread with its own loop."""

import asyncio
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from hypercorn.asyncio.run import worker_serve
from hypercorn.config import Config, Sockets
from hypercorn.typing import ASGIFramework
from hypercorn.utils import wrap_app

from rehearsal.errors import TwinError

LOOPBACK = "127.0.0.1"
_GRACE_SECONDS = 0.2  # what an application that hangs gets to notice that the server stops
_STOP_SECONDS = 5.0
_LAST_MOMENT_SECONDS = 0.02
_BACKLOG = 128


class Server:
    """Serves `app` between `start` and `stop`; also a context manager.

    Without `tls` it speaks plain HTTP on `port`. With it, TLS on `port`, and plain HTTP as well on `plain_port` unless
    that is None. Port 0 takes a free one. HTTP/2 is spoken over TLS where the client asks for it (ALPN).
    """

    def __init__(
        self,
        app: Callable[..., Any],
        *,
        name: str = "server",
        tls: ssl.SSLContext | None = None,
        port: int = 0,
        plain_port: int | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self.plain_port = plain_port
        self._app = wrap_app(_as_framework(app), 0, "asgi")  # 0: a limit for WSGI alone
        self._tls = tls
        if tls is not None and not issubclass(tls.sslobject_class, AlertingObject):
            tls.sslobject_class = AlertingObject
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def start(self) -> int:
        """Listen, and return `port` once connections are accepted. TwinError when a port is in use."""
        main = listen(self.name, self.port)
        self.port = main.getsockname()[1]
        sockets = Sockets([], [main], []) if self._tls is None else Sockets([main], [], [])
        if self.plain_port is not None and self._tls is not None:
            try:
                plain = listen(self.name, self.plain_port)
            except TwinError:
                main.close()
                raise
            self.plain_port = plain.getsockname()[1]
            sockets.insecure_sockets.append(plain)
        self._thread = threading.Thread(target=self._run, args=(sockets,), name=self.name, daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self.stop()
            raise TwinError(f"{self.name} did not start on port {self.port}: {self._failure}") from self._failure
        return self.port

    def stop(self) -> None:
        """Close the ports and every connection, and wait for the thread; nothing when it does not run."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None and thread.is_alive():
            loop.call_soon_threadsafe(stopping.set)
        thread.join(_STOP_SECONDS)
        if thread.is_alive():
            raise TwinError(f"{self.name} on port {self.port} did not stop within {_STOP_SECONDS:g} s")

    def _run(self, sockets: Sockets) -> None:
        try:
            loop = self._loop = _Loop()
            loop.set_exception_handler(_report_surprises)
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(self._serve(sockets, loop))
        except BaseException as error:  # noqa: BLE001 - kept for start(), which is waiting in another thread
            self._failure = error
        finally:
            for listening in (*sockets.secure_sockets, *sockets.insecure_sockets):
                listening.close()
            self._ready.set()

    async def _serve(self, sockets: Sockets, loop: "_Loop") -> None:
        self._stopping = asyncio.Event()

        async def until_stopped() -> None:
            # hypercorn waits for this only once its sockets are served
            self._ready.set()
            assert self._stopping is not None
            await self._stopping.wait()
            await accept_no_more(*sockets.secure_sockets, *sockets.insecure_sockets)
            loop.abort_connections()

        await worker_serve(self._app, _HypercornConfig(self._tls), sockets=sockets, shutdown_trigger=until_stopped)


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose servers can be ended at once, whatever their clients do."""

    def __init__(self) -> None:
        super().__init__()
        self._connections: weakref.WeakSet[asyncio.WriteTransport] = weakref.WeakSet()

    def abort_connections(self) -> None:
        """Break every connection of the loop's servers, also those in the middle of a request."""
        for transport in list(self._connections):
            transport.abort()

    async def create_server(self, protocol_factory: Callable[[], Any], *args: Any, **options: Any) -> asyncio.Server:
        """Remember each connection; close TLS without 30 s of waiting for a farewell that many clients never send."""

        def remembering() -> asyncio.BaseProtocol:
            protocol = protocol_factory()
            connected = protocol.connection_made

            def connection_made(transport: asyncio.WriteTransport) -> None:
                self._connections.add(transport)
                connected(transport)

            protocol.connection_made = connection_made
            return protocol

        if options.get("ssl") is not None:
            options["ssl_shutdown_timeout"] = _GRACE_SECONDS
        return await super().create_server(remembering, *args, **options)


class AlertingObject(ssl.SSLObject):
    """Tells the client why a handshake failed.

    asyncio drops the alert that OpenSSL wrote when the handshake raises, and flushes it when more is asked for; so
    first more is asked for, then the failure is raised.
    """

    _failure: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        """One step of the handshake."""
        if self._failure is not None:
            raise self._failure
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            self._failure = error
            raise ssl.SSLWantReadError("the alert is on its way") from error


class _HypercornConfig(Config):
    """No files, no headers and no log of hypercorn's own; the TLS context is handed in ready-made."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        super().__init__()
        self._context = tls
        self.accesslog = None
        self.errorlog = None
        self.include_server_header = False
        self.include_date_header = False
        self.graceful_timeout = _GRACE_SECONDS
        self.shutdown_timeout = _GRACE_SECONDS
        self.backlog = _BACKLOG

    @property
    def ssl_enabled(self) -> bool:
        return self._context is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self._context


def listen(name: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """A bound, non-blocking loopback socket; TwinError names the port that is taken and what to do."""
    bound = socket.socket(socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        reason = error.strerror or str(error)
        message = f"{name} cannot listen on {LOOPBACK}:{port}: {reason}. Stop what uses the port, or choose another."
        raise TwinError(message) from error
    bound.setblocking(False)
    return bound


async def accept_no_more(*listening: socket.socket) -> None:
    """Leave new connections unanswered, and let those that were just accepted become ones that can be closed.

    asyncio forgets a connection, open, whose server is closed between accepting it and making its transport.
    """
    for each in listening:
        asyncio.get_running_loop().remove_reader(each)
    await asyncio.sleep(_LAST_MOMENT_SECONDS)


def _as_framework(app: Callable[..., Any]) -> ASGIFramework:
    return app


def _report_surprises(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A client that breaks off, a handshake or farewell that fails and a task that `stop` ends are no errors."""
    expected = ssl.SSLError | ConnectionError | TimeoutError | asyncio.CancelledError
    if not isinstance(context.get("exception"), expected):
        loop.default_exception_handler(context)
