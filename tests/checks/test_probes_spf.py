from typing import Any

import checkdmarc.spf
import pytest

from checks.probes import dns, spf

APEX = "tidewriters.example"


@pytest.mark.parametrize(
    ("zone", "lookups", "voids", "said"),
    [
        ({APEX: "ip4:192.0.2.0/24 -all"}, 0, 0, ""),
        ({APEX: "include:a.example -all", "a.example": "include:b.example ~all", "b.example": "-all"}, 2, 0, ""),
        ({APEX: "a mx a:gone.example/24 -all"}, 3, 1, ""),
        ({APEX: "exists:%{i}.x.example -all"}, 1, 0, ""),
        ({APEX: "redirect=a.example", "a.example": "mx -all"}, 2, 1, ""),
        ({APEX: "-all redirect=a.example"}, 0, 0, ""),
        ({APEX: "ptr -all"}, 1, 0, ""),
        ({APEX: "include:gone.example -all"}, 1, 1, "gone.example has 0 SPF records"),
        ({APEX: "include:a.example -all", "a.example": f"include:{APEX} -all"}, 2, 0, f"{APEX} includes itself"),
        ({}, 0, 0, f"{APEX} has 0 SPF records"),
    ],
)
def test_terms_are_counted(look, names, zone, lookups, voids, said):
    for name, terms in zone.items():
        names.set(name, "TXT", f'"v=spf1 {terms}"')
    names.set(APEX, "A", "192.0.2.1")
    names.set(APEX, "MX", f"10 {APEX}.")

    assert spf.cost(look(), APEX) == spf.SpfCost(domain=APEX, lookups=lookups, voids=voids, error=said)


def test_a_record_without_end_is_left(look, names):
    third = " ".join(["a:x.example"] * 18)
    names.set(APEX, "TXT", f'"v=spf1 {third}" " {third}" " {third} -all"')

    assert spf.cost(look(), APEX).lookups == spf.TOO_MANY


def test_too_many_exchangers_are_told(look, names):
    names.set(APEX, "TXT", '"v=spf1 mx -all"')
    names.set(APEX, "MX", *(f"{number} mx{number}.example." for number in range(11)))

    assert spf.cost(look(), APEX).error == f"mx:{APEX} names 11 exchangers, at most 10"


@pytest.mark.parametrize("terms", ["a mx include:one.example -all", "include:two.example include:one.example -all"])
def test_another_implementation_counts_the_same(look, names, terms):
    """checkdmarc keeps answers for the life of the process, so each zone has names of its own."""
    domain = f"oracle{len(terms)}.example"
    names.set(domain, "TXT", f'"v=spf1 {terms}"')
    names.set(domain, "A", "192.0.2.1")
    names.set(domain, "MX", f"10 {domain}.")
    names.set("one.example", "TXT", '"v=spf1 a:one.example -all"')
    names.set("one.example", "A", "192.0.2.1")
    names.set("two.example", "TXT", '"v=spf1 include:one.example -all"')

    theirs: Any = checkdmarc.spf.check_spf(domain, resolver=dns.resolver_at(("127.0.0.1", names.port)))

    ours = spf.cost(look(), domain)
    assert (ours.lookups, ours.voids) == (theirs["dns_lookups"], theirs["void_dns_lookups"])
