"""Everything of an account but records, settings and rules of one zone: what Cloudflare takes, and how it is read."""

import json
from typing import Any

import pytest

from rehearsal.errors import DeploymentError
from rehearsal.resources import cloudflare
from rehearsal.resources.handler import Declared
from rehearsal.twins.zone import CloudflareError, Kind, NotInTwinError, ZoneTwin
from rehearsal.twins.zone.plans import DDOS_RULESET, FREE_RULESET, OWASP_RULESET, Plan
from tests.rehearsal.twins.certificates import client_certificate
from tests.rehearsal.twins.declared import ACCOUNT, ORIGIN_ADDRESS, ZONE, Declaration, block

PARKED, API, OPS = "tidewriters.net", f"api.{ZONE}", f"ops.{ZONE}"
MODULE = "export default { async fetch() { return new Response('x') } }"
BULK = "http_request_redirect"


@pytest.fixture
def declared() -> Declaration:
    return Declaration()


def item(path: str, **others: Any) -> dict[str, Any]:
    return {"redirect": {"sourceUrl": f"{ZONE}{path}", "targetUrl": f"https://{ZONE}/new", **others}}


def paths(declared: Declaration, *items: dict[str, Any], **others: Any) -> Any:
    return declared.of_account(Kind.LIST, **{"kind": "redirect", "name": "paths", "items": list(items), **others})


def bulk(list_: str = "paths") -> dict[str, Any]:
    parameters = {"fromList": {"name": list_, "key": "http.request.full_uri"}}
    expression = f"http.request.full_uri in ${list_}"
    return {"ref": "bulk", "expression": expression, "action": "redirect", "actionParameters": parameters}


def bulk_ruleset(declared: Declaration, *rules: dict[str, Any], **others: Any) -> Any:
    inputs = {"kind": "root", "name": "bulk", "phase": BULK, "rules": list(rules), **others}
    return declared.of_account(Kind.RULESET, **inputs)


def script(declared: Declaration, name: str = "documents", **others: Any) -> Any:
    inputs = {"scriptName": name, "content": MODULE, "mainModule": "worker.js", **others}
    return declared.of_account(Kind.SCRIPT, **inputs)


def policy(declared: Declaration, **others: Any) -> Any:
    includes = [{"emailDomain": {"domain": ZONE}, "email": None}]
    inputs = {"name": "staff", "decision": "allow", "includes": includes, **others}
    return declared.of_account(Kind.ACCESS_POLICY, **inputs)


def application(declared: Declaration, domain: str = OPS, **others: Any) -> Any:
    inputs = {"name": "ops", "type": "self_hosted", "domain": domain, **others}
    return declared.of_account(Kind.ACCESS_APPLICATION, **inputs)


# Several zones


def test_a_host_is_of_the_zone_with_the_longest_name(declared: Declaration):
    declared.another(PARKED)
    declared.another(f"dev.{ZONE}")
    hosts = {ZONE: ZONE, f"WWW.{ZONE}.": ZONE, PARKED: PARKED, f"a.dev.{ZONE}": f"dev.{ZONE}"}
    found = {host: declared.twin.zone_for(host) for host in hosts}
    assert {host: zone.name for host, zone in found.items() if zone} == hosts
    assert declared.twin.zone_for(f"not{ZONE}") is None


def test_zones_keep_their_records_settings_and_rules_apart(declared: Declaration):
    parked = declared.another(PARKED)
    declared.proxied(ZONE)
    declared.setting("ssl", "strict")
    declared.ruleset("http_request_firewall_custom", block("ssl"))
    parked.record(PARKED, "MX", ".", priority=0.0)
    first, second = declared.twin.zones
    assert [record.name for record in second.records] == [PARKED]
    assert (first.setting("ssl"), second.setting("ssl")) == ("strict", "full")
    assert [len(zone.rulesets("http_request_firewall_custom")) for zone in (first, second)] == [1, 0]
    assert (declared.now.is_proxied(ZONE), declared.now.is_proxied(PARKED)) == (True, False)
    assert declared.twin.find_records(PARKED)[0]["content"] == "."


