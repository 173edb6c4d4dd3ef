from typing import Any

import pytest

from rehearsal.plan import plan
from tests.infra.conftest import ROOT, Deployed, deploy
from tests.infra.test_config import loaded, problems

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
OLD = {"domain": "oldtide.example", "to": "https://tidewriters.example"}


@pytest.fixture(scope="module")
def aside() -> Deployed:
    retired = [OLD, {"domain": "tide.example", "to": "https://tidewriters.example/blog/", "keepPath": False}]
    return deploy(parked=["tidewriters.net"], retired=retired, dnssec=True)


def records_of(deployed: Deployed, zone: str) -> set[tuple[str, str, str]]:
    [zone_id] = {values["zoneId"] for name, values in deployed.of_type(RECORD).items() if name.endswith(f"-{zone}-mx")}
    return {
        (values["name"], values["type"], values["content"])
        for values in deployed.of_type(RECORD).values()
        if values["zoneId"] == zone_id
    }


def silent(domain: str) -> set[tuple[str, str, str]]:
    return {
        (domain, "MX", "."),
        (domain, "TXT", '"v=spf1 -all"'),
        (f"_dmarc.{domain}", "TXT", '"v=DMARC1; p=reject"'),
        (f"*._domainkey.{domain}", "TXT", '"v=DKIM1; p="'),
    }


def test_a_parked_domain_serves_nothing_and_refuses_all_mail(aside: Deployed) -> None:
    assert records_of(aside, "tidewriters.net") == silent("tidewriters.net")


def test_a_retired_domain_refuses_mail_too_and_is_answered_for_by_the_edge_alone(aside: Deployed) -> None:
    addresses = {("oldtide.example", "AAAA", "100::"), ("*.oldtide.example", "AAAA", "100::")}
    assert records_of(aside, "oldtide.example") == silent("oldtide.example") | addresses


def test_each_is_a_zone_of_its_own_and_signed(aside: Deployed) -> None:
    zones = {values["name"] for values in aside.of_type("cloudflare:index/zone:Zone").values()}
    assert zones == {"tidewriters.example", "tidewriters.net", "oldtide.example", "tide.example"}
    signed = aside.of_type("cloudflare:index/zoneDnssec:ZoneDnssec").values()
    assert len({values["zoneId"] for values in signed}) == len(zones)
    assert {values["status"] for values in signed} == {"active"}


def test_a_retired_domain_takes_everything_in_one_hop_with_its_path_or_without(aside: Deployed) -> None:
    rules = {
        name: values["rules"]
        for name, values in aside.of_type("cloudflare:index/ruleset:Ruleset").items()
        if name.startswith("retired-")
    }
    [kept], [dropped] = rules["retired-oldtide.example-redirects"], rules["retired-tide.example-redirects"]
    assert kept["expression"] == dropped["expression"] == "true"
    assert target(kept) == {
        "statusCode": 301,
        "preserveQueryString": True,
        "targetUrl": {"expression": 'concat("https://", "tidewriters.example", http.request.uri.path)'},
    }
    assert target(dropped) == {
        "statusCode": 301,
        "preserveQueryString": False,
        "targetUrl": {"value": "https://tidewriters.example/blog"},
    }


def test_the_contract_names_them(aside: Deployed) -> None:
    assert aside.contract["parked"] == ["tidewriters.net"]
    assert aside.contract["zone"]["dnssec"] is True
    to = "https://tidewriters.example"
    assert aside.contract["retired"] == [
        {"domain": "oldtide.example", "to": to, "status": 301, "keep_path": True},
        {"domain": "tide.example", "to": f"{to}/blog", "status": 301, "keep_path": False},
    ]


def test_their_zones_are_protected_as_the_apps_is() -> None:
    for protect in (True, False):
        graph = plan(ROOT, "prod", {"protect": protect, "parked": ["tidewriters.net"], "retired": [OLD]})
        zones = graph.of_type("cloudflare:index/zone:Zone")
        assert len(zones) == 3
        assert {bool(zone.options.get("protect")) for zone in zones} == {protect}


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"parked": ["tidewriters.example"]}, "parked[0]", "the app's own domain"),
        ({"parked": ["eu.tidewriters.example"]}, "parked[0]", "or below it"),
        ({"parked": ["a.example", "a.example"]}, "parked[1]", "parked or retired once"),
        ({"parked": ["oldtide.example"], "retired": [OLD]}, "retired[0].domain", "parked or retired once"),
        ({"parked": ["schön.example"]}, "parked[0]", "here xn--schn-7qa.example"),
        ({"parked": ["example"]}, "parked[0]", "at least two labels"),
        ({"retired": [{**OLD, "to": "http://tidewriters.example"}]}, "retired[0].to", "an https address"),
        ({"retired": [{**OLD, "to": "https://u:p@tidewriters.example"}]}, "retired[0].to", "without user"),
        ({"retired": [{**OLD, "to": "https://tidewriters.example:8443"}]}, "retired[0].to", "without user and port"),
        ({"retired": [{**OLD, "to": "https://[tidewriters"}]}, "retired[0].to", "no address"),
        ({"retired": [{**OLD, "to": "https://tidewriters.example?a=b"}]}, "retired[0].to", "neither query"),
        ({"retired": [{**OLD, "to": 'https://tidewriters.example/"'}]}, "retired[0].to", "without blanks, quotes"),
        ({"retired": [{**OLD, "to": "https://oldtide.example/new"}]}, "retired[0].to", "is retired itself"),
        (
            {"retired": [{**OLD, "to": "https://www.tide.net"}], "parked": ["tide.net"]},
            "retired[0].to",
            "parked itself",
        ),
        ({"retired": [{**OLD, "keepPaths": True}]}, "retired[0].keepPaths", "Did you mean keepPath?"),
    ],
)
def test_what_is_wrong_with_a_domain_aside_is_said(changes: dict[str, Any], key: str, said: str) -> None:
    found = problems(**changes)
    assert any(line.startswith(f"launch-ready:{key}: ") and said in line for line in found), found


def test_a_retired_domain_keeps_paths_unless_told_otherwise() -> None:
    [retired] = loaded(retired=[OLD]).settings.retired
    assert (retired.keep_path, retired.to) == (True, "https://tidewriters.example")


def target(rule: dict[str, Any]) -> dict[str, Any]:
    return rule["actionParameters"]["fromValue"]
