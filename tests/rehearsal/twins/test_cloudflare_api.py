"""The stand-in of Cloudflare's API, asked over real HTTP; its forms are held against those of the provider."""

import warnings
from collections.abc import Generator
from datetime import datetime
from typing import Any

import httpx
import pytest

from rehearsal.resources import cloudflare
from rehearsal.twins.cloudflare_api import CloudflareApiTwin
from tests.rehearsal.twins.declared import ZONE, Declaration, block, caching, hsts, limit, redirect

with warnings.catch_warnings():
    # The provider's package warns, while it is imported, of resources that nobody here uses.
    warnings.simplefilter("ignore", DeprecationWarning)
    import pulumi_cloudflare
    from pulumi_cloudflare import outputs

TOKEN = "cf-token"


@pytest.fixture
def declared() -> Declaration:
    return Declaration()


@pytest.fixture
def api(declared: Declaration) -> Generator[CloudflareApiTwin]:
    with CloudflareApiTwin(declared.twin, TOKEN) as api:
        yield api


def ask(api: CloudflareApiTwin, path: str, header: str | None = f"Bearer {TOKEN}", method: str = "GET", **query: Any):
    headers = {} if header is None else {"authorization": header}
    return httpx.request(method, f"{api.url}/client/v4{path}", headers=headers, params=query, trust_env=False)


def result(api: CloudflareApiTwin, path: str, **query: Any) -> Any:
    answer = ask(api, path, **query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["success"], body["errors"], body["messages"]) == (True, [], [])
    return body["result"]


def refused(answer: httpx.Response) -> tuple[int, int, str]:
    body = answer.json()
    assert body.keys() == {"success", "errors", "messages", "result"}
    assert (body["success"], body["messages"], body["result"]) == (False, [], None)
    (error,) = body["errors"]
    return answer.status_code, error["code"], error["message"]


def fields(of: type) -> set[str]:
    """What the provider, which is made from Cloudflare's own API description, reads of a thing."""
    return {name for name, value in vars(of).items() if isinstance(value, property)}


def test_a_declared_setting_is_told_as_it_is(api: CloudflareApiTwin, declared: Declaration):
    declared.setting("ssl", "strict")
    found = result(api, f"/zones/{declared.zone.id}/settings/ssl")
    assert datetime.fromisoformat(found.pop("modified_on")).tzinfo
    assert found == {"id": "ssl", "value": "strict", "editable": True}
    declared.twin.update(f"{declared.zone.id}/ssl", {"zoneId": declared.zone.id, "settingId": "ssl", "value": "full"})
    assert result(api, f"/zones/{declared.zone.id}/settings/ssl")["value"] == "full"


def test_a_setting_that_nobody_declared_has_cloudflares_value(api: CloudflareApiTwin, declared: Declaration):
    found = result(api, f"/zones/{declared.zone.id}/settings/min_tls_version")
    assert found == {"id": "min_tls_version", "value": "1.0", "editable": True, "modified_on": None}


def test_all_settings_are_listed_once(api: CloudflareApiTwin, declared: Declaration):
    declared.setting("ssl", "strict")
    declared.setting("brotli", "on")
    declared.setting("security_header", hsts())
    found = {setting["id"]: setting["value"] for setting in result(api, f"/zones/{declared.zone.id}/settings")}
    assert found["ssl"] == "strict"
    assert found["brotli"] == "on"
    assert found["security_header"] == hsts()
    assert found["http2"] == "on"


def test_an_unknown_setting_is_refused(api: CloudflareApiTwin, declared: Declaration):
    answer = ask(api, f"/zones/{declared.zone.id}/settings/grpc")
    assert refused(answer) == (400, 1006, "Unrecognized zone setting name: grpc")


def test_the_zone_is_told(api: CloudflareApiTwin, declared: Declaration):
    found = result(api, f"/zones/{declared.zone.id}")
    assert (found["id"], found["name"], found["status"]) == (declared.zone.id, ZONE, "active")
    assert found["name_servers"] == declared.now.name_servers
    assert found["plan"]["legacy_id"] == "free"