def test_each_zone_has_its_own_plan():
    twin = ZoneTwin(plan="free", plans={ZONE: "pro"})
    Declaration(twin=twin)
    parked = Declaration(twin=twin, name=PARKED)
    assert [zone.plan for zone in twin.zones] == ["pro", "free"]
    for number in range(200):
        parked.record(f"h{number}")
    with pytest.raises(CloudflareError, match="the plan holds 200 records"):
        parked.record("more")


def test_a_removed_zone_takes_what_is_its_own(declared: Declaration):
    parked = declared.another(PARKED)
    parked.record("x")
    parked.setting("ssl", "strict")
    declared.record("x")
    declared.twin.delete(parked.zone.id)
    assert [entry.outputs["name"] for entry in declared.twin.entries(Kind.RECORD)] == [f"x.{ZONE}"]
    again = declared.another(PARKED)
    assert declared.twin.zones[1].settings == {}
    assert again.zone.id != parked.zone.id


def test_a_view_does_not_change_and_the_next_one_has_changed(declared: Declaration):
    (before,) = declared.twin.zones
    declared.record("x")
    (after,) = declared.twin.zones
    assert (before.records, len(after.records)) == ([], 1)
    assert declared.twin.zones[0] is after


# Bulk redirects


def test_bulk_redirects_are_read_with_their_list(declared: Declaration):
    paths(declared, item("/old", statusCode=302.0), item("/tree", subpathMatching=True))
    bulk_ruleset(declared, bulk())
    (rule,) = declared.twin.bulk_redirects()
    first, second = declared.twin.redirect_list(rule.parameters["fromList"]["name"])
    assert (first.source_url, first.status_code, first.subpath_matching) == (f"{ZONE}/old", 302, False)
    assert (second.status_code, second.subpath_matching, second.preserve_path_suffix) == (301, True, True)
    assert declared.twin.zones[0].rulesets(BULK) == []


def test_items_are_declared_in_their_list_or_by_themselves(declared: Declaration):
    made = paths(declared)
    one = declared.of_account(Kind.LIST_ITEM, listId=made.id, **item("/a"))
    declared.of_account(Kind.LIST_ITEM, listId=made.id, **item("/b"))
    assert [found.source_url for found in declared.twin.redirect_list("paths")] == [f"{ZONE}/a", f"{ZONE}/b"]
    declared.twin.update(one.id, {**one.outputs, **item("/c")})
    assert [found.source_url for found in declared.twin.redirect_list("paths")] == [f"{ZONE}/c", f"{ZONE}/b"]
    with pytest.raises(CloudflareError, match="never both"):
        declared.twin.update(made.id, {**made.outputs, "items": [item("/d")]})
    full = paths(declared, item("/e"), name="full")
    with pytest.raises(CloudflareError, match="never both"):
        declared.of_account(Kind.LIST_ITEM, listId=full.id, **item("/f"))


@pytest.mark.parametrize(
    ("items", "others", "problem"),
    [
        ([], {"name": "old-paths"}, "lower-case letters, digits and _"),
        ([], {"kind": "hosts"}, "kind must be one of redirect"),
        ([], {"kind": "ip"}, "acts on lists of kind redirect"),
        ([item("/a"), item("/a")], {}, f"{ZONE}/a is there twice"),
        ([item("/a", statusCode=303)], {}, "statusCode must be one of 301, 302, 307, 308"),
        ([item("/a", targetUrl="/new")], {}, "is no target URL"),
        ([item("/a?x=1")], {}, "is no source URL"),
        ([item("/a", sourceUrl="ftp://a.example/")], {}, "is no source URL"),
        ([item("/a", preservePathSuffix=True)], {}, "preservePathSuffix needs subpathMatching"),
        ([{"ip": "192.0.2.1"}], {}, "needs redirect"),
        ([], {"accountId": "b" * 32}, "no access to account"),
    ],
)
def test_a_list_that_cloudflare_refuses_is_refused(declared, items, others, problem):
    with pytest.raises(DeploymentError, match=problem):
        paths(declared, *items, **others)
    assert declared.twin.entries(Kind.LIST) == ()


