"""Verifies the DKIM signatures of a message (RFC 6376, with the algorithms of RFC 8301 and RFC 8463).

Hand-written over `cryptography`: dkimpy, the oracle of the tests, would be the only run-time dependency for one check,
and its verdict says neither which headers a signature covers nor why it fails. Expiry (x=) is not judged: a saved
message is older than its delivery.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

Header = tuple[bytes, bytes]  # name and value as they stand, the value with its folding and line end
KEY_BITS_LEAST = 1024  # RFC 8301 section 3.2: a shorter key verifies nothing
SIGNATURES_MOST = 10  # a message with more is not looked at further


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One signature: whose it is, what it covers (header names in lower case), and why it fails; "" where it holds."""

    domain: str
    selector: str
    covers: frozenset[str]
    fault: str

    @property
    def verified(self) -> bool:
        """Whether it holds."""
        return not self.fault


class _Fault(Exception):  # noqa: N818 - what a signature has, not an error of ours
    """Why a signature does not hold."""


def signatures(message: bytes, texts: Callable[[str], tuple[str, ...]]) -> tuple[Signature, ...]:
    """Every signature of a message; `texts` gives the TXT records of a name."""
    headers, body = parse(message)
    found = [index for index, (name, _) in enumerate(headers) if name.lower() == b"dkim-signature"]
    return tuple(_signature(headers, index, body, texts) for index in found[:SIGNATURES_MOST])


def parse(message: bytes) -> tuple[list[Header], bytes]:
    """Headers and body of a message, its line ends made CRLF."""
    crlf = re.sub(rb"\r?\n", b"\r\n", message)
    head, _, body = crlf.partition(b"\r\n\r\n")
    headers: list[Header] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and headers:
            headers[-1] = (headers[-1][0], headers[-1][1] + b"\r\n" + line)
        elif b":" in line:
            name, _, value = line.partition(b":")
            headers.append((name, value))
    return headers, body


def _signature(headers: list[Header], index: int, body: bytes, texts: Callable[[str], tuple[str, ...]]) -> Signature:
    tags = _tags(headers[index][1])
    domain, selector = tags.get("d", "").lower(), tags.get("s", "")
    covers = frozenset(name.strip().lower() for name in tags.get("h", "").split(":"))
    try:
        _verify(headers, index, body, tags, texts)
    except _Fault as fault:
        return Signature(domain=domain, selector=selector, covers=covers, fault=str(fault))
    return Signature(domain=domain, selector=selector, covers=covers, fault="")


def _verify(
    headers: list[Header], index: int, body: bytes, tags: dict[str, str], texts: Callable[[str], tuple[str, ...]]
) -> None:
    missing = [tag for tag in ("v", "a", "b", "bh", "d", "h", "s") if not tags.get(tag)]
    if missing or tags["v"] != "1":
        raise _Fault(f"no {missing[0]}=" if missing else f"v={tags['v']} is not 1")
    if "from" not in {name.strip().lower() for name in tags["h"].split(":")}:
        raise _Fault("From is not covered")
    algorithm, (for_headers, for_body) = tags["a"].lower(), _canonicalisations(tags)
    if algorithm not in ("rsa-sha256", "ed25519-sha256"):
        raise _Fault(f"a={algorithm} is not accepted (RFC 8301)")
    if hashlib.sha256(_limited(_body(body, for_body), tags)).digest() != _octets(tags["bh"], "bh"):
        raise _Fault("the body was changed (bh)")
    _of_domain(tags.get("i", ""), tags["d"])
    key = _key(texts(f"{tags['s']}._domainkey.{tags['d']}"), algorithm, tags)
    _check(key, _octets(tags["b"], "b"), _signed(headers, index, tags, for_headers))


def _tags(value: bytes) -> dict[str, str]:
    text = value.decode("utf-8", "replace")
    pairs = (part.partition("=") for part in text.split(";") if part.strip())
    return {name.strip(): re.sub(r"\s+", "", content) for name, _, content in pairs}


