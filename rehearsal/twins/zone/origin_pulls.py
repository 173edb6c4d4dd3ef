"""Authenticated origin pulls: which client certificate the edge shows to an origin.

https://developers.cloudflare.com/ssl/origin-configuration/authenticated-origin-pull/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from rehearsal.twins.zone.entries import Entry, Kind, entry
from rehearsal.twins.zone.holdings import Holdings
from rehearsal.twins.zone.refusals import CloudflareError, boolean, text


@dataclass(frozen=True, kw_only=True)
class ClientCertificate:
    """A client certificate of ours and its key, both PEM."""

    id: str
    certificate: str
    private_key: str = field(repr=False)


@dataclass(frozen=True)
class PullHosts:
    """The certificate's id of each host for which pulls are enabled."""

    certificates: Mapping[str, str]


def certificate(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """A client certificate for hosts of a zone; CloudflareError when the key is not its own."""
    zone = held.zone(inputs, "an origin pull certificate")
    what = f"origin pull certificate of zone {zone.outputs['name']}"
    pem, key = (text(inputs, name, what) for name in ("certificate", "privateKey"))
    leaf = _matching(pem, key, what)
    if old is not None and (old.outputs["certificate"], old.outputs["privateKey"]) != (pem, key):
        raise CloudflareError(f"{what}: a certificate cannot be changed: upload another, then remove this one")
    added = {
        "expiresOn": leaf.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "issuer": leaf.issuer.rfc4514_string(),
        "serialNumber": str(leaf.serial_number),
        "signature": (leaf.signature_hash_algorithm.name if leaf.signature_hash_algorithm else "none"),
        "status": "active",
    }
    made = entry(Kind.PULL_CERTIFICATE, zone.id, {**inputs, **added}, old)
    meaning = ClientCertificate(id=made.id, certificate=pem, private_key=key)
    outputs = {**made.outputs, "uploadedOn": made.outputs["createdOn"]}
    return Entry(id=made.id, kind=made.kind, scope=made.scope, outputs=outputs, meaning=meaning)


def hosts(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """Which host shows which certificate."""
    zone = held.zone(inputs, "origin pulls")
    name = zone.outputs["name"]
    enabled: dict[str, str] = {}
    for config in inputs.get("configs") or []:
        host = text(config, "hostname", f"origin pulls of zone {name}").lower()
        if host != name and not host.endswith(f".{name}"):
            raise CloudflareError(f"origin pulls: {host} is not in zone {name}", 1400)
        found = held.get(str(config.get("certId")))
        if found is None or found.kind != Kind.PULL_CERTIFICATE or found.scope != zone.id:
            raise CloudflareError(f"origin pulls of {host}: no certificate has the id {config.get('certId')!r}", 1400)
        if boolean(config, "enabled", f"origin pulls of {host}"):
            enabled[host] = found.id
    if not inputs.get("configs"):
        raise CloudflareError(f"origin pulls of zone {name} need at least one host in configs", 1400)
    for other in held.of(Kind.PULL_HOSTS, zone.id, but=old):
        shared = set(other.meaning.certificates) & set(enabled) if isinstance(other.meaning, PullHosts) else set()
        if shared:
            raise CloudflareError(f"origin pulls: {', '.join(sorted(shared))} is declared twice", 1400)
    return entry(Kind.PULL_HOSTS, zone.id, inputs, old, PullHosts(enabled))


def settings(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """Whether the zone's pulls are authenticated at all."""
    zone = held.zone(inputs, "origin pulls")
    if not isinstance(inputs.get("enabled"), bool):
        raise CloudflareError(f"origin pulls: enabled must be true or false, got {inputs.get('enabled')!r}")
    return entry(Kind.PULL_SETTINGS, zone.id, inputs, old, id_=f"{zone.id}/origin_tls_client_auth")


def check_unused(used: Entry, held: Holdings) -> None:
    """CloudflareError while a host still shows the certificate."""
    for other in held.of(Kind.PULL_HOSTS, used.scope):
        hosts = other.meaning.certificates if isinstance(other.meaning, PullHosts) else {}
        shown = sorted(host for host, id_ in hosts.items() if id_ == used.id)
        if shown:
            raise CloudflareError(f"origin pull certificate {used.id} is in use by {', '.join(shown)}", 1412)


def _matching(pem: str, key: str, what: str) -> x509.Certificate:
    """The certificate, whose key it is; neither is repeated in a message."""
    try:
        leaf = x509.load_pem_x509_certificate(pem.encode())
        private = serialization.load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise CloudflareError(f"{what}: certificate and privateKey must be PEM, the key not encrypted", 1408) from error
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if leaf.public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
        raise CloudflareError(f"{what}: privateKey is not that of the certificate", 1408)
    return leaf