@pytest.mark.parametrize(
    ("rule", "others", "problem"),
    [
        (bulk("none"), {}, "the account has no list none"),
        ({**bulk(), "actionParameters": {}}, {}, "needs actionParameters.fromList"),
        (bulk(), {"phase": "http_request_dynamic_redirect"}, "acts on phase http_request_redirect"),
        (bulk(), {"accountId": None}, "accountId must be 32 hexadecimal digits"),
    ],
)
def test_a_bulk_ruleset_that_cannot_be_is_refused(declared, rule, others, problem):
    paths(declared)
    with pytest.raises(DeploymentError, match=problem):
        bulk_ruleset(declared, rule, **others)


def test_the_phase_of_bulk_redirects_belongs_to_the_account(declared: Declaration):
    paths(declared)
    with pytest.raises(CloudflareError, match="belongs to rulesets of kind 'root'"):
        declared.ruleset(BULK, bulk())


def test_a_plan_holds_so_many_lists_and_urls(declared: Declaration):
    for number in range(5):
        paths(declared, name=f"list_{number}")
    with pytest.raises(CloudflareError, match="the plan allows 5 lists"):
        paths(declared, name="one_more")
    first = declared.twin.entries(Kind.LIST)[0]
    with pytest.raises(CloudflareError, match="allows 10000 URLs in redirect lists, got 10001"):
        declared.twin.update(first.id, {**first.outputs, "items": [item(f"/{n}") for n in range(10_001)]})


def test_a_list_in_use_stays(declared: Declaration):
    made = paths(declared, item("/a"))
    ruleset = bulk_ruleset(declared, bulk())
    with pytest.raises(CloudflareError, match="in use by ruleset bulk"):
        declared.twin.delete(made.id)
    declared.twin.delete(ruleset.id)
    declared.twin.delete(made.id)
    assert declared.twin.redirect_list("paths") == ()


# Rules of every phase


def execute(id_: str, expression: str = "true", **overrides: Any) -> dict[str, Any]:
    parameters = {"id": id_, **({"overrides": overrides} if overrides else {})}
    return {"ref": "x", "expression": expression, "action": "execute", "actionParameters": parameters}


def acting(action: str, **parameters: Any) -> dict[str, Any]:
    return {"ref": "x", "expression": "true", "action": action, "actionParameters": parameters}


MANAGED, DDOS, CONFIG = "http_request_firewall_managed", "ddos_l7", "http_config_settings"
URL, LATE, CACHE = "http_request_transform", "http_request_late_transform", "http_request_cache_settings"


@pytest.mark.parametrize(
    ("phase", "rule"),
    [
        (MANAGED, execute(FREE_RULESET, enabled=True)),
        (MANAGED, acting("skip", ruleset="current")),
        (DDOS, execute(DDOS_RULESET, sensitivityLevel="medium", action="managed_challenge")),
        (CONFIG, acting("set_config", ssl="strict", bic=False)),
        (URL, acting("rewrite", uri={"path": {"value": "/x"}, "query": {"value": ""}})),
        (LATE, acting("rewrite", headers={"X-From": {"operation": "set", "expression": "http.host"}})),
        (CACHE, acting("set_cache_settings", cache=True, cacheKey={"cacheDeceptionArmor": True},
                       serveStale={"disableStaleWhileUpdating": True}, respectStrongEtags=True)),
    ],
)  # fmt: skip
def test_what_the_program_emits_is_taken_on_every_plan(phase: str, rule: dict[str, Any]):
    plans: tuple[Plan, ...] = ("free", "pro", "business", "enterprise")
    for plan in plans:
        declared = Declaration(plan)
        declared.ruleset(phase, rule)
        assert [one.parameters for one in declared.now.rulesets(phase)] == [rule["actionParameters"]]


