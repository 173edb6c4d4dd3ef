"""The stand-in of Cloudflare's API, called by Cloudflare's own SDK: what adopt and drift read, what is written."""

from collections.abc import Generator
from typing import Any

import pytest
from cloudflare import APIStatusError, Cloudflare, PermissionDeniedError, RateLimitError

from rehearsal.twins.cloudflare_api import CloudflareApiTwin
from rehearsal.twins.zone import Kind
from tests.rehearsal.twins.certificates import client_certificate
from tests.rehearsal.twins.declared import ACCOUNT, ORIGIN_ADDRESS, ZONE, Declaration, block, hsts, redirect

READ, WRITE = "cf-read", "cf-write"
SCRIPT = "export default { async fetch(request) { return new Response('hello') } }"


@pytest.fixture
def declared() -> Declaration:
    return Declaration("business")


@pytest.fixture
def api(declared: Declaration) -> Generator[CloudflareApiTwin]:
    with CloudflareApiTwin(declared.twin, READ, write_token=WRITE) as api:
        yield api


def client(api: CloudflareApiTwin, token: str = READ, retries: int = 0) -> Cloudflare:
    return Cloudflare(api_token=token, base_url=f"{api.url}/client/v4", max_retries=retries)


@pytest.fixture
def reader(api: CloudflareApiTwin) -> Generator[Cloudflare]:
    with client(api) as reader:
        yield reader


@pytest.fixture
def writer(api: CloudflareApiTwin) -> Generator[Cloudflare]:
    with client(api, WRITE) as writer:
        yield writer


def told(error: pytest.ExceptionInfo[APIStatusError]) -> tuple[int, int]:
    body: Any = error.value.body
    return error.value.status_code, body["errors"][0]["code"]


# Reading


def test_the_token_is_verified_and_cloudflares_addresses_are_told(reader: Cloudflare):
    verified, ranges = reader.user.tokens.verify(), reader.ips.list()
    assert verified is not None
    assert verified.status == "active"
    assert ranges is not None
    assert "173.245.48.0/20" in (getattr(ranges, "ipv4_cidrs", None) or [])


def test_zones_are_found_by_name(reader: Cloudflare, declared: Declaration):
    declared.another("tidewriters.net")
    assert [zone.name for zone in reader.zones.list()] == [ZONE, "tidewriters.net"]
    (found,) = reader.zones.list(name=ZONE)
    assert found.id == declared.zone.id
    zone = reader.zones.get(zone_id=found.id)
    assert zone is not None
    assert (zone.account.id, zone.name_servers) == (ACCOUNT, declared.now.name_servers)


def test_three_thousand_records_come_in_pages_and_each_once(reader: Cloudflare, declared: Declaration):
    for number in range(3000):
        declared.record(f"h{number}")
    found = list(reader.dns.records.list(zone_id=declared.zone.id, per_page=500))
    assert len({record.id for record in found}) == len(found) == 3000


def test_records_are_told_whole_and_chosen(reader: Cloudflare, declared: Declaration):
    declared.proxied(f"app.{ZONE}")
    data = {"flags": 0.0, "tag": "issue", "value": "pki.goog"}
    made = declared.record(ZONE, "CAA", None, data=data, comment="ours")
    found: Any = reader.dns.records.get(made.id, zone_id=declared.zone.id)
    assert (found.content, found.comment) == ('0 issue "pki.goog"', "ours")
    assert found.data.to_dict() == {"flags": 0, "tag": "issue", "value": "pki.goog"}
    listed = reader.dns.records.list(zone_id=declared.zone.id, type="A", name={"exact": f"app.{ZONE}"})
    assert [record.proxied for record in listed] == [True]
    exported = reader.dns.records.export(zone_id=declared.zone.id)
    assert f'{ZONE}.\t300\tIN\tCAA\t0 issue "pki.goog"' in exported


def test_what_a_zone_has_one_of_is_told_before_and_after_it_is_declared(reader: Cloudflare, declared: Declaration):
    zone = declared.zone.id
    before: Any = reader.bot_management.get(zone_id=zone)
    declared.of_zone(Kind.BOTS, fightMode=True)
    after: Any = reader.bot_management.get(zone_id=zone)
    assert (before.fight_mode, after.fight_mode) == (False, True)
    normal = reader.url_normalization.get(zone_id=zone)
    assert normal is not None
    assert (normal.type, normal.scope) == ("cloudflare", "incoming")
    transforms = reader.managed_transforms.list(zone_id=zone)
    assert transforms is not None
    assert {one.enabled for one in transforms.managed_response_headers} == {False}
    pulls = reader.origin_tls_client_auth.settings.get(zone_id=zone)
    assert pulls is not None
    assert pulls.enabled is False
    assert list(reader.origin_tls_client_auth.zone_certificates.list(zone_id=zone)) == []
    dnssec = reader.dns.dnssec.get(zone_id=zone)
    assert dnssec is not None
    assert dnssec.status == "disabled"
    made = declared.dnssec()
    dnssec = reader.dns.dnssec.get(zone_id=zone)
    assert dnssec is not None
    assert (dnssec.status, dnssec.ds) == ("pending", made.outputs["ds"])
    (pack,) = list(reader.ssl.certificate_packs.list(zone_id=zone))
    assert pack.hosts == [ZONE, f"*.{ZONE}"]


