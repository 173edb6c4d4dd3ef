"""Asks the zone's own name servers, its parent's and the registrar. Live only: a rehearsal has none of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.xfr
import requests

from checks.errors import ProbeError
from checks.probes import dns as stub
from checks.scope import Scope

RDAP = "https://rdap.org/domain/"
STRANGER = "example.com"  # a name that none of our servers should look up for anybody

Ask = Callable[..., dns.message.Message]


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """What one name server answers for the zone; `serial` None where it is not authoritative."""

    name: str
    address: str
    udp: bool
    tcp: bool
    serial: int | None
    servers: frozenset[str]
    transfers: bool
    recurses: bool


@dataclass(frozen=True, kw_only=True)
class DelegationFacts:
    """The name servers that the parent zone names for `zone`, and what each of them says."""

    zone: str
    parent: frozenset[str]
    servers: tuple[ServerFacts, ...]


@dataclass(frozen=True, kw_only=True)
class RegistrationFacts:
    """What the registry says over RDAP (RFC 9083)."""

    expires: datetime | None
    status: tuple[str, ...]


def delegations(scope: Scope) -> tuple[DelegationFacts, ...]:
    """The delegation of the domain, and of each parked or retired one. Raises ProbeError."""
    retired = (one.domain for one in scope.contract.retired)
    return tuple(delegation(scope, domain) for domain in (scope.contract.domain, *scope.contract.parked, *retired))


def delegation(scope: Scope, domain: str) -> DelegationFacts:
    """The parent's name servers for a domain, and each of them asked. Raises ProbeError."""
    parent = domain.partition(".")[2]
    for name in _names(stub.look_up(scope, parent, "NS")):
        for address in stub.addresses(scope, name):
            answer = _exchange(scope, dns.query.udp, domain, "NS", address)
            if answer is not None:
                found = _targets([*answer.answer, *answer.authority], "NS")
                return DelegationFacts(zone=domain, parent=found, servers=_asked(scope, domain, sorted(found)))
    raise ProbeError(f"no name server of {parent} answered")


def servers(scope: Scope) -> tuple[ServerFacts, ...]:
    """Each server that the domain itself names. Raises ProbeError."""
    return _asked(scope, scope.contract.domain, _names(stub.look_up(scope, scope.contract.domain, "NS")))


def soa(scope: Scope) -> stub.Answer:
    """The zone's SOA record."""
    return stub.look_up(scope, scope.contract.domain, "SOA")


def targets(scope: Scope) -> tuple[tuple[str, bool], ...]:
    """Every outside name that a record of the zone points at, and whether it exists."""
    named = {host.content for host in scope.contract.hosts if host.type == "CNAME"}
    named |= {record.partition(" ")[2] for record in stub.look_up(scope, scope.contract.domain, "MX").records}
    named |= {selector.value for selector in scope.contract.mail.dkim if selector.type == "CNAME"}
    named |= set(_names(stub.look_up(scope, scope.contract.domain, "NS")))
    for record in stub.look_up(scope, scope.contract.domain, "TXT").records:
        if record.startswith("v=spf1"):
            named |= {term.partition(":")[2] for term in record.split() if term.lstrip("+-~?").startswith("include:")}
    return tuple((name, stub.look_up(scope, name, "A").exists) for name in sorted(n.rstrip(".") for n in named))


def registration(scope: Scope, base: str = RDAP) -> RegistrationFacts:
    """The domain's registration, by the RDAP service at `base`. Raises ProbeError."""
    url = f"{base}{scope.contract.domain}"
    try:
        answer = requests.get(url, timeout=scope.deadline.left(), headers={"accept": "application/rdap+json"})
        answer.raise_for_status()
        document = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise ProbeError(f"GET {url}: {type(error).__name__}: {error}") from error
    expiry = [event["eventDate"] for event in document.get("events", ()) if event.get("eventAction") == "expiration"]
    return RegistrationFacts(
        expires=datetime.fromisoformat(expiry[0]) if expiry else None,
        status=tuple(sorted(document.get("status", ()))),
    )


def _asked(scope: Scope, domain: str, names: list[str]) -> tuple[ServerFacts, ...]:
    return tuple(_server(scope, domain, name, address) for name in names for address in stub.addresses(scope, name)[:1])


def _server(scope: Scope, domain: str, name: str, address: str) -> ServerFacts:
    udp = _exchange(scope, dns.query.udp, domain, "SOA", address)
    tcp = _exchange(scope, dns.query.tcp, domain, "SOA", address)
    answer = udp or tcp
    named = _exchange(scope, dns.query.tcp, domain, "NS", address)
    stranger = _exchange(scope, dns.query.udp, STRANGER, "A", address, recursive=True)
    return ServerFacts(
        name=name,
        address=address,
        udp=udp is not None,
        tcp=tcp is not None,
        serial=_serial(answer),
        servers=_targets(named.answer, "NS") if named else frozenset(),
        transfers=_transfers(scope, domain, address),
        recurses=bool(stranger and stranger.answer and stranger.flags & dns.flags.RA),
    )


def _exchange(
    scope: Scope, ask: Ask, name: str, kind: str, address: str, *, recursive: bool = False
) -> dns.message.Message | None:
    """One question to one server; None when it does not answer after three tries."""
    question = dns.message.make_query(name, kind)
    if not recursive:
        question.flags &= ~dns.flags.RD
    for _ in range(3):
        try:
            return ask(question, address, timeout=scope.deadline.left(1.0), port=scope.vantage.port(53))
        except (dns.exception.DNSException, OSError):
            continue
    return None


def _serial(answer: dns.message.Message | None) -> int | None:
    if answer is None or not answer.flags & dns.flags.AA:
        return None
    found: list[Any] = [record for rrset in answer.answer if rrset.rdtype == dns.rdatatype.SOA for record in rrset]
    return int(found[0].serial) if found else None


def _transfers(scope: Scope, domain: str, address: str) -> bool:
    """Whether the server hands the whole zone to anybody."""
    question = dns.message.make_query(domain, "AXFR")
    try:
        answer = dns.query.tcp(question, address, timeout=scope.deadline.left(2.0), port=scope.vantage.port(53))
    except (dns.exception.DNSException, OSError):
        return False
    return answer.rcode() == dns.rcode.NOERROR and bool(answer.answer)


def _targets(sections: list[dns.rrset.RRset], kind: str) -> frozenset[str]:
    wanted = dns.rdatatype.from_text(kind)
    found: list[Any] = [record for rrset in sections if rrset.rdtype == wanted for record in rrset]
    return frozenset(record.target.to_text(omit_final_dot=True).lower() for record in found)


def _names(answer: stub.Answer) -> list[str]:
    return [record.rstrip(".").lower() for record in answer.records]
