"""What the hosts and the domains beside the app's own ask of one another and of the plan."""

from collections.abc import Iterator

from infra.hostnames import APEX
from infra.names.record_rules import RECORD_CHECKS
from infra.names.sections import Host
from infra.names.zone_sections import Caa, Retired
from infra.problems import Problem, problem, repeated

WWW = "www"


def canonical_name_is_declared(hosts: tuple[Host, ...], canonical: str, zone: str) -> Iterator[Problem]:
    """The name that the alias redirects to must lead somewhere, and be proxied or not as its platform says."""
    wanted = APEX if canonical == "apex" else WWW
    if zone == "owner" and not any(host.name == wanted for host in hosts):
        names = ", ".join(host.name for host in hosts)
        shown = "the apex" if canonical == "apex" else WWW
        yield problem("hosts", names, f"{shown} is where the other of the two redirects to", f'Add a host "{wanted}".')


def alias_is_left_to_the_program(hosts: tuple[Host, ...], canonical: str) -> Iterator[Problem]:
    """The name that only redirects is no host."""
    alias, shown = (WWW, "the apex") if canonical == "apex" else (APEX, WWW)
    for index, host in enumerate(hosts):
        if host.name == alias:
            limit = f"it is declared by the program: it redirects to {shown}"
            yield problem(f"hosts[{index}].name", host.name, limit, "Leave it out of hosts, or change canonical.")


def hosts_are_distinct(hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """A host is declared once, with everything that it leads to."""
    seen: set[str] = set()
    for index, host in enumerate(hosts):
        if host.name in seen:
            remedy = "Put its addresses into one entry, or remove the repeated one."
            yield problem(f"hosts[{index}].name", host.name, "each host is declared once", remedy)
        seen.add(host.name)


def domains_aside_are_others(domain: str, parked: tuple[str, ...], retired: tuple[Retired, ...]) -> Iterator[Problem]:
    """Each is a zone of its own, apart from the app's."""
    asides = {f"parked[{i}]": name for i, name in enumerate(parked)}
    asides |= {f"retired[{i}].domain": entry.domain for i, entry in enumerate(retired)}
    twice = set(repeated(asides.values()))
    for key, name in asides.items():
        if name == domain or name.endswith(f".{domain}"):
            yield problem(key, name, "it is the app's own domain or below it", "Use hosts for what is in the zone.")
        elif name in twice:
            yield problem(key, name, "each domain is parked or retired once", "Remove the repeated entry.")


def retired_domains_do_not_chase_one_another(
    retired: tuple[Retired, ...], parked: tuple[str, ...]
) -> Iterator[Problem]:
    """One hop: a retired domain leads to a place that is neither retired nor parked itself."""
    aside = {**{entry.domain: "retired" for entry in retired}, **dict.fromkeys(parked, "parked")}
    for index, entry in enumerate(retired):
        labels = entry.to_host.split(".")
        above = (".".join(labels[start:]) for start in range(len(labels)))
        if found := next((name for name in above if name in aside), None):
            limit = f"{found} is {aside[found]} itself, so visitors would be sent on or nowhere"
            yield problem(f"retired[{index}].to", entry.to, limit, "Name the last address.")


def authorities_are_wanted(caa: Caa) -> Iterator[Problem]:
    """What is switched off is not filled in."""
    if not caa.enabled and (caa.also or caa.iodef):
        yield problem(
            "caa", "enabled: false", "also and iodef say nothing without it", "Remove enabled, or the others."
        )


CHECKS = (
    canonical_name_is_declared,
    alias_is_left_to_the_program,
    hosts_are_distinct,
    domains_aside_are_others,
    retired_domains_do_not_chase_one_another,
    authorities_are_wanted,
    *RECORD_CHECKS,
)
