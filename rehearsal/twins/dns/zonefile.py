"""The declared records as the world sees them: proxied names lead to the edge, signed when DNSSEC is declared."""

from collections.abc import Iterable

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone

from rehearsal.twins.zone import Record, ZoneTwin
from rehearsal.twins.zone.contents import quoted, strings
from rehearsal.twins.zone.dnssec import SigningKey
from rehearsal.twins.zone.records import AUTOMATIC_SECONDS, PROXIABLE

_NS_SECONDS, _SOA_SECONDS, _KEY_SECONDS = 86_400, 1800, 3600
_SOA_TIMES = "10000 2400 604800 1800"  # refresh, retry, expire, minimum: Cloudflare's
_SIGNATURE_SECONDS = 7 * 86_400
_MOST_ALIASES = 8


def build(zone: ZoneTwin, edge_address: str) -> dns.zone.Zone | None:
    """What the name servers serve now, or None while no zone is declared."""
    revision, records, key = zone.revision, zone.records(), zone.signing_key
    name, servers = zone.name, zone.name_servers
    if name is None or not servers:
        return None
    served = dns.zone.Zone(dns.name.from_text(name), relativize=False)
    soa = f"{servers[0]}. dns.cloudflare.com. {revision} {_SOA_TIMES}"
    _add(served, name, "SOA", _SOA_SECONDS, soa)
    for server in servers:
        _add(served, name, "NS", _NS_SECONDS, f"{server}.")
    for record in records:
        _serve(served, record, name, records, edge_address)
    if key is not None:
        _sign(served, name, key)
    return served


def _serve(served: dns.zone.Zone, record: Record, apex: str, records: list[Record], edge_address: str) -> None:
    if record.proxied:
        _add(served, record.name, "A", AUTOMATIC_SECONDS, edge_address)
    elif record.type == "CNAME" and record.name == apex:
        for target in _flattened(record, records):
            content = edge_address if target.proxied else target.content
            _add(served, apex, "A" if target.proxied else target.type, record.ttl_seconds, content)
    else:
        _add(served, record.name, record.type, record.ttl_seconds, rdata(record))


def _flattened(alias: Record, records: Iterable[Record]) -> list[Record]:
    """The addresses in this zone that an alias at the apex leads to; Cloudflare serves them in its place."""
    by_name: dict[str, list[Record]] = {}
    for record in records:
        by_name.setdefault(record.name, []).append(record)
    target = alias.content.lower()
    for _ in range(_MOST_ALIASES):
        found = [record for record in by_name.get(target, []) if record.type in PROXIABLE]
        aliases = [record for record in found if record.type == "CNAME" and not record.proxied]
        if not aliases:
            return found
        target = aliases[0].content.lower()
    return []


def rdata(record: Record) -> str:
    """The record's data in the form of a zone file (RFC 1035 section 5)."""
    match record.type:
        case "CNAME" | "NS" | "PTR":
            return f"{record.content}."
        case "MX":
            return f"{record.priority} {record.content.rstrip('.')}."
        case "TXT":
            return " ".join(quoted(part) for part in strings(record.content))
        case _:
            return record.content


def _add(served: dns.zone.Zone, name: str, kind: str, ttl: int, data: str) -> None:
    rdtype = dns.rdatatype.from_text(kind)
    rdataset = served.find_rdataset(dns.name.from_text(name), rdtype, create=True)
    rdataset.add(dns.rdata.from_text(dns.rdataclass.IN, rdtype, data, origin=dns.name.root, relativize=False), ttl)


def _sign(served: dns.zone.Zone, apex: str, key: SigningKey) -> None:
    keys = served.find_rdataset(dns.name.from_text(apex), dns.rdatatype.DNSKEY, create=True)
    keys.add(key.public, _KEY_SECONDS)
    with served.writer() as transaction:
        dns.dnssec.sign_zone(
            served,
            txn=transaction,
            keys=[(key.private, key.public)],
            lifetime=_SIGNATURE_SECONDS,
            add_dnskey=False,
        )
