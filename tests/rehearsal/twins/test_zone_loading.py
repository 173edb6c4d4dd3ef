"""A live zone in the API's forms, loaded into the twin as it is and told again as it was."""

import copy
from collections.abc import Generator, Mapping
from typing import Any

import dns.message
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.drift.reading import read
from checks.vantage import CloudflareAccess
from rehearsal.twins.cloudflare_api import CloudflareApiTwin
from rehearsal.twins.dns import DnsTwin
from rehearsal.twins.zone import CloudflareError, Kind, ZoneTwin
from tests.rehearsal.twins.declared import ACCOUNT, ZONE

TOKEN, ZONE_ID, DATE = "cf-read", "c" * 32, "2024-05-06T07:08:09Z"
# What the twin derives or makes anew: the certificate's id, the key of DNSSEC.
OWN = {"certificate_packs", "dnssec"}


def identifier(number: int) -> str:
    return f"{number:032x}"


def record(number: int, name: str, kind: str, content: str, **others: Any) -> dict[str, Any]:
    form = {"id": identifier(number), "name": name, "type": kind, "content": content, "ttl": 1, "proxied": False}
    kept = {"proxiable": kind in ("A", "AAAA", "CNAME"), "comment": None, "tags": [], "settings": {}, "meta": {}}
    return {**form, **kept, "created_on": DATE, "modified_on": DATE, **others}


def zone_form(plan: str = "pro") -> dict[str, Any]:
    servers = ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"]
    kept = {"status": "active", "paused": False, "type": "full", "created_on": DATE, "modified_on": DATE}
    account = {"id": ACCOUNT, "name": "Tide"}
    named = {"id": ZONE_ID, "name": ZONE, "account": account, "plan": {"legacy_id": plan}}
    return {**named, "name_servers": servers, **kept}


def rule(**others: Any) -> dict[str, Any]:
    kept = {"id": identifier(900), "ref": "r", "version": "3", "last_updated": DATE, "description": "", "enabled": True}
    return {"expression": "true", "action": "block", **kept, **others}


def ruleset(phase: str, *rules: dict[str, Any], number: int = 800, kind: str = "zone") -> dict[str, Any]:
    kept = {"name": "default", "description": "", "version": "7", "last_updated": DATE}
    return {"id": identifier(number), "kind": kind, "phase": phase, "rules": list(rules), **kept}


