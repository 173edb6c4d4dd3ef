from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checks.probes.authority import DelegationFacts, RegistrationFacts, ServerFacts
from checks.probes.dns import Answer, HostFacts
from checks.rules import authority, dns
from tests.checks.exchanges import passes

APEX = "tidewriters.example"
EDGE = "104.16.0.1"


def answer(name: str, kind: str, *records: str, ttl: int = 300, resolver: str = "r1") -> Answer:
    return Answer(name=name, type=kind, resolver=resolver, records=records, ttl=ttl, names=(name,))


def facts(declared, **overrides: tuple[Answer, ...]) -> tuple[HostFacts, ...]:
    """What a correct DNS says of each declared host; overrides are by first label ("apex", "www", …) and type."""
    found = []
    for host in declared.hosts:
        label = "apex" if host.name == APEX else host.name.split(".")[0]
        cname = () if host.proxied else (answer(host.name, "CNAME", f"{host.content}."),)
        addresses = (answer(host.name, "A", EDGE),) if host.proxied else ()
        found.append(
            HostFacts(
                host=host,
                a=overrides.get(f"{label}_a", addresses),
                aaaa=overrides.get(f"{label}_aaaa", ()),
                cname=overrides.get(f"{label}_cname", cname),
            )
        )
    return tuple(found)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({}, None),
        ({"apex_a": (answer(APEX, "A"),)}, f"{APEX} has no address at r1"),
        ({"apex_a": (answer(APEX, "A"),), "apex_aaaa": (answer(APEX, "AAAA", "2606::1"),)}, None),
        (
            {"apex_a": (answer(APEX, "A", EDGE), answer(APEX, "A", resolver="r2"))},
            f"{APEX} has no address at r2",
        ),
        ({"app_cname": (answer(f"app.{APEX}", "CNAME", "cname.vercel-dns.com."),)}, "shows a CNAME to"),
        ({"ops_cname": (answer(f"ops.{APEX}", "CNAME", "elsewhere.example."),)}, "declared ops.host.example"),
        ({"ops_cname": (answer(f"ops.{APEX}", "CNAME"),)}, "declared ops.host.example"),
    ],
)
def test_hosts(declared, overrides, said):
    assert passes(dns.hosts(declared, facts(declared, **overrides)), said)


def test_an_address_that_is_not_proxied_must_be_the_declared_one(declared):
    host = declared.hosts[0].model_copy(update={"proxied": False})
    right = HostFacts(host=host, a=(answer(APEX, "A", "192.0.2.10"),))
    wrong = HostFacts(host=host, a=(answer(APEX, "A", "192.0.2.99"),))

    assert passes(dns.hosts(declared, (right,)), None)
    assert passes(dns.hosts(declared, (wrong,)), "declared 192.0.2.10")


def test_www_must_be_declared(declared):
    bare = declared.model_copy(update={"hosts": tuple(h for h in declared.hosts if not h.name.startswith("www."))})

    assert passes(dns.hosts(bare, facts(bare)), f"www.{APEX} is not declared")


@pytest.mark.parametrize(("ttl", "said"), [(1, None), (60, None), (300, None), (59, "ttl 59"), (3600, "ttl 3600")])
def test_declared_ttl(declared, ttl, said):
    hosts = (declared.hosts[0].model_copy(update={"ttl": ttl}), *declared.hosts[1:])

    assert passes(dns.ttl(declared.model_copy(update={"hosts": hosts}), ()), said)


def test_seen_ttl(declared):
    seen = facts(declared, apex_a=(answer(APEX, "A", EDGE, ttl=604800),))

    assert passes(dns.ttl(declared, seen), "ttl 604800")


NAMES = frozenset({"ada.ns.cloudflare.com", "bob.ns.cloudflare.com"})


def server(**changes) -> ServerFacts:
    facts: dict[str, Any] = {
        "name": "ada.ns.cloudflare.com",
        "address": "192.0.2.53",
        "udp": True,
        "tcp": True,
        "serial": 7,
        "servers": NAMES,
        "transfers": False,
        "recurses": False,
    }
    return ServerFacts(**{**facts, **changes})


@pytest.mark.parametrize(
    ("parent", "servers", "said"),
    [
        (NAMES, (server(), server(name="bob.ns.cloudflare.com")), None),
        (frozenset(["ada.ns.cloudflare.com"]), (server(),), "1 name servers at the parent"),
        (frozenset(["ns1.old.example", "ns2.old.example"]), (), "the zone was assigned"),
        (NAMES, (server(serial=None),), "is not authoritative"),
        (NAMES, (server(servers=frozenset(["other.example"])),), "names ['other.example']"),
        (NAMES, (server(), server(serial=8)), "serials differ: [7, 8]"),
    ],
)
def test_delegation(declared, parent, servers, said):
    facts = (DelegationFacts(zone="tidewriters.example", parent=parent, servers=servers),)

    assert passes(authority.delegation(declared, facts), said)


def test_a_parked_domain_has_servers_of_its_own(declared):
    others = frozenset(["cat.ns.cloudflare.com", "dan.ns.cloudflare.com"])
    facts = (DelegationFacts(zone="parked.example", parent=others, servers=(server(servers=others),)),)

    assert passes(authority.delegation(declared, facts), None)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((server(),), None),
        ((server(udp=False),), "does not answer over UDP"),
        ((server(tcp=False),), "does not answer over TCP"),
        ((server(transfers=True),), "gives the whole zone"),
        ((server(recurses=True),), "looks up any name"),
        ((), "no name server has an address"),
    ],
)
def test_server(declared, facts, said):
    assert passes(authority.server(declared, facts), said)


@pytest.mark.parametrize(
    ("timers", "said"),
    [
        ("14400 3600 604800 1800", None),
        ("14399 3600 604800 1800", "refresh 14399, at least 14400"),
        ("14400 3599 604800 1800", "retry 3599"),
        ("14400 3600 604799 1800", "expire 604799"),
        ("14400 3600 604800 299", "minimum 299, 300 to 86400"),
        ("14400 3600 604800 86401", "minimum 86401"),
    ],
)
def test_soa(declared, timers, said):
    assert passes(authority.soa(declared, answer(APEX, "SOA", f"ns. mail. 1 {timers}")), said)


def test_no_soa(declared):
    assert passes(authority.soa(declared, answer(APEX, "SOA")), "no such record")


@pytest.mark.parametrize(("exists", "said"), [(True, None), (False, "x.example does not exist")])
def test_dangling(declared, exists, said):
    assert passes(authority.dangling(declared, (("x.example", exists),)), said)


NOW = datetime(2026, 11, 21, tzinfo=UTC)
LOCKED = ("client transfer prohibited",)


@pytest.mark.parametrize(
    ("expires", "status", "said"),
    [
        (NOW + timedelta(days=61), LOCKED, None),
        (NOW + timedelta(days=60), LOCKED, "in less than 60 days"),
        (NOW + timedelta(days=61), ("active",), "not locked against transfer"),
        (None, LOCKED, "the registry tells no expiry"),
    ],
)
def test_registrar(declared, expires, status, said):
    assert passes(authority.registrar(declared, RegistrationFacts(expires=expires, status=status), NOW), said)
