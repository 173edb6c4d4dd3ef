import pytest

from checks.errors import ProbeError
from checks.probes import dns
from checks.rules import dns as rules
from tests.checks.loopback import unused_port

APEX = "tidewriters.example"


def test_an_answer_is_told_whole(look, names):
    names.set(f"www.{APEX}", "CNAME", f"{APEX}.")
    names.set(APEX, "A", "192.0.2.10", "192.0.2.11")

    answer = dns.look_up(look(), f"www.{APEX}", "A")

    assert answer.records == ("192.0.2.10", "192.0.2.11")
    assert answer.names == (f"www.{APEX}", APEX)
    assert (answer.ttl, answer.exists) == (300, True)
    assert answer.line() == f"www.{APEX} A at 127.0.0.1:{names.port}: 192.0.2.10, 192.0.2.11"


def test_a_text_is_joined(look, names):
    names.set(APEX, "TXT", '"v=spf1 include:a" "b.example -all"')

    assert dns.look_up(look(), APEX, "TXT").records == ("v=spf1 include:ab.example -all",)


def test_no_record_and_no_name_are_told_apart(look, names):
    names.set(APEX, "A", "192.0.2.10")

    assert dns.look_up(look(), APEX, "AAAA").exists
    assert not dns.look_up(look(), f"gone.{APEX}", "A").exists


def test_a_lost_datagram_is_no_failure(look, names):
    names.set(APEX, "A", "192.0.2.10")
    names.drop_first = 1

    assert dns.look_up(look(), APEX, "A").records == ("192.0.2.10",)


def test_a_dead_resolver_is_no_verdict(look):
    with pytest.raises(ProbeError, match=f"no answer for {APEX} A from 127"):
        dns.look_up(look(0.3, resolver=("127.0.0.1", unused_port())), APEX, "A")


def test_an_overdue_check_asks_nobody(look, names):
    with pytest.raises(TimeoutError, match="deadline"):
        dns.look_up(look(-1.0), APEX, "A")


def test_live_every_public_resolver_is_asked(look):
    assert dns.resolvers(look(resolver=None)) == dns.PUBLIC_RESOLVERS


def publish(names, declared):
    for host in declared.hosts:
        if host.proxied:
            names.set(host.name, "A", "127.0.0.1")
        else:
            names.set(host.name, host.type, f"{host.content}.")
            names.set(host.content, "A", "192.0.2.77")


def test_the_declared_hosts_are_found_and_one_that_is_gone_is_named(look, names, declared):
    publish(names, declared)
    assert rules.hosts(declared, dns.hosts(look())).status == "pass"

    names.set(f"app.{APEX}", "A")
    verdict = rules.hosts(declared, dns.hosts(look()))
    assert verdict.status == "fail"
    assert f"app.{APEX} has no address" in verdict.actual


def test_the_servers_of_a_zone_below_are_told_by_a_referral(look, names):
    names.set(f"lab.{APEX}", "NS below", "ns1.lab.example.", "ns2.lab.example.")

    assert dns.look_up(look(), f"lab.{APEX}", "NS").records == ("ns1.lab.example.", "ns2.lab.example.")
    assert dns.look_up(look(), f"lab.{APEX}", "A").records == ()
