"""The names' parts of the contract: hosts, records, authorities, domains beside the app's own, the host redirect."""

from typing import Any

import pulumi

from infra.names import caa
from infra.names.aside import RETIRED_STATUS
from infra.names.ttl import AUTOMATIC
from infra.names.zone import Zone, alias_record, verbatim
from infra.settings import Stack


def zone(stack: Stack, declared: Zone) -> dict[str, Any]:
    """The zone itself; a tenant does not know its name servers."""
    return {
        "id": declared.id,
        "name": stack.settings.domain,
        "plan": stack.settings.zone_plan,
        "name_servers": declared.name_servers,
        "role": stack.settings.zone,
        "dnssec": stack.settings.dnssec,
    }


def hosts(stack: Stack, api_target: pulumi.Input[str | None]) -> list[dict[str, Any]]:
    """Every host with its record or records, then those of the program."""
    found = [
        _host(stack.host(host.name), host.role, record, host.proxied, host.record_ttl, host.platform)
        for host in stack.settings.hosts
        for record in host.records
    ]
    if stack.owns_zone:
        found.append(_host(stack.alias_host, "redirect", alias_record(stack), True, AUTOMATIC, None))
    found.append(_host(stack.api_host, "api", ("CNAME", api_target), True, AUTOMATIC, None))
    return found


def records(stack: Stack) -> list[dict[str, Any]]:
    """What stands in the zone as it is written, and what the hosts' platforms want to see."""
    return [
        {
            "name": stack.host(record.name),
            "type": record.type,
            "content": record.value,
            "ttl": record.record_ttl,
            "proxied": record.proxied,
            "priority": record.priority,
        }
        for record in verbatim(stack)
    ]


def authorities(stack: Stack) -> dict[str, Any] | None:
    """Who may issue certificates; None where nothing says it, and for a tenant, who does not know the zone's hosts."""
    if not stack.owns_zone or not stack.settings.caa.enabled:
        return None
    return {
        "issuers": list(caa.issuers(stack)),
        "wildcard_issuers": list(caa.wildcard_issuers()),
        "iodef": stack.settings.caa.iodef,
    }


def retired(stack: Stack) -> list[dict[str, Any]]:
    """The domains that lead elsewhere as a whole."""
    return [
        {"domain": entry.domain, "to": entry.to, "status": RETIRED_STATUS, "keep_path": entry.keep_path}
        for entry in stack.settings.retired
    ]


def _host(
    name: str,
    role: str,
    record: tuple[str, pulumi.Input[str | None]],
    proxied: bool,
    ttl: int,
    platform: str | None,
) -> dict[str, Any]:
    kind, content = record
    return {
        "name": name,
        "role": role,
        "type": kind,
        "content": content,
        "proxied": proxied,
        "ttl": ttl,
        "platform": platform,
    }
