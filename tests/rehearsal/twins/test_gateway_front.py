"""The TLS front of the API's own domain: whom it takes before, during and after a renewal."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.origin.certificates import Issued, issue
from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.gateway_front import GatewayFronts
from rehearsal.twins.server import LOOPBACK, Server

API = "api.tidewriters.example"


@pytest.fixture(scope="module")
def old() -> Issued:
    return issue("launch-ready-prod", "2025-11", datetime.now(UTC))


@pytest.fixture(scope="module")
def new() -> Issued:
    return issue("launch-ready-prod", "2026-11", datetime.now(UTC))


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path)


@pytest.fixture
def fronts(authority: CertificateAuthority) -> Iterator[GatewayFronts]:
    with Server(_echo) as upstream, GatewayFronts(authority, f"http://{LOOPBACK}:{upstream.port}") as running:
        yield running


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the host and path that it was asked for, and with the length of the body."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    host = dict(scope["headers"])[b"host"].decode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{host}{scope['path']} {size}".encode()})


class Client:
    """A client that trusts the rehearsal's authority and may present a certificate."""

    def __init__(self, authority: CertificateAuthority, directory: Path) -> None:
        self._authority, self._directory = authority, directory

    def ask(self, port: int, presented: Issued | None, *, sni: str = API, body: bytes = b"") -> str:
        context = self._authority.trust()
        if presented is not None:
            file = self._directory / f"{presented.fingerprint}.pem"
            file.write_text(presented.certificate + presented.private_key, encoding="utf-8")
            context.load_cert_chain(file)
        request = httpx.Request(
            "POST",
            f"https://{LOOPBACK}:{port}/webhooks/stripe",
            headers={"host": sni},
            content=body,
            extensions={"sni_hostname": sni},
        )
        with httpx.HTTPTransport(verify=context, trust_env=False) as transport:
            return transport.handle_request(request).read().decode()


@pytest.fixture
def client(authority: CertificateAuthority, tmp_path: Path) -> Client:
    return Client(authority, tmp_path)


def test_without_mutual_tls_everybody_is_served(fronts: GatewayFronts, client: Client) -> None:
    port = fronts.serve(API, None)
    body = b"x" * 300_000
    assert client.ask(port, None, body=body) == f"{API}/webhooks/stripe 300000"


def test_with_mutual_tls_our_certificate_is_served_and_nobody_else(
    fronts: GatewayFronts, client: Client, old: Issued, new: Issued
) -> None:
    port = fronts.serve(API, new.authority)
    assert client.ask(port, new) == f"{API}/webhooks/stripe 0"
    with pytest.raises(httpx.TransportError, match=r"(?i)certificate required"):
        client.ask(port, None)
    with pytest.raises(httpx.TransportError, match=r"(?i)unknown ca"):
        client.ask(port, old)


def test_a_certificate_that_has_ended_is_refused(fronts: GatewayFronts, client: Client) -> None:
    ended = issue("launch-ready-prod", "2024-11", datetime.now(UTC) - timedelta(days=40), days=39)
    port = fronts.serve(API, ended.authority)
    with pytest.raises(httpx.TransportError, match=r"(?i)expired"):
        client.ask(port, ended)


def test_a_renewal_never_refuses_the_certificate_in_use(
    fronts: GatewayFronts, client: Client, old: Issued, new: Issued
) -> None:
    port = fronts.serve(API, old.authority)
    assert client.ask(port, old)
    both = old.authority + new.authority  # first step: the new one is trusted, the old one is presented
    assert fronts.serve(API, both) == port
    assert client.ask(port, old)
    assert client.ask(port, new)  # second step: the new one is presented
    fronts.serve(API, new.authority)  # third step: the old one goes
    assert client.ask(port, new)
    with pytest.raises(httpx.TransportError, match=r"(?i)unknown ca"):
        client.ask(port, old)


def test_another_name_has_no_certificate_here(fronts: GatewayFronts, client: Client) -> None:
    port = fronts.serve(API, None)
    with pytest.raises(httpx.ConnectError, match=r"(?i)unrecognized name"):
        client.ask(port, None, sni="other.tidewriters.example")


def test_a_domain_that_nobody_declared_has_no_origin(fronts: GatewayFronts) -> None:
    fronts.serve(API, None)
    assert fronts.origin("other.tidewriters.example") is None
    assert fronts.origin(API)


def test_stopping_closes_the_port_and_what_is_open(authority: CertificateAuthority) -> None:
    with Server(_echo) as upstream:
        fronts = GatewayFronts(authority, f"http://{LOOPBACK}:{upstream.port}")
        port = fronts.serve(API, None)
        with (
            socket.create_connection((LOOPBACK, port), timeout=5) as plain,
            authority.trust().wrap_socket(plain, server_hostname=API) as held,
        ):
            fronts.stop()
            assert held.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((LOOPBACK, port))
