"""The zone's signing key, and what Cloudflare tells of it for the registrar.

https://developers.cloudflare.com/api/resources/dns/subresources/dnssec/
"""

from dataclasses import dataclass
from typing import Any

import dns.dnssec
import dns.name
import dns.rdtypes.ANY.DNSKEY
import dns.rdtypes.ANY.DS
from cryptography.hazmat.primitives.asymmetric import ec

_SECURE_ENTRY = 257  # flags: zone key, secure entry point (RFC 4034 section 2.1.1)
_ALGORITHM = dns.dnssec.Algorithm.ECDSAP256SHA256
_DIGEST = dns.dnssec.DSDigest.SHA256


@dataclass(frozen=True)
class SigningKey:
    """The one key that signs a zone: its key-signing and zone-signing key in one."""

    private: ec.EllipticCurvePrivateKey
    public: dns.rdtypes.ANY.DNSKEY.DNSKEY

    def ds(self, zone: str) -> dns.rdtypes.ANY.DS.DS:
        """The record by which the parent of `zone` vouches for the key."""
        return dns.dnssec.make_ds(dns.name.from_text(zone), self.public, _DIGEST)

    def outputs(self, zone: str) -> dict[str, Any]:
        """What ZoneDnssec outputs. Its status stays pending until the registrar has the DS record."""
        ds = self.ds(zone)
        return {
            "algorithm": str(int(_ALGORITHM)),
            "digest": ds.digest.hex().upper(),
            "digestAlgorithm": "SHA256",
            "digestType": str(int(_DIGEST)),
            "ds": f"{zone}. 3600 IN DS {ds.to_text()}",
            "flags": _SECURE_ENTRY,
            "keyTag": dns.dnssec.key_id(self.public),
            "keyType": "ECDSAP256SHA256",
            "publicKey": self.public.to_text().split(" ", 3)[3].replace(" ", ""),
            "status": "pending",
        }


def generate() -> SigningKey:
    """A new key; it takes about a millisecond."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = dns.dnssec.make_dnskey(private.public_key(), _ALGORITHM, flags=_SECURE_ENTRY)
    return SigningKey(private, public)
