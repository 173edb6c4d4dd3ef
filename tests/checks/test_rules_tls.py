from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checks.model import Status
from checks.probes.http import Exchange
from checks.probes.tls import CertificateFacts, TrustFacts, VersionFacts
from checks.rules import tls
from tests.checks.exchanges import passes

HOST = "tidewriters.example"
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((TrustFacts(host=HOST, trusted=True),), None),
        ((TrustFacts(host=HOST, trusted=False, failure="certificate has expired"),), "certificate has expired"),
        ((), "no host to visit"),
    ],
)
def test_chain(declared, facts, said):
    assert passes(tls.chain(declared, facts), said)


@pytest.mark.parametrize(
    ("accepted", "said"),
    [
        ({"1.2", "1.3"}, None),
        ({"1.0", "1.2", "1.3"}, "accepts TLS 1.0"),
        ({"1.1", "1.2", "1.3"}, "accepts TLS 1.1"),
        ({"1.2"}, "refuses TLS 1.3"),
        ({"1.3"}, "refuses TLS 1.2"),
        (set(), "refuses TLS 1.2"),
    ],
)
def test_versions(declared, accepted, said):
    assert passes(tls.versions(declared, (VersionFacts(host=HOST, accepted=frozenset(accepted)),)), said)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (["max-age=31536000; includeSubDomains"], None),
        (['max-age="63072000"; includesubdomains; preload'], None),
        (["max-age=300; includeSubDomains"], "max-age=300"),
        (["max-age=31536000"], "no includeSubDomains"),
        (["includeSubDomains"], "max-age=(none)"),
        ([], "0 Strict-Transport-Security headers"),
        (["max-age=31536000; includeSubDomains"] * 2, "2 Strict-Transport-Security headers"),
    ],
)
def test_hsts(declared, headers, said):
    visit = Exchange(
        method="GET",
        url=f"https://{HOST}/",
        status=200,
        headers=tuple(("strict-transport-security", value) for value in headers),
    )

    assert passes(tls.hsts(declared, (visit,)), said)


def test_preload_is_wanted_where_it_is_declared(declared):
    hsts = declared.edge.hsts.model_copy(update={"preload": True})
    preloading = declared.model_copy(update={"edge": declared.edge.model_copy(update={"hsts": hsts})})
    headers = (("strict-transport-security", "max-age=31536000; includeSubDomains"),)
    visit = Exchange(method="GET", url=f"https://{HOST}/", status=200, headers=headers)

    assert passes(tls.hsts(preloading, (visit,)), "no preload")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"ssl": "full"}, "ssl is full"),
        ({"ssl": "flexible"}, "ssl is flexible"),
        ({"min_tls_version": "1.0"}, "min_tls_version is 1.0"),
        ({"tls_1_3": False}, "tls_1_3 is off"),
    ],
)
def test_edge_ssl(declared, change, said):
    edge = declared.model_copy(update={"edge": declared.edge.model_copy(update=change)})

    assert passes(tls.edge_ssl(edge, None), said)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ssl": "strict", "min_tls_version": "1.2"}, None),
        ({"ssl": "full", "min_tls_version": "1.2"}, "ssl is full"),
        ({"ssl": "strict", "min_tls_version": "1.1"}, "min_tls_version is 1.1"),
        ({}, "ssl is None"),
    ],
)
def test_origin(declared, settings, said):
    assert passes(tls.origin(declared, settings), said)


def certificate(**changes) -> CertificateFacts:
    facts: dict[str, Any] = {
        "host": HOST,
        "not_before": NOW - timedelta(days=50),
        "not_after": NOW + timedelta(days=50),
        "key": "EC 256",
        "key_bits": 256,
        "signature_hash": "sha256",
        "names": (HOST,),
        "scts": 2,
    }
    return CertificateFacts(**{**facts, **changes})


@pytest.mark.parametrize(
    ("days_left", "status"),
    [
        (50, Status.PASS),
        (25, Status.PASS),
        (17, Status.PASS),
        (16, Status.WARN),
        (8, Status.WARN),
        (7, Status.FAIL),
        (-1, Status.FAIL),
    ],
)
def test_expiry(declared, days_left, status):
    facts = (certificate(not_after=NOW + timedelta(days=days_left)),)

    assert tls.expiry(declared, facts, NOW).status is status


@pytest.mark.parametrize(
    ("issued", "days", "said"),
    [
        ("2026-11-01", 200, None),
        ("2026-11-01", 201, "201 days, at most 200"),
        ("2027-04-01", 101, "101 days, at most 100"),
        ("2029-04-01", 48, "48 days, at most 47"),
        ("2025-01-01", 398, None),
        ("2025-01-01", 399, "at most 398"),
    ],
)
def test_lifetime(declared, issued, days, said):
    start = datetime.fromisoformat(issued).replace(tzinfo=UTC)
    facts = (certificate(not_before=start, not_after=start + timedelta(days=days)),)

    assert passes(tls.lifetime(declared, facts), said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"key": "RSA 2048", "key_bits": 2048}, None),
        ({"key": "RSA 1024", "key_bits": 1024}, "RSA 1024 is too weak"),
        ({"key": "EC 224", "key_bits": 224}, "EC 224 is too weak"),
        ({"signature_hash": "sha1"}, "signed with sha1"),
        ({"scts": 1}, "1 SCTs"),
    ],
)
def test_key(declared, change, said):
    assert passes(tls.key(declared, (certificate(**change),)), said)