ODD_RECORDS = [
    record(1, ZONE, "CNAME", "apex.vercel-dns-017.com", proxied=False),
    record(2, f"*.{ZONE}", "A", "192.0.2.1", proxied=True),
    record(3, f"_dmarc.{ZONE}", "TXT", '"v=DMARC1; p=none"'),
    record(4, f"_dmarc.{ZONE}", "TXT", "v=DMARC1; unquoted"),
    record(5, f"long.{ZONE}", "TXT", "x" * 400),
    record(6, f"quoted.{ZONE}", "TXT", r'"say \"hi\"" "two"'),
    record(7, f"broken.{ZONE}", "TXT", '"half'),
    record(8, f"_sip._tcp.{ZONE}", "SRV", "5 5060 sip.mail.example", priority=10,
           data={"priority": 10, "weight": 5, "port": 5060, "target": "sip.mail.example"}),
    record(9, f"xn--bro-hoa.{ZONE}", "AAAA", "2001:db8::9"),
    record(10, f"_under_score.{ZONE}", "CNAME", "_x.acm-validations.aws"),
    record(11, ZONE, "CAA", '0 issue "pki.goog"', data={"flags": 0, "tag": "issue", "value": "pki.goog"}),
    record(12, f"new.{ZONE}", "FUTURE", "a type that nobody knows yet"),
    record(13, f"null.{ZONE}", "MX", ".", priority=0),
    record(14, f"both.{ZONE}", "A", "192.0.2.2", tags=["a:b"], comment="it's ours"),
    record(15, f"both.{ZONE}", "A", "192.0.2.3"),
]  # fmt: skip
BULK = {"from_list": {"name": "paths", "key": "http.request.full_uri"}}
SNAPSHOT: dict[str, Any] = {
    "version": 1,
    "zone": zone_form(),
    "settings": [
        {"id": "ssl", "value": "flexible", "editable": True, "modified_on": None},
        {"id": "ciphers", "value": ["ECDHE-RSA-AES128-GCM-SHA256"], "editable": True, "modified_on": DATE},
        {"id": "of_tomorrow", "value": {"deep": 1}, "editable": False, "modified_on": DATE},
    ],
    "records": ODD_RECORDS,
    "dnssec": {"status": "active", "flags": 257, "modified_on": DATE},
    "rulesets": [
        ruleset("http_request_firewall_custom", rule(expression='http.host matches "^x$"')),
        ruleset("http_log_custom_fields", rule(action="log_custom_field", action_parameters={}), number=801),
        ruleset("http_response_headers_transform", rule(
            action="rewrite", action_parameters={"headers": {"X-Frame_Options": {"operation": "remove"}}}), number=802),
    ],
    "account_rulesets": [
        ruleset("http_request_redirect", rule(action="redirect", action_parameters=BULK), number=810, kind="root")
    ],
    "lists": [
        {"id": identifier(820), "name": "paths", "kind": "redirect", "description": "old", "num_items": 1,
         "num_referencing_filters": 0, "created_on": DATE, "modified_on": DATE,
         "items": [{"id": identifier(821), "created_on": DATE, "modified_on": DATE,
                    "redirect": {"source_url": f"{ZONE}/a", "target_url": f"https://{ZONE}/b"}}]},
    ],
    "bot_management": {"fight_mode": True, "enable_js": True, "using_latest_model": True},
    "managed_transforms": {"managed_request_headers": [], "managed_response_headers": [
        {"id": "add_security_headers", "enabled": True, "has_conflict": False}]},
    "url_normalization": {"type": "rfc3986", "scope": "both"},
    "origin_pulls": {"enabled": True},
    "certificate_packs": [],
    "healthchecks": [{"id": identifier(830), "name": "api", "address": f"api.{ZONE}", "type": "HTTPS", "interval": 5,
                      "created_on": DATE, "modified_on": DATE}],
    "access_applications": [
        {"id": "7e0c6a1e-0000-4000-8000-000000000001", "name": "ops", "type": "self_hosted", "domain": f"ops.{ZONE}",
         "aud": "a" * 64, "session_duration": "24h", "created_at": DATE, "updated_at": DATE,
         "policies": [{"id": "7e0c6a1e-0000-4000-8000-000000000002", "name": "staff", "decision": "allow",
                       "precedence": 1, "reusable": True, "created_at": DATE, "updated_at": DATE,
                       "include": [{"email_domain": {"domain": ZONE}}], "require": [], "exclude": []}]},
    ],
    "worker_routes": [{"id": identifier(840), "pattern": f"https://{ZONE}/x/*", "script": "elsewhere"}],
    "unread": {},
}  # fmt: skip


@pytest.fixture
def twin() -> ZoneTwin:
    twin = ZoneTwin()
    twin.load(copy.deepcopy(SNAPSHOT))
    return twin


@pytest.fixture
def snapshot(twin: ZoneTwin) -> Generator[dict[str, Any]]:
    """What drift reads of the loaded zone, with the official SDK."""
    with CloudflareApiTwin(twin, TOKEN) as api:
        yield read(CloudflareAccess(api_token=TOKEN, api_base=f"{api.url}/client/v4"), ZONE)


def by_id(forms: Any) -> dict[str, Any]:
    return {form["id"]: form for form in forms}


def test_records_are_told_exactly_as_they_were(snapshot: dict[str, Any]):
    assert by_id(snapshot["records"]) == by_id(SNAPSHOT["records"])


@pytest.mark.parametrize("key", ["rulesets", "account_rulesets", "lists", "worker_routes", "healthchecks"])
def test_forms_are_told_exactly_as_they_were(snapshot: dict[str, Any], key: str):
    assert snapshot[key] == SNAPSHOT[key]


@pytest.mark.parametrize("key", ["bot_management", "url_normalization", "origin_pulls", "access_applications"])
def test_what_a_zone_has_one_of_is_told_with_what_it_was(snapshot: dict[str, Any], key: str):
    assert contains(snapshot[key], SNAPSHOT[key])


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, Mapping):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(contains(*pair) for pair in zip(whole, part, strict=True))
    return whole == part


def test_settings_also_unknown_ones_are_told(snapshot: dict[str, Any]):
    settings = by_id(snapshot["settings"])
    assert all(settings[one["id"]]["value"] == one["value"] for one in SNAPSHOT["settings"])