def test_rulesets_of_zone_and_account_are_listed_beside_cloudflares_own(reader: Cloudflare, declared: Declaration):
    made = declared.ruleset("http_request_firewall_custom", block("ssl"))
    listed = list(reader.rulesets.list(zone_id=declared.zone.id))
    assert [one.id for one in listed if one.kind == "zone"] == [made.id]
    assert "managed" in {one.kind for one in listed}
    whole = reader.rulesets.get(made.id, zone_id=declared.zone.id)
    assert [rule.ref for rule in whole.rules] == ["b"]
    phase = reader.rulesets.phases.get("http_request_firewall_custom", zone_id=declared.zone.id)
    assert phase.id == made.id
    assert [one for one in reader.rulesets.list(account_id=ACCOUNT) if one.kind == "root"] == []


def test_lists_and_their_items_come_by_cursor(reader: Cloudflare, declared: Declaration):
    items = [{"redirect": {"sourceUrl": f"{ZONE}/{n}", "targetUrl": f"https://{ZONE}/new"}} for n in range(120)]
    made = declared.of_account(Kind.LIST, kind="redirect", name="old_paths", items=items)
    (listed,) = list(reader.rules.lists.list(account_id=ACCOUNT))
    assert (listed.id, listed.num_items) == (made.id, 120.0)
    found: list[Any] = list(reader.rules.lists.items.list(list_id=made.id, account_id=ACCOUNT))
    assert [one.redirect.source_url for one in found] == [f"{ZONE}/{n}" for n in range(120)]
    assert len({one.id for one in found}) == 120


def test_access_workers_and_health_checks_are_told(reader: Cloudflare, declared: Declaration):
    email = [{"emailDomain": {"domain": ZONE}}]
    policy = declared.of_account(Kind.ACCESS_POLICY, name="staff", decision="allow", includes=email)
    declared.of_account(
        Kind.ACCESS_APPLICATION,
        name="ops",
        type="self_hosted",
        domain=f"ops.{ZONE}",
        policies=[{"id": policy.id, "precedence": 1.0}],
    )
    declared.of_account(Kind.SCRIPT, scriptName="documents", content=SCRIPT, mainModule="worker.js")
    declared.of_zone(Kind.ROUTE, pattern=f"{ZONE}/.well-known/*", script="documents")
    declared.of_zone(Kind.HEALTHCHECK, name="api", address=f"api.{ZONE}", type="HTTPS")
    applications: list[Any] = list(reader.zero_trust.access.applications.list(account_id=ACCOUNT))
    (application,) = applications
    assert (application.domain, [one.id for one in application.policies]) == (f"ops.{ZONE}", [policy.id])
    (listed,) = list(reader.zero_trust.access.policies.list(account_id=ACCOUNT))
    assert (listed.name, listed.decision) == ("staff", "allow")
    (route,) = list(reader.workers.routes.list(zone_id=declared.zone.id))
    assert (route.pattern, route.script) == (f"{ZONE}/.well-known/*", "documents")
    assert [one.id for one in reader.workers.scripts.list(account_id=ACCOUNT)] == ["documents"]
    assert reader.workers.scripts.get("documents", account_id=ACCOUNT) == SCRIPT
    assert [one.name for one in reader.healthchecks.list(zone_id=declared.zone.id)] == ["api"]


def test_a_private_key_is_never_told(reader: Cloudflare, declared: Declaration):
    certificate, key = client_certificate(f"api.{ZONE}")
    made = declared.of_zone(Kind.PULL_CERTIFICATE, certificate=certificate, privateKey=key)
    (found,) = list(reader.origin_tls_client_auth.hostname_certificates.list(zone_id=declared.zone.id))
    assert found.id == made.id
    assert found.certificate == certificate
    assert "PRIVATE KEY" not in found.to_json()


# Refusals


