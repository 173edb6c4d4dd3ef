"""A stack in test mode in the zone of the one that is live: neither touches what the other has."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import checks
from rehearsal.graph import Graph
from rehearsal.kept import vantage
from rehearsal.plan import plan
from rehearsal.progress import PlainProgress, Stages
from rehearsal.rehearse import Deployed, deployed
from rehearsal.twins.zone import Kind

with warnings.catch_warnings():
    # The SDKs announce, while they are imported, which resources were renamed; the program uses none of them.
    warnings.simplefilter("ignore", DeprecationWarning)
    import infra.program  # noqa: F401

PROJECT = Path(__file__).resolve().parents[2]
SHARED_TYPES = (
    "cloudflare:index/zone:Zone",
    "cloudflare:index/zoneSetting:ZoneSetting",
    "cloudflare:index/ruleset:Ruleset",
)
# What makes a resource the same one for AWS or Cloudflare, whoever declares it.
IDENTITIES = ("name", "bucket", "domainName", "scriptName", "pattern", "fqdn", "functionName", "statementId")
# A statement of a function's own policy, and what is made by code of ours and nowhere else.
OWN_ALONE = ("aws:lambda/permission:Permission", "pulumi-python:dynamic:Resource")
ZONE_AREAS = ("dns", "redir", "tls", "http", "cache", "edge", "mail")


@pytest.fixture(scope="module")
def graphs() -> tuple[Graph, Graph]:
    return plan(PROJECT, "prod"), plan(PROJECT, "staging")


def identities(graph: Graph) -> set[tuple[str, Any]]:
    found = set()
    for resource in graph:
        inputs = resource.inputs
        key = tuple(str(inputs.get(name)) for name in IDENTITIES if inputs.get(name))
        if key and not resource.unknowns and resource.type not in OWN_ALONE:
            content = str(inputs.get("content") or inputs.get("data") or "")
            found.add((resource.type, (*key, inputs.get("type", ""), content)))
    return found


def test_no_resource_of_one_plan_is_a_resource_of_the_other(graphs: tuple[Graph, Graph]) -> None:
    prod, staging = (identities(graph) for graph in graphs)
    assert len(prod) > 20
    assert len(staging) > 15
    assert prod & staging == set()


def test_a_tenant_declares_nothing_that_a_zone_has_once(graphs: tuple[Graph, Graph]) -> None:
    _, staging = graphs
    assert [resource.name for resource in staging if resource.type in SHARED_TYPES] == []


def test_the_owners_rules_speak_of_the_tenants_hosts(graphs: tuple[Graph, Graph]) -> None:
    prod, _ = graphs
    rules = str([ruleset.inputs["rules"] for ruleset in prod.of_type("cloudflare:index/ruleset:Ruleset")])
    assert "staging.tidewriters.example" in rules
    assert "api-staging.tidewriters.example" in rules


@pytest.fixture(scope="module")
def staging() -> Iterator[Deployed]:
    with deployed(PROJECT, "staging", Stages(PlainProgress())) as stage:
        yield stage


def test_the_tenant_is_judged_in_the_zone_of_its_owner_and_a_change_of_that_is_seen(staging: Deployed) -> None:
    report = checks.run(
        staging.contract, checks.Vantage.from_document(vantage(staging.twins, staging.contract)), only=ZONE_AREAS
    )
    assert [finding.id for finding in (*report.must_fix(), *report.unverified())] == []
    assert staging.neighbour is not None
    untouched = staging.neighbour.untouched()
    assert untouched.passed, untouched.actual
    assert untouched.actual["compared"] > 50

    _change_a_record_of_the_owner(staging)
    untouched = staging.neighbour.untouched()
    assert not untouched.passed
    assert [urn.rpartition("::")[2] for urn in untouched.actual["changed"]] == ["host-status-cname"]


def _change_a_record_of_the_owner(stage: Deployed) -> None:
    zone = stage.twins.zone
    [record] = [entry for entry in zone.entries(Kind.RECORD) if entry.outputs["name"] == "status.tidewriters.example"]
    zone.update(record.id, {**record.outputs, "content": "elsewhere.example"})
