from collections.abc import Mapping
from typing import Any

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.graph import Graph
from rehearsal.plan import plan
from tests.infra.conftest import ROOT, Deployed, deploy
from tests.infra.test_config import NO_HOSTS_NAMED

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
DOMAIN = "tidewriters.example"
PUBLISHED = "a key of 2048 bits"
LOGO = f"{DOMAIN}/bimi/logo"
KIT = "dm-2wq0v4n6.sg7.convertkit.com"
MAIL = [
    (DOMAIN, "TXT", '"v=spf1 include:_spf.google.com -all"'),
    (f"mail.{DOMAIN}", "TXT", '"v=spf1 -all"'),
    (f"news.{DOMAIN}", "TXT", '"v=spf1 -all"'),
    (f"pm-bounces.mail.{DOMAIN}", "CNAME", "pm.mtasv.net"),
    (f"ckespa.news.{DOMAIN}", "CNAME", f"spf.{KIT}"),
    (f"cka._domainkey.news.{DOMAIN}", "CNAME", f"dkim.{KIT}"),
    (f"cka2._domainkey.news.{DOMAIN}", "CNAME", f"dkim2.{KIT}"),
    (f"google._domainkey.{DOMAIN}", "TXT", PUBLISHED),
    (f"20261102093012pm._domainkey.mail.{DOMAIN}", "TXT", PUBLISHED),
    (f"_dmarc.{DOMAIN}", "TXT", f'"v=DMARC1; p=quarantine; rua=mailto:dmarc@{DOMAIN}"'),
    (f"_mta-sts.{DOMAIN}", "TXT", '"v=STSv1; id=ac6f47006ccd76569d4ccafa3a1202d4;"'),
    (f"_smtp._tls.{DOMAIN}", "TXT", f'"v=TLSRPTv1; rua=mailto:tls-reports@{DOMAIN}"'),
    (f"default._bimi.{DOMAIN}", "TXT", f'"v=BIMI1; l=https://{LOGO}.svg; a=https://{LOGO}.pem"'),
]
EDGE = ("letsencrypt.org", "pki.goog", "sectigo.com", "ssl.com")
AUTHORITIES = (
    *(f"0 issue {name}" for name in (*EDGE, "amazon.com")),
    *(f"0 issuewild {name}" for name in EDGE),
    f"0 iodef mailto:security@{DOMAIN}",
)
VERIFICATION = "Zb3mV0q9Jt1xY7cLr5hKd2uWf8sPnA4eGi6oXlTvQyE"


def content_of(values: Mapping[str, Any]) -> str:
    """A record's content, or the parts of an authority as a zone file has them."""
    return values.get("content") or "{flags} {tag} {value}".format(**values["data"])


def shortened(content: str) -> str:
    """A published key, whose 400 characters no test repeats, by what it is."""
    return PUBLISHED if "p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" in content else content


def test_the_records_are_these(deployed: Deployed) -> None:
    found = [
        (
            values["name"],
            values["type"],
            shortened(content_of(values)),
            values["proxied"],
            values["ttl"],
            values.get("priority"),
        )
        for values in deployed.of_type(RECORD).values()
        if values["zoneId"] == deployed.contract["zone"]["id"]
    ]
    assert sorted(found, key=str) == sorted(
        [
            (DOMAIN, "A", "203.0.113.24", True, 1, None),
            (DOMAIN, "AAAA", "2001:db8:24::1", True, 1, None),
            (f"www.{DOMAIN}", "CNAME", DOMAIN, True, 1, None),
            (f"app.{DOMAIN}", "CNAME", "3f2a9c0d1b7e4a68.vercel-dns-017.com", True, 1, None),
            (f"ops.{DOMAIN}", "CNAME", "tide-writers-ops.onrender.com", True, 1, None),
            (f"status.{DOMAIN}", "CNAME", "tide-writers-status.fly.dev", False, 1, None),
            (f"_acme-challenge.status.{DOMAIN}", "CNAME", f"status.{DOMAIN}.4x7k2q.flydns.net", False, 1, None),
            (DOMAIN, "TXT", f'"google-site-verification={VERIFICATION}"', False, 1, None),
            (f"api.{DOMAIN}", "CNAME", "d-1.execute-api.eu-west-1.amazonaws.com", True, 1, None),
            (f"_proof.api.{DOMAIN}", "CNAME", "_x.acm.example", False, 1, None),
            *((*mail, False, 1, None) for mail in MAIL),
            (f"mta-sts.{DOMAIN}", "AAAA", "100::", True, 1, None),
            (DOMAIN, "MX", "smtp.google.com", False, 1, 1),
            *((DOMAIN, "CAA", authority, False, 1, None) for authority in AUTHORITIES),
        ],
        key=str,
    )


