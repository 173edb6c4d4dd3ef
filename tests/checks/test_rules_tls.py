from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checks.contract import Hsts, Rung
from checks.model import Status
from checks.probes.ciphers import CipherFacts
from checks.probes.http import Exchange
from checks.probes.tls import CertificateFacts, TrustFacts, VersionFacts
from checks.rules import tls
from tests.checks.exchanges import changed, changed_edge, passes

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


def served(*values, host=HOST):
    headers = tuple(("strict-transport-security", value) for value in values)
    return (Exchange(method="GET", url=f"https://{host}/", status=200, headers=headers),)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (["max-age=31536000; includeSubDomains"], None),
        (['max-age="31536000"; includesubdomains'], None),
        (["max-age=300; includeSubDomains"], "max-age=300; includeSubDomains, declared max-age=31536000"),
        (["max-age=63072000; includeSubDomains; preload"], "max-age=63072000"),
        (["max-age=31536000"], "declared max-age=31536000; includeSubDomains"),
        (["includeSubDomains"], "declared max-age"),
        ([], "0 Strict-Transport-Security headers"),
        (["max-age=31536000; includeSubDomains"] * 2, "2 Strict-Transport-Security headers"),
    ],
)
def test_hsts(declared, headers, said):
    assert passes(tls.hsts(declared, served(*headers)), said)


def test_hsts_is_what_its_rung_declares(declared):
    low = Hsts(max_age=300, include_subdomains=False, preload=False)
    rung = Rung(ladder="hsts", rung="minutes", target="year", reached=False, by="2027-03-01")

    assert passes(tls.hsts(changed_edge(declared, hsts=low), served("max-age=300")), "must be at least a year")
    assert passes(tls.hsts(changed(changed_edge(declared, hsts=low), rungs=(rung,)), served("max-age=300")), None)
    assert passes(tls.hsts(changed(declared, rungs=(rung,)), served("max-age=300")), "declared max-age=31536000")


def test_a_platform_of_its_own_may_promise_more(declared):
    more = served("max-age=63072000; includeSubDomains; preload", host=f"ops.{HOST}")

    assert passes(tls.hsts(declared, more), None)
    assert passes(tls.hsts(declared, served("max-age=300", host=f"ops.{HOST}")), "max-age=300")


def test_without_hsts_no_host_passes(declared):
    assert passes(tls.hsts(changed_edge(declared, hsts=None), served()), "no HSTS is declared")
    assert passes(tls.hsts(declared, ()), "no host to visit is declared")


@pytest.mark.parametrize(
    ("weak", "preferred", "said"),
    [
        ((), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", None),
        (("TLS_RSA_WITH_3DES_EDE_CBC_SHA",), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "takes TLS_RSA_WITH_3DES"),
        ((), "TLS_RSA_WITH_AES_128_GCM_SHA256", "prefers TLS_RSA_WITH_AES_128_GCM_SHA256"),
        ((), "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "prefers TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
        ((), "", "prefers no cipher at all"),
    ],
)
def test_ciphers(declared, weak, preferred, said):
    assert passes(tls.ciphers(declared, (CipherFacts(host=HOST, weak=weak, preferred=preferred),)), said)


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
