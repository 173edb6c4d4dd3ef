import json

import jsonschema
import pytest
import stripe

from handlers.settings import STRIPE_EVENTS
from tests.infra.conftest import ROOT, Deployed, deploy
from tests.infra.test_config import NO_HOSTS_NAMED

SCHEMA = json.loads((ROOT / "checks/contract.schema.json").read_text(encoding="utf-8"))


def test_the_contract_is_what_the_checks_read(deployed: Deployed) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(deployed.contract)


def test_the_contract_holds_no_secret(deployed: Deployed) -> None:
    text = json.dumps(deployed.contract)
    for values in deployed.of_type("aws:secretsmanager/secretVersion:SecretVersion").values():
        assert str(values["secretString"]) not in text


def test_the_contract_names_what_was_declared(deployed: Deployed) -> None:
    contract = deployed.contract
    for key, token in (
        ("queues", "aws:sqs/queue:Queue"),
        ("functions", "aws:lambda/function:Function"),
        ("alarms", "aws:cloudwatch/metricAlarm:MetricAlarm"),
        ("secrets", "aws:secretsmanager/secret:Secret"),
    ):
        declared = {values["name"] for values in deployed.of_type(token).values()}
        assert {entry["name"] for entry in contract[key]} == declared, key


def test_the_contract_says_where_hosts_lead(deployed: Deployed) -> None:
    hosts = {(host["name"], host["type"]): host["role"] for host in deployed.contract["hosts"]}
    assert hosts == {
        ("tidewriters.example", "A"): "web",
        ("tidewriters.example", "AAAA"): "web",
        ("app.tidewriters.example", "CNAME"): "web",
        ("ops.tidewriters.example", "CNAME"): "ops",
        ("status.tidewriters.example", "CNAME"): "web",
        ("www.tidewriters.example", "CNAME"): "redirect",
        ("api.tidewriters.example", "CNAME"): "api",
    }


def test_the_endpoint_has_the_version_and_events_that_the_code_reads(deployed: Deployed) -> None:
    assert deployed.contract["stripe"] == {
        "endpoint_id": "we_1",
        "url": "https://api.tidewriters.example/webhooks/stripe",
        "api_version": stripe.api_version,
        "events": sorted(STRIPE_EVENTS),
        "livemode": True,
    }


@pytest.mark.parametrize("numbers", ["thresholds", "edge"])
def test_whole_numbers_stay_whole(deployed: Deployed, numbers: str) -> None:
    assert ".0" not in json.dumps(deployed.contract[numbers]).replace('"1.0"', "")


def test_a_host_that_is_not_proxied_is_not_said_to_be_redirected_by_the_edge() -> None:
    hosts = [
        {"name": "@", "platform": "plain", "addresses": ["203.0.113.24"], "role": "web"},
        {"name": "app", "platform": "netlify", "target": "tide.netlify.app", "role": "web", "ttl": 600},
    ]
    contract = deploy(hosts=hosts, **NO_HOSTS_NAMED).contract
    assert contract["edge"]["https_redirect_hosts"] == ["tidewriters.example"]
    [app] = [host for host in contract["hosts"] if host["name"].startswith("app.")]
    assert (app["proxied"], app["ttl"]) == (False, 600)
