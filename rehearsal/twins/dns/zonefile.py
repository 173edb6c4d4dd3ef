"""The declared records as the world sees them: proxied names lead to the edge, signed when DNSSEC is declared."""

from contextlib import suppress

import dns.dnssec
import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone

from rehearsal.twins.dns.served import ServedZone, index
from rehearsal.twins.zone import CloudflareError, Record, Zone
from rehearsal.twins.zone.contents import TXT_OCTETS, quoted, strings
from rehearsal.twins.zone.dnssec import SigningKey
from rehearsal.twins.zone.records import AUTOMATIC_SECONDS, PROXIABLE

_NS_SECONDS, _SOA_SECONDS, _KEY_SECONDS = 86_400, 1800, 3600
_SOA_TIMES = "10000 2400 604800 1800"  # refresh, retry, expire, minimum: Cloudflare's
_SIGNATURE_SECONDS = 7 * 86_400
_MOST_ALIASES = 8


def build(zone: Zone, serial: int, edge_address: str) -> ServedZone:
    """What the name servers serve for a zone, under this serial number."""
    origin, servers = dns.name.from_text(zone.name), zone.name_servers
    served = dns.zone.Zone(origin, relativize=False)
    _add(served, zone.name, "SOA", _SOA_SECONDS, f"{servers[0]}. dns.cloudflare.com. {serial} {_SOA_TIMES}")
    for server in servers:
        _add(served, zone.name, "NS", _NS_SECONDS, f"{server}.")
    for record in zone.records:
        with suppress(dns.exception.DNSException, CloudflareError, ValueError):
            # A live zone may hold what no zone file can say, such as TXT that is quoted in part; what was declared
            # was checked when it was taken.
            _serve(served, record, zone, edge_address)
    key = zone.signing_key
    if key is not None:
        _sign(served, origin, key)
    return index(served, origin, key.ds(zone.name) if key is not None else None)


def _serve(served: dns.zone.Zone, record: Record, zone: Zone, edge_address: str) -> None:
    if record.proxied:
        _add(served, record.name, "A", AUTOMATIC_SECONDS, edge_address)
    elif record.type == "CNAME" and record.name == zone.name:
        for target in _flattened(record, zone):
            content = edge_address if target.proxied else target.content
            _add(served, zone.name, "A" if target.proxied else target.type, record.ttl_seconds, content)
    elif record.type != "NS" or record.name != zone.name:  # at the apex the name servers are Cloudflare's, always
        _add(served, record.name, record.type, record.ttl_seconds, rdata(record))


def _flattened(alias: Record, zone: Zone) -> list[Record]:
    """The addresses in this zone that an alias at the apex leads to; Cloudflare serves them in its place."""
    target = alias.content
    for _ in range(_MOST_ALIASES):
        found = [record for record in zone.records_of(target) if record.type in PROXIABLE]
        aliases = [record for record in found if record.type == "CNAME" and not record.proxied]
        if not aliases:
            return found
        target = aliases[0].content
    return []


def rdata(record: Record) -> str:
    """The record's data in the form of a zone file (RFC 1035 section 5)."""
    match record.type:
        case "CNAME" | "NS" | "PTR":
            return f"{record.content}."
        case "MX":
            return f"{record.priority} {record.content.rstrip('.')}."
        case "TXT":
            given = strings(record.content)
            parts = [one[at : at + TXT_OCTETS] for one in given for at in range(0, max(len(one), 1), TXT_OCTETS)]
            return " ".join(quoted(part) for part in parts)
        case _:
            return record.content


def _add(served: dns.zone.Zone, name: str, kind: str, ttl: int, data: str) -> None:
    rdtype = dns.rdatatype.from_text(kind)
    owner = dns.name.from_text(name)
    parsed = dns.rdata.from_text(dns.rdataclass.IN, rdtype, data, origin=dns.name.root, relativize=False)
    served.find_rdataset(owner, rdtype, create=True).add(parsed, ttl)


def _sign(served: dns.zone.Zone, origin: dns.name.Name, key: SigningKey) -> None:
    keys = served.find_rdataset(origin, dns.rdatatype.DNSKEY, create=True)
    keys.add(key.public, _KEY_SECONDS)
    with served.writer() as transaction:
        dns.dnssec.sign_zone(
            served,
            txn=transaction,
            keys=[(key.private, key.public)],
            lifetime=_SIGNATURE_SECONDS,
            add_dnskey=False,
        )
