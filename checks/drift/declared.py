"""What graphs declare for one zone: its resources, by type."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ZONE = "cloudflare:index/zone:Zone"
RECORD = "cloudflare:index/dnsRecord:DnsRecord"
SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
RULESET = "cloudflare:index/ruleset:Ruleset"
DNSSEC = "cloudflare:index/zoneDnssec:ZoneDnssec"
BOTS = "cloudflare:index/botManagement:BotManagement"
ROUTE = "cloudflare:index/workersRoute:WorkersRoute"
ACCESS = "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication"
LIST = "cloudflare:index/list:List"
_OF_THE_ACCOUNT = (ACCESS, LIST)


@dataclass(frozen=True)
class Resource:
    """One declared resource: its URN and Pulumi name, the line that declares it, and its inputs (camelCase)."""

    urn: str
    type: str
    name: str
    source: str
    inputs: Mapping[str, Any]


def of_zone(graphs: Iterable[Mapping[str, Any]], domain: str) -> dict[str, list[Resource]]:
    """By type, what the graph documents declare for the zone `domain`, and for its account.

    The first graph is that of the zone's owner; those of its tenants name the zone by its id alone.
    """
    found: dict[str, list[Resource]] = {}
    for graph in graphs:
        zones = {entry["urn"]: entry["inputs"]["name"] for entry in graph["resources"] if entry["type"] == ZONE}
        for entry in graph["resources"]:
            if entry["type"].startswith("cloudflare:") and _is_of(entry, zones, domain):
                resource = Resource(entry["urn"], entry["type"], entry["name"], entry["source"], entry["inputs"])
                found.setdefault(resource.type, []).append(resource)
    return found


def _is_of(entry: Mapping[str, Any], zones: Mapping[str, str], domain: str) -> bool:
    if entry["type"] == ZONE:
        return entry["inputs"]["name"] == domain
    if entry["type"] in _OF_THE_ACCOUNT or entry["inputs"].get("kind") == "root":
        return True
    named = [zones[urn] for urn in entry["property_dependencies"].get("zoneId", ()) if urn in zones]
    return domain in named if named else "zoneId" in entry["inputs"]
