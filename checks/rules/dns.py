"""Rules over what the DNS says of the declared hosts."""

from ipaddress import ip_address

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.dns import Answer, HostFacts

LEAST_TTL, MOST_TTL, CUTOVER_TTL = 60, 86400, 300  # seconds


def hosts(contract: Contract, facts: tuple[HostFacts, ...]) -> Verdict:
    """dns.hosts: every declared host resolves as declared, and a CNAME stands alone (RFC 2181 section 10.1).

    A proxied host must have an address and show no CNAME: the edge answers for it. Which of the edge's addresses
    it is, is not judged, nor whether what a DNS-only CNAME points at resolves (dns.dangling). A DNS-only host has
    exactly the declared addresses; one at the apex with a CNAME is flattened, so it has some. A stack that is a tenant
    of the zone leaves apex and www to the owner.
    """
    problems = [problem for fact in facts for problem in _host_problems(contract, fact)]
    must_be = {contract.domain, f"www.{contract.domain}"} if contract.zone.role == "owner" else set()
    problems += [f"{name} is not declared" for name in sorted(must_be - {host.name for host in contract.hosts})]
    evidence = tuple(answer.line() for fact in facts for answer in (*fact.a, *fact.aaaa, *fact.cname))
    return judge(
        "every declared host resolves as declared at every resolver; apex and www exist",
        seen=f"{len(facts)} hosts resolve as declared",
        problems=problems,
        evidence=evidence,
    )


def ttl(contract: Contract, facts: tuple[HostFacts, ...]) -> Verdict:
    """dns.ttl: 60 to 86400 seconds (RFC 1912 section 2.2), at most 300 for a host that can still move (cutover).

    Judges the declared value, 1 meaning automatic (300 at Cloudflare), and that no resolver is told more than 86400.
    """
    problems = [
        f"{host.name}: declared ttl {host.ttl}, must be 1 (automatic) or {LEAST_TTL} to {CUTOVER_TTL} at cutover"
        for host in contract.hosts
        if host.ttl != 1 and not LEAST_TTL <= host.ttl <= CUTOVER_TTL
    ]
    answers = [answer for fact in facts for answer in (*fact.a, *fact.aaaa, *fact.cname) if answer.ttl is not None]
    problems += [f"{a.name} {a.type}: ttl {a.ttl} at {a.resolver}" for a in answers if (a.ttl or 0) > MOST_TTL]
    return judge(
        f"declared ttl automatic or {LEAST_TTL} to {CUTOVER_TTL} s; seen at most {MOST_TTL} s",
        seen=f"{len(contract.hosts)} hosts within limits",
        problems=problems,
    )


def _host_problems(contract: Contract, fact: HostFacts) -> list[str]:
    host = fact.host
    if host.proxied or (host.type == "CNAME" and host.name == contract.domain):
        return _proxied_problems(fact)
    if host.type == "CNAME":
        return [
            f"{answer.line()}; declared {host.content}"
            for answer in fact.cname
            if [_plain(record) for record in answer.records] != [_plain(host.content)]
        ]
    problems = _cname_problems(fact.cname)
    for kind, answers in (("A", fact.a), ("AAAA", fact.aaaa)):
        wanted = {_address(one.content) for one in contract.hosts if (one.name, one.type) == (host.name, kind)}
        problems += [
            f"{answer.line()}; declared {', '.join(sorted(wanted)) or 'none'}"
            for answer in answers
            if {_address(record) for record in answer.records} != wanted
        ]
    return problems


def _proxied_problems(fact: HostFacts) -> list[str]:
    by_resolver = {answer.resolver: answer.records for answer in fact.a}
    for answer in fact.aaaa:
        by_resolver[answer.resolver] = by_resolver.get(answer.resolver, ()) + answer.records
    silent = [f"{fact.host.name} has no address at {resolver}" for resolver, found in by_resolver.items() if not found]
    return silent + _cname_problems(fact.cname)


def _cname_problems(answers: tuple[Answer, ...]) -> list[str]:
    return [f"{answer.name} shows a CNAME to {answer.records[0]}" for answer in answers if answer.records]


def _address(text: str) -> str:
    """An address in the one form in which it can be compared (RFC 5952)."""
    try:
        return str(ip_address(text))
    except ValueError:
        return text


def _plain(name: str) -> str:
    return name.rstrip(".").lower()
