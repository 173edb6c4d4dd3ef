import re
import threading
from typing import Any

import pytest

from rehearsal.errors import DeploymentError
from rehearsal.resources import cloudflare
from rehearsal.resources.handler import Declared
from rehearsal.twins.zone import CloudflareError, Kind, NotInTwinError, ZoneTwin
from rehearsal.twins.zone.settings import DEFAULTS
from tests.rehearsal.twins.declared import (
    ACCOUNT,
    ORIGIN_ADDRESS,
    ZONE,
    Declaration,
    block,
    caching,
    hsts,
    limit,
    redirect,
)


@pytest.fixture
def declared() -> Declaration:
    return Declaration()


def test_a_zone_has_an_id_and_two_name_servers(declared: Declaration):
    assert re.fullmatch(r"[0-9a-f]{32}", declared.zone.id)
    servers = declared.zone.outputs["nameServers"]
    assert len(set(servers)) == 2
    assert all(server.endswith(".ns.cloudflare.com") for server in servers)
    assert servers == Declaration().zone.outputs["nameServers"]  # always the same for a zone
    assert declared.now.name == ZONE


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"account": {"id": "short"}}, "account.id must be 32 hexadecimal digits, got 'short'"),
        ({"account": None}, "account.id must be 32 hexadecimal digits"),
        ({"name": "no dots"}, "must be a registrable domain"),
        ({"name": ""}, "needs name"),
        ({"type": "partial"}, "serves zones of type 'full'"),
    ],
)
def test_a_zone_that_cannot_be_is_refused(inputs: dict[str, Any], problem: str):
    with pytest.raises(DeploymentError, match=problem):
        ZoneTwin().create(Kind.ZONE, {"account": {"id": ACCOUNT}, "name": ZONE, **inputs})


def test_a_zone_is_refused_that_exists_or_belongs_to_another_account(declared: Declaration):
    inputs = {"account": {"id": ACCOUNT}, "name": ZONE}
    with pytest.raises(CloudflareError, match="already exists"):
        declared.twin.create(Kind.ZONE, inputs)
    with pytest.raises(CloudflareError, match="no access to account"):
        declared.twin.create(Kind.ZONE, {"account": {"id": "b" * 32}, "name": "other.example"})


def test_what_belongs_to_no_zone_is_refused(declared: Declaration):
    for kind in (Kind.RECORD, Kind.SETTING, Kind.RULESET, Kind.DNSSEC):
        with pytest.raises(CloudflareError, match="no zone has the id"):
            declared.twin.create(kind, {"zoneId": "f" * 32})


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"content": "not-an-address"}, "must be an IPv4 address, got 'not-an-address'"),
        ({"content": "2001:db8::1"}, "must be an IPv4 address"),
        ({"type": "AAAA", "content": "192.0.2.1"}, "must be an IPv6 address"),
        ({"content": None}, "needs content"),
        ({"ttl": None}, "ttl must be a whole number"),
        ({"ttl": 5.0}, "ttl must be 1 (automatic) or 60 to 86400, got 5"),
        ({"ttl": 90_000.0}, "ttl must be 1 to 86400, got 90000"),
        ({"ttl": 60.5}, "ttl must be a whole number"),
        ({"ttl": True}, "ttl must be a whole number"),
        ({"proxied": True, "ttl": 300.0}, "a proxied record must have ttl 1 (automatic), got 300"),
        ({"type": "TXT", "content": '"x"', "proxied": True, "ttl": 1.0}, "only A, AAAA, CNAME records can be proxied"),
        ({"type": "MX", "content": "mail.example"}, "an MX record needs a priority"),
        ({"type": "MX", "content": "mail.example", "priority": 70_000.0}, "priority must be 0 to 65535"),
        ({"type": "MX", "content": "192.0.2.1", "priority": 10.0}, "content must be a host name"),
        ({"type": "CNAME", "content": "no host"}, "content must be a host name"),
        ({"type": "TXT", "content": "x" * 256}, "quote and split it into strings of at most 255"),
        ({"type": "TXT", "content": f'"{"x" * 256}"'}, "a string of 256 octets; split it"),
        ({"type": "TXT", "content": '"a" b'}, "quoted in part only"),
        ({"type": "TXT", "content": '"' + '" "'.join(["x" * 255] * 17) + '"'}, "at most 4096 octets"),
        ({"type": "CAA", "content": None}, "needs data with flags, tag, value"),
        ({"type": "CAA", "data": {"flags": 0, "tag": "x", "value": "y"}}, "data.tag must be one of issue"),
        ({"type": "SRV", "data": {"priority": 0, "weight": 0, "port": 70_000, "target": "a"}}, "data.port must be 0"),
        ({"type": "ALIAS"}, "there is no such type; Cloudflare takes A, AAAA, CNAME"),
        ({"name": "-bad"}, "labels have 1 to 63"),
        ({"name": "a" * 64}, "labels have 1 to 63"),
    ],
)  # fmt: skip
def test_a_record_that_cloudflare_refuses_is_refused(declared: Declaration, record: dict[str, Any], problem: str):
    inputs = {"zoneId": declared.zone.id, "name": f"x.{ZONE}", "type": "A", "content": ORIGIN_ADDRESS, "ttl": 300.0}
    with pytest.raises(DeploymentError, match=re.escape(problem)):
        declared.twin.create(Kind.RECORD, {**inputs, **record})
    assert declared.now.records == []


