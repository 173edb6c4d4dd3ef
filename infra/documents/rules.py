"""What the edge's own answers ask of the hosts."""

from collections.abc import Iterator

from infra.documents.declared import documents
from infra.documents.sections import Apps, Maintenance, SecurityTxt
from infra.names.sections import Host
from infra.problems import Problem, problem, repeated

MAX_AASA = 128 * 1024  # bytes, uncompressed (Apple, "Supporting associated domains")


def apps_are_at_hosts_of_the_edge(apps: Apps, hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """Only what passes through the edge can be answered there."""
    for index, name in enumerate(apps.hosts):
        yield from _at_the_edge(f"apps.hosts[{index}]", name, hosts)
    for name in repeated(apps.hosts):
        yield problem("apps.hosts", name, "each host is named once", "Remove the repeated entry.")


def maintenance_spares_the_api(maintenance: Maintenance, hosts: tuple[Host, ...], api_host: str) -> Iterator[Problem]:
    """A payment does not wait for maintenance: Stripe would retry for days, and then disable the endpoint."""
    for index, name in enumerate(maintenance.hosts):
        key = f"maintenance.hosts[{index}]"
        if name == api_host:
            limit = "the API host takes Stripe's webhooks, which must never meet a 503 of ours"
            yield problem(key, name, limit, "Remove it.")
        else:
            yield from _at_the_edge(key, name, hosts)
    for name in repeated(maintenance.hosts):
        yield problem("maintenance.hosts", name, "each host is named once", "Remove the repeated entry.")


def association_file_is_short(
    apps: Apps, security_txt: SecurityTxt, domain: str, hosts: tuple[Host, ...]
) -> Iterator[Problem]:
    """Apple ignores a longer one."""
    for document in documents(domain, hosts, apps, security_txt):
        size = len(document.body.encode())
        if document.kind == "aasa" and size > MAX_AASA:
            limit = f"{document.url} has at most {MAX_AASA} bytes"
            yield problem("apps.apple", f"{size} bytes", limit, "Name fewer apps or paths; a * takes many paths.")
            return


def security_txt_has_a_place(security_txt: SecurityTxt, hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """It is served at the proxied hosts that people visit."""
    if security_txt.contact and not any(host.proxied and host.role == "web" for host in hosts):
        limit = "no host of role web is proxied, so the edge cannot serve it"
        yield problem("securityTxt", security_txt.contact, limit, "Leave it out, and let the application serve it.")


def _at_the_edge(key: str, name: str, hosts: tuple[Host, ...]) -> Iterator[Problem]:
    found = [host for host in hosts if host.name == name]
    if not found:
        known = ", ".join(dict.fromkeys(host.name for host in hosts))
        yield problem(key, name, f"the hosts are {known}", "Correct the name, or declare it in hosts.")
    elif not all(host.proxied for host in found):
        limit = f"{name} is not proxied, so its requests never meet the edge"
        yield problem(key, name, limit, "Proxy the host if its platform allows that, or remove it here.")


CHECKS = (
    apps_are_at_hosts_of_the_edge,
    maintenance_spares_the_api,
    association_file_is_short,
    security_txt_has_a_place,
)
