"""From a query to the answer of an authoritative server (RFC 1034 section 4.3.2, RFC 4035 section 3.1)."""

from collections.abc import Callable

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from rehearsal.twins.dns.served import ServedZone

_PLAIN_UDP_OCTETS = 512
_MOST_OCTETS = 65_535
_MOST_ALIASES = 8
_DS_SECONDS = 3600
_WILDCARD = dns.name.Name((b"*",))
_REFUSED_TYPES = frozenset({dns.rdatatype.AXFR, dns.rdatatype.IXFR})
Zones = Callable[[dns.name.Name], ServedZone | None]  # the zone that a name is in


def answer(zones: Zones, wire: bytes, *, udp: bool) -> bytes | None:
    """The response to `wire`, from the zone that `zones` has for its name; None where nothing could be answered."""
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
        _fill(response, query, zones)
    return _to_wire(response, query, udp=udp)


def _format_error(wire: bytes) -> bytes | None:
    """A bare header that repeats the query's id, where there is one."""
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    return wire[:2] + bytes([0x80 | (wire[2] & 0x79), dns.rcode.FORMERR]) + bytes(8)


def _fill(response: dns.message.Message, query: dns.message.Message, zones: Zones) -> None:
    question = query.question[0]
    zone = zones(question.name)
    if zone is None or question.rdclass != dns.rdataclass.IN or question.rdtype in _REFUSED_TYPES:
        response.set_rcode(dns.rcode.REFUSED)
        return
    lookup = _Lookup(zone, response, signed=bool(query.ednsflags & dns.flags.DO))
    if question.rdtype == dns.rdatatype.DS and question.name == zone.origin:
        lookup.stand_in_for_parent()
    else:
        lookup.run(question.name, question.rdtype)


class _Lookup:
    """Fills the sections of one response."""

    def __init__(self, zone: ServedZone, response: dns.message.Message, *, signed: bool) -> None:
        self._zone = zone
        self._response = response
        self._signed = signed

    def stand_in_for_parent(self) -> None:
        """The DS record, which is the parent's to answer for: a rehearsal has no parent. Without one, no error."""
        if self._zone.ds is not None:
            found = dns.rrset.from_rdata_list(self._zone.origin, _DS_SECONDS, [self._zone.ds])
            self._response.answer.append(found)

    def run(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> None:
        """Answer for `name`, and for what it is an alias of."""
        self._response.flags |= dns.flags.AA
        for _ in range(_MOST_ALIASES):
            cut = self._zone.cut(name)
            if cut is not None and not (name == cut and rdtype == dns.rdatatype.DS):
                self._refer(cut)
                return
            alias = self._answer(name, rdtype)
            if alias is None or not alias.is_subdomain(self._zone.origin):
                return
            name = alias

    def _answer(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> dns.name.Name | None:
        """Answer for one name; what is to be looked up next, or None."""
        source = self._zone.source(name)
        if source is None:
            self._response.set_rcode(dns.rcode.NXDOMAIN)
            self._deny(name, wildcard=True)
            return None
        if rdtype == dns.rdatatype.ANY:
            self._refuse_any(name)
            return None
        if self._put(self._response.answer, name, source, rdtype):
            self._prove_expansion(name, source)
            return None
        alias = self._zone.records(source, dns.rdatatype.CNAME)
        if alias is None:
            self._deny(source, wildcard=False)
            return None
        self._put(self._response.answer, name, source, dns.rdatatype.CNAME)
        self._prove_expansion(name, source)
        return alias[0].target

    def _refer(self, cut: dns.name.Name) -> None:
        """Point to the name servers of a delegation, with its DS record or the proof that it has none."""
        if not self._response.answer:
            self._response.flags &= ~dns.flags.AA
        self._put(self._response.authority, cut, cut, dns.rdatatype.NS)
        if self._signed and not self._put(self._response.authority, cut, cut, dns.rdatatype.DS):
            self._cover(cut)

    def _put(
        self,
        section: list[dns.rrset.RRset],
        name: dns.name.Name,
        source: dns.name.Name,
        rdtype: dns.rdatatype.RdataType,
    ) -> bool:
        """Add the records of `source` under `name`, with their signatures where asked for; whether there are any."""
        records = self._zone.records(source, rdtype)
        if records is None:
            return False
        section.append(dns.rrset.from_rdata_list(name, records.ttl, list(records)))
        signatures = self._zone.records(source, dns.rdatatype.RRSIG, rdtype) if self._signed else None
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
        self._put(self._response.authority, self._zone.origin, self._zone.origin, dns.rdatatype.SOA)
        self._cover(name)
        if wildcard:
            self._cover(_WILDCARD.concatenate(self._zone.closest(name)))

    def _prove_expansion(self, name: dns.name.Name, source: dns.name.Name) -> None:
        if name != source:
            self._cover(name)

    def _cover(self, name: dns.name.Name) -> None:
        """The NSEC record at or before `name`, once."""
        owner = self._zone.denial(name) if self._signed else None
        present = {rrset.name for rrset in self._response.authority if rrset.rdtype == dns.rdatatype.NSEC}
        if owner is not None and owner not in present:
            self._put(self._response.authority, owner, owner, dns.rdatatype.NSEC)


def _to_wire(response: dns.message.Message, query: dns.message.Message, *, udp: bool) -> bytes:
    wire = response.to_wire(max_size=_MOST_OCTETS)
    if not udp or len(wire) <= max(_PLAIN_UDP_OCTETS, query.payload):
        return wire
    response.answer, response.authority, response.additional = [], [], []
    response.flags |= dns.flags.TC
    return response.to_wire()