@pytest.mark.parametrize(("name", "kept"), [("@", ZONE), ("www", f"www.{ZONE}"), (f"WWW.{ZONE}.", f"www.{ZONE}")])
def test_names_become_absolute_as_at_the_api(declared: Declaration, name: str, kept: str):
    assert declared.record(name).outputs["name"] == kept


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        (("x", "A", ORIGIN_ADDRESS), ("x", "A", ORIGIN_ADDRESS), "an identical A record"),
        (("x", "TXT", '"a"'), ("x", "CNAME", "a.example"), "a CNAME stands alone"),
        (("x", "CNAME", "a.example"), ("x", "A", ORIGIN_ADDRESS), "a CNAME stands alone"),
        (("x", "CNAME", "a.example"), ("x", "CNAME", "b.example"), "a CNAME stands alone"),
        (("@", "A", ORIGIN_ADDRESS), ("@", "CNAME", "b.example"), "a CNAME stands alone"),
    ],
)
def test_records_that_cannot_stand_beside_each_other_are_refused(declared: Declaration, first, second, problem):
    declared.record(*first)
    with pytest.raises(CloudflareError, match=problem):
        declared.record(*second)


def test_records_that_can_stand_beside_each_other_are_taken(declared: Declaration):
    declared.record("@", "CNAME", "a.example")  # flattened at the apex
    declared.record("@", "TXT", '"a"')
    declared.record("@", "MX", "a.example", priority=10.0)
    declared.record("@", "MX", "a.example", priority=20.0)
    declared.record("x", "A", "192.0.2.1")
    declared.record("x", "A", "192.0.2.2")
    assert len(declared.now.records) == 6


def test_one_name_is_not_proxied_in_part(declared: Declaration):
    declared.proxied("x", "A", "192.0.2.1")
    with pytest.raises(CloudflareError, match="proxied together or not"):
        declared.record("x", "A", "192.0.2.2")


def test_a_plan_holds_so_many_records():
    declared = Declaration("free")
    for number in range(200):
        declared.record(f"h{number}")
    with pytest.raises(CloudflareError, match="the plan holds 200 records"):
        declared.record("one-more")


def test_a_record_is_found_by_name_with_what_was_declared(declared: Declaration):
    declared.record(f"_acme.api.{ZONE}", "CNAME", "x.acm-validations.aws.")
    (found,) = declared.twin.find_records(f"_acme.api.{ZONE}.")
    assert (found["name"], found["type"], found["content"], found["ttl"]) == (
        f"_acme.api.{ZONE}", "CNAME", "x.acm-validations.aws", 300,
    )  # fmt: skip
    assert declared.twin.find_records(f"api.{ZONE}") == []