def test_records_are_told_with_what_cloudflare_adds(api: CloudflareApiTwin, declared: Declaration):
    declared.proxied("app")
    declared.record("@", "MX", "in1.mail.example", priority=10.0)
    app, exchanger = result(api, f"/zones/{declared.zone.id}/dns_records")
    assert (app["name"], app["proxied"], app["ttl"], app["proxiable"]) == (f"app.{ZONE}", True, 1, True)
    assert (exchanger["priority"], exchanger["proxied"], exchanger["ttl"]) == (10, False, 300)
    assert isinstance(exchanger["priority"], int)


def test_records_come_in_pages(api: CloudflareApiTwin, declared: Declaration):
    names = [declared.record(f"h{number}").outputs["name"] for number in range(7)]
    path = f"/zones/{declared.zone.id}/dns_records"
    pages = [ask(api, path, page=page, per_page=3).json() for page in (1, 2, 3, 4)]
    assert [record["name"] for page in pages for record in page["result"]] == names
    assert [page["result_info"]["count"] for page in pages] == [3, 3, 1, 0]
    assert pages[0]["result_info"] == {"page": 1, "per_page": 3, "count": 3, "total_count": 7, "total_pages": 3}


def test_records_are_chosen_by_name_and_type(api: CloudflareApiTwin, declared: Declaration):
    declared.record("app")
    declared.record("app", "AAAA", "2001:db8::1")
    path = f"/zones/{declared.zone.id}/dns_records"
    assert [record["type"] for record in result(api, path, name=f"app.{ZONE}", type="AAAA")] == ["AAAA"]
    assert result(api, path, name=f"other.{ZONE}") == []


@pytest.mark.parametrize(
    "query", [{"page": 0}, {"page": "two"}, {"per_page": 0}, {"per_page": 5_000_001}, {"colour": "x"}]
)
def test_a_page_that_cannot_be_is_refused(api: CloudflareApiTwin, declared: Declaration, query: dict[str, Any]):
    assert refused(ask(api, f"/zones/{declared.zone.id}/dns_records", **query))[:2] == (400, 1004)


def test_an_entry_point_is_told_in_the_apis_own_form(api: CloudflareApiTwin, declared: Declaration):
    declared.ruleset("http_request_dynamic_redirect", redirect("true", {"value": "https://example.com"}))
    found = result(api, f"/zones/{declared.zone.id}/rulesets/phases/http_request_dynamic_redirect/entrypoint")
    assert (found["kind"], found["phase"], found["version"]) == ("zone", "http_request_dynamic_redirect", "1")
    (rule,) = found["rules"]
    assert rule["ref"] == "r"
    target = {"status_code": 301, "target_url": {"value": "https://example.com"}, "preserve_query_string": True}
    assert rule["action_parameters"] == {"from_value": target}


def test_a_rate_limit_and_a_cache_rule_keep_their_numbers_whole(api: CloudflareApiTwin, declared: Declaration):
    declared.ruleset("http_ratelimit", limit("/auth/", 20))
    declared.ruleset(
        "http_request_cache_settings", caching("true", edgeTtl={"mode": "override_origin", "default": 7200.0})
    )
    base = f"/zones/{declared.zone.id}/rulesets/phases"
    (counted,) = result(api, f"{base}/http_ratelimit/entrypoint")["rules"]
    assert counted["ratelimit"]["requests_per_period"] == 20
    assert isinstance(counted["ratelimit"]["period"], int)
    (kept,) = result(api, f"{base}/http_request_cache_settings/entrypoint")["rules"]
    assert kept["action_parameters"]["edge_ttl"] == {"mode": "override_origin", "default": 7200}


def test_names_of_headers_stay_as_they_are(api: CloudflareApiTwin, declared: Declaration):
    headers = {"X-Frame-Options": {"operation": "set", "value": "DENY"}}
    rule = {"ref": "h", "expression": "true", "action": "rewrite", "actionParameters": {"headers": headers}}
    declared.ruleset("http_response_headers_transform", rule)
    path = f"/zones/{declared.zone.id}/rulesets/phases/http_response_headers_transform/entrypoint"
    assert result(api, path)["rules"][0]["action_parameters"] == {"headers": headers}


