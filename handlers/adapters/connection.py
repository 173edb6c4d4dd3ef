"""One kept HTTP/1.1 connection to one server: POST to "/", and its answer. Nothing else that HTTP can do.

In place of http.client, because importing that, with all of `email` which it reads headers with, takes as long as the
rest of the webhook function's imports. RFC 9112 is what it follows. Standard library only.
"""

import io
import socket
import ssl
from collections.abc import Callable, Mapping

MAX_ANSWER_BYTES = 1024 * 1024
_MAX_LINE_BYTES = 65536
_MAX_HEADERS = 100


class AnswerError(Exception):
    """What came back is no HTTP answer, or not a whole one, or more than we take."""


class Connection:
    """Connects when first used, and again after `close` or when the server said that it would close."""

    def __init__(
        self, host: str, port: int, *, timeout: float, trust: Callable[[], ssl.SSLContext] | None = None
    ) -> None:
        """`timeout` is in seconds, to connect and for each wait. Without `trust` the connection is not encrypted."""
        self._host = host.encode("ascii")  # as text it would be encoded as IDNA, whose tables take 3 ms to import
        self._port = port
        self._trust = trust
        self._timeout = timeout
        self.sock: socket.socket | None = None  # None while not connected; the server may have closed it since
        self._answers: io.BufferedReader | None = None

    def post(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Raises OSError or AnswerError; the connection is then to be closed.

        `headers` must hold Host; Content-Length is added. ValueError for what would not stay inside one header.
        """
        head = _head(headers, len(body))
        if self.sock is None or self._answers is None:
            self.sock = self._connect()
            self._answers = self.sock.makefile("rb")
        self.sock.sendall(head + body)
        status, answer, stays = read_answer(self._answers)
        if not stays:
            self.close()
        return status, answer

    def close(self) -> None:
        """Close it; the next request connects anew."""
        for end in (self._answers, self.sock):
            if end is not None:
                end.close()
        self._answers = self.sock = None

    def _connect(self) -> socket.socket:
        address = (self._host, self._port)
        sock = socket.create_connection(address, self._timeout)  # ty: ignore[invalid-argument-type] # bytes will do
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._trust().wrap_socket(sock, server_hostname=self._host) if self._trust else sock
        except BaseException:
            sock.close()
            raise


def _head(headers: Mapping[str, str], length: int) -> bytes:
    for name, value in headers.items():
        if not (name + value).isprintable():
            raise ValueError(f"the header {name!r} holds a character that would end it")
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    return f"POST / HTTP/1.1\r\n{''.join(lines)}Content-Length: {length}\r\n\r\n".encode("ascii")


def read_answer(answers: io.BufferedReader) -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection can be used again."""
    version, status = _read_status(answers)
    headers = _read_headers(answers)
    while 100 <= status < 200:  # interim answers, such as 100 Continue
        version, status = _read_status(answers)
        headers = _read_headers(answers)
    wishes = {wish.strip().lower() for wish in headers.get("connection", "").split(",")}
    stays = "close" not in wishes and (version == "HTTP/1.1" or "keep-alive" in wishes)
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if status in {204, 304}:
        return status, b"", stays
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise AnswerError("the answer's length is not told in a way that we know")
        return status, _read_chunks(answers), stays
    if length is not None:
        return status, _read_exactly(answers, _number(length, 10)), stays
    body = answers.read(MAX_ANSWER_BYTES + 1)
    if len(body) > MAX_ANSWER_BYTES:
        raise AnswerError("the answer is too long")
    return status, body, False


def _read_status(answers: io.BufferedReader) -> tuple[str, int]:
    line = _read_line(answers, first=True)
    version, _, rest = line.partition(" ")
    code = rest.partition(" ")[0]
    if version not in {"HTTP/1.1", "HTTP/1.0"} or len(code) != 3 or not code.isdecimal():
        raise AnswerError("the answer is not HTTP/1.1")
    return version, int(code)


def _read_headers(answers: io.BufferedReader) -> dict[str, str]:
    """The headers up to the empty line, by name in lower case; several of one name are joined by commas."""
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEADERS + 1):
        line = _read_line(answers)
        if not line:
            return headers
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if not colon or not name or name != name.strip():
            raise AnswerError("the answer's headers cannot be read")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    raise AnswerError("the answer has too many headers")


def _read_chunks(answers: io.BufferedReader) -> bytes:
    body = b""
    while size := _number(_read_line(answers).partition(";")[0].strip(" \t"), 16):
        if len(body) + size > MAX_ANSWER_BYTES:
            raise AnswerError("the answer is too long")
        body += _read_exactly(answers, size)
        if _read_line(answers):
            raise AnswerError("a chunk of the answer is longer than it says")
    _read_headers(answers)  # trailers
    return body


def _read_exactly(answers: io.BufferedReader, size: int) -> bytes:
    if size > MAX_ANSWER_BYTES:
        raise AnswerError("the answer is too long")
    body = answers.read(size)
    if len(body) < size:
        raise AnswerError("the answer was cut off")
    return body


def _read_line(answers: io.BufferedReader, *, first: bool = False) -> str:
    line = answers.readline(_MAX_LINE_BYTES)
    if first and not line:
        raise ConnectionResetError("the server closed the connection without an answer")
    if not line.endswith(b"\n"):
        raise AnswerError("the answer was cut off, or a line of it is too long")
    return line.rstrip(b"\r\n").decode("latin-1")


def _number(text: str, base: int) -> int:
    digits = "0123456789abcdef"[:base]
    if not text or len(text) > 15 or not set(text.lower()) <= set(digits):
        raise AnswerError("the answer's length is no number")
    return int(text, base)