def test_an_update_replaces_a_record_and_keeps_its_id(declared: Declaration):
    entry = declared.record("x")
    updated = declared.twin.update(entry.id, {**entry.outputs, "content": "192.0.2.9"})
    assert updated.id == entry.id
    assert [record.content for record in declared.now.records] == ["192.0.2.9"]
    with pytest.raises(CloudflareError, match="must be an IPv4 address"):
        declared.twin.update(entry.id, {**entry.outputs, "content": "x"})
    assert [record.content for record in declared.now.records] == ["192.0.2.9"]


def test_what_was_deleted_is_gone_and_cannot_be_deleted_again(declared: Declaration):
    entry = declared.record("x")
    declared.twin.delete(entry.id)
    assert declared.twin.read(entry.id) is None
    with pytest.raises(CloudflareError, match="nothing has the id"):
        declared.twin.delete(entry.id)


def test_hosts_are_proxied_as_declared(declared: Declaration):
    declared.proxied("app")
    declared.proxied("*.wild")
    declared.record("direct")
    proxied = {host: declared.now.is_proxied(f"{host}.{ZONE}") for host in ("app", "APP", "a.wild", "direct", "no")}
    assert proxied == {"app": True, "APP": True, "a.wild": True, "direct": False, "no": False}


@pytest.mark.parametrize(
    ("setting", "value", "problem"),
    [
        ("ssl", "Strict", "must be one of off, flexible, full, strict, origin_pull; got 'Strict'"),
        ("min_tls_version", 1.2, "must be one of 1.0, 1.1, 1.2, 1.3; got 1.2"),
        ("tls_1_3", True, "must be one of on, off, zrt; got True"),
        ("always_use_https", "yes", "must be one of on, off; got 'yes'"),
        ("minimum_tls", "1.2", "there is no zone setting 'minimum_tls'"),
        ("security_header", {"enabled": True}, 'must be {"strict_transport_security"'),
        ("security_header", {"strict_transport_security": {"maxAge": 1}}, "has no maxAge"),
        ("security_header", {"strict_transport_security": {"max_age": -1}}, "max_age must be 0 to"),
        ("security_header", {"strict_transport_security": {"enabled": "on"}}, "enabled must be true or false"),
        ("browser_cache_ttl", -1, "must be 0 to"),
        ("polish", "lossy", "needs plan 'pro', the zone has 'free'"),
    ],
)
def test_a_setting_that_does_not_exist_or_cannot_be_is_refused(declared, setting, value, problem):
    with pytest.raises(CloudflareError, match=re.escape(problem)):
        declared.setting(setting, value)
    assert declared.now.settings == {}


def test_a_setting_is_what_was_declared_and_stays_when_it_is_deleted(declared: Declaration):
    assert declared.now.setting("min_tls_version") == DEFAULTS["min_tls_version"] == "1.0"
    entry = declared.setting("min_tls_version", "1.2")
    declared.setting("security_header", hsts())
    assert declared.now.settings == {"min_tls_version": "1.2", "security_header": hsts()}
    declared.twin.delete(entry.id)
    assert declared.now.setting("min_tls_version") == "1.2"


REDIRECT, CUSTOM, RATE = "http_request_dynamic_redirect", "http_request_firewall_custom", "http_ratelimit"
CACHE, HEADERS = "http_request_cache_settings", "http_response_headers_transform"


def rewrite(change: dict[str, Any]) -> dict[str, Any]:
    return {"expression": "ssl", "action": "rewrite", "actionParameters": {"headers": {"x": change}}}


