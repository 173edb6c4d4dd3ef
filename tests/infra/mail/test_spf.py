import json
from collections.abc import Iterator

import checkdmarc.spf
import dns.resolver
import pytest

from infra.mail import lookups, recording, spf
from tests.checks.loopback import NameServer, unused_port

APEX = "tidewriters.example"
RESOLVER = dns.resolver.Resolver


@pytest.fixture
def names() -> Iterator[NameServer]:
    server = NameServer()
    server.set("com", "NS", "a.gtld-servers.net.")
    lookups.say_unreachable.cache_clear()
    yield server
    server.stop()
    lookups.live.cache_clear()
    lookups.say_unreachable.cache_clear()


def resolver(port: int) -> dns.resolver.Resolver:
    asked = RESOLVER(configure=False)
    asked.nameservers, asked.port = ["127.0.0.1"], port
    return asked


@pytest.fixture
def here(names: NameServer, monkeypatch: pytest.MonkeyPatch) -> NameServer:
    """The server, as the resolver of this machine."""
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: resolver(names.port))
    lookups.live.cache_clear()
    return names


@pytest.mark.parametrize(
    ("record", "zone", "lookups_", "voids", "said"),
    [
        ("ip4:192.0.2.0/24 -all", {}, 0, 0, ""),
        ("include:a.example -all", {"a.example": "include:b.example ~all", "b.example": "-all"}, 2, 0, ""),
        ("a mx a:gone.example/24 -all", {}, 3, 1, ""),
        ("exists:%{i}.x.example -all", {}, 1, 0, ""),
        ("redirect=a.example", {"a.example": "mx -all"}, 2, 1, ""),
        ("-all redirect=a.example", {}, 0, 0, ""),
        ("ptr -all", {}, 1, 0, "ptr must not be used"),
        ("include:gone.example -all", {}, 1, 1, "gone.example has 0 SPF records"),
        ("include:a.example -all", {"a.example": "include:a.example -all"}, 2, 0, "a.example includes itself"),
    ],
)
def test_terms_are_counted(
    here: NameServer, record: str, zone: dict[str, str], lookups_: int, voids: int, said: str
) -> None:
    for name, terms in zone.items():
        here.set(name, "TXT", f'"v=spf1 {terms}"')
    here.set(APEX, "A", "192.0.2.1")
    here.set(APEX, "MX", f"10 {APEX}.")

    found = spf.cost(f"v=spf1 {record}", APEX, "dns")

    assert (found.lookups, found.voids, found.source) == (lookups_, voids, "dns")
    assert said in "; ".join(found.errors)


@pytest.mark.parametrize(
    "terms", ["a mx include:three.example -all", "include:four.example include:three.example -all"]
)
def test_another_implementation_counts_the_same(here: NameServer, terms: str) -> None:
    """checkdmarc keeps answers for the life of the process, so each zone has names of its own."""
    domain = f"declared{len(terms)}.example"
    here.set(domain, "TXT", f'"v=spf1 {terms}"')
    here.set(domain, "A", "192.0.2.1")
    here.set(domain, "MX", f"10 {domain}.")
    here.set("three.example", "TXT", '"v=spf1 a:three.example -all"')
    here.set("three.example", "A", "192.0.2.1")
    here.set("four.example", "TXT", '"v=spf1 include:three.example -all"')

    theirs = checkdmarc.spf.check_spf(domain, resolver=resolver(here.port))

    ours = spf.cost(f"v=spf1 {terms}", domain, "dns")
    assert (ours.lookups, ours.voids) == (theirs["dns_lookups"], theirs["void_dns_lookups"])


def test_a_record_without_end_is_left(here: NameServer) -> None:
    here.set("a.example", "TXT", f'"v=spf1 {" ".join(["include:b.example"] * 9)} -all"')
    here.set("b.example", "TXT", f'"v=spf1 {" ".join(["a:x.example"] * 9)} -all"')

    assert spf.cost("v=spf1 include:a.example -all", APEX, "dns").lookups == spf.FOLLOWED_MOST


def test_without_a_network_what_was_recorded_counts() -> None:
    found = spf.cost("v=spf1 include:mailgun.org include:_spf.google.com -all", APEX, "recorded")
    assert (found.lookups, found.voids, found.errors, found.unknown) == (6, 0, (), ())


def test_every_include_of_a_vendor_is_recorded() -> None:
    for include in recording.includes():
        assert spf.cost(f"v=spf1 include:{include} -all", APEX, "recorded").unknown == ()


def test_what_nobody_recorded_counts_as_one_lookup_and_is_named() -> None:
    found = spf.cost("v=spf1 include:_spf.relay.example -all", APEX, "recorded")
    assert (found.lookups, found.unknown) == (1, ("_spf.relay.example",))


@pytest.mark.parametrize("known", [{}, {("com", "NS"): []}], ids=["silent", "denies everything"])
def test_a_resolver_that_does_not_see_the_public_dns_is_said_once(
    names: NameServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], known: dict[str, object]
) -> None:
    names.records.pop(("com", "NS"))
    port = names.port if known else unused_port()
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: resolver(port))
    lookups.live.cache_clear()

    found = [spf.cost("v=spf1 include:_spf.google.com -all", APEX, "dns") for _ in range(2)]

    assert {one.source for one in found} == {"recorded"}
    assert capfd.readouterr().err.count("no resolver answers for the public DNS") == 1


def test_a_resolver_that_falls_silent_is_said_and_left(
    here: NameServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lookups, "LIFETIME_SECONDS", 0.2)
    assert lookups.live()
    here.stop()

    found = spf.cost("v=spf1 include:_spf.google.com -all", APEX, "dns")

    assert (found.lookups, found.source) == (1, "recorded")
    assert capfd.readouterr().err.count("no resolver answers") == 1


def test_the_recorded_set_is_made_again_from_the_dns(here: NameServer) -> None:
    for include in recording.includes():
        here.set(include, "TXT", '"v=spf1 include:deeper.example -all"', '"another record"')
    here.set("deeper.example", "TXT", '"v=spf1 ip4:192.0.2.0/24 -all"')
    live = lookups.live()
    assert live

    document = json.loads(recording.record(live, "2027-01-01"))

    assert document["recorded"] == "2027-01-01"
    assert document["txt"]["_spf.google.com"] == ["v=spf1 include:deeper.example -all"]
    assert document["txt"]["deeper.example"] == ["v=spf1 ip4:192.0.2.0/24 -all"]
