import json
from datetime import UTC, datetime

import pytest

from checks.contract import Retired
from checks.errors import ProbeError
from checks.probes import authority
from checks.rules import authority as rules
from tests.checks.exchanges import changed
from tests.checks.loopback import WebServer

APEX = "tidewriters.example"
SERVERS = ("ada.ns.cloudflare.com.", "bob.ns.cloudflare.com.")


@pytest.fixture(autouse=True)
def zone(names):
    """One loopback server plays parent, both name servers and resolver."""
    names.set("example", "NS", "ada.ns.cloudflare.com.")
    names.set(APEX, "NS", *SERVERS)
    names.set(APEX, "SOA", "ada.ns.cloudflare.com. dns.cloudflare.com. 7 14400 3600 604800 1800")
    for server in SERVERS:
        names.set(server.rstrip("."), "A", "127.0.0.1")


def test_a_delegation_in_order_passes(look, declared):
    facts = authority.delegations(look())

    assert [one.parent for one in facts] == [{"ada.ns.cloudflare.com", "bob.ns.cloudflare.com"}]
    assert rules.delegation(declared, facts).status == "pass"


def test_a_server_that_is_not_authoritative_is_seen(look, names, declared):
    names.authoritative = False

    assert "is not authoritative" in rules.delegation(declared, authority.delegations(look())).actual


def test_parked_and_retired_domains_are_delegated_too(look, names, declared):
    retired = Retired(domain="old.example", to=f"https://{APEX}", status=301, keep_path=True)
    subject = changed(declared, parked=("parked.example",), retired=(retired,))
    names.set("parked.example", "NS", "cat.ns.cloudflare.com.", "dan.ns.cloudflare.com.")
    names.set("parked.example", "SOA", "cat.ns.cloudflare.com. dns.cloudflare.com. 7 14400 3600 604800 1800")
    for server in ("cat", "dan"):
        names.set(f"{server}.ns.cloudflare.com", "A", "127.0.0.1")

    verdict = rules.delegation(subject, authority.delegations(look(subject=subject)))

    assert verdict.actual == "old.example: 0 name servers at the parent, at least two"


def test_servers_are_asked_over_udp_and_tcp_and_for_what_they_must_refuse(look, declared):
    facts = authority.servers(look())

    assert [(one.udp, one.tcp, one.transfers, one.recurses, one.serial) for one in facts] == [
        (True, True, False, False, 7)
    ] * 2
    assert rules.server(declared, facts).status == "pass"


def test_an_open_resolver_is_seen(look, names, declared):
    names.recurses = True
    names.set(authority.STRANGER, "A", "192.0.2.1")

    assert "looks up any name" in rules.server(declared, authority.servers(look())).actual


def test_timers_are_read(look, declared):
    assert rules.soa(declared, authority.soa(look())).status == "pass"


def test_targets_that_are_gone_are_seen(look, names, declared):
    names.set(APEX, "TXT", '"v=spf1 include:_spf.mailhost.example -all"')
    for name in ("cname.vercel-dns.com", "d-abc.execute-api.eu-west-1.amazonaws.com", "ops.host.example", APEX):
        names.set(name, "A", "192.0.2.1")
    for selector in declared.mail.dkim:
        names.set(selector.value, "TXT", '"v=DKIM1; p=AAAA"')

    verdict = rules.dangling(declared, authority.targets(look()))
    assert verdict.actual == "_spf.mailhost.example does not exist: somebody else could take it"

    names.set("_spf.mailhost.example", "TXT", '"v=spf1 -all"')
    assert rules.dangling(declared, authority.targets(look())).status == "pass"


def test_a_parent_that_does_not_answer_is_no_verdict(look, names):
    names.set("example", "NS")

    with pytest.raises(ProbeError, match="no name server of example answered"):
        authority.delegations(look())


RDAP = {
    "events": [
        {"eventAction": "registration", "eventDate": "2020-01-01T00:00:00Z"},
        {"eventAction": "expiration", "eventDate": "2028-01-01T00:00:00Z"},
    ],
    "status": ["client transfer prohibited", "active"],
}


def test_a_registration_is_read(look):
    with WebServer(lambda *_: (200, {}, json.dumps(RDAP))) as server:
        facts = authority.registration(look(), f"http://127.0.0.1:{server.port}/domain/")

    assert facts.expires == datetime(2028, 1, 1, tzinfo=UTC)
    assert facts.status == ("active", "client transfer prohibited")
    assert server.seen == [("GET", "127.0.0.1", f"/domain/{APEX}")]


@pytest.mark.parametrize("reply", [(404, {}, "{}"), (200, {}, "no JSON")])
def test_a_registry_that_says_nothing_is_no_verdict(look, reply):
    with WebServer(lambda *_: reply) as server, pytest.raises(ProbeError, match="GET http"):
        authority.registration(look(), f"http://127.0.0.1:{server.port}/domain/")