@pytest.mark.parametrize(
    ("phase", "rule", "problem"),
    [
        (REDIRECT, {"expression": "ssl", "action": "redirect"}, "needs actionParameters.fromValue"),
        (REDIRECT, redirect("ssl", {}), "targetUrl needs either a value or an expression"),
        (REDIRECT, redirect("ssl", {"value": "a", "expression": "http.host"}), "either a value or an expression"),
        (REDIRECT, redirect("ssl", {"expression": "ssl"}), "it must give Bytes, this gives Bool"),
        (REDIRECT, redirect("ssl", {"value": "a"}, statusCode=300.0), "statusCode must be one of 301"),
        (REDIRECT, redirect("ssl", {"value": "a"}, surprise=1), "does not act on surprise"),
        (REDIRECT, redirect("http.host eq", {"value": "a"}), "it ends too early"),
        (REDIRECT, {**redirect("ssl", {"value": "a"}), "action": "block"}, "action must be one of redirect"),
        (CUSTOM, block('http.host matches "a"'), "allows no regular expressions"),
        (CUSTOM, block("ssl", actionParameters={"response": {"content": "x"}}), "allows no response of one's own"),
        (CUSTOM, {**block("ssl"), "action": "skip"}, "skip needs ruleset, phases or products"),
        (CUSTOM, {**block("ssl"), "action": "skip", "actionParameters": {"ruleset": "all"}}, "ruleset 'current'"),
        (CUSTOM, block("ssl", ratelimit={"period": 10}), "ratelimit belongs to phase http_ratelimit"),
        (CUSTOM, {"action": "block"}, "needs expression"),
        (RATE, limit("/a", 5, period=60), "period must be one of 10; got 60"),
        (RATE, limit("/a", 5, mitigation=60), "mitigationTimeout must be one of 10; got 60"),
        (RATE, limit("/a", 0), "requestsPerPeriod must be 1 to"),
        (RATE, limit("/a", 5, expression='http.host eq "a"'), "the plan's rate limits cannot use http.host"),
        (RATE, block("ssl"), "period must be one of"),
        (CACHE, caching("ssl", edgeTtl={"mode": "override_origin", "default": 60}), "edgeTtl.default must be 7200 to"),
        (CACHE, caching("ssl", edgeTtl={"mode": "sometimes"}), "edgeTtl.mode must be one of"),
        (CACHE, caching("ssl", readTimeout=9), "does not act on readTimeout"),
        (HEADERS, rewrite({"operation": "set"}), "set takes a value"),
        (HEADERS, rewrite({"operation": "remove", "value": "a"}), "remove takes no value"),
        ("http_request_sanitize", block("ssl"), "does not act on phase 'http_request_sanitize'"),
    ],
)  # fmt: skip
def test_a_rule_that_cloudflare_refuses_or_the_edge_would_ignore_is_refused(declared, phase, rule, problem):
    with pytest.raises(DeploymentError, match=re.escape(problem)):
        declared.ruleset(phase, rule)
    assert declared.now.rulesets(phase) == []


def test_counters_are_of_a_data_centre_and_an_address(declared: Declaration):
    rule = limit("/a", 5)
    for characteristics, error in ((["ip.src"], CloudflareError), (["cf.colo.id", "http.host"], CloudflareError)):
        with pytest.raises(error):
            declared.ruleset(RATE, {**rule, "ratelimit": {**rule["ratelimit"], "characteristics": characteristics}})


def test_a_phase_has_one_entry_point(declared: Declaration):
    entry = declared.ruleset(CUSTOM, block("ssl"))
    with pytest.raises(CloudflareError, match="has its entry-point ruleset already"):
        declared.ruleset(CUSTOM, block("not ssl"))
    updated = declared.twin.update(entry.id, {**entry.outputs, "rules": [block("not ssl")]})
    assert (updated.id, updated.outputs["version"]) == (entry.id, "2")
    assert [rule.expression for rule in declared.now.rulesets(CUSTOM)] == ["not ssl"]


def test_rulesets_of_other_kinds_and_repeated_refs_are_refused(declared: Declaration):
    with pytest.raises(NotInTwinError, match="kinds 'zone' and 'root', got 'custom'"):
        declared.ruleset(CUSTOM, block("ssl"), kind="custom")
    with pytest.raises(CloudflareError, match="share the ref b"):
        declared.ruleset(CUSTOM, block("ssl"), block("not ssl"))