def test_a_wrong_token_and_a_token_that_may_only_read_are_refused(api: CloudflareApiTwin, declared: Declaration):
    with client(api, "of-somebody-else") as stranger, pytest.raises(PermissionDeniedError) as wrong:
        stranger.zones.get(zone_id=declared.zone.id)
    assert told(wrong) == (403, 9109)
    with client(api) as reader, pytest.raises(PermissionDeniedError) as barred:
        reader.zones.settings.edit("ssl", zone_id=declared.zone.id, value="strict")
    assert told(barred) == (403, 10000)
    assert declared.now.setting("ssl") == "full"


def test_a_permission_can_be_missing(api: CloudflareApiTwin, reader: Cloudflare, declared: Declaration):
    api.deny(r"/access/")
    with pytest.raises(PermissionDeniedError) as error:
        list(reader.zero_trust.access.applications.list(account_id=ACCOUNT))
    assert told(error) == (403, 10000)
    assert reader.zones.get(zone_id=declared.zone.id) is not None


def test_too_many_calls_are_refused_and_succeed_when_tried_again(api: CloudflareApiTwin, declared: Declaration):
    api.fail(status=429, times=1, retry_after=1)
    with client(api) as once, pytest.raises(RateLimitError) as error:
        once.zones.get(zone_id=declared.zone.id)
    assert error.value.response.headers["retry-after"] == "1"
    api.fail(status=429, times=1, retry_after=0)
    with client(api, retries=1) as patient:
        assert patient.zones.get(zone_id=declared.zone.id) is not None


# Writing


def test_records_are_made_replaced_changed_and_removed(writer: Cloudflare, declared: Declaration):
    zone, records = declared.zone.id, writer.dns.records
    made: Any = records.create(zone_id=zone, name="app", type="A", content=ORIGIN_ADDRESS, ttl=1, proxied=True)
    assert (made.name, made.ttl, made.proxied) == (f"app.{ZONE}", 1, True)
    records.update(made.id, zone_id=zone, name="app", type="A", content="192.0.2.9", ttl=300)
    assert [(one.content, one.ttl, one.proxied) for one in declared.now.records] == [("192.0.2.9", 300, False)]
    records.edit(made.id, zone_id=zone, name="app", type="A", ttl=600)
    assert [(one.content, one.ttl) for one in declared.now.records] == [("192.0.2.9", 600)]
    records.delete(made.id, zone_id=zone)
    assert declared.now.records == []
    with pytest.raises(APIStatusError) as gone:
        records.delete(made.id, zone_id=zone)
    assert told(gone) == (404, 81044)


def test_records_that_cloudflare_refuses_get_its_codes(writer: Cloudflare, declared: Declaration):
    zone, records = declared.zone.id, writer.dns.records
    records.create(zone_id=zone, name="app", type="A", content=ORIGIN_ADDRESS, ttl=1)
    cases: list[tuple[dict[str, Any], int]] = [
        ({"name": "app", "type": "A", "content": ORIGIN_ADDRESS}, 81058),
        ({"name": "app", "type": "CNAME", "content": "a.example"}, 81053),
        ({"name": "x", "type": "A", "content": "no-address"}, 9005),
        ({"name": "x", "type": "AAAA", "content": ORIGIN_ADDRESS}, 9006),
        ({"name": "-x", "type": "A", "content": ORIGIN_ADDRESS}, 9000),
    ]
    for record, code in cases:
        with pytest.raises(APIStatusError) as error:
            records.create(zone_id=zone, ttl=1, **record)
        assert told(error) == (400, code)
    assert len(declared.now.records) == 1


def test_settings_are_overwritten(writer: Cloudflare, declared: Declaration):
    zone = declared.zone.id
    for value in ("full", "strict"):
        writer.zones.settings.edit("ssl", zone_id=zone, value=value)
        assert declared.now.setting("ssl") == value
    writer.zones.settings.edit("security_header", zone_id=zone, value=hsts())
    assert declared.now.setting("security_header") == hsts()
    for name, value, code in (("ssl", "Strict", 1004), ("no_such", "on", 1006)):
        with pytest.raises(APIStatusError) as error:
            writer.zones.settings.edit(name, zone_id=zone, value=value)
        assert told(error) == (400, code)


