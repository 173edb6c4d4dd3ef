"""What being the owner or a tenant of a zone asks of a stack's own configuration."""

from collections.abc import Iterator

from infra.hostnames import APEX, absolute
from infra.names.sections import Host
from infra.problems import Problem, problem

MAX_CERTIFICATE_NAME = 64  # characters that AWS Certificate Manager takes of a certificate's first name


def tenant_knows_its_zone(zone: str, zone_id: str) -> Iterator[Problem]:
    """A tenant's records need the zone's id, and an owner's zone gets its own."""
    if zone == "tenant" and not zone_id:
        remedy = "pulumi stack output contract --stack <owner> shows it under zone.id."
        yield problem("zoneId", "nothing", "a tenant's records are put into a zone that exists", remedy)
    if zone == "owner" and zone_id:
        yield problem("zoneId", zone_id, "an owner declares its zone and learns the id", "Remove it.")


def owner_has_no_owner(zone: str, owner: str) -> Iterator[Problem]:
    """One stack owns a zone."""
    if zone == "owner" and owner:
        yield problem("owner", owner, "this stack owns its zone itself", "Remove it, or set zone to tenant.")


def tenant_leaves_the_apex_alone(zone: str, hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """The apex carries the zone's mail and its redirects."""
    for index, host in enumerate(hosts):
        if zone == "tenant" and host.name in (APEX, "www"):
            yield problem(f"hosts[{index}].name", host.name, "it belongs to the zone's owner", "Use another label.")


def api_label_is_free(hosts: tuple[Host, ...], api_host: str) -> Iterator[Problem]:
    """The API's host is declared by the program."""
    for index, host in enumerate(hosts):
        if host.name == api_host:
            limit = f"{api_host!r} is declared by the program: the webhook and members API"
            yield problem(f"hosts[{index}].name", host.name, limit, "Leave it out of hosts, or set apiHost.")


def api_certificate_fits(domain: str, api_host: str) -> Iterator[Problem]:
    """The API's certificate has the API's host as its first name, and the edge's reaches one label."""
    name = absolute(api_host, domain)
    if len(name) > MAX_CERTIFICATE_NAME:
        limit = f"a certificate's first name has at most {MAX_CERTIFICATE_NAME} characters, {name} has {len(name)}"
        yield problem("apiHost", api_host, limit, "Use a shorter label, or a shorter domain.")
    if "." in api_host:
        limit = "the edge's certificate covers the apex and one label below it"
        yield problem("apiHost", api_host, limit, "Use one label, such as api-staging.")


CHECKS = (
    tenant_knows_its_zone,
    owner_has_no_owner,
    tenant_leaves_the_apex_alone,
    api_label_is_free,
    api_certificate_fits,
)