def test_a_plan_holds_so_many_rules(declared: Declaration):
    with pytest.raises(CloudflareError, match="the plan allows 1 rules in phase http_ratelimit, got 2"):
        declared.ruleset(RATE, limit("/a", 5), {**limit("/b", 5), "ref": "second"})
    larger = Declaration("pro")
    larger.ruleset(RATE, limit("/a", 5, period=60, mitigation=3600), {**limit("/b", 5), "ref": "second"})
    assert len(larger.now.rulesets(RATE)) == 2


def test_disabled_rules_are_kept_and_do_nothing(declared: Declaration):
    entry = declared.ruleset(CUSTOM, {**block("ssl"), "enabled": False})
    assert declared.now.rulesets(CUSTOM) == []
    assert entry.outputs["rules"][0]["enabled"] is False


def test_dnssec_stays_pending_until_the_registrar_has_the_ds_record(declared: Declaration):
    entry = declared.dnssec(status="active")
    assert entry.outputs["status"] == "pending"
    assert declared.now.signing_key is not None
    same = declared.twin.update(entry.id, {"zoneId": declared.zone.id, "status": "active"})
    assert same.outputs["ds"] == entry.outputs["ds"]
    declared.twin.update(entry.id, {"zoneId": declared.zone.id, "status": "disabled"})
    assert declared.now.signing_key is None
    with pytest.raises(CloudflareError, match="declared already"):
        declared.dnssec()


def test_watchers_are_told_of_every_change(declared: Declaration):
    seen: list[int] = []
    declared.twin.watch(lambda: seen.append(len(declared.now.records)))
    entry = declared.record("x")
    declared.twin.update(entry.id, {**entry.outputs})
    declared.twin.delete(entry.id)
    assert seen == [0, 1, 1, 0]


def test_deleting_the_zone_takes_everything_with_it(declared: Declaration):
    declared.record("x")
    declared.setting("ssl", "strict")
    declared.twin.delete(declared.zone.id)
    assert declared.twin.zones == ()


def test_many_threads_may_declare_at_once(declared: Declaration):
    threads = [threading.Thread(target=declared.record, args=(f"h{number}",)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({record.name for record in declared.now.records}) == 40


class _Target:
    def __init__(self, zone: ZoneTwin) -> None:
        self.zone = zone


def test_the_handlers_bring_declared_resources_to_the_twin():
    target: Any = _Target(ZoneTwin())
    handlers = {handler.type: handler for handler in cloudflare.HANDLERS}

    def declare(token: str, **inputs: Any) -> Declared:
        return Declared(urn=f"urn:{token}", type=token, name="thing", inputs=inputs, source="infra/names/zone.py:7")

    zone_type, record_type = "cloudflare:index/zone:Zone", "cloudflare:index/dnsRecord:DnsRecord"
    setting_type = "cloudflare:index/zoneSetting:ZoneSetting"
    zone = handlers[zone_type].create(declare(zone_type, account={"id": ACCOUNT}, name=ZONE), target)
    inputs = {"zoneId": zone.id, "name": "x", "type": "A", "content": ORIGIN_ADDRESS, "ttl": 300.0}
    record = handlers[record_type].create(declare(record_type, **inputs), target)
    assert handlers[record_type].read(record.id, target) == record.outputs
    assert handlers[setting_type].read(record.id, target) is None
    changed = handlers[record_type].update(record.id, declare(record_type, **{**inputs, "ttl": 60.0}), target)
    assert changed["ttl"] == 60
    with pytest.raises(CloudflareError, match=r'DnsRecord "thing" \(infra/names/zone.py:7\): A record .* ttl must be'):
        handlers[record_type].create(declare(record_type, **{**inputs, "ttl": 5.0}), target)
    setting = handlers[setting_type].create(
        declare(setting_type, zoneId=zone.id, settingId="ssl", value="full"), target
    )
    assert setting.id == f"{zone.id}/ssl"
    handlers[record_type].delete(record.id, target)
    handlers[record_type].delete(record.id, target)
    assert [*target.zone.zones[0].records] == []