def _canonicalisations(tags: dict[str, str]) -> tuple[str, str]:
    for_headers, _, for_body = tags.get("c", "simple/simple").partition("/")
    chosen = (for_headers, for_body or "simple")
    if not set(chosen) <= {"simple", "relaxed"}:
        raise _Fault(f"c={tags['c']} is unknown")
    return chosen


def _body(body: bytes, how: str) -> bytes:
    """Sections 3.4.3 and 3.4.4."""
    if how == "relaxed":
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
        body = b"\r\n".join(lines)
    body = re.sub(rb"(\r\n)*\Z", b"", body)
    return body + b"\r\n" if body or how == "simple" else b""


def _limited(body: bytes, tags: dict[str, str]) -> bytes:
    """l= leaves the rest of a body to whoever appends to it (section 8.2): such a signature proves too little."""
    if "l" not in tags:
        return body
    if not tags["l"].isdigit() or int(tags["l"]) != len(body):
        raise _Fault("l= does not cover the whole body")
    return body


def _header(name: bytes, value: bytes, how: str) -> bytes:
    """Sections 3.4.1 and 3.4.2, without the line end."""
    if how == "simple":
        return name + b":" + value
    return name.strip().lower() + b":" + re.sub(rb"[ \t\r\n]+", b" ", value).strip(b" ")


def _signed(headers: list[Header], index: int, tags: dict[str, str], how: str) -> bytes:
    """What was signed (section 3.7): each named header from the last up, then this signature without its b=."""
    left: dict[bytes, list[Header]] = {}
    for number, header in enumerate(headers):
        if number != index:
            left.setdefault(header[0].strip().lower(), []).append(header)
    lines = []
    for name in tags["h"].lower().encode().split(b":"):
        stack = left.get(name.strip(), [])
        if stack:  # one that is not there is signed as empty (section 5.4.2)
            lines.append(_header(*stack.pop(), how) + b"\r\n")
    name, value = headers[index]
    unsigned = re.sub(rb"((?:^|;)\s*b\s*=)[^;]*", rb"\1", value)
    return b"".join([*lines, _header(name, unsigned, how)])


def _of_domain(identity: str, domain: str) -> None:
    at = identity.rpartition("@")[2].lower() or domain.lower()
    if at != domain.lower() and not at.endswith(f".{domain.lower()}"):
        raise _Fault(f"i={identity} is not of d={domain}")


def _key(records: tuple[str, ...], algorithm: str, tags: dict[str, str]) -> rsa.RSAPublicKey | ed25519.Ed25519PublicKey:
    if len(records) != 1:
        raise _Fault(f"{len(records)} keys at {tags['s']}._domainkey.{tags['d']}")
    key = _tags(records[0].encode())
    kind, hashes_allowed = key.get("k", "rsa"), key.get("h", "sha256").split(":")
    if not key.get("p"):
        raise _Fault("the key was revoked (empty p=)")
    if key.get("v", "DKIM1") != "DKIM1" or kind != algorithm.partition("-")[0] or "sha256" not in hashes_allowed:
        raise _Fault("the key is not for this signature")
    if not {"*", "email"} & set(key.get("s", "*").split(":")):
        raise _Fault("the key is not for mail (s=)")
    if "s" in key.get("t", "").split(":") and (at := tags.get("i", "").rpartition("@")[2]) and at != tags["d"]:
        raise _Fault("i= is of a sub-domain, which the key excludes (t=s)")
    return _public_key(_octets(key["p"], "p"), kind)


def _public_key(octets: bytes, kind: str) -> rsa.RSAPublicKey | ed25519.Ed25519PublicKey:
    try:
        if kind == "ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(octets)
        key = serialization.load_der_public_key(octets)
    except ValueError as error:
        raise _Fault(f"p= is no key: {error}") from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < KEY_BITS_LEAST:
        raise _Fault(f"p= is no RSA key of at least {KEY_BITS_LEAST} bits")
    return key


def _check(key: rsa.RSAPublicKey | ed25519.Ed25519PublicKey, signature: bytes, signed: bytes) -> None:
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, hashlib.sha256(signed).digest())
    except InvalidSignature as error:
        raise _Fault("the signature does not fit the headers (b)") from error


def _octets(text: str, tag: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise _Fault(f"{tag}= is not base64") from error
