import ipaddress

import pytest

from checks.errors import ProbeError
from checks.probes.spf_verdict import Envelope, verdict
from tests.checks.loopback import unused_port
from tests.checks.mail_oracles import spf_says

APEX = "tidewriters.example"
HERE = "192.0.2.10"
ZONE = {
    "pass.example": f"ip4:{HERE} -all",
    "fail.example": "-all",
    "none.example": None,
    "loop.example": "include:loop.example -all",
    "two.example": "include:pass.example ~all",
}
TABLE = [
    (f"ip4:{HERE} -all", HERE, "pass"),
    ("ip4:192.0.2.0/24 -all", HERE, "pass"),
    ("ip4:192.0.2.0/28 ~all", "192.0.2.99", "softfail"),
    ("ip6:2001:db8::/32 -all", "2001:db8::1", "pass"),
    ("ip6:2001:db8::/32 -all", HERE, "fail"),
    ("?all", HERE, "neutral"),
    ("+all", HERE, "pass"),
    ("a -all", HERE, "pass"),
    ("a/24 -all", "192.0.2.77", "pass"),
    ("a:host.example//64 -all", "2001:db8::99", "pass"),
    ("mx -all", "192.0.2.25", "pass"),
    ("mx/30 -all", "192.0.2.99", "fail"),
    ("include:pass.example -all", HERE, "pass"),
    ("include:two.example -all", HERE, "pass"),
    ("include:fail.example ~all", HERE, "softfail"),
    ("-include:pass.example +all", HERE, "fail"),
    ("redirect=pass.example", HERE, "pass"),
    ("redirect=none.example", HERE, "permerror"),
    ("include:none.example -all", HERE, "permerror"),
    ("include:loop.example -all", HERE, "permerror"),
    ("exists:%{i}.list.example -all", HERE, "pass"),
    ("exists:%{ir}.%{v}.%{d2}.list.example -all", HERE, "pass"),
    ("exists:%{l1r-}.%{o}.list.example -all", HERE, "pass"),
    ("a:gone1.example a:gone2.example a:gone3.example -all", HERE, "permerror"),
    (" ".join(f"include:i{n}.example" for n in range(11)) + " -all", HERE, "permerror"),
    ("ip4:192.0.2 -all", HERE, "permerror"),
    ("ip5:192.0.2.1 -all", HERE, "permerror"),
    ("moo -all", HERE, "permerror"),
    ("exp=why.example ip4:192.0.2.10 -all", HERE, "pass"),
    ("unknown=modifier -all", HERE, "fail"),
    ("V=ignored IP4:192.0.2.10 -ALL", HERE, "pass"),
]


@pytest.fixture
def zone(names):
    for name, terms in {**ZONE, **{f"i{n}.example": "-all" for n in range(11)}}.items():
        names.set(name, "TXT", f'"v=spf1 {terms}"' if terms else '"no policy"')
    for name, address in ((APEX, HERE), ("host.example", HERE), ("mx.example", "192.0.2.25")):
        names.set(name, "A", address)
    names.set("host.example", "AAAA", "2001:db8::1")
    names.set(APEX, "MX", "10 mx.example.")
    names.set("192.0.2.10.list.example", "A", "127.0.0.2")
    names.set("10.2.0.192.in-addr.tidewriters.example.list.example", "A", "127.0.0.2")
    names.set(f"user.{APEX}.list.example", "A", "127.0.0.2")
    return names


@pytest.mark.parametrize(("record", "client", "result"), TABLE, ids=[row[0][:40] for row in TABLE])
def test_a_delivery_is_judged_as_pyspf_judges_it(look, zone, monkeypatch, record, client, result):
    zone.set(APEX, "TXT", f'"v=spf1 {record}"')
    scope, sender = look(), f"user-bounces@{APEX}"

    found = verdict(scope, Envelope(client=ipaddress.ip_address(client), sender=sender, helo="mx.example"))

    assert found == result == spf_says(scope, client, sender, "mx.example", monkeypatch)


@pytest.mark.parametrize(("texts", "result"), [((), "none"), (('"v=spf1 -all"', '"v=spf1 +all"'), "permerror")])
def test_a_domain_has_one_record(look, names, monkeypatch, texts, result):
    names.set(APEX, "TXT", *texts)
    scope, sender = look(), f"a@{APEX}"

    found = verdict(scope, Envelope(client=ipaddress.ip_address(HERE), sender=sender, helo="mx.example"))

    assert found == result == spf_says(scope, HERE, sender, "mx.example", monkeypatch)


def test_without_an_answer_there_is_no_verdict(look):
    scope = look(0.3, resolver=("127.0.0.1", unused_port()))
    with pytest.raises(ProbeError):
        verdict(scope, Envelope(client=ipaddress.ip_address(HERE), sender=f"a@{APEX}", helo="mx.example"))
