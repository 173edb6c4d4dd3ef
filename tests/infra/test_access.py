"""Cloudflare Access in front of what operators use."""

from typing import Any

import pytest

from infra.edge.access import access_hosts
from rehearsal.plan import plan
from tests.infra.test_config import ROOT, loaded, problems

POLICY = "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy"
APPLICATION = "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication"
OPERATOR = {"emails": ["ops@tidewriters.example"]}
WEB = {"name": "@", "platform": "plain", "addresses": ["203.0.113.24"], "role": "web"}
OPS = {"name": "ops", "platform": "plain", "addresses": ["203.0.113.25"], "role": "ops"}
QUIET: dict[str, Any] = {"apps": {}, "redirects": {}}


def test_one_policy_guards_every_host_of_operators() -> None:
    graph = plan(ROOT, "prod", {"access": {**OPERATOR, "emailDomains": ["tidewriters.example"], "sessionHours": 8}})
    [policy] = graph.of_type(POLICY)
    assert policy.inputs["decision"] == "allow"
    assert policy.inputs["includes"] == [
        {"email": {"email": "ops@tidewriters.example"}},
        {"emailDomain": {"domain": "tidewriters.example"}},
    ]
    [application] = graph.of_type(APPLICATION)
    assert (application.inputs["domain"], application.inputs["type"]) == ("ops.tidewriters.example", "self_hosted")
    assert application.inputs["sessionDuration"] == policy.inputs["sessionDuration"] == "8h"
    assert [entry["precedence"] for entry in application.inputs["policies"]] == [1]
    assert policy.urn in application.property_dependencies["policies"]


@pytest.mark.parametrize(
    ("access", "hosts"), [(OPERATOR, ("ops.tidewriters.example",)), ({}, ()), ({"sessionHours": 8}, ())]
)
def test_the_contract_names_the_guarded_hosts(access: dict[str, Any], hosts: tuple[str, ...]) -> None:
    assert access_hosts(loaded(access=access)) == hosts


@pytest.mark.parametrize(
    ("changes", "key", "limit"),
    [
        ({"access": {"emails": ["ops"]}}, "access.emails[0]", "match pattern"),
        ({"access": {"emailDomains": ["gmail.com"]}}, "access", "anybody can have an address at gmail.com"),
        ({"access": {"emailDomains": ["@tide.example"]}}, "access", "emailDomains: a label is letters"),
        ({"access": {**OPERATOR, "sessionHours": 0}}, "access.sessionHours", "greater than or equal to 1"),
        ({"access": {**OPERATOR, "sessionHours": 721}}, "access.sessionHours", "less than or equal to 720"),
        ({"access": OPERATOR, "hosts": [WEB], **QUIET}, "access", "no host has role ops"),
        (
            {"access": OPERATOR, "hosts": [WEB, {**OPS, "proxied": False}], **QUIET},
            "hosts[1].proxied",
            "access stands at the edge, which a host that is not proxied avoids",
        ),
    ],
)
def test_access_that_would_not_guard_is_refused(changes: dict[str, Any], key: str, limit: str) -> None:
    [found] = problems(**changes)
    assert found.startswith(f"launch-ready:{key}: got ")
    assert limit in found


def test_without_access_an_operators_host_may_be_open() -> None:
    assert loaded(access={}, hosts=[WEB, {**OPS, "proxied": False}], **QUIET)
