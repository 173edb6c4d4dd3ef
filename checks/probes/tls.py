"""Shakes hands with TLS servers and returns frozen facts."""

import functools
import socket
import ssl
import threading
import warnings
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from checks.errors import ProbeError
from checks.probes import dns
from checks.probes.hosts import api_hosts, visited_hosts
from checks.scope import Scope

VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
_warnings_lock = threading.Lock()  # catch_warnings changes the whole process


@dataclass(frozen=True, kw_only=True)
class TrustFacts:
    """Whether a host's chain is complete, trusted and for its name; `failure` is OpenSSL's reason."""

    host: str
    trusted: bool
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class VersionFacts:
    """Which protocol versions ("1.0" … "1.3") a host accepts."""

    host: str
    accepted: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class CertificateFacts:
    """What a host's certificate says; `key` is like "RSA 2048" or "EC 256", times are UTC."""

    host: str
    not_before: datetime
    not_after: datetime
    key: str
    key_bits: int
    signature_hash: str
    names: tuple[str, ...]
    scts: int


def trusts(scope: Scope) -> tuple[TrustFacts, ...]:
    """`trust` of every host that serves https."""
    return tuple(trust(scope, host) for host in secure_hosts(scope))


def all_versions(scope: Scope) -> tuple[VersionFacts, ...]:
    """`versions` of every host that serves https."""
    return tuple(versions(scope, host) for host in secure_hosts(scope))


def certificates(scope: Scope) -> tuple[CertificateFacts, ...]:
    """`certificate` of every host that serves https."""
    return tuple(certificate(scope, host) for host in secure_hosts(scope))


def secure_hosts(scope: Scope) -> tuple[str, ...]:
    """The hosts that serve https: those that people visit and those that programs call."""
    visited = {host.name for host in visited_hosts(scope)}
    return tuple(sorted(visited | set(api_hosts(scope.contract))))


def trust(scope: Scope, host: str) -> TrustFacts:
    """A full handshake with every check that a browser makes. Raises ProbeError when the host does not answer."""
    context = ssl.create_default_context(cafile=scope.vantage.ca_file)
    try:
        with connect(scope, host) as plain, context.wrap_socket(plain, server_hostname=host):
            return TrustFacts(host=host, trusted=True)
    except ssl.SSLError as error:
        return TrustFacts(host=host, trusted=False, failure=_reason(error))
    except OSError as error:
        raise ProbeError(f"TLS handshake with {host}: {error}") from error


def versions(scope: Scope, host: str) -> VersionFacts:
    """Tries each version alone. Raises ProbeError when the host does not answer."""
    accepted = frozenset(version for version in VERSIONS if _accepts(scope, host, version))
    return VersionFacts(host=host, accepted=accepted)


def certificate(scope: Scope, host: str) -> CertificateFacts:
    """The certificate that a host presents, trusted or not. Raises ProbeError."""
    try:
        with connect(scope, host) as plain, _lenient("any").wrap_socket(plain, server_hostname=host) as secure:
            der = secure.getpeercert(binary_form=True)
    except OSError as error:
        raise ProbeError(f"TLS handshake with {host}: {error}") from error
    if not der:
        raise ProbeError(f"{host} presented no certificate")
    return _facts(host, x509.load_der_x509_certificate(der))


def _accepts(scope: Scope, host: str, version: str) -> bool:
    context = _lenient(version)
    try:
        with connect(scope, host) as plain, context.wrap_socket(plain, server_hostname=host):
            return True
    except (ssl.SSLError, ConnectionResetError):
        return False
    except OSError as error:
        raise ProbeError(f"TLS {version} handshake with {host}: {error}") from error


def connect(scope: Scope, host: str) -> socket.socket:
    """A connection to where a host serves https, before any handshake. Raises ProbeError."""
    found = dns.addresses(scope, host)
    if not found:
        raise ProbeError(f"{host} has no address")
    try:
        return socket.create_connection((found[0], scope.vantage.port(443)), scope.deadline.left())
    except OSError as error:
        raise ProbeError(f"cannot connect to {host} ({found[0]}): {error}") from error


@functools.cache
def _lenient(version: str) -> ssl.SSLContext:
    """A context that trusts anybody and speaks one version only, or any.

    @SECLEVEL=0, because OpenSSL's own default would refuse TLS 1.0 and 1.1 before the server is asked.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if version != "any":
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # old versions are offered to see them refused
            context.minimum_version = VERSIONS[version]
            context.maximum_version = VERSIONS[version]
    return context


def _reason(error: ssl.SSLError) -> str:
    return getattr(error, "verify_message", "") or error.reason or str(error)


def _facts(host: str, found: x509.Certificate) -> CertificateFacts:
    key, bits = _key(found)
    return CertificateFacts(
        host=host,
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
        key=key,
        key_bits=bits,
        signature_hash=found.signature_hash_algorithm.name if found.signature_hash_algorithm else "none",
        names=_names(found),
        scts=_scts(found),
    )


def _key(found: x509.Certificate) -> tuple[str, int]:
    key = found.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.key_size}", key.key_size
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519 256", 256
    return type(key).__name__, 0


def _names(found: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(extension.value.get_values_for_type(x509.DNSName))


def _scts(found: x509.Certificate) -> int:
    try:
        extension = found.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps)
    except x509.ExtensionNotFound:
        return 0
    return len(list(extension.value))
