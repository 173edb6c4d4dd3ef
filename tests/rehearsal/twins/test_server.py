import socket
import ssl
import threading
import time

import httpx
import pytest

from rehearsal.errors import TwinError
from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.server import LOOPBACK, Server, listen


async def echo(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = f"{scope['scheme']} HTTP/{scope['http_version']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
    await send({"type": "http.response.body", "body": body})


def test_it_accepts_when_start_returns_and_no_longer_after_stop():
    server = Server(echo)
    port = server.start()
    assert httpx.get(f"http://{LOOPBACK}:{port}/", trust_env=False).text == "http HTTP/1.1"
    server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{LOOPBACK}:{port}/", trust_env=False)


def test_it_adds_no_headers_of_its_own():
    with Server(echo) as server:
        response = httpx.get(f"http://{LOOPBACK}:{server.port}/", trust_env=False)
    assert set(response.headers) <= {"x-own", "transfer-encoding", "content-length", "connection"}


def test_it_speaks_tls_and_plain_http_side_by_side(authority: CertificateAuthority):
    with (
        Server(echo, tls=authority.serve("localhost"), plain_port=0) as server,
        httpx.Client(verify=authority.trust(), trust_env=False) as client,
    ):
        assert client.get(f"https://localhost:{server.port}/").text == "https HTTP/1.1"
        assert client.get(f"http://localhost:{server.plain_port}/").text == "http HTTP/1.1"


def test_it_speaks_http2_to_a_client_that_asks_for_it(authority: CertificateAuthority):
    with (
        Server(echo, tls=authority.serve("localhost")) as server,
        httpx.Client(verify=authority.trust(), http2=True, trust_env=False) as client,
    ):
        response = client.get(f"https://localhost:{server.port}/")
    assert (response.http_version, response.text) == ("HTTP/2", "https HTTP/2")


def test_a_port_in_use_is_named_and_nothing_is_left_running():
    before = threading.active_count()
    taken = listen("other", 0)
    taken.listen()
    port = taken.getsockname()[1]
    with taken, pytest.raises(TwinError, match=rf"kit cannot listen on 127\.0\.0\.1:{port}: Address already in use"):
        Server(echo, name="kit", port=port).start()
    assert threading.active_count() == before


def test_a_plain_port_in_use_frees_the_other_one(authority: CertificateAuthority):
    taken = listen("other", 0)
    taken.listen()
    server = Server(echo, tls=authority.serve("localhost"), plain_port=taken.getsockname()[1])
    with taken, pytest.raises(TwinError):
        server.start()
    listen("again", server.port).close()


def test_it_stops_while_clients_hold_connections_and_a_request_hangs():
    entered = threading.Event()

    async def hang(scope, receive, send):
        if scope["type"] != "http":
            await echo(scope, receive, send)
            return
        entered.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    server = Server(hang)
    port = server.start()
    idle = socket.create_connection((LOOPBACK, port))
    busy = socket.create_connection((LOOPBACK, port))
    busy.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert entered.wait(5)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 4  # far under the limit at which stop() itself gives up
    idle.close()
    busy.close()


def test_a_failed_handshake_says_nothing_on_standard_error(authority: CertificateAuthority, capfd):
    with Server(echo, tls=authority.serve("localhost")) as server:
        stranger = ssl.create_default_context()
        with (
            pytest.raises(ssl.SSLCertVerificationError),
            socket.create_connection((LOOPBACK, server.port)) as raw,
        ):
            stranger.wrap_socket(raw, server_hostname="localhost")
    assert capfd.readouterr().err == ""


def test_an_application_that_cannot_start_is_reported():
    async def broken(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "no disk"})

    with pytest.raises(TwinError, match="did not start"):
        Server(broken, name="broken").start()


def test_stopping_twice_or_before_starting_is_harmless():
    server = Server(echo)
    server.stop()
    server.start()
    server.stop()
    server.stop()
