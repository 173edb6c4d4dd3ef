"""What the hosts ask of one another and of the plan."""

from collections import Counter
from collections.abc import Iterator

from infra.hostnames import APEX, MAX_NAME_OCTETS, absolute
from infra.mail.sections import Mail
from infra.names.sections import Host
from infra.plans import PLANS, PlanName
from infra.problems import Problem, problem

OWN_RECORDS = 3  # www, api and the certificate's validation


def apex_is_declared(hosts: tuple[Host, ...], zone: str) -> Iterator[Problem]:
    """Www redirects to the apex, so the apex must lead somewhere; a tenant's is its owner's."""
    if zone == "owner" and not any(host.name == APEX for host in hosts):
        names = ", ".join(host.name for host in hosts)
        yield problem("hosts", names, "the apex is where www redirects to", 'Add a host named "@".')


def hosts_do_not_collide(hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """One record for each name and type, and a CNAME stands alone (RFC 2181 section 10.1)."""
    counts = Counter((host.name, host.type) for host in hosts)
    aliases = {host.name for host in hosts if host.type == "CNAME"}
    for index, host in enumerate(hosts):
        key = f"hosts[{index}].name"
        if counts[host.name, host.type] > 1:
            yield problem(key, host.name, "each name and type is declared once", "Remove the repeated host.")
        elif host.name in aliases and host.type != "CNAME":
            yield problem(key, host.name, "a CNAME stands alone at its name (RFC 2181)", "Keep one of the two.")


def hosts_agree_with_themselves(hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """The A and AAAA records of one name are proxied, or not, together."""
    first: dict[str, Host] = {}
    for index, host in enumerate(hosts):
        other = first.setdefault(host.name, host)
        if (host.proxied, host.role) != (other.proxied, other.role):
            limit = "the records of one name agree on proxied and role"
            yield problem(f"hosts[{index}]", host.name, limit, "Make them equal.")


def names_fit(hosts: tuple[Host, ...], domain: str) -> Iterator[Problem]:
    """The label and the domain together still are a name."""
    for index, host in enumerate(hosts):
        name = absolute(host.name, domain)
        if len(name) > MAX_NAME_OCTETS:
            limit = f"a full name has at most {MAX_NAME_OCTETS} characters (RFC 1035), this one {len(name)}"
            yield problem(f"hosts[{index}].name", host.name[:16] + "…", limit, "Use a shorter name.")


def certificate_reaches(hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """Cloudflare's universal certificate covers the apex and one label."""
    for index, host in enumerate(hosts):
        if host.proxied and "." in host.name:
            limit = "the edge's certificate covers the apex and one label below it"
            yield problem(f"hosts[{index}].name", host.name, limit, "Use one label, or set proxied to false.")


def records_fit_the_plan(hosts: tuple[Host, ...], mail: Mail, zone_plan: PlanName) -> Iterator[Problem]:
    """Each plan holds so many records."""
    count = len(hosts) + OWN_RECORDS + len(mail.mx) + len(mail.dkim) + 2  # SPF and DMARC
    most = PLANS[zone_plan].dns_records
    if count > most:
        limit = f"plan {zone_plan!r} holds {most} records and this stack declares {count}"
        yield problem("hosts", f"{len(hosts)} hosts", limit, "Declare fewer, or use a larger zonePlan.")


CHECKS = (
    apex_is_declared,
    hosts_do_not_collide,
    hosts_agree_with_themselves,
    names_fit,
    certificate_reaches,
    records_fit_the_plan,
)