def test_what_cloudflare_refuses_only_when_it_is_too_late_is_never_declared(graph: Graph) -> None:
    for record in graph.of_type(RECORD):
        values = record.inputs
        assert values["ttl"] == 1 or not values["proxied"], str(record)
        assert ("priority" in values) == (values["type"] == "MX"), str(record)


def test_a_preview_leads_every_name_somewhere_if_only_to_what_is_not_known_yet(graph: Graph) -> None:
    for record in graph.of_type(RECORD):
        assert record.inputs.get("content") or record.inputs.get("data"), str(record)
    [api] = [record for record in graph.of_type(RECORD) if record.name == "host-api"]
    assert "content" in api.unknowns


def test_www_is_the_host_and_the_apex_an_address_that_nobody_is_asked_at() -> None:
    www = {"name": "www", "platform": "plain", "addresses": ["203.0.113.24"], "role": "web"}
    deployed = deploy(canonical="www", hosts=[www], **NO_HOSTS_NAMED)
    apex = deployed.inputs[RECORD, "host-apex-aaaa"]
    assert (apex["name"], apex["content"], apex["proxied"]) == (DOMAIN, "100::", True)
    hosts = {(host["name"], host["role"], host["content"]) for host in deployed.contract["hosts"]}
    assert {(f"www.{DOMAIN}", "web", "203.0.113.24"), (DOMAIN, "redirect", "100::")} <= hosts
    [redirect] = deployed.contract["redirects"]
    assert (redirect["from_host"], redirect["to_host"]) == (DOMAIN, f"www.{DOMAIN}")


def test_other_records_stand_as_they_are_written_and_what_platforms_want_to_see_beside_them() -> None:
    proof = {"type": "TXT", "name": "_fly-ownership.status", "value": "app-a1b2c3"}
    status = {"name": "status", "platform": "fly", "target": "tide.fly.dev", "role": "web", "validation": [proof]}
    srv = {"priority": 1, "weight": 2, "port": 5223, "target": f"chat.{DOMAIN}"}
    records = [
        {"name": "_xmpp._tcp", "type": "SRV", "data": srv, "ttl": 3600, "comment": "chat"},
        {"name": "*.old", "type": "A", "content": "192.0.2.1"},
        {"name": "@", "type": "TXT", "content": 'say "hello"'},
    ]
    apex = {"name": "@", "platform": "plain", "addresses": ["203.0.113.24"], "role": "web"}
    deployed = deploy(hosts=[apex, status], records=records, **NO_HOSTS_NAMED)
    sent = {
        resource: (values["name"], values.get("content"), values["ttl"], values.get("comment"))
        for resource, values in deployed.of_type(RECORD).items()
        if resource.startswith("record-")
    }
    assert sent == {
        "record-_xmpp._tcp-srv": (f"_xmpp._tcp.{DOMAIN}", None, 3600, "chat"),
        "record-*.old-a": (f"*.old.{DOMAIN}", "192.0.2.1", 1, None),
        "record-apex-txt": (DOMAIN, r'"say \"hello\""', 1, None),
        "record-_fly-ownership.status-txt": (f"_fly-ownership.status.{DOMAIN}", '"app-a1b2c3"', 1, None),
    }
    assert deployed.inputs[RECORD, "record-_xmpp._tcp-srv"]["data"] == srv
    assert [(entry["type"], entry["content"]) for entry in deployed.contract["records"]] == [
        ("SRV", f"1 2 5223 chat.{DOMAIN}."),
        ("A", "192.0.2.1"),
        ("TXT", 'say "hello"'),
        ("TXT", "app-a1b2c3"),
    ]


def test_a_record_that_was_alone_of_its_kind_is_renamed_and_not_made_anew() -> None:
    records = [{"name": "@", "type": "TXT", "content": text} for text in ("one", "two")]
    graph = plan(ROOT, "prod", {"records": records})
    first = graph.get(RECORD, "record-apex-txt-7692c3")
    assert "record-apex-txt" in str(first.options["aliases"])


def test_a_zone_that_is_full_with_the_programs_own_records_is_refused_by_its_name() -> None:
    records = [{"name": f"r{number}", "type": "A", "content": "192.0.2.1"} for number in range(179)]
    with pytest.raises(RehearsalError, match=f"zone {DOMAIN}: plan 'free' holds 200 records and .* would be one more"):
        plan(ROOT, "prod", {"records": records})