def test_a_rule_that_is_not_enabled_is_told_too(api: CloudflareApiTwin, declared: Declaration):
    declared.ruleset("http_request_firewall_custom", block("true", enabled=False))
    path = f"/zones/{declared.zone.id}/rulesets/phases/http_request_firewall_custom/entrypoint"
    assert [rule["enabled"] for rule in result(api, path)["rules"]] == [False]


def test_a_phase_without_rules_has_no_entry_point(api: CloudflareApiTwin, declared: Declaration):
    answer = ask(api, f"/zones/{declared.zone.id}/rulesets/phases/http_ratelimit/entrypoint")
    assert refused(answer) == (404, 10003, "could not find entrypoint ruleset in the http_ratelimit phase")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (None, (400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")),
        (f"Token {TOKEN}", (400, 6003, "Invalid request headers")),
        ("Bearer", (400, 6003, "Invalid request headers")),
        ("Bearer of-somebody-else", (403, 9109, "Invalid access token")),
    ],
)
def test_who_does_not_hold_the_token_learns_nothing(
    api: CloudflareApiTwin, declared: Declaration, header: str | None, said: tuple[int, int, str]
):
    assert refused(ask(api, f"/zones/{declared.zone.id}", header)) == said


def test_the_token_writes_nothing(api: CloudflareApiTwin, declared: Declaration):
    answer = ask(api, f"/zones/{declared.zone.id}/settings/ssl", method="PATCH")
    assert refused(answer) == (403, 10000, "Authentication error")
    assert declared.now.setting("ssl") == "full"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/zones/" + "0" * 32, (403, 9109)),  # a zone of somebody else
        ("/zones/tidewriters.example/settings", (404, 7003)),
        ("/accounts", (404, 7000)),
    ],
)
def test_what_is_not_there_is_refused_as_cloudflare_does(api: CloudflareApiTwin, path: str, said: tuple[int, int]):
    assert refused(ask(api, path))[:2] == said


def test_a_zone_that_was_removed_is_not_told_any_more(api: CloudflareApiTwin, declared: Declaration):
    declared.twin.delete(declared.zone.id)
    assert refused(ask(api, f"/zones/{declared.zone.id}"))[0] == 403


def test_every_form_has_only_fields_that_the_provider_reads(api: CloudflareApiTwin, declared: Declaration):
    declared.setting("ssl", "strict")
    declared.proxied("app")
    declared.record("@", "MX", "in1.mail.example", priority=10.0)
    declared.ruleset("http_ratelimit", limit("/auth/", 20))
    base = f"/zones/{declared.zone.id}"
    zone = result(api, base)
    assert zone.keys() <= fields(pulumi_cloudflare.GetZoneResult)
    assert zone["meta"].keys() <= fields(outputs.GetZoneMetaResult)
    assert zone["owner"].keys() <= fields(outputs.GetZoneOwnerResult)
    assert zone["plan"].keys() <= fields(outputs.GetZonePlanResult)
    assert zone["account"].keys() == fields(outputs.GetZoneAccountResult)
    assert result(api, f"{base}/settings/ssl").keys() <= fields(pulumi_cloudflare.GetZoneSettingResult)
    for record in result(api, f"{base}/dns_records"):
        assert record.keys() <= fields(outputs.GetDnsRecordsResultResult)
    entry_point = result(api, f"{base}/rulesets/phases/http_ratelimit/entrypoint")
    assert entry_point.keys() <= fields(pulumi_cloudflare.GetRulesetResult)
    for rule in entry_point["rules"]:  # the provider reads all but a rule's own date and version
        assert rule.keys() - {"last_updated", "version"} <= fields(outputs.GetRulesetRuleResult)
        assert rule["ratelimit"].keys() <= fields(outputs.GetRulesetRuleRatelimitResult)


def test_the_handlers_have_types_of_the_provider():
    known = {getattr(thing, "pulumi_type", None) for thing in vars(pulumi_cloudflare).values()}
    assert {handler.type for handler in cloudflare.HANDLERS} <= known
