"""The providers of origin certificates as the engine runs them: pickled, in a process of their own, over gRPC."""

import json
from typing import Any

import pytest
from cryptography import x509
from google.protobuf import json_format
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2

from infra.origin.provider import CertificateProvider, RenewalProvider
from tests.infra.engine_side import struct

CERTIFICATE = "urn:pulumi:prod::launch-ready::pulumi-python:dynamic:Resource::origin-certificate-2026-11"
RENEWAL = "urn:pulumi:prod::launch-ready::pulumi-python:dynamic:Resource::origin-renewal"
UNCHANGED = provider_pb2.DiffResponse.DIFF_NONE


def certificate(**changes: Any) -> Any:
    inputs = {"owner": "launch-ready-prod", "name": "2026-11", "valid_days": 397}
    return struct({**inputs, "__provider": serialize_provider(CertificateProvider()), **changes})


def renewal(certificates: list[str], active: str) -> Any:
    inputs = {"owner": "launch-ready-prod", "certificates": certificates, "active": active}
    return struct({**inputs, "__provider": serialize_provider(RenewalProvider())})


def test_a_certificate_is_made_once_and_a_second_up_changes_nothing(engine_side: Any) -> None:
    checked = engine_side.Check(provider_pb2.CheckRequest(urn=CERTIFICATE, news=certificate()))
    assert not checked.failures
    made = engine_side.Create(provider_pb2.CreateRequest(urn=CERTIFICATE, properties=checked.inputs))
    assert made.id == "launch-ready-prod-origin-2026-11"
    found = x509.load_pem_x509_certificate(made.properties["certificate"].encode())
    assert found.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ") == made.properties["not_after"]
    same = engine_side.Diff(provider_pb2.DiffRequest(id=made.id, olds=made.properties, news=certificate()))
    assert same.changes == UNCHANGED


def test_neither_new_code_nor_another_lifetime_makes_another_key(engine_side: Any) -> None:
    olds = struct({**json_format.MessageToDict(certificate()), "__provider": "as it was pickled before"})
    news = certificate(valid_days=90)
    assert engine_side.Diff(provider_pb2.DiffRequest(id="x", olds=olds, news=news)).changes == UNCHANGED


def test_another_owner_makes_another_certificate(engine_side: Any) -> None:
    news = certificate(owner="launch-ready-staging")
    differs = engine_side.Diff(provider_pb2.DiffRequest(id="x", olds=certificate(), news=news))
    assert list(differs.replaces) == ["owner"]


@pytest.mark.parametrize("days", [0, 398])
def test_a_lifetime_out_of_bounds_is_refused(engine_side: Any, days: int) -> None:
    checked = engine_side.Check(provider_pb2.CheckRequest(urn=CERTIFICATE, news=certificate(valid_days=days)))
    assert [(one.property, one.reason) for one in checked.failures] == [
        ("valid_days", f"a client certificate is valid for 1 to 397 days, got {days}")
    ]


ONE, BOTH, OTHER = ["2025-11"], ["2025-11", "2026-11"], ["2026-11"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((ONE, "2025-11"), (ONE, "2025-11")),
        ((ONE, "2025-11"), (BOTH, "2025-11")),
        ((BOTH, "2025-11"), (BOTH, "2026-11")),
        ((BOTH, "2026-11"), (OTHER, "2026-11")),
        ((BOTH, "2026-11"), (BOTH, "2025-11")),
        ((BOTH, "2025-11"), (ONE, "2025-11")),
    ],
)
def test_each_step_of_a_renewal_and_each_step_back_is_allowed(engine_side: Any, before: Any, after: Any) -> None:
    assert _refused(engine_side, renewal(*before), renewal(*after)) == []


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ((ONE, "2025-11"), (BOTH, "2026-11"), [("active", "the API trusts 2025-11. Add it")]),
        ((BOTH, "2025-11"), (OTHER, "2026-11"), [("certificates", "2025-11 cannot go yet")]),
        ((ONE, "2025-11"), (OTHER, "2026-11"), [("active", "cannot be presented yet"), ("certificates", "cannot go")]),
    ],
)
def test_two_steps_at_once_are_refused_in_the_preview(engine_side: Any, before: Any, after: Any, refused: Any) -> None:
    failures = _refused(engine_side, renewal(*before), renewal(*after))
    assert [name for name, _ in failures] == [name for name, _ in refused]
    for (_, reason), (_, part) in zip(failures, refused, strict=True):
        assert part in reason


def test_the_first_certificates_need_no_step_before(engine_side: Any) -> None:
    assert _refused(engine_side, struct({}), renewal(BOTH, "2026-11")) == []


def test_a_renewal_remembers_what_was_declared_last(engine_side: Any) -> None:
    made = engine_side.Create(provider_pb2.CreateRequest(urn=RENEWAL, properties=renewal(ONE, "2025-11")))
    same = provider_pb2.DiffRequest(id=made.id, olds=made.properties, news=renewal(ONE, "2025-11"))
    assert engine_side.Diff(same).changes == UNCHANGED
    update = provider_pb2.UpdateRequest(id=made.id, urn=RENEWAL, olds=made.properties, news=renewal(BOTH, "2025-11"))
    updated = json_format.MessageToDict(engine_side.Update(update).properties)
    assert json.dumps(updated["certificates"]) == json.dumps(BOTH)


def test_two_pickles_are_equal_so_that_a_second_up_changes_nothing() -> None:
    assert serialize_provider(CertificateProvider()) == serialize_provider(CertificateProvider())
    assert serialize_provider(RenewalProvider()) == serialize_provider(RenewalProvider())


def _refused(engine_side: Any, olds: Any, news: Any) -> list[tuple[str, str]]:
    checked = engine_side.Check(provider_pb2.CheckRequest(urn=RENEWAL, olds=olds, news=news))
    return [(failure.property, failure.reason) for failure in checked.failures]
