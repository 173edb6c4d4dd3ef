"""From a query to the answer of an authoritative server (RFC 1034 section 4.3.2, RFC 4035 section 3.1)."""

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.node
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone

_PLAIN_UDP_OCTETS = 512
_MOST_OCTETS = 65_535
_MOST_ALIASES = 8
_WILDCARD = dns.name.Name((b"*",))
_REFUSED_TYPES = frozenset({dns.rdatatype.AXFR, dns.rdatatype.IXFR})


def answer(zone: dns.zone.Zone | None, wire: bytes, *, udp: bool) -> bytes | None:
    """The response to `wire`; None where there is nothing that could be answered."""
    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return _format_error(wire)
    if query.flags & dns.flags.QR:
        return None
    response = dns.message.make_response(query, recursion_available=False)
    if query.opcode() != dns.opcode.QUERY:
        response.set_rcode(dns.rcode.NOTIMP)
    elif len(query.question) != 1:
        response.set_rcode(dns.rcode.FORMERR)
    else:
        _fill(response, query, zone)
    return _to_wire(response, query, udp=udp)


def _format_error(wire: bytes) -> bytes | None:
    """A bare header that repeats the query's id, where there is one."""
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    return wire[:2] + bytes([0x80 | (wire[2] & 0x79), dns.rcode.FORMERR]) + bytes(8)


def _fill(response: dns.message.Message, query: dns.message.Message, zone: dns.zone.Zone | None) -> None:
    question = query.question[0]
    outside = zone is None or zone.origin is None or not question.name.is_subdomain(zone.origin)
    if outside or question.rdclass != dns.rdataclass.IN or question.rdtype in _REFUSED_TYPES:
        response.set_rcode(dns.rcode.REFUSED)
        return
    assert zone is not None
    response.flags |= dns.flags.AA
    lookup = _Lookup(zone, response, signed=bool(query.ednsflags & dns.flags.DO))
    lookup.run(question.name, question.rdtype)


class _Lookup:
    """Fills the sections of one response."""

    def __init__(self, zone: dns.zone.Zone, response: dns.message.Message, *, signed: bool) -> None:
        self._zone = zone
        self._origin = zone.origin or dns.name.root
        self._response = response
        self._signed = signed

    def run(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> None:
        for _ in range(_MOST_ALIASES):
            source = self._source(name)
            if source is None:
                self._response.set_rcode(dns.rcode.NXDOMAIN)
                self._deny(name, wildcard=True)
                return
            if rdtype == dns.rdatatype.ANY:
                self._refuse_any(name)
                return
            if self._put(self._response.answer, name, source, rdtype):
                self._prove_expansion(name, source)
                return
            alias = self._zone.get_rdataset(source, dns.rdatatype.CNAME)
            if alias is None:
                self._deny(source, wildcard=False)
                return
            self._put(self._response.answer, name, source, dns.rdatatype.CNAME)
            self._prove_expansion(name, source)
            name = alias[0].target
            if not name.is_subdomain(self._origin):
                return

    def _source(self, name: dns.name.Name) -> dns.name.Name | None:
        """The node that answers for `name`: itself, an empty one above others, or a wildcard (RFC 4592)."""
        current = name
        while True:
            if current in self._zone.nodes or any(node.is_subdomain(current) for node in self._zone.nodes):
                if current == name:
                    return name
                wildcard = _WILDCARD.concatenate(current)
                return wildcard if wildcard in self._zone.nodes else None
            current = current.parent()

    def _put(
        self,
        section: list[dns.rrset.RRset],
        name: dns.name.Name,
        source: dns.name.Name,
        rdtype: dns.rdatatype.RdataType,
    ) -> bool:
        """Add the records of `source` under `name`, with their signatures where asked for; whether there are any."""
        records = self._zone.get_rdataset(source, rdtype)
        if records is None:
            return False
        section.append(dns.rrset.from_rdata_list(name, records.ttl, list(records)))
        signatures = self._zone.get_rdataset(source, dns.rdatatype.RRSIG, rdtype) if self._signed else None
        if signatures is not None:
            section.append(dns.rrset.from_rdata_list(name, signatures.ttl, list(signatures)))
        return True

    def _refuse_any(self, name: dns.name.Name) -> None:
        """One synthesised record (RFC 8482 section 4.2)."""
        text = '"RFC8482" ""'
        hint = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.HINFO, text)
        self._response.answer.append(dns.rrset.from_rdata_list(name, 3789, [hint]))

    def _deny(self, name: dns.name.Name, *, wildcard: bool) -> None:
        """The SOA, and in a signed zone the proof that there is no such name or type."""
        self._put(self._response.authority, self._origin, self._origin, dns.rdatatype.SOA)
        self._cover(name)
        if wildcard:
            closest = name.parent()
            while self._source(closest) != closest:
                closest = closest.parent()
            self._cover(_WILDCARD.concatenate(closest))

    def _prove_expansion(self, name: dns.name.Name, source: dns.name.Name) -> None:
        if name != source:
            self._cover(name)

    def _cover(self, name: dns.name.Name) -> None:
        """The NSEC record at or before `name`, once."""
        if not self._signed:
            return
        owners = sorted(node for node in self._zone.nodes if self._zone.get_rdataset(node, dns.rdatatype.NSEC))
        before = [owner for owner in owners if owner <= name]
        present = {rrset.name for rrset in self._response.authority if rrset.rdtype == dns.rdatatype.NSEC}
        if before and before[-1] not in present:
            self._put(self._response.authority, before[-1], before[-1], dns.rdatatype.NSEC)


def _to_wire(response: dns.message.Message, query: dns.message.Message, *, udp: bool) -> bytes:
    wire = response.to_wire(max_size=_MOST_OCTETS)
    if not udp or len(wire) <= max(_PLAIN_UDP_OCTETS, query.payload):
        return wire
    response.answer, response.authority, response.additional = [], [], []
    response.flags |= dns.flags.TC
    return response.to_wire()
