"""Connections of urllib3 (1.26 or 2) whose answers have a deadline as a whole.

A socket's timeout bounds each wait for bytes, so a server that sends one now and then could hold us for ever.
"""

import http.client
import io
import socket
import time
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Until(io.RawIOBase):
    """What the socket brings until the deadline. TimeoutError afterwards, which urllib3 takes for a read time-out."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, seconds: float) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer that is to be complete within the read time-out that urllib3 gave the socket."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Until(self.fp.detach(), sock, sock.gettimeout() or 0.0))


class _Plain(HTTPConnection):
    response_class = _Response


class _Secure(HTTPSConnection):
    response_class = _Response


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain  # ty: ignore[invalid-assignment] # the protocol of 2 says more than both versions use


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure  # ty: ignore[invalid-assignment]


def bounded(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    """`manager`, with a read time-out that bounds the whole answer."""
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}  # ty: ignore[invalid-assignment]
    return manager