@pytest.mark.parametrize(
    ("phase", "rule", "problem"),
    [
        (MANAGED, execute(OWASP_RULESET), "the plan has no managed ruleset"),
        (MANAGED, acting("execute"), "needs id"),
        (MANAGED, acting("skip"), "needs ruleset, rulesets or rules"),
        (DDOS, execute(FREE_RULESET), "phase ddos_l7 executes the ruleset"),
        (DDOS, execute(DDOS_RULESET, "ssl"), "expression must be true"),
        (DDOS, execute(DDOS_RULESET, sensitivityLevel="high"), "sensitivityLevel must be one of"),
        (DDOS, execute(DDOS_RULESET, action="log"), "overrides.action must be one of"),
        (CONFIG, acting("set_config"), "needs at least one setting"),
        (CONFIG, acting("set_config", ssl="Strict"), "ssl must be one of"),
        (CONFIG, acting("set_config", bic="on"), "bic must be true or false"),
        (CONFIG, acting("set_config", autominify={}), "does not act on autominify"),
        (URL, acting("rewrite", uri={}), "needs uri.path or uri.query"),
        (URL, acting("rewrite", uri={"path": {}}), "needs either a value or an expression"),
        (LATE, acting("rewrite", headers={"CF-Ray": {"operation": "remove"}}), "Cloudflare's own"),
        (CACHE, acting("set_cache_settings", cacheKey={"cacheByDeviceType": True}), "allows no cacheByDeviceType"),
        (CACHE, acting("set_cache_settings", edgeTtl={"statusCodeTtls": [{}]}), "allows no statusCodeTtls"),
        ("http_request_firewall_custom", acting("skip", phases=["http_request_transform"]), "phases must be one of"),
        ("http_request_firewall_custom", acting("skip", products=["everything"]), "products must be one of"),
        ("http_request_firewall_custom", acting("log"), "cannot use action log"),
    ],
)  # fmt: skip
def test_a_rule_with_wrong_parameters_is_refused(declared, phase, rule, problem):
    with pytest.raises(DeploymentError, match=problem):
        declared.ruleset(phase, rule)


# Access


def test_an_application_guards_its_host_and_path_with_its_policies_in_order(declared: Declaration):
    second, first = policy(declared), policy(declared, name="owner", includes=[{"email": {"email": f"ada@{ZONE}"}}])
    application(declared, policies=[{"id": second.id, "precedence": 2.0}, {"id": first.id, "precedence": 1.0}])
    application(declared, f"{OPS}/open", sessionDuration="30m")
    (zone,) = declared.twin.zones
    whole, part = zone.access(OPS, "/x?y"), zone.access(OPS.upper(), "/open/sub")
    assert whole is not None
    assert part is not None
    assert [one.name for one in whole.policies] == ["owner", "staff"]
    assert (whole.session_duration, part.session_duration, part.policies) == ("24h", "30m", ())
    assert whole.aud != part.aud
    assert zone.access(f"app.{ZONE}", "/") is None
    opened = zone.access(OPS, "/opened")
    assert opened is not None
    assert opened.id == whole.id


@pytest.mark.parametrize(
    ("others", "problem"),
    [
        ({"domain": "ops.other.example"}, "does not belong to a zone of this account"),
        ({"domain": None}, "needs domain"),
        ({"type": "ssh"}, "acts on type self_hosted"),
        ({"sessionDuration": "1 day"}, "must look like 30m or 24h"),
        ({"policies": [{"id": "none"}]}, "no Access policy has the id"),
        ({"policies": [{"name": "inline"}]}, "reusable policies"),
        ({"skipInterstitial": True}, "does not act on skipInterstitial"),
    ],
)
def test_an_application_that_cannot_be_is_refused(declared, others, problem):
    with pytest.raises(DeploymentError, match=problem):
        application(declared, **others)


