"""Two stacks in one zone: what a tenant takes from its owner, what an owner knows of its tenants, what is refused."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import stackfiles
from infra.config import load
from infra.problems import ConfigError
from infra.settings import Stack
from infra.stackfiles import StackFileError, StackFiles

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "stripeApiKey": "sk_test_deploy",
    "stripeReadKey": "rk_test_read",
    "kitApiKey": "kit_made_up",
    "slackBotToken": "xoxb-made-up",
    "identityKey": "made-up-" + "k" * 32,
}


class Zone:
    """Both stack files of the project, with changes."""

    def __init__(self, owner: Mapping[str, Any] | None = None, tenant: Mapping[str, Any] | None = None) -> None:
        self._raw = {
            "prod": {**StackFiles().of("prod"), **_text(owner or {})},
            "staging": {**StackFiles().of("staging"), **_text(tenant or {})},
        }

    def names(self) -> list[str]:
        return list(self._raw)

    def of(self, name: str) -> Mapping[str, str]:
        if name not in self._raw:
            raise StackFileError(f"Pulumi.{name}.yaml does not exist")
        return self._raw[name]

    def load(self, name: str) -> Stack:
        live = {"prod": "_live_", "staging": "_test_"}[name]
        secrets = {key: value.replace("_test_", live) for key, value in SECRETS.items()}
        raw = {**stackfiles.defaults(), **self._raw[name], **_text(secrets)}
        return load(raw, project="launch-ready", stack=name, others=self)

    def problems(self, name: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            self.load(name)
        return [str(problem) for problem in caught.value.problems]


def _text(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"launch-ready:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in values.items()
    }


def host(name: str) -> dict[str, Any]:
    return {"name": name, "platform": "plain", "addresses": ["203.0.113.9"], "proxied": True, "role": "web"}


def test_a_tenant_takes_what_concerns_the_zone_from_its_owner() -> None:
    zone = Zone(owner={"zonePlan": "pro", "hsts": {"rung": "month", "target": "year", "by": "2027-01-31"}})
    tenant, owner = zone.load("staging"), zone.load("prod")
    assert tenant.settings.zone_plan == "pro"
    assert tenant.settings.hsts == owner.settings.hsts
    assert tenant.settings.mail == owner.settings.mail
    assert (tenant.owns_zone, owner.owns_zone) == (False, True)


def test_an_owner_knows_the_hosts_of_its_tenants() -> None:
    owner = Zone().load("prod")
    assert owner.api_hosts == ("api.tidewriters.example", "api-staging.tidewriters.example")
    assert "staging.tidewriters.example" in owner.edge_web_hosts
    assert "staging.tidewriters.example" not in owner.proxied_web_hosts
    assert owner.noindex_hosts == ("staging.tidewriters.example",)


def test_a_tenant_sees_its_own_hosts_alone_and_keeps_them_from_search_engines() -> None:
    tenant = Zone().load("staging")
    assert tenant.api_hosts == ("api-staging.tidewriters.example",)
    assert tenant.edge_web_hosts == tenant.noindex_hosts == ("staging.tidewriters.example",)


def test_what_a_tenant_says_of_the_zone_must_be_what_its_owner_says() -> None:
    assert Zone(tenant={"zonePlan": "free"}).load("staging").settings.zone_plan == "free"
    [problem] = Zone(tenant={"zonePlan": "business"}).problems("staging")
    assert "zonePlan: got business; it is the zone's, and stack 'prod' says free" in problem


@pytest.mark.parametrize(
    ("tenant", "said"),
    [
        ({"owner": ""}, "owner: got nothing; a tenant's zone is owned by another stack"),
        ({"owner": "live"}, "owner: got live; Pulumi.live.yaml does not exist"),
        ({"owner": "staging"}, "that stack owns no zone itself"),
        ({"zoneId": ""}, "zoneId: got nothing; a tenant's records are put into a zone that exists"),
        ({"parked": ["tidewriters.net"]}, "parked: got"),
        ({"hosts": [host("@")]}, "hosts[0].name: got @; it belongs to the zone's owner"),
        ({"apiHost": "api.eu"}, "apiHost: got api.eu; the edge's certificate covers the apex and one label below it"),
        ({"hosts": [host("api-staging")]}, "'api-staging' is declared by the program"),
    ],
)
def test_a_tenant_that_cannot_be_one_is_told_why(tenant: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in Zone(tenant=tenant).problems("staging"))


@pytest.mark.parametrize(
    ("owner", "tenant", "said"),
    [
        ({}, {"hosts": [{"name": "staging"}]}, "stack 'staging' is a tenant of this zone, and its hosts"),
        ({}, {"hosts": [host("app")]}, "stack 'staging', a tenant of this zone, stands at a host of this stack"),
        ({}, {"apiHost": "api"}, "hosts: got api.tidewriters.example; stack 'staging', a tenant of this zone"),
        ({"owner": "staging"}, {}, "owner: got staging; this stack owns its zone itself"),
        ({"zoneId": "0" * 32}, {}, "zoneId: got"),
    ],
)
def test_an_owner_whose_tenants_are_at_odds_with_it_is_told(
    owner: dict[str, Any], tenant: dict[str, Any], said: str
) -> None:
    assert any(said in problem for problem in Zone(owner, tenant).problems("prod"))


def test_a_stack_that_owns_another_zone_has_no_tenants_here() -> None:
    assert Zone(tenant={"owner": "live"}).load("prod").tenants == ()


def test_a_stack_file_that_cannot_be_read_may_be_a_tenants_and_is_told() -> None:
    class Torn(Zone):
        def names(self) -> list[str]:
            return [*super().names(), "torn"]

    assert any("Pulumi.torn.yaml does not exist, and it may be a tenant" in one for one in Torn().problems("prod"))


def test_a_stack_file_is_read_as_the_engine_reads_it(tmp_path: Path) -> None:
    secret = {"secure": "v1:abc"}
    config = {"config": {"launch-ready:a": "on", "launch-ready:b": [1, True], "launch-ready:c": secret}}
    (tmp_path / "Pulumi.x.yaml").write_text(yaml.safe_dump(config).replace("'on'", "on"), encoding="utf-8")
    assert StackFiles(tmp_path).of("x") == {"launch-ready:a": "on", "launch-ready:b": "[1, true]"}


@pytest.mark.parametrize("content", [b"[1]", b"config: 3", b"config: [", b"\xff\xfe"])
def test_a_stack_file_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "Pulumi.x.yaml").write_bytes(content)
    with pytest.raises(StackFileError, match=r"Pulumi\.x\.yaml"):
        StackFiles(tmp_path).of("x")
