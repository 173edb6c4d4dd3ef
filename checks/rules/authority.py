"""Rules over the zone's name servers, its parent and its registration."""

from datetime import UTC, datetime, timedelta

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.authority import DelegationFacts, RegistrationFacts, ServerFacts
from checks.probes.dns import Answer

EXPIRY_LEAST = timedelta(days=60)
LOCKS = frozenset({"client transfer prohibited", "server transfer prohibited"})
# Zonemaster ZONE02, ZONE04, ZONE05, ZONE06: seconds, least and most.
TIMERS = {
    "refresh": (14_400, None),
    "retry": (3_600, None),
    "expire": (604_800, None),
    "minimum": (300, 86_400),
}


def delegation(contract: Contract, facts: tuple[DelegationFacts, ...]) -> Verdict:
    """dns.delegation: parent and child name the same servers, at least two, each authoritative, one serial.

    RFC 1034 section 4.2.2; Zonemaster DELEGATION01 and 04, CONSISTENCY01 and 04. Of the domain, and of each parked or
    retired one. The domain's declared servers must be those; a tenant of the zone knows of none.
    """
    problems = [f"{one.zone}: {problem}" for one in facts for problem in _delegation_problems(contract, one)]
    return judge(
        "parent and child agree on at least two authoritative servers",
        seen="; ".join(f"{one.zone}: {', '.join(sorted(one.parent))}" for one in facts),
        problems=problems,
        evidence=tuple(
            f"{one.zone} at {s.name} ({s.address}): serial {s.serial}" for one in facts for s in one.servers
        ),
    )


def server(_contract: Contract, facts: tuple[ServerFacts, ...]) -> Verdict:
    """dns.server: UDP and TCP answer, transfers are refused, no recursion (RFC 9210, ZM NAMESERVER01/03)."""
    problems = [] if facts else ["no name server has an address"]
    for one in facts:
        problems += [] if one.udp else [f"{one.name} does not answer over UDP"]
        problems += [] if one.tcp else [f"{one.name} does not answer over TCP"]
        problems += [f"{one.name} gives the whole zone to anybody"] if one.transfers else []
        problems += [f"{one.name} looks up any name for anybody"] if one.recurses else []
    return judge("UDP and TCP answer; no transfer, no recursion", seen=f"{len(facts)} servers", problems=problems)


def soa(_contract: Contract, facts: Answer) -> Verdict:
    """dns.soa: timers within Zonemaster's limits (ZONE02, 04, 05, 06)."""
    if len(facts.records) != 1:
        return judge("one SOA record", seen="", problems=[facts.line()])
    values = dict(zip(TIMERS, (int(text) for text in facts.records[0].split()[3:7]), strict=True))
    problems = []
    for name, (least, most) in TIMERS.items():
        if values[name] < least or (most is not None and values[name] > most):
            problems.append(f"{name} {values[name]}, {f'{least} to {most}' if most else f'at least {least}'}")
    return judge("refresh>=14400 retry>=3600 expire>=604800 minimum 300 to 86400", seen=str(values), problems=problems)


def dangling(_contract: Contract, facts: tuple[tuple[str, bool], ...]) -> Verdict:
    """dns.dangling: nothing that a record points at has ceased to exist (can-i-take-over-xyz).

    A name that exists at a vendor but is claimed by nobody is not told from one that is ours.
    """
    gone = [f"{name} does not exist: somebody else could take it" for name, exists in facts if not exists]
    return judge("every target exists", seen=f"{len(facts)} targets", problems=gone)


def registrar(_contract: Contract, facts: RegistrationFacts, now: datetime | None = None) -> Verdict:
    """dns.registrar: the registration runs for 60 days more and is locked against transfer (RFC 9083, RFC 8056)."""
    moment = now or datetime.now(UTC)
    problems = []
    if facts.expires is None:
        problems.append("the registry tells no expiry")
    elif facts.expires - moment <= EXPIRY_LEAST:
        problems.append(f"expires on {facts.expires:%Y-%m-%d}, in less than {EXPIRY_LEAST.days} days")
    if not LOCKS & set(facts.status):
        problems.append("not locked against transfer")
    return judge(
        f"expires in more than {EXPIRY_LEAST.days} days, transfer locked",
        seen=f"until {facts.expires:%Y-%m-%d}" if facts.expires else "",
        problems=problems,
        evidence=facts.status,
    )


def _delegation_problems(contract: Contract, facts: DelegationFacts) -> list[str]:
    problems = [] if len(facts.parent) >= 2 else [f"{len(facts.parent)} name servers at the parent, at least two"]
    assigned = contract.zone.name_servers if facts.zone == contract.domain else ()
    declared = {name.rstrip(".").lower() for name in assigned}
    if declared and declared != facts.parent:
        problems.append(f"the parent names {sorted(facts.parent)}, the zone was assigned {sorted(declared)}")
    for server in facts.servers:
        if server.serial is None:
            problems.append(f"{server.name} is not authoritative")
        elif server.servers != facts.parent:
            problems.append(f"{server.name} names {sorted(server.servers)}")
    serials = {server.serial for server in facts.servers if server.serial is not None}
    return problems + ([f"serials differ: {sorted(serials)}"] if len(serials) > 1 else [])