def test_what_was_read_once_reads_the_same_when_it_is_loaded_again(snapshot: dict[str, Any]):
    again = ZoneTwin()
    again.load(copy.deepcopy(snapshot))
    with CloudflareApiTwin(again, TOKEN) as api:
        second = read(CloudflareAccess(api_token=TOKEN, api_base=f"{api.url}/client/v4"), ZONE)
    assert {key: second[key] for key in second.keys() - OWN} == {key: snapshot[key] for key in snapshot.keys() - OWN}


def test_a_loaded_zone_is_read_like_a_declared_one(twin: ZoneTwin):
    (zone,) = twin.zones
    assert (zone.plan, zone.setting("ssl")) == ("pro", "flexible")
    assert (zone.bots["fightMode"], zone.origin_pulls) == (True, True)
    assert zone.is_proxied(f"anything.{ZONE}")
    assert zone.signing_key is not None
    guard = zone.access(f"ops.{ZONE}", "/")
    assert guard is not None
    assert guard.policies[0].includes == ({"emailDomain": {"domain": ZONE}},)
    assert [one.source_url for one in twin.redirect_list("paths")] == [f"{ZONE}/a"]
    assert [one.parameters["fromList"]["name"] for one in twin.bulk_redirects()] == ["paths"]


def test_a_loaded_zone_is_served_but_for_what_no_server_could_write(twin: ZoneTwin):
    server = DnsTwin(twin)

    def ask(name: str, kind: str) -> list[str]:
        wire = server.answer(dns.message.make_query(f"{name}.{ZONE}", kind).to_wire(), udp=False)
        assert wire is not None
        return [data.to_text() for rrset in dns.message.from_wire(wire).answer for data in rrset]

    assert ask("_sip._tcp", "SRV") == ["10 5 5060 sip.mail.example."]
    assert ask("long", "TXT") == [f'"{"x" * 255}" "{"x" * 145}"']
    assert ask("quoted", "TXT") == [r'"say \"hi\"" "two"']
    assert ask("null", "MX") == ["0 ."]
    assert ask("broken", "TXT") == []


def test_what_is_changed_after_loading_meets_cloudflares_rules(twin: ZoneTwin):
    entry = twin.read(identifier(14))
    assert entry is not None
    changed = twin.update(entry.id, {**entry.outputs, "zoneId": ZONE_ID, "content": "192.0.2.77"})
    assert changed.outputs["comment"] == "it's ours"
    with pytest.raises(CloudflareError, match="an identical A record"):
        twin.update(entry.id, {**changed.outputs, "content": "192.0.2.3"})
    made = twin.create(Kind.RECORD, {"zoneId": ZONE_ID, "name": "new", "type": "A", "content": "192.0.2.4", "ttl": 1.0})
    assert made.outputs["name"] == f"new.{ZONE}"


def test_three_thousand_records_are_loaded_read_and_told_once(twin: ZoneTwin):
    many = [record(10_000 + n, f"h{n}.{ZONE}", "A", "192.0.2.1") for n in range(3000)]
    large = ZoneTwin()
    told: list[int] = []
    large.watch(lambda: told.append(large.revision))
    large.load({"zone": zone_form("free"), "records": many})  # more than the plan would take
    assert len(told) == 2  # once for the start, once for all of it
    assert len(large.zones[0].records) == 3000
    with CloudflareApiTwin(large, TOKEN) as api:
        found = read(CloudflareAccess(api_token=TOKEN, api_base=f"{api.url}/client/v4"), ZONE)
    assert by_id(found["records"]) == by_id(many)


labels = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=60)


@settings(max_examples=40)
@given(kind=st.sampled_from(["TXT", "A", "MX", "SRV", "CAA", "HTTPS", "NEW", "LOC"]), content=labels, name=labels,
       data=st.none() | st.dictionaries(labels, labels | st.integers() | st.none(), max_size=3))  # fmt: skip
def test_any_record_is_loaded_told_and_never_stops_the_server(kind: str, content: str, name: str, data: Any):
    form = record(1, f"{name}.{ZONE}", kind, content, **({} if data is None else {"data": data}))
    twin = ZoneTwin()
    twin.load({"zone": zone_form(), "records": [form, record(2, f"www.{ZONE}", "A", "192.0.2.1")]})
    (entry, _) = twin.entries(Kind.RECORD)
    assert (entry.outputs["content"], entry.outputs["type"]) == (content, kind)
    answer = DnsTwin(twin).answer(dns.message.make_query(f"www.{ZONE}", "A").to_wire(), udp=False)
    assert answer is not None
    assert [data.to_text() for data in dns.message.from_wire(answer).answer[0]] == ["192.0.2.1"]