def test_rulesets_are_made_replaced_and_removed(writer: Cloudflare, declared: Declaration):
    zone, phase = declared.zone.id, "http_request_dynamic_redirect"
    target: Any = {"status_code": 301, "target_url": {"value": f"https://{ZONE}/"}}
    rule: Any = {"ref": "r", "expression": "ssl", "action": "redirect", "action_parameters": {"from_value": target}}
    writer.rulesets.create(zone_id=zone, kind="zone", name="redirects", phase=phase, rules=[rule])
    (made,) = declared.twin.entries(Kind.RULESET)
    (kept,) = declared.now.rulesets(phase)
    assert kept.parameters == {"fromValue": {"statusCode": 301, "targetUrl": {"value": f"https://{ZONE}/"}}}
    with pytest.raises(APIStatusError) as second:
        writer.rulesets.create(zone_id=zone, kind="zone", name="more", phase=phase, rules=[rule])
    assert told(second) == (400, 20217)
    changed: Any = [{"ref": "first", "expression": "ssl", "action": "redirect"}, {**rule, "expression": "not ssl"}]
    changed[0]["action_parameters"] = rule["action_parameters"]
    writer.rulesets.update(made.id, zone_id=zone, rules=changed)
    (after,) = declared.twin.entries(Kind.RULESET)
    assert [one["ref"] for one in after.outputs["rules"]] == ["first", "r"]
    assert after.outputs["rules"][1]["id"] == made.outputs["rules"][0]["id"]  # known by its ref
    writer.rulesets.delete(made.id, zone_id=zone)
    with pytest.raises(APIStatusError) as gone:
        writer.rulesets.get(made.id, zone_id=zone)
    assert told(gone) == (404, 10003)


def test_an_entry_point_is_put_whether_or_not_it_is_there(writer: Cloudflare, declared: Declaration):
    phase = "http_request_firewall_custom"
    for expression in ("ssl", "not ssl"):
        rules: Any = [{"ref": "b", "expression": expression, "action": "block"}]
        writer.rulesets.phases.update(phase, zone_id=declared.zone.id, rules=rules)
        assert [rule.expression for rule in declared.now.rulesets(phase)] == [expression]


def test_lists_get_and_lose_items(writer: Cloudflare, declared: Declaration):
    lists = writer.rules.lists
    made = lists.create(account_id=ACCOUNT, kind="redirect", name="old_paths")
    assert made is not None
    pairs = [{"source_url": f"{ZONE}/{name}", "target_url": f"https://{ZONE}/new"} for name in ("a", "b")]
    body: Any = [{"redirect": pair} for pair in pairs]
    lists.items.create(list_id=made.id, account_id=ACCOUNT, body=body[:1])
    lists.items.create(list_id=made.id, account_id=ACCOUNT, body=body[1:])
    assert [item.source_url for item in declared.twin.redirect_list("old_paths")] == [f"{ZONE}/a", f"{ZONE}/b"]
    first: Any = next(iter(lists.items.list(list_id=made.id, account_id=ACCOUNT)))
    gone: Any = [{"id": first.id}]
    lists.items.delete(list_id=made.id, account_id=ACCOUNT, items=gone)
    assert [item.source_url for item in declared.twin.redirect_list("old_paths")] == [f"{ZONE}/b"]
    lists.items.update(list_id=made.id, account_id=ACCOUNT, body=body)
    assert len(declared.twin.redirect_list("old_paths")) == 2
    lists.delete(made.id, account_id=ACCOUNT)
    assert declared.twin.entries(Kind.LIST) == ()


def test_what_a_zone_has_one_of_is_written(writer: Cloudflare, declared: Declaration):
    zone = declared.zone.id
    writer.bot_management.update(zone_id=zone, fight_mode=True)
    writer.url_normalization.update(zone_id=zone, scope="both", type="rfc3986")
    on: Any = [{"id": "add_security_headers", "enabled": True}]
    writer.managed_transforms.edit(zone_id=zone, managed_request_headers=[], managed_response_headers=on)
    writer.origin_tls_client_auth.settings.update(zone_id=zone, enabled=True)
    writer.dns.dnssec.edit(zone_id=zone, status="active")
    (now,) = declared.twin.zones
    assert (now.bots["fightMode"], now.url_normalization, now.origin_pulls) == (True, ("rfc3986", "both"), True)
    assert now.managed_transforms == (frozenset(), {"add_security_headers"})
    key = now.signing_key
    assert key is not None
    writer.dns.dnssec.edit(zone_id=zone, status="active")
    assert declared.now.signing_key is key
    writer.dns.dnssec.delete(zone_id=zone)
    assert declared.now.signing_key is None