@pytest.mark.parametrize(
    ("others", "problem"),
    [
        ({"decision": "maybe"}, "decision must be one of"),
        ({"includes": []}, "at least one rule"),
        ({"includes": [{"email": {"email": ""}}]}, "needs email"),
        ({"includes": [{"github": {}}]}, "the edge twin knows email"),
        ({"includes": [{"email": {"email": "a@b.example"}, "everyone": {}}]}, "each rule has one selector"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(declared, others, problem):
    with pytest.raises(DeploymentError, match=problem):
        policy(declared, **others)


def test_a_domain_has_one_application_and_a_used_policy_stays(declared: Declaration):
    used = policy(declared)
    made = application(declared, policies=[{"id": used.id, "precedence": 1.0}])
    with pytest.raises(CloudflareError, match="belongs to an application already"):
        application(declared)
    with pytest.raises(CloudflareError, match="in use by an application"):
        declared.twin.delete(used.id)
    declared.twin.delete(made.id)
    declared.twin.delete(used.id)
    assert declared.twin.zones[0].access(OPS, "/") is None


# Workers


def test_the_most_specific_route_decides(declared: Declaration):
    script(declared)
    script(declared, "closed", bindings=[{"name": "M", "type": "json", "json": json.dumps({"a": [1]})}])
    routes = ((f"*.{ZONE}/*", "closed"), (f"{ZONE}/.well-known/*", "documents"), (f"{API}/*", None))
    for pattern, name in routes:
        declared.of_zone(Kind.ROUTE, pattern=pattern, script=name)
    (zone,) = declared.twin.zones
    app, known = (f"app.{ZONE}", "/"), (ZONE, "/.well-known/x?y")
    asked = {app: "closed", known: "documents", (ZONE, "/"): None, (API, "/x"): None}
    found = {request: zone.worker(*request) for request in asked}
    assert {request: worker and worker.name for request, worker in found.items()} == asked
    closed = found[app]
    assert closed is not None
    assert (closed.module, closed.bindings) == (MODULE, {"M": {"a": [1]}})


@pytest.mark.parametrize(
    ("others", "problem"),
    [
        ({"scriptName": "Documents"}, "lower-case letters"),
        ({"mainModule": None}, "ES modules"),
        ({"content": ""}, "needs content"),
        ({"content": "x" * (3 * 1024 * 1024 + 1)}, "at most 3145728 octets"),
        ({"compatibilityDate": "today"}, "must be YYYY-MM-DD"),
        ({"bindings": [{"name": "A", "type": "json", "json": "{"}]}, "is no JSON"),
        ({"bindings": [{"name": "A", "type": "json", "json": json.dumps("x" * 6000)}]}, "at most 5120 octets"),
        ({"bindings": [{"name": "A", "type": "plain_text"}]}, "needs text"),
        ({"bindings": [{"name": "A", "type": "kv_namespace"}]}, "gives json, plain_text and secret_text"),
        ({"bindings": [{"name": "A", "type": "plain_text", "text": "1"}] * 2}, "share a name"),
        ({"logpush": True}, "does not act on logpush"),
    ],
)
def test_a_script_that_cannot_be_is_refused(declared, others, problem):
    with pytest.raises(DeploymentError, match=problem):
        script(declared, **others)


@pytest.mark.parametrize(
    ("pattern", "name", "problem"),
    [
        (f"{ZONE}/*", "missing", "the account has no script 'missing'"),
        ("other.example/*", "documents", "the host is not in zone"),
        (f"{ZONE}/*/x", "documents", "a \\* opens the host or ends the path"),
        (f"ftp://{ZONE}/*", "documents", "the scheme is http or https"),
        (f"https://{ZONE}/*", "documents", "routes without a scheme"),
    ],
)
def test_a_route_that_cannot_be_is_refused(declared, pattern, name, problem):
    script(declared)
    with pytest.raises(DeploymentError, match=problem):
        declared.of_zone(Kind.ROUTE, pattern=pattern, script=name)


def test_a_route_is_declared_once_and_its_script_stays(declared: Declaration):
    made = script(declared)
    declared.of_zone(Kind.ROUTE, pattern=f"{ZONE}/*", script=made.id)
    with pytest.raises(CloudflareError, match="exists already"):
        declared.of_zone(Kind.ROUTE, pattern=f"{ZONE}/*", script=made.id)
    with pytest.raises(CloudflareError, match="in use by route"):
        declared.twin.delete(made.id)


# Origin pulls


def pulls(declared: Declaration) -> Any:
    certificate, key = client_certificate(API)
    return declared.of_zone(Kind.PULL_CERTIFICATE, certificate=certificate, privateKey=key)


def test_an_origin_sees_the_certificate_of_its_host_while_the_zone_allows_it(declared: Declaration):
    old, new = pulls(declared), pulls(declared)
    hosts = declared.of_zone(Kind.PULL_HOSTS, configs=[{"hostname": API, "certId": old.id, "enabled": True}])
    assert declared.twin.zones[0].origin_certificate(API) is None  # the zone's own switch is off
    declared.setting("tls_client_auth", "on")
    shown = declared.twin.zones[0].origin_certificate(API.upper())
    assert shown is not None
    assert (shown.id, shown.private_key) == (old.id, old.outputs["privateKey"])
    assert shown.private_key not in repr(shown)
    assert declared.twin.zones[0].origin_certificate(f"app.{ZONE}") is None
    with pytest.raises(CloudflareError, match=f"in use by {API}"):
        declared.twin.delete(old.id)
    renewed = {**hosts.outputs, "configs": [{"hostname": API, "certId": new.id, "enabled": True}]}
    declared.twin.update(hosts.id, renewed)
    declared.twin.delete(old.id)
    shown = declared.twin.zones[0].origin_certificate(API)
    assert shown is not None
    assert shown.id == new.id
    declared.of_zone(Kind.PULL_SETTINGS, enabled=True)
    assert declared.twin.zones[0].origin_pulls


def test_a_certificate_that_does_not_fit_its_key_is_refused_without_a_word_of_the_key(declared: Declaration):
    (certificate, key), (_, other) = client_certificate(API), client_certificate(API)
    for given, problem in ((other, "not that of the certificate"), ("no key", "must be PEM"), ("", "needs privateKey")):
        with pytest.raises(CloudflareError, match=problem) as error:
            declared.of_zone(Kind.PULL_CERTIFICATE, certificate=certificate, privateKey=given)
        assert "PRIVATE KEY" not in str(error.value)
    made = declared.of_zone(Kind.PULL_CERTIFICATE, certificate=certificate, privateKey=key)
    assert made.outputs["expiresOn"].endswith("Z")
    certificate, key = client_certificate(API)
    with pytest.raises(CloudflareError, match="cannot be changed"):
        declared.twin.update(made.id, {**made.outputs, "certificate": certificate, "privateKey": key})


def test_a_host_of_another_zone_or_an_unknown_certificate_is_refused(declared: Declaration):
    made = pulls(declared)
    cases = (("api.other.example", made.id, "is not in zone"), (API, "none", "no certificate has the id"))
    for host, certificate, problem in cases:
        with pytest.raises(CloudflareError, match=problem):
            declared.of_zone(Kind.PULL_HOSTS, configs=[{"hostname": host, "certId": certificate, "enabled": True}])
    with pytest.raises(CloudflareError, match="at least one host"):
        declared.of_zone(Kind.PULL_HOSTS, configs=[])


# What a zone has one of


def test_bots_normalization_and_transforms_have_cloudflares_values_until_they_are_declared(declared: Declaration):
    (zone,) = declared.twin.zones
    assert (zone.bots["fightMode"], zone.url_normalization) == (False, ("cloudflare", "incoming"))
    assert zone.managed_transforms == (frozenset(), frozenset())
    bots = declared.of_zone(Kind.BOTS, fightMode=True)
    declared.of_zone(Kind.NORMALIZATION, type="rfc3986", scope="both")
    on = [{"id": "add_security_headers", "enabled": True}, {"id": "remove_x-powered-by_header", "enabled": False}]
    declared.of_zone(Kind.TRANSFORMS, managedRequestHeaders=[], managedResponseHeaders=on)
    (zone,) = declared.twin.zones
    assert (zone.bots["fightMode"], zone.url_normalization) == (True, ("rfc3986", "both"))
    assert zone.managed_transforms == (frozenset(), {"add_security_headers"})
    declared.twin.delete(bots.id)
    assert declared.twin.zones[0].bots["fightMode"] is True  # nothing to go back to


@pytest.mark.parametrize(
    ("kind", "inputs", "problem"),
    [
        (Kind.BOTS, {"fightMode": "on"}, "fightMode must be true or false"),
        (Kind.BOTS, {"sbfmDefinitelyAutomated": "block"}, "needs plan 'pro', the zone has 'free'"),
        (Kind.NORMALIZATION, {"type": "none", "scope": "both"}, "type must be one of"),
        (Kind.TRANSFORMS, {"managedRequestHeaders": [{"id": "x", "enabled": True}]}, "must be one of"),
        (Kind.TRANSFORMS, {"managedRequestHeaders": [{"id": "add_true_client_ip_headers", "enabled": True}]},
         "needs plan 'enterprise'"),
        (Kind.PULL_SETTINGS, {"enabled": "on"}, "enabled must be true or false"),
        (Kind.HEALTHCHECK, {"name": "api", "address": API}, "the plan allows 0 health checks"),
    ],
)  # fmt: skip
def test_what_a_zone_cannot_have_is_refused(declared, kind, inputs, problem):
    with pytest.raises(DeploymentError, match=problem):
        declared.of_zone(kind, **inputs)


@pytest.mark.parametrize(
    ("others", "problem"),
    [
        ({"type": "UDP"}, "type must be one of"),
        ({"interval": 10.0}, "interval must be 60 to"),
        ({"retries": 9.0}, "retries must be 0 to 5"),
        ({"checkRegions": ["MARS"]}, "checkRegions must be one of"),
        ({"type": "TCP", "httpConfig": {"path": "/"}}, "httpConfig does not belong to type TCP"),
    ],
)
def test_a_health_check_that_cannot_be_is_refused(others: dict[str, Any], problem: str):
    declared = Declaration("pro")
    with pytest.raises(CloudflareError, match=problem):
        declared.of_zone(Kind.HEALTHCHECK, **{"name": "api", "address": API, **others})
    declared.of_zone(Kind.HEALTHCHECK, name="api", address=API)
    with pytest.raises(CloudflareError, match="exists already"):
        declared.of_zone(Kind.HEALTHCHECK, name="api", address=API)


def test_what_the_twin_cannot_sign_is_no_refusal_of_cloudflares(declared: Declaration):
    with pytest.raises(NotInTwinError, match="signs with one key and NSEC"):
        declared.dnssec(dnssecUseNsec3=True)


# Records of every kind


@pytest.mark.parametrize(
    ("kind", "inputs", "problem"),
    [
        ("TLSA", {"data": {"usage": 3, "selector": 1, "matchingType": 1, "certificate": "xyz"}}, "data is not valid"),
        ("DS", {"name": ZONE, "data": {}}, "not at the apex"),
        ("URI", {"data": {"weight": 1, "target": "https://a.example/"}}, "needs data with priority"),
        ("HTTPS", {"data": {"priority": 1, "target": ".", "value": "alpn"}}, "data is not valid"),
        ("LOC", {"data": {"latDegrees": 1}}, "needs data with latDegrees, latMinutes"),
        ("SRV", {"content": "1 2 3 a.example"}, "needs data with priority"),
        ("A", {"name": f"a.*.{ZONE}"}, "labels have 1 to 63"),
        ("A", {"name": "bü..x"}, "no form in Punycode"),
    ],
)
def test_data_that_is_not_the_types_own_is_refused(declared, kind, inputs, problem):
    given = {"name": "x", "type": kind, "ttl": 300.0, "content": ORIGIN_ADDRESS if kind == "A" else None, **inputs}
    with pytest.raises(CloudflareError, match=problem):
        declared.of_zone(Kind.RECORD, **given)


def test_the_texts_of_one_name_have_a_limit_together(declared: Declaration):
    texts = ['"' + '" "'.join([letter * 255] * 15) + '"' for letter in "abc"]
    for content in texts[:2]:
        declared.record("x", "TXT", content)
    with pytest.raises(CloudflareError, match="11607 characters together, at most 8192"):
        declared.record("x", "TXT", texts[2])
    declared.record("y", "TXT", texts[2])


def test_an_escaped_octet_counts_as_one(declared: Declaration):
    made = declared.record("x", "TXT", '"' + "\\195\\169" * 127 + '\\""')
    with pytest.raises(CloudflareError, match="a string of 256 octets"):
        declared.twin.update(made.id, {**made.outputs, "content": '"' + "\\195\\169" * 128 + '"'})


def test_texts_that_differ_in_case_are_two_and_hosts_are_one(declared: Declaration):
    declared.record("x", "TXT", '"Token"')
    declared.record("x", "TXT", '"token"')
    declared.record("y", "MX", "mail.example", priority=1.0)
    with pytest.raises(CloudflareError, match="an identical MX record"):
        declared.record("y", "MX", "MAIL.example.", priority=1.0)
    assert declared.twin.zones[0].account_id == ACCOUNT


# The handlers


class Rehearsed:
    """What the handlers know of a rehearsal."""

    def __init__(self, zone: ZoneTwin) -> None:
        self.zone = zone


def one_of_each(zone: str) -> dict[str, dict[str, Any]]:
    """Inputs for every type, by its name, in an order in which each finds what it needs; `#X` is the id of X."""
    certificate, key = client_certificate(API)
    of_zone = {
        "DnsRecord": {"name": "x", "type": "A", "content": ORIGIN_ADDRESS, "ttl": 300.0},
        "ZoneSetting": {"settingId": "ssl", "value": "strict"},
        "ZoneDnssec": {"status": "active"},
        "BotManagement": {"fightMode": False},
        "UrlNormalizationSettings": {"type": "cloudflare", "scope": "both"},
        "ManagedTransforms": {"managedRequestHeaders": [], "managedResponseHeaders": []},
        "Healthcheck": {"name": "api", "address": API},
        "AuthenticatedOriginPullsHostnameCertificate": {"certificate": certificate, "privateKey": key},
        "AuthenticatedOriginPulls": {
            "configs": [
                {"hostname": API, "certId": "#AuthenticatedOriginPullsHostnameCertificate", "enabled": True},
            ]
        },
        "AuthenticatedOriginPullsSettings": {"enabled": True},
    }
    of_account = {
        "List": {"kind": "redirect", "name": "paths"},
        "ListItem": {"listId": "#List", **item("/a")},
        "Ruleset": {"kind": "root", "name": "bulk", "phase": BULK, "rules": [bulk()]},
        "ZeroTrustAccessPolicy": {"name": "staff", "decision": "allow", "includes": [{"everyone": {}}]},
        "ZeroTrustAccessApplication": {
            "type": "self_hosted",
            "domain": OPS,
            "policies": [{"id": "#ZeroTrustAccessPolicy", "precedence": 1.0}],
        },
        "WorkersScript": {"scriptName": "documents", "content": MODULE, "mainModule": "worker.js"},
    }
    return {
        **{name: {"zoneId": zone, **inputs} for name, inputs in of_zone.items()},
        **{name: {"accountId": ACCOUNT, **inputs} for name, inputs in of_account.items()},
        "WorkersRoute": {"zoneId": zone, "pattern": f"{ZONE}/*", "script": "documents"},
    }


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, ids) for one in value]
    return ids[value[1:]] if isinstance(value, str) and value.startswith("#") else value


def test_every_type_is_made_read_updated_and_removed_by_its_handler():
    declared = Declaration("pro")
    target: Any = Rehearsed(declared.twin)
    handlers = {handler.type.rpartition(":")[2]: handler for handler in cloudflare.HANDLERS}
    each, ids = one_of_each(declared.zone.id), {}
    assert handlers.keys() == {"Zone", *each}
    for name, inputs in each.items():
        handler = handlers[name]
        wanted = Declared(urn="urn", type=handler.type, name="thing", inputs=filled(inputs, ids), source="infra/x.py:1")
        made = handler.create(wanted, target)
        ids[name] = made.id
        assert handler.read(made.id, target) == made.outputs, name
        assert handler.update(made.id, wanted, target).keys() == made.outputs.keys(), name
    for name in reversed(each):
        handlers[name].delete(ids[name], target)
        assert handlers[name].read(ids[name], target) is None, name
