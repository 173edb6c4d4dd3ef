"""Rules over the edge's certificate for the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checks.contract import Contract, OriginPull
from checks.probes.aws.watch import AlarmFacts
from checks.probes.origin import DirectFacts, OriginFacts
from checks.rules import origin
from tests.checks.exchanges import changed_edge, exchange, passes

API = "api.tidewriters.example"
NOW = datetime(2027, 11, 1, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "name": "launch-ready-prod-origin-certificate-expiry",
    "region": "eu-west-1",
    "namespace": "LaunchReady",
    "metric": "OriginCertificateDays",
    "dimensions": (("stack", "launch-ready-prod"),),
    "actions": ("arn:aws:sns:eu-west-1:123456789012:alarms",),
    "actions_enabled": True,
    "threshold": 30.0,
    "comparison": "LessThanThreshold",
    "state": "OK",
    "listeners": 1,
}


def asking(declared: Contract, days: float = 100) -> Contract:
    ends = (NOW + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    pull = OriginPull(host=API, certificate="2026-11", fingerprint="ab" * 32, not_after=ends)
    return changed_edge(declared, origin_pulls=(pull,))


def facts(bare: int | None, stranger: int | None, through: int = 200) -> OriginFacts:
    reason = "tlsv13 alert certificate required"
    return OriginFacts(
        direct=(
            DirectFacts(host=API, certificate="none", status=bare, reason=reason),
            DirectFacts(host=API, certificate="a stranger's", status=stranger, reason=reason),
        ),
        through_edge=exchange(f"https://{API}/health", through),
    )


@pytest.mark.parametrize(
    ("bare", "stranger", "through", "said"),
    [
        (None, None, 200, None),
        (None, 403, 200, None),
        (200, None, 200, "certificate none: answered 200"),
        (403, None, 200, "certificate none: answered 403"),
        (None, 200, 200, "certificate a stranger's: answered 200"),
        (None, None, 525, "through the edge: GET https://api.tidewriters.example/health -> 525"),
    ],
)
def test_only_the_edge_is_served(
    declared: Contract, bare: int | None, stranger: int | None, through: int, said: str | None
) -> None:
    assert passes(origin.pulls(asking(declared), facts(bare, stranger, through)), said)


def test_a_launch_that_asks_for_nothing_is_warned_that_its_origin_answers_anybody(declared: Contract) -> None:
    verdict = origin.pulls(changed_edge(declared, origin_pulls=()), facts(200, 200))
    assert verdict.status == "warn"
    assert "answered 200" in verdict.actual


def test_a_launch_without_an_api_host_is_no_pass(declared: Contract) -> None:
    nobody = OriginFacts(direct=(), through_edge=exchange(f"https://{API}/health"))
    assert passes(origin.pulls(declared, nobody), "no proxied API host")


@pytest.mark.parametrize(
    ("days", "status"), [(46, "pass"), (44.9, "warn"), (14.1, "warn"), (13.9, "fail"), (-1, "fail")]
)
def test_the_end_is_warned_of_and_then_failed(declared: Contract, days: float, status: str) -> None:
    verdict = origin.expiry(asking(declared, days), None, now=NOW)
    assert verdict.status == status
    assert f"{API}: 2026-11 until 202" in verdict.actual


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"threshold": 14.0}, True),
        ({"threshold": 7.0}, False),
        ({"comparison": "GreaterThanThreshold"}, False),
        ({"actions_enabled": False}, False),
        ({"listeners": 0}, False),
        ({"listeners": None}, False),
        ({"metric": "Alert"}, False),
        ({"dimensions": (("stack", "launch-ready-staging"),)}, False),
    ],
)
def test_somebody_is_told_in_time(declared: Contract, change: dict[str, Any], good: bool) -> None:
    verdict = origin.alarm(declared, (AlarmFacts(**{**GOOD, **change}),))
    assert passes(verdict, None if good else "no alarm on OriginCertificateDays")
