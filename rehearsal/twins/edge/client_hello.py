"""The name that a client asks for in the first message of a TLS handshake (RFC 8446 section 4.1.2, RFC 6066 section 3).

Python's own callback for it comes when the version is chosen already, too late for a zone that has its own floor.
"""

import struct

_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0
_RECORD_HEADER, _MESSAGE_HEADER = 5, 4
_VERSION_AND_RANDOM = 2 + 32


class IncompleteError(Exception):
    """More bytes are needed."""


def server_name(received: bytes) -> str | None:
    """The name in the ClientHello that `received` begins with; None where it has none, or is something else.

    Raises IncompleteError while part of it is still to come.
    """
    try:
        message = _message(received)
        return None if message is None else _named(_Reader(message))
    except (struct.error, UnicodeDecodeError):
        return None  # not well formed: OpenSSL will say so


def _message(received: bytes) -> bytes | None:
    """The handshake message, put together from its records."""
    message, at = b"", 0
    while True:
        if received and received[0] != _HANDSHAKE:
            return None
        if len(received) < at + _RECORD_HEADER:
            raise IncompleteError
        kind, _, length = struct.unpack_from("!BHH", received, at)
        body = received[at + _RECORD_HEADER : at + _RECORD_HEADER + length]
        if kind != _HANDSHAKE:
            return None
        if len(body) < length:
            raise IncompleteError
        message, at = message + body, at + _RECORD_HEADER + length
        if len(message) >= _MESSAGE_HEADER:
            if message[0] != _CLIENT_HELLO:
                return None
            whole = _MESSAGE_HEADER + int.from_bytes(message[1:4])
            if len(message) >= whole:
                return message[_MESSAGE_HEADER:whole]


class _Reader:
    """Reads vectors, each behind its length."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, count: int) -> bytes:
        if len(self.data) < count:
            raise struct.error
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def vector(self, length_octets: int) -> "_Reader":
        return _Reader(self.take(int.from_bytes(self.take(length_octets))))


def _named(hello: _Reader) -> str | None:
    hello.take(_VERSION_AND_RANDOM)
    hello.vector(1)  # session
    hello.vector(2)  # cipher suites
    hello.vector(1)  # compression
    extensions = hello.vector(2) if hello.data else _Reader(b"")
    while extensions.data:
        kind, body = int.from_bytes(extensions.take(2)), extensions.vector(2)
        if kind == _SERVER_NAME:
            names = body.vector(2)
            return names.vector(2).data.decode("ascii") if names.take(1)[0] == _HOST_NAME else None
    return None
