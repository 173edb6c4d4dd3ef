import http.client
import io
import ssl
from contextlib import closing

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from handlers.adapters.connection import MAX_ANSWER_BYTES, AnswerError, Connection, read_answer
from tests.handlers.loopback import Answer, Loopback, serving, trusted_by

WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6)
VALUE = st.text("abcXYZ019 ;=/,\t", max_size=12)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Well-formed answers: each way to tell the length, interim answers first, headers in any case."""
    body = draw(st.binary(max_size=60))
    lines = [f"x-{name}:{value}" for name, value in draw(st.lists(st.tuples(WORD, VALUE), max_size=3))]
    lines += draw(st.sampled_from([[], ["Connection: close"], ["connection:  Keep-Alive "]]))
    framing = draw(st.sampled_from(["length", "chunked", "until close", "nothing"]))
    status = draw(st.sampled_from([204, 304] if framing == "nothing" else [200, 400, 403, 500, 503]))
    if framing == "length":
        lines.append(draw(st.sampled_from(["Content-Length", "content-length"])) + f": {len(body)}")
    elif framing == "chunked":
        lines.append(draw(st.sampled_from(["Transfer-Encoding: chunked", "transfer-encoding:Chunked"])))
        body = _chunks(body, draw(st.integers(1, 20)), draw(st.sampled_from(["", ";a=b"])))
    elif framing == "nothing":
        body = b""
    lines = draw(st.permutations(lines))
    version = draw(st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0"]))
    reason = draw(st.sampled_from([" OK", " Not so OK", " ", ""]))
    interim = "HTTP/1.1 100 Continue\r\n\r\n" * draw(st.integers(0, 2))
    head = f"{interim}{version} {status}{reason}\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n"
    return head.encode() + body


def _chunks(body: bytes, size: int, extension: str) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%X%b\r\n%b\r\n" % (len(part), extension.encode(), part) for part in parts) + b"0\r\n\r\n"


class Received:
    """What http.client takes for a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def ours(data: bytes) -> tuple[int, bytes, bool]:
    return read_answer(io.BufferedReader(io.BytesIO(data)))


def theirs(data: bytes) -> tuple[int, bytes, bool]:
    response = http.client.HTTPResponse(Received(data), method="POST")  # ty: ignore[invalid-argument-type] # it only calls makefile
    with closing(response):
        response.begin()
        return response.status, response.read(), not response.will_close


@given(answers())
def test_an_answer_is_read_as_http_client_reads_it(data):
    assert ours(data) == theirs(data)


@given(answers(), st.data())
def test_a_damaged_answer_is_read_or_refused(data, draw):
    at = draw.draw(st.integers(0, len(data)))
    damaged = data[:at] + draw.draw(st.binary(max_size=3)) + data[at + draw.draw(st.integers(0, 3)) :]
    try:
        status, body, _ = ours(damaged)
    except (AnswerError, ConnectionResetError):
        return
    assert 200 <= status <= 999
    assert len(body) <= len(damaged)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nspaced : out\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded: on\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 70_000 + b"\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 20\r\n\r\n",
        b"<html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_ANSWER_BYTES + 1) + b"x" * (MAX_ANSWER_BYTES + 1),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_ANSWER_BYTES + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"80000\r\n%b\r\n" % (b"x" * 0x80000) * 3,
    ],
    ids=lambda data: repr(data[:60]),
)
def test_what_is_cut_off_ambiguous_or_endless_is_no_answer(data):
    with pytest.raises((AnswerError, ConnectionResetError)):
        ours(data)


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "a\0b"])
def test_a_value_that_would_leave_its_header_is_not_sent(value):
    connection = Connection("127.0.0.1", 1, timeout=1)
    with pytest.raises(ValueError, match="'X-Token'"):
        connection.post({"Host": "a", "X-Token": value}, b"")


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


def over_tls(server: Loopback, host: str, ca: trustme.CA) -> Connection:
    def trust():
        context = ssl.create_default_context()
        ca.configure_trust(context)
        return context

    return Connection(host, server.server_port, timeout=5, trust=trust)


def test_the_name_in_the_certificate_must_be_the_host_that_was_asked_for(ca):
    with serving(lambda asked: Answer(200, b"yes"), trusted_by(ca)) as server:
        with closing(over_tls(server, "127.0.0.1", ca)) as connection:
            assert connection.post({"Host": "x"}, b"") == (200, b"yes")
        with closing(over_tls(server, "localhost", ca)) as connection, pytest.raises(OSError, match="localhost"):
            connection.post({"Host": "x"}, b"")
        assert len(server.asked) == 1
