"""Rules over the zone's signatures."""

from datetime import timedelta

from checks.contract import Contract
from checks.model import Severity, Verdict, judge
from checks.probes.dnssec import DnssecFacts, KeyFacts, SetFacts

LEFT_LEAST, LIFETIME_MOST = timedelta(days=3), timedelta(days=180)
# A zone that is signed when it is asked has signatures of a day or two, made anew each time (Cloudflare: two days).
ON_DEMAND_LIFETIME, ON_DEMAND_LEFT = timedelta(days=4), timedelta(hours=12)
STRONG = {13: "ECDSAP256SHA256", 14: "ECDSAP384SHA384", 15: "ED25519"}
RSASHA256, RSA_LEAST = 8, 2048
STRONG_DIGESTS = frozenset({2, 4})  # SHA-256, SHA-384


def dnssec(contract: Contract, facts: DnssecFacts) -> Verdict:
    """dns.dnssec: the chain from the parent's DS holds and no signature runs out (RFC 4035 section 5; ZM DNSSEC02, 04).

    A broken chain is critical: resolvers that validate know the domain no more. A zone that is not signed, or whose DS
    the parent lacks, is a failure of medium severity. Signatures have 3 days left and live for at most 180; where
    they are made when somebody asks, 12 hours (Zonemaster's limit) are enough. Only the domain's own sets are read.
    """
    expected = "signed, and every signature holds from the parent's DS on"
    evidence = tuple(_line(one) for one in facts.sets)
    unsigned = _unsigned(contract, facts)
    if unsigned:
        return judge(expected, seen="", problems=[unsigned], severity=Severity.MEDIUM)
    problems = [facts.broken] if facts.broken else []
    problems += [] if facts.vouched else ["the resolvers do not vouch for the parent's DS: the chain above is broken"]
    problems += [f"{one.name} {one.type}: {one.failure}" for one in facts.sets if not one.valid]
    problems += [problem for one in facts.sets if one.valid for problem in _time_problems(facts, one)]
    return judge(expected, seen=f"{len(facts.sets)} signed sets hold", problems=problems, evidence=evidence)


def algorithms(_contract: Contract, facts: DnssecFacts) -> Verdict:
    """dns.dnssec-alg: strong keys and digests, no NSEC3 iterations (RFC 9904, RFC 9276 section 3.1).

    RSA/SHA-256 with 2048 bits, ECDSA P-256 or P-384, or Ed25519; the DS digest SHA-256 or SHA-384.
    """
    problems = [problem for key in facts.keys if (problem := _weak(key))]
    problems += [f"DS digest type {one}" for one in facts.digests if one not in STRONG_DIGESTS]
    if facts.nsec3_iterations:
        problems.append(f"NSEC3 with {facts.nsec3_iterations} iterations")
    return judge(
        "algorithm 8 (2048 bits or more), 13, 14 or 15; DS by SHA-256 or SHA-384; NSEC3 iterations 0",
        seen=", ".join(f"key {key.tag}: algorithm {key.algorithm}" for key in facts.keys),
        problems=problems,
    )


def _unsigned(contract: Contract, facts: DnssecFacts) -> str:
    if facts.digests:
        return ""
    if facts.keys:
        return "the zone is signed, but the parent has no DS record: enter the zone's at the registrar"
    return "the zone is not signed" + (
        ", though it is declared" if contract.zone.dnssec else ", and no DNSSEC is declared"
    )


def _time_problems(facts: DnssecFacts, one: SetFacts) -> list[str]:
    if one.inception is None or one.expiration is None:
        return []
    left, lifetime = one.expiration - facts.moment, one.expiration - one.inception
    least = ON_DEMAND_LEFT if lifetime <= ON_DEMAND_LIFETIME else LEFT_LEAST
    what = f"{one.name} {one.type}: the signature"
    problems = [] if left >= least else [f"{what} ends on {one.expiration:%Y-%m-%d %H:%M} UTC"]
    return problems + ([] if lifetime <= LIFETIME_MOST else [f"{what} lives for {lifetime.days} days, at most 180"])


def _weak(key: KeyFacts) -> str:
    if key.algorithm == RSASHA256:
        return "" if key.bits >= RSA_LEAST else f"key {key.tag}: RSA of {key.bits} bits, at least {RSA_LEAST}"
    return "" if key.algorithm in STRONG else f"key {key.tag}: algorithm {key.algorithm}"


def _line(one: SetFacts) -> str:
    until = f"until {one.expiration:%Y-%m-%d %H:%M} UTC" if one.expiration else "no signature"
    return f"{one.name} {one.type}: {'valid' if one.valid else one.failure}, {until}"
