"""Drift: what is declared for a zone against what stands there."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.drift import Change, Drift, compare, lines
from checks.drift.model import UNKNOWN

DOMAIN = "tidewriters.example"
ZONE_URN = "urn:pulumi:prod::p::cloudflare:index/zone:Zone::zone"
SPF = "v=spf1 include:_spf.google.com -all"


def entry(kind: str, name: str, inputs: dict[str, Any], zone: str = ZONE_URN) -> dict[str, Any]:
    return {
        "urn": f"urn:pulumi:prod::p::{kind}::{name}",
        "type": kind,
        "name": name,
        "source": "infra/x.py:1",
        "inputs": {"zoneId": UNKNOWN, **inputs},
        "property_dependencies": {"zoneId": [zone]},
    }


def record(resource: str, name: str, kind: str, content: str | None = None, **more: Any) -> dict[str, Any]:
    inputs = {"name": name, "type": kind, "ttl": 300, "proxied": False, **more}
    inputs |= {} if content is None else {"content": content}
    return entry("cloudflare:index/dnsRecord:DnsRecord", resource, inputs)


def rule(ref: str, **more: Any) -> dict[str, Any]:
    parameters = {"fromValue": {"statusCode": 301, "targetUrl": {"value": "https://x.example/"}}}
    return {"ref": ref, "expression": "ssl", "action": "redirect", "actionParameters": parameters, **more}


def ruleset(*rules: dict[str, Any], phase: str = "http_request_dynamic_redirect", kind: str = "zone") -> dict[str, Any]:
    return entry("cloudflare:index/ruleset:Ruleset", "redirects", {"kind": kind, "phase": phase, "rules": list(rules)})


def graph(*entries: dict[str, Any]) -> dict[str, Any]:
    zone = {
        "urn": ZONE_URN,
        "type": "cloudflare:index/zone:Zone",
        "name": "zone",
        "source": "infra/x.py:1",
        "inputs": {"name": DOMAIN},
        "property_dependencies": {},
    }
    return {"resources": [zone, *entries]}


def live(id_: str, name: str, kind: str, content: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "name": name, "type": kind, "content": content, "ttl": 300, "proxied": False, **more}


def snapshot(**parts: Any) -> dict[str, Any]:
    empty = dict.fromkeys(
        (
            *("bot_management", "worker_routes", "account_rulesets", "lists", "access_applications"),
            *("managed_transforms", "url_normalization", "origin_pulls", "certificate_packs", "healthchecks"),
        )
    )
    whole = {
        "zone": {"id": "z1", "name": DOMAIN, "account": {"id": "a1"}},
        "settings": [],
        "records": [],
        "dnssec": None,
        "rulesets": [],
        "unread": {},
    }
    return {"version": 1, **empty, **whole, **parts}


def told(drift: Drift) -> list[tuple[Change, str, str]]:
    return [(one.change, one.kind, one.name) for one in drift.differences]


def test_a_zone_as_declared_has_no_drift_however_cloudflare_writes_it() -> None:
    declared = graph(
        record("spf", DOMAIN, "TXT", f'"{SPF}"'),
        record("mx", DOMAIN, "MX", "smtp.google.com", priority=1),
        record("v6", f"app.{DOMAIN}", "AAAA", "2001:db8::1"),
        record("caa", DOMAIN, "CAA", data={"flags": 0, "tag": "issue", "value": "pki.goog"}),
    )
    there = [
        live("1", DOMAIN, "TXT", '"v=spf1 include:_spf.google" ".com -all"'),
        live("2", DOMAIN.upper(), "MX", "SMTP.google.com.", priority=1.0),
        live("3", f"app.{DOMAIN}", "AAAA", "2001:0db8:0:0::1"),
        live("4", DOMAIN, "CAA", '0 issue "pki.goog"', data={"flags": 0, "tag": "issue", "value": "pki.goog"}),
    ]
    drift = compare([declared], snapshot(records=there))
    assert (drift.drifted, drift.same) == (False, 4)
    assert list(lines(drift))[-1].startswith("NO DRIFT")


def test_each_record_that_is_otherwise_is_told_with_both_values_and_its_line() -> None:
    declared = graph(record("host-app", f"app.{DOMAIN}", "CNAME", "new.example", proxied=True, ttl=1))
    drift = compare([declared], snapshot(records=[live("1", f"app.{DOMAIN}", "CNAME", "old.example")]))
    [difference] = drift.differences
    assert (difference.change, difference.id, difference.resource) == (Change.DIFFERENT, "1", "host-app")
    assert {(f.path, f.live, f.declared) for f in difference.fields} == {
        ("content", "old.example", "new.example"),
        ("proxied", False, True),
        ("ttl", 300, 1),
    }
    assert any("infra/x.py:1" in line for line in lines(drift))


def test_what_is_not_declared_is_told_and_would_be_left_alone() -> None:
    drift = compare([graph()], snapshot(records=[live("1", f"old.{DOMAIN}", "A", "192.0.2.1")]))
    assert told(drift) == [(Change.UNMANAGED, "record", f"old.{DOMAIN} A 192.0.2.1")]


def test_of_two_records_at_one_name_the_equal_one_pairs_first() -> None:
    declared = graph(record("a", DOMAIN, "A", "192.0.2.1"), record("b", DOMAIN, "A", "192.0.2.2"))
    there = [live("1", DOMAIN, "A", "192.0.2.2"), live("2", DOMAIN, "A", "192.0.2.3")]
    [difference] = compare([declared], snapshot(records=there)).differences
    assert (difference.resource, difference.id) == ("a", "2")


def test_a_text_pairs_with_none_but_one_of_the_same_use() -> None:
    declared = graph(record("spf", DOMAIN, "TXT", f'"{SPF}"'), record("proof", DOMAIN, "TXT", '"site=1"'))
    there = [live("1", DOMAIN, "TXT", '"token=9"'), live("2", DOMAIN, "TXT", '"v=spf1 mx ~all"')]
    drift = compare([declared], snapshot(records=there))
    assert [(one.change, one.resource, one.id) for one in drift.differences] == [
        (Change.DIFFERENT, "spf", "2"),
        (Change.MISSING, "proof", ""),
        (Change.UNMANAGED, "", "1"),
    ]


def test_a_value_known_only_after_the_deployment_is_not_compared() -> None:
    declared = graph(record("host-api", f"api.{DOMAIN}", "CNAME", UNKNOWN), record("proof", UNKNOWN, "CNAME", UNKNOWN))
    there = [live("1", f"api.{DOMAIN}", "CNAME", "d-1.execute-api.eu-west-1.amazonaws.com")]
    proof = live("2", f"_5f.api.{DOMAIN}", "CNAME", "_9a.acm-validations.aws.")
    assert not compare([declared], snapshot(records=[*there, proof])).drifted
    without = compare([declared], snapshot(records=there))
    assert not without.drifted
    assert "proof" in without.undecided[0]


def test_what_a_tenant_declares_is_no_stranger() -> None:
    tenant = {"resources": [record("host-staging", f"staging.{DOMAIN}", "A", "192.0.2.7")]}
    tenant["resources"][0]["property_dependencies"] = {}
    there = [live("1", f"staging.{DOMAIN}", "A", "192.0.2.7")]
    assert not compare([graph(), tenant], snapshot(records=there)).drifted
    assert compare([graph()], snapshot(records=there)).drifted


def test_another_zone_of_the_program_is_not_taken_for_this_one() -> None:
    parked = record("parked", "parked.example", "TXT", '"v=spf1 -all"')
    other = "urn:pulumi:prod::p::cloudflare:index/zone:Zone::zone-parked.example"
    parked["property_dependencies"] = {"zoneId": [other]}
    declared = graph(parked)
    zone = {**declared["resources"][0], "urn": other, "inputs": {"name": "parked.example"}}
    declared["resources"].append(zone)
    assert not compare([declared], snapshot()).drifted


def test_settings_are_compared_as_far_as_they_are_declared() -> None:
    header = {"strict_transport_security": {"enabled": True, "max_age": 300}}
    declared = graph(
        entry("cloudflare:index/zoneSetting:ZoneSetting", "ssl", {"settingId": "ssl", "value": "strict"}),
        entry("cloudflare:index/zoneSetting:ZoneSetting", "hsts", {"settingId": "security_header", "value": header}),
    )
    there = [
        {"id": "ssl", "value": "full", "modified_on": "2026-01-01T00:00:00Z"},
        {
            "id": "security_header",
            "value": {"strict_transport_security": {"enabled": True, "max_age": 300, "preload": False}},
        },
        {"id": "brotli", "value": "off", "modified_on": "2026-01-01T00:00:00Z"},
        {"id": "ipv6", "value": "on", "modified_on": None},
    ]
    drift = compare([declared], snapshot(settings=there))
    assert told(drift) == [(Change.DIFFERENT, "setting", "ssl"), (Change.UNMANAGED, "setting", "brotli")]


def stored(ref: str, **more: Any) -> dict[str, Any]:
    parameters = {"from_value": {"status_code": 301, "target_url": {"value": "https://x.example/"}}}
    whole = {"id": f"id-{ref}", "ref": ref, "expression": "ssl", "action": "redirect", "enabled": True}
    return {**whole, "action_parameters": parameters, "version": "3", **more}


def phase(*rules: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": "r1", "phase": "http_request_dynamic_redirect", "kind": "zone", "rules": list(rules)}]


def test_rules_are_compared_one_by_one_and_in_their_order() -> None:
    declared = graph(ruleset(rule("a"), rule("b"), rule("c", enabled=True)))
    assert not compare([declared], snapshot(rulesets=phase(stored("a"), stored("b"), stored("c")))).drifted
    drift = compare([declared], snapshot(rulesets=phase(stored("b"), stored("a", expression="not ssl"), stored("d"))))
    name = "http_request_dynamic_redirect"
    assert told(drift) == [
        (Change.DIFFERENT, "rule", f"{name}: a"),
        (Change.MISSING, "rule", f"{name}: c"),
        (Change.REMOVED, "rule", f"{name}: d"),
        (Change.DIFFERENT, "ruleset", name),
    ]


def test_a_phase_that_nobody_declares_is_told() -> None:
    assert told(compare([graph()], snapshot(rulesets=phase(stored("x"))))) == [
        (Change.UNMANAGED, "ruleset", "http_request_dynamic_redirect: 1 rules")
    ]


@pytest.mark.parametrize(
    ("status", "drifted"), [("active", False), ("pending", False), ("disabled", True), (None, True)]
)
def test_dnssec_that_waits_for_the_registrar_is_as_declared(status: str | None, drifted: bool) -> None:
    declared = graph(entry("cloudflare:index/zoneDnssec:ZoneDnssec", "dnssec", {"status": "active"}))
    assert compare([declared], snapshot(dnssec={"status": status})).drifted == drifted


def test_what_the_token_may_not_read_is_said_and_not_taken_for_missing() -> None:
    declared = graph(entry("cloudflare:index/botManagement:BotManagement", "bots", {"fightMode": False}))
    drift = compare([declared], snapshot(unread={"bot_management": "403 no"}))
    assert not drift.drifted
    assert any("may not read bot_management: 403 no" in line for line in lines(drift))


names = st.sampled_from([DOMAIN, f"a.{DOMAIN}", f"*.{DOMAIN}", f"_x.a.{DOMAIN}"])
texts = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=300)


@st.composite
def zones(draw: st.DrawFn) -> list[tuple[str, str]]:
    return draw(st.lists(st.tuples(names, texts), min_size=1, max_size=12, unique=True))


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@given(zone=zones(), order=st.randoms(use_true_random=False))
def test_whatever_its_order_a_zone_made_from_the_declaration_has_no_drift(
    zone: list[tuple[str, str]], order: Any
) -> None:
    declared = graph(*(record(f"r{n}", name, "TXT", quoted(text)) for n, (name, text) in enumerate(zone)))
    there = [live(str(n), name, "TXT", quoted(text)) for n, (name, text) in enumerate(zone)]
    order.shuffle(there)
    drift = compare([declared], snapshot(records=there))
    assert (drift.drifted, drift.same) == (False, len(zone))


@given(zone=zones(), data=st.data())
def test_any_single_change_by_hand_is_told_once(zone: list[tuple[str, str]], data: st.DataObject) -> None:
    declared = graph(*(record(f"r{n}", name, "TXT", quoted(text)) for n, (name, text) in enumerate(zone)))
    there = [live(str(n), name, "TXT", quoted(text)) for n, (name, text) in enumerate(zone)]
    changed = copy.deepcopy(there)
    index = data.draw(st.integers(0, len(there) - 1))
    how = data.draw(st.sampled_from(["ttl", "gone", "new"]))
    if how == "ttl":
        changed[index]["ttl"] = 3600
    elif how == "gone":
        del changed[index]
    else:
        changed.append(live("new", f"new.{DOMAIN}", "A", "192.0.2.1"))
    [difference] = compare([declared], snapshot(records=changed)).differences
    wanted = {"ttl": Change.DIFFERENT, "gone": Change.MISSING, "new": Change.UNMANAGED}
    assert difference.change == wanted[how]


def test_what_is_there_is_paired_with_the_ids_that_the_provider_imports_by() -> None:
    declared = graph(
        record("spf", DOMAIN, "TXT", '"x"'),
        entry("cloudflare:index/zoneSetting:ZoneSetting", "ssl", {"settingId": "ssl", "value": "strict"}),
        ruleset(rule("a")),
    )
    drift = compare([declared], snapshot(records=[live("rec", DOMAIN, "TXT", '"x"')], rulesets=phase(stored("b"))))
    assert [(pair.urn.rpartition("::")[2], pair.id) for pair in drift.pairs] == [
        ("zone", "z1"),
        ("spf", "z1/rec"),
        ("ssl", "z1/ssl"),
        ("redirects", "zones/z1/r1"),
    ]
