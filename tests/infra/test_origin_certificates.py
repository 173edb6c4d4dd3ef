"""The certificates as API Gateway will look at them: by cryptography's own path validation, for clients."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from infra.origin.certificates import VALID_DAYS, Issued, issue

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def ours() -> Issued:
    return issue("launch-ready-prod", "2026-11", NOW)


@pytest.fixture(scope="module")
def another() -> Issued:
    return issue("launch-ready-prod", "2026-11", NOW)


def _verify(made: Issued, authority: Issued, at: datetime) -> x509.Certificate:
    """The first of the verified chain. Raises verification.VerificationError.

    The policy is that of RFC 5280 for clients; browsers' rules for host names do not concern a client.
    """
    store = verification.Store([x509.load_pem_x509_certificate(authority.authority.encode())])
    policy = verification.ExtensionPolicy.permit_all().require_present(
        x509.BasicConstraints, verification.Criticality.AGNOSTIC, None
    )
    verifier = (
        verification.PolicyBuilder()
        .store(store)
        .time(at)
        .extension_policies(ca_policy=policy, ee_policy=verification.ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    return verifier.verify(x509.load_pem_x509_certificate(made.certificate.encode()), []).chain[0]


def test_a_client_certificate_is_verified_by_its_own_authority_until_it_ends(ours: Issued) -> None:
    assert _verify(ours, ours, NOW).subject.rfc4514_string() == "CN=2026-11,O=launch-ready-prod"
    assert _verify(ours, ours, NOW + timedelta(days=VALID_DAYS) - timedelta(seconds=1))
    with pytest.raises(verification.VerificationError):
        _verify(ours, ours, NOW + timedelta(days=VALID_DAYS, seconds=1))


def test_an_authority_of_the_same_name_does_not_verify_it(ours: Issued, another: Issued) -> None:
    with pytest.raises(verification.VerificationError):
        _verify(ours, another, NOW)


def test_the_certificate_is_for_clients_and_can_sign_no_other(ours: Issued) -> None:
    certificate = x509.load_pem_x509_certificate(ours.certificate.encode())
    extensions = certificate.extensions
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    authority = x509.load_pem_x509_certificate(ours.authority.encode()).extensions
    assert authority.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)


def test_key_signature_and_lifetime_are_what_the_vendors_take(ours: Issued) -> None:
    certificate = x509.load_pem_x509_certificate(ours.certificate.encode())
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size >= 2048
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == "sha256"
    assert certificate.not_valid_after_utc == ours.not_after == NOW + timedelta(days=397)
    assert certificate.not_valid_before_utc < NOW


def test_the_private_key_is_the_certificates_and_the_authoritys_is_nowhere(ours: Issued) -> None:
    private = load_pem_private_key(ours.private_key.encode(), password=None)
    certificate = x509.load_pem_x509_certificate(ours.certificate.encode())
    assert private.public_key() == certificate.public_key()
    assert "PRIVATE KEY" not in ours.authority + ours.certificate


def test_the_longest_names_fit(ours: Issued) -> None:
    longest = issue("o" * 64, "n" * 32, NOW)
    assert _verify(longest, longest, NOW)
    assert longest.fingerprint != ours.fingerprint
