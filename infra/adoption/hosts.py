"""Which records of a zone are hosts that people use."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from infra.adoption.validity import fault
from infra.hostnames import APEX, absolute
from infra.names.platforms import of_target
from infra.names.sections import Host
from infra.names.ttl import AUTOMATIC

_KINDS = ("A", "AAAA", "CNAME")
_API_LABELS = ("api", "hooks", "payments-api", "launch-api")
WWW = "www"


def hosts_of(records: Sequence[Mapping[str, Any]], domain: str, notes: list[str]) -> list[dict[str, Any]]:
    """The hosts in the form of the configuration, those only that it can hold.

    Names with an underscore or a wildcard are no hosts, and www and the apex' alias are the program's own.
    """
    alias = WWW if canonical(records, domain) == "apex" else APEX
    found = []
    for name, group in _by_name(records, domain).items():
        if name == alias:
            notes += _alias_notes(name, group, domain)
            continue
        host = _host(name, group)
        if host is not None:
            found.append(host)
            if host["proxied"] != group[0].get("proxied", False):
                notes.append(
                    f"{group[0]['name']} is declared DNS-only: {host['platform']} cannot stand behind the proxy"
                )
    return found


def canonical(records: Iterable[Mapping[str, Any]], domain: str) -> str:
    """Which of apex and www the other one leads to: www only where the apex has no address and www has."""
    names = {record["name"].lower() for record in records if record["type"] in _KINDS}
    return "www" if domain not in names and absolute(WWW, domain) in names else "apex"


def api_label(records: Iterable[Mapping[str, Any]], domain: str) -> str:
    """A label for the API's host that nothing stands at yet."""
    taken = {record["name"].lower() for record in records}
    return next((label for label in _API_LABELS if absolute(label, domain) not in taken), "launch-ready-api")


def relative(name: str, domain: str) -> str:
    """A live record's name as the configuration has it: "@" for the apex."""
    return APEX if name == domain else name.removesuffix(f".{domain}")


def _by_name(records: Iterable[Mapping[str, Any]], domain: str) -> dict[str, list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        name = relative(record["name"].lower(), domain)
        if record["type"] in _KINDS and "_" not in name and "*" not in name:
            groups.setdefault(name, []).append(record)
    return groups


def _host(name: str, group: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The host in the configuration's form; None where it cannot say what stands there."""
    proxied, ttl = group[0].get("proxied", False), group[0]["ttl"]
    if any((record.get("proxied", False), record["ttl"]) != (proxied, ttl) for record in group):
        return None
    if any(record.get("comment") for record in group):
        return None  # a host has no comment: as a record of its own it keeps it
    aliases = [record["content"].rstrip(".").lower() for record in group if record["type"] == "CNAME"]
    addresses = [record["content"] for record in group if record["type"] != "CNAME"]
    where = {"target": aliases[0]} if aliases else {"addresses": addresses}
    platform = (of_target(aliases[0]) if aliases else None) or "plain"
    for candidate, edge in ((platform, proxied), ("plain", proxied), (platform, False)):
        host = {"name": name, "platform": candidate, **where, "proxied": edge, "role": "web"}
        host |= {} if edge or ttl == AUTOMATIC else {"ttl": int(ttl)}
        if fault(Host, host) is None:
            return host
    return None


def _alias_notes(name: str, group: Sequence[Mapping[str, Any]], domain: str) -> Iterator[str]:
    for record in group:
        if name == WWW and record["type"] != "CNAME":
            yield (
                f"{record['name']} has a record {record['type']} {record['content']}, and the program declares www as "
                f"an alias of {domain}, which cannot stand beside it: remove it just before the first `pulumi up`"
            )
