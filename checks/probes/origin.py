"""Asks the API's origin directly, around the edge, as somebody would who learned its address."""

import socket
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from checks.contract import Host
from checks.errors import ProbeError
from checks.probes import dns
from checks.probes.http import Browser, Exchange
from checks.scope import Scope

LONGEST_STATUS_LINE = 4096  # octets


@dataclass(frozen=True, kw_only=True)
class DirectFacts:
    """What the origin of `host` said to one who presented `certificate`.

    `status` is that of an HTTP answer; None where TLS ended before one, for `reason`.
    """

    host: str
    certificate: str  # "none" or "a stranger's"
    status: int | None
    reason: str = ""

    def line(self) -> str:
        """For evidence."""
        said = f"answered {self.status}" if self.status is not None else f"refused: {self.reason}"
        return f"{self.host}, certificate {self.certificate}: {said}"


@dataclass(frozen=True, kw_only=True)
class OriginFacts:
    """The origins' answers around the edge, and the health route's answer through it."""

    direct: tuple[DirectFacts, ...]
    through_edge: Exchange


def origins(scope: Scope) -> OriginFacts:
    """Every API host's origin, without a certificate and with a stranger's. Raises ProbeError when none answers."""
    hosts = [host for host in scope.contract.hosts if host.role == "api" and host.proxied]
    with tempfile.TemporaryDirectory(prefix="launch-ready-") as place:
        stranger = _stranger(Path(place))
        direct = [_ask(scope, host, certificate) for host in hosts for certificate in (None, stranger)]
    with Browser(scope) as browser:
        return OriginFacts(direct=tuple(direct), through_edge=browser.ask(scope.contract.endpoints.health))


def _ask(scope: Scope, host: Host, certificate: Path | None) -> DirectFacts:
    shown = "none" if certificate is None else "a stranger's"
    plain = _connect(scope, host)
    path = urlsplit(scope.contract.endpoints.health).path
    try:
        with plain, _context(certificate).wrap_socket(plain, server_hostname=host.name) as secure:
            # In TLS 1.3 a server tells its verdict on the client after the handshake: with the first thing read.
            secure.sendall(f"GET {path} HTTP/1.1\r\nHost: {host.name}\r\nConnection: close\r\n\r\n".encode())
            said = secure.recv(LONGEST_STATUS_LINE)
    except TimeoutError as error:
        raise ProbeError(f"the origin of {host.name} did not answer: {error}") from error
    except OSError as error:
        return DirectFacts(host=host.name, certificate=shown, status=None, reason=_reason(error))
    if not said:
        return DirectFacts(host=host.name, certificate=shown, status=None, reason="the connection was closed")
    return DirectFacts(host=host.name, certificate=shown, status=_status(host.name, said))


def _connect(scope: Scope, host: Host) -> socket.socket:
    address = scope.vantage.origins.get(host.name) or (_first_address(scope, host.content), 443)
    try:
        return socket.create_connection(address, scope.deadline.left())
    except OSError as error:
        raise ProbeError(f"cannot connect to the origin of {host.name} ({address[0]}): {error}") from error


def _first_address(scope: Scope, target: str) -> str:
    found = dns.addresses(scope, target)
    if not found:
        raise ProbeError(f"{target} has no address")
    return found[0]


def _context(certificate: Path | None) -> ssl.SSLContext:
    """Trusts anybody: what the origin is, others check; here it is asked whom it takes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


def _status(host: str, said: bytes) -> int:
    parts = said.split(b" ", 2)
    if not parts[0].startswith(b"HTTP/") or len(parts) < 2 or not parts[1][:3].isdigit():
        raise ProbeError(f"the origin of {host} does not speak HTTP: {said[:40]!r}")
    return int(parts[1][:3])


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__


def _stranger(place: Path) -> Path:
    """A certificate that nobody trusts, with its key, for one run of this probe."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a stranger to this launch")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    file = place / "stranger.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
    return file
