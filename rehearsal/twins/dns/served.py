"""A zone in the form in which queries are answered: what answers for a name is found without a search."""

from bisect import bisect_right
from dataclasses import dataclass, field

import dns.name
import dns.node
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.DS
import dns.zone

_WILDCARD = dns.name.Name((b"*",))


@dataclass(frozen=True)
class ServedZone:
    """The zone as it is published, signed or not, and the DS record that its parent would have for it."""

    zone: dns.zone.Zone = field(repr=False)
    origin: dns.name.Name
    ds: dns.rdtypes.ANY.DS.DS | None
    existing: frozenset[dns.name.Name] = field(repr=False)  # names with records, and those above them
    cuts: frozenset[dns.name.Name] = field(repr=False)  # names below the apex that are delegated to others
    denials: tuple[dns.name.Name, ...] = field(repr=False)  # owners of NSEC records, in canonical order

    def records(
        self,
        name: dns.name.Name,
        rdtype: dns.rdatatype.RdataType,
        covers: dns.rdatatype.RdataType = dns.rdatatype.NONE,
    ) -> dns.rdataset.Rdataset | None:
        """The records of exactly that name and type, or their signatures."""
        return self.zone.get_rdataset(name, rdtype, covers)

    def source(self, name: dns.name.Name) -> dns.name.Name | None:
        """The node that answers for `name`: itself, an empty one above others, or a wildcard (RFC 4592)."""
        if name in self.existing:
            return name
        wildcard = _WILDCARD.concatenate(self.closest(name))
        return wildcard if wildcard in self.zone.nodes else None

    def closest(self, name: dns.name.Name) -> dns.name.Name:
        """The closest name at or above `name` that exists."""
        while name not in self.existing:
            name = name.parent()
        return name

    def cut(self, name: dns.name.Name) -> dns.name.Name | None:
        """The highest delegation at or above `name`, if it is not this zone's any more."""
        found = None
        while self.cuts and name != self.origin:
            found = name if name in self.cuts else found
            name = name.parent()
        return found

    def denial(self, name: dns.name.Name) -> dns.name.Name | None:
        """The owner of the NSEC record at or before `name`."""
        position = bisect_right(self.denials, name)
        return self.denials[position - 1] if position else None


def index(zone: dns.zone.Zone, origin: dns.name.Name, ds: dns.rdtypes.ANY.DS.DS | None) -> ServedZone:
    """Index a zone whose names are absolute."""
    existing: set[dns.name.Name] = {origin}
    for node in zone.nodes:
        name = node
        while name not in existing:
            existing.add(name)
            name = name.parent()
    cuts = {name for name, node in zone.nodes.items() if name != origin and _has(node, dns.rdatatype.NS)}
    denials = sorted(name for name, node in zone.nodes.items() if _has(node, dns.rdatatype.NSEC))
    return ServedZone(zone, origin, ds, frozenset(existing), frozenset(cuts), tuple(denials))


def _has(node: dns.node.Node, rdtype: dns.rdatatype.RdataType) -> bool:
    return any(rdataset.rdtype == rdtype for rdataset in node.rdatasets)
