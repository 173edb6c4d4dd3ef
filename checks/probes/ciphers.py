"""Offers ciphers to TLS servers, and sees which they take.

The ClientHello is written here, by RFC 5246 section 7.4.1.2: OpenSSL as it is built today knows none of the weak
ciphers any more, so offering them with the ssl module would show nothing.
"""

import os
import socket
import struct
from dataclasses import dataclass

from checks.errors import ProbeError
from checks.probes import tls
from checks.scope import Scope

# Names and numbers of the IANA registry of cipher suites.
WEAK = {
    "TLS_RSA_WITH_NULL_MD5": 0x0001,
    "TLS_RSA_WITH_NULL_SHA": 0x0002,
    "TLS_RSA_EXPORT_WITH_RC4_40_MD5": 0x0003,
    "TLS_RSA_WITH_RC4_128_MD5": 0x0004,
    "TLS_RSA_WITH_RC4_128_SHA": 0x0005,
    "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA": 0x0008,
    "TLS_RSA_WITH_DES_CBC_SHA": 0x0009,
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA": 0x000A,
    "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA": 0x0016,
    "TLS_DH_anon_WITH_RC4_128_MD5": 0x0018,
    "TLS_DH_anon_WITH_AES_128_CBC_SHA": 0x0034,
    "TLS_RSA_WITH_NULL_SHA256": 0x003B,
    "TLS_DH_anon_WITH_AES_128_GCM_SHA256": 0x00A6,
    "TLS_ECDHE_ECDSA_WITH_NULL_SHA": 0xC006,
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA": 0xC007,
    "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA": 0xC008,
    "TLS_ECDHE_RSA_WITH_NULL_SHA": 0xC010,
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA": 0xC011,
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA": 0xC012,
    "TLS_ECDH_anon_WITH_AES_128_CBC_SHA": 0xC018,
}
LESSER = {
    "TLS_RSA_WITH_AES_128_CBC_SHA": 0x002F,
    "TLS_RSA_WITH_AES_128_GCM_SHA256": 0x009C,
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": 0xC009,
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": 0xC013,
}
GOOD = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": 0xC02B,
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": 0xC02C,
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": 0xC02F,
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": 0xC030,
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": 0xCCA8,
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": 0xCCA9,
}
NAMES = {number: name for name, number in (WEAK | LESSER | GOOD).items()}
VERSION = b"\x03\x03"  # TLS 1.2
HANDSHAKE, ALERT = 22, 21  # record types
SERVER_HELLO = 2


@dataclass(frozen=True, kw_only=True)
class CipherFacts:
    """Weak ciphers that a host takes, and which it takes of all others offered, the worst first; "" for none."""

    host: str
    weak: tuple[str, ...]
    preferred: str


def all_ciphers(scope: Scope) -> tuple[CipherFacts, ...]:
    """`ciphers` of every host that serves https."""
    return tuple(ciphers(scope, host) for host in tls.secure_hosts(scope))


def ciphers(scope: Scope, host: str) -> CipherFacts:
    """Offers the weak ciphers until none is taken, then the others. Raises ProbeError when the host does not answer."""
    offered = dict(WEAK)
    taken: list[str] = []
    while offered and (chosen := _chosen(scope, host, offered)):
        if chosen not in offered:
            raise ProbeError(f"{host} took {chosen}, which was not offered")
        taken.append(chosen)
        del offered[chosen]
    return CipherFacts(host=host, weak=tuple(taken), preferred=_chosen(scope, host, LESSER | GOOD))


def _chosen(scope: Scope, host: str, offered: dict[str, int]) -> str:
    """The cipher that the server takes of those offered, "" when it refuses them all."""
    try:
        with tls.connect(scope, host) as connection:
            connection.sendall(_client_hello(host, tuple(offered.values())))
            kind, body = _record(connection)
    except (ConnectionResetError, BrokenPipeError):
        return ""  # a refusal without an alert
    except OSError as error:
        raise ProbeError(f"TLS handshake with {host}: {error}") from error
    if kind == HANDSHAKE and body[:1] == bytes([SERVER_HELLO]):
        session = body[38]  # after type, length, version and random
        number = int.from_bytes(body[39 + session : 41 + session], "big")
        return NAMES.get(number, f"{number:#06x}")
    if kind in {ALERT, 0}:
        return ""
    raise ProbeError(f"{host} answered a TLS handshake with a record of type {kind}")


def _client_hello(host: str, offered: tuple[int, ...]) -> bytes:
    """One record with a ClientHello of TLS 1.2 (RFC 5246 section 7.4.1.2)."""
    suites = b"".join(number.to_bytes(2, "big") for number in offered)
    name = host.encode("ascii")
    entry = b"\x00" + _sized(name, 2)
    extensions = (
        _extension(0, _sized(entry, 2))  # server name (RFC 6066 section 3)
        + _extension(10, _sized(struct.pack("!3H", 0x001D, 0x0017, 0x0018), 2))  # x25519, P-256, P-384 (RFC 8422)
        + _extension(11, _sized(b"\x00", 1))  # uncompressed points
        + _extension(13, _sized(struct.pack("!7H", 0x0403, 0x0503, 0x0804, 0x0805, 0x0401, 0x0501, 0x0601), 2))
        + _extension(23, b"")  # extended master secret (RFC 7627), without which some servers refuse
        + _extension(0xFF01, b"\x00")  # secure renegotiation (RFC 5746)
    )
    hello = VERSION + os.urandom(32) + b"\x00" + _sized(suites, 2) + b"\x01\x00" + _sized(extensions, 2)
    handshake = b"\x01" + _sized(hello, 3)
    return bytes([HANDSHAKE]) + b"\x03\x01" + _sized(handshake, 2)


def _extension(number: int, content: bytes) -> bytes:
    return number.to_bytes(2, "big") + _sized(content, 2)


def _sized(content: bytes, octets: int) -> bytes:
    return len(content).to_bytes(octets, "big") + content


def _record(connection: socket.socket) -> tuple[int, bytes]:
    """The type and content of the first record; type 0 when the server closes instead."""
    head = _exactly(connection, 5)
    if len(head) < 5:
        return 0, b""
    return head[0], _exactly(connection, int.from_bytes(head[3:5], "big"))


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            break
        found += part
    return found