def test_origin_pulls_are_set_up_and_taken_down(writer: Cloudflare, declared: Declaration):
    zone, auth, host = declared.zone.id, writer.origin_tls_client_auth, f"api.{ZONE}"
    certificate, key = client_certificate(host)
    made = auth.hostname_certificates.create(zone_id=zone, certificate=certificate, private_key=key)
    assert made is not None
    assert made.id is not None
    config: Any = [{"hostname": host, "cert_id": made.id, "enabled": True}]
    auth.hostnames.update(zone_id=zone, config=config)
    writer.zones.settings.edit("tls_client_auth", zone_id=zone, value="on")
    shown = declared.twin.zones[0].origin_certificate(host)
    assert shown is not None
    assert (shown.id, shown.private_key) == (made.id, key)
    with pytest.raises(APIStatusError) as used:
        auth.hostname_certificates.delete(made.id, zone_id=zone)
    assert told(used) == (400, 1412)
    forgotten: Any = [{"hostname": host, "cert_id": made.id, "enabled": None}]
    auth.hostnames.update(zone_id=zone, config=forgotten)
    auth.hostname_certificates.delete(made.id, zone_id=zone)
    assert declared.twin.entries(Kind.PULL_CERTIFICATE) == ()


def test_access_and_workers_are_written(writer: Cloudflare, declared: Declaration):
    access = writer.zero_trust.access
    include: Any = [{"email_domain": {"domain": ZONE}}]
    policy = access.policies.create(account_id=ACCOUNT, name="staff", decision="allow", include=include)
    assert policy is not None
    assert policy.id is not None
    body: Any = {"type": "self_hosted", "domain": f"ops.{ZONE}", "policies": [policy.id]}
    made: Any = access.applications.create(account_id=ACCOUNT, **body)
    (zone,) = declared.twin.zones
    guarded = zone.access(f"ops.{ZONE}", "/")
    assert guarded is not None
    assert [one.includes for one in guarded.policies] == [({"emailDomain": {"domain": ZONE}},)]
    access.applications.delete(made.id, account_id=ACCOUNT)
    access.policies.delete(policy.id, account_id=ACCOUNT)
    metadata: Any = {
        "main_module": "worker.js",
        "bindings": [{"type": "json", "name": "DOCUMENTS", "json": '{"a": 1}'}],
        "compatibility_date": "2026-11-01",
    }
    files = [("worker.js", SCRIPT.encode(), "application/javascript+module")]
    writer.workers.scripts.update("documents", account_id=ACCOUNT, metadata=metadata, files=files)
    writer.workers.routes.create(zone_id=declared.zone.id, pattern=f"{ZONE}/*", script="documents")
    (zone,) = declared.twin.zones
    worker = zone.worker(ZONE, "/x")
    assert worker is not None
    assert (worker.module, worker.bindings, zone.access(f"ops.{ZONE}", "/")) == (SCRIPT, {"DOCUMENTS": {"a": 1}}, None)


def test_a_zone_is_made_and_removed(writer: Cloudflare, declared: Declaration):
    account: Any = {"id": ACCOUNT}
    made = writer.zones.create(account=account, name="tidewriters.net", type="full")
    assert made is not None
    with pytest.raises(APIStatusError) as twice:
        writer.zones.create(account=account, name="tidewriters.net", type="full")
    assert told(twice) == (400, 1061)
    writer.zones.delete(zone_id=made.id)
    assert [zone.name for zone in declared.twin.zones] == [ZONE]


def test_what_the_twin_would_not_act_on_is_said(writer: Cloudflare, declared: Declaration):
    parameters: Any = {"read_timeout": 900}
    rule: Any = {"expression": "true", "action": "set_cache_settings", "action_parameters": parameters}
    with pytest.raises(APIStatusError, match="not in the twin"):
        writer.rulesets.phases.update("http_request_cache_settings", zone_id=declared.zone.id, rules=[rule])


def test_a_redirect_made_by_the_program_and_one_made_by_the_api_are_told_alike(
    reader: Cloudflare, writer: Cloudflare, declared: Declaration
):
    phase = "http_request_dynamic_redirect"
    made = declared.ruleset(phase, redirect("ssl", {"value": f"https://{ZONE}/"}))
    first = reader.rulesets.phases.get(phase, zone_id=declared.zone.id).to_dict()
    declared.twin.delete(made.id)
    body: Any = {key: first[key] for key in ("kind", "name", "phase", "rules")}
    writer.rulesets.create(zone_id=declared.zone.id, **body)
    second = reader.rulesets.phases.get(phase, zone_id=declared.zone.id).to_dict()
    changing = {"id", "version", "last_updated"}
    assert {key: first[key] for key in first.keys() - changing - {"rules"}} == {
        key: second[key] for key in second.keys() - changing - {"rules"}
    }
    rules: Any = (first["rules"], second["rules"])
    kept = [[{key: rule[key] for key in rule.keys() - changing} for rule in side] for side in rules]
    assert kept[0] == kept[1]
