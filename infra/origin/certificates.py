"""A certificate authority that signs one client certificate and is forgotten: pure, but for its randomness."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A year and a month, so that yearly renewals overlap. NIST SP 800-57 part 1, table 1: one to two years for a key that
# authenticates. The CA/Browser Forum's shorter limits are for certificates that browsers trust, which these are not.
VALID_DAYS = 397
# What both vendors document: API Gateway takes RSA from 2048 bits on, Cloudflare's examples are RSA. Each handshake
# pays for more, and a key lives for a year: 2048 bits are enough until 2030 (NIST SP 800-57 part 1, table 4).
KEY_BITS = 2048
_EXPONENT = 65537
_BACKDATED = timedelta(hours=1)  # for clocks that run late


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A client certificate, its key and the authority to trust, each as PEM; SHA-256 in hex, and the end in UTC."""

    authority: str
    certificate: str
    private_key: str
    fingerprint: str
    not_after: datetime


def issue(owner: str, name: str, now: datetime, *, days: int = VALID_DAYS) -> Issued:
    """The certificate `name` of `owner` (at most 64 and 54 characters), for `days` from `now`, by its own authority.

    An authority and not a self-signed certificate: API Gateway refuses clients whose certificate is self-signed. Its
    key signs this one and is gone with the call, so nobody can ever sign another.
    """
    authority_key, key = _key(), _key()
    ends = now + timedelta(days=days)
    authority = _authority(_subject(owner, f"{name} authority"), authority_key, now, ends)
    certificate = (
        _builder(_subject(owner, name), authority.subject, key, now, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    return Issued(
        authority=_pem(authority),
        certificate=_pem(certificate),
        private_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        not_after=certificate.not_valid_after_utc,
    )


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=_EXPONENT, key_size=KEY_BITS)


def _subject(owner: str, name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, owner), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _authority(name: x509.Name, key: rsa.RSAPrivateKey, now: datetime, ends: datetime) -> x509.Certificate:
    return (
        _builder(name, name, key, now, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
