"""Rules over TLS as visitors meet it."""

import re
from datetime import UTC, date, datetime

from checks.contract import Contract, Hsts
from checks.model import Verdict, judge
from checks.probes.ciphers import GOOD, CipherFacts
from checks.probes.http import Exchange, host_of
from checks.probes.tls import CertificateFacts, TrustFacts, VersionFacts

YEAR = 31_536_000  # seconds
LIFETIME_STEPS = ((date(2029, 3, 15), 47), (date(2027, 3, 15), 100), (date(2026, 3, 15), 200))  # CA/B SC-081v3, days
LIFETIME_BEFORE = 398
HASHES = frozenset({"sha256", "sha384", "sha512", "none"})  # Ed25519 has none of its own
SCTS_LEAST = 2
DIRECTIVE = re.compile(r"\s*([A-Za-z-]+)\s*(?:=\s*\"?([^\";]*)\"?\s*)?\Z")


def chain(_contract: Contract, facts: tuple[TrustFacts, ...]) -> Verdict:
    """tls.chain: complete, trusted and for the host's name (RFC 5280, RFC 9525). Revocation is not judged."""
    problems = [f"{fact.host}: {fact.failure}" for fact in facts if not fact.trusted]
    return judge(
        "a complete, trusted chain for each host",
        seen=f"{len(facts)} hosts trusted",
        problems=problems or ([] if facts else ["no host to visit is declared"]),
    )


def versions(_contract: Contract, facts: tuple[VersionFacts, ...]) -> Verdict:
    """tls.versions: 1.2 and 1.3 are accepted, 1.0 and 1.1 refused (RFC 8996, RFC 9325 section 3.1.1)."""
    problems = [f"{fact.host} accepts TLS {old}" for fact in facts for old in ("1.0", "1.1") if old in fact.accepted]
    problems += [
        f"{fact.host} refuses TLS {new}" for fact in facts for new in ("1.2", "1.3") if new not in fact.accepted
    ]
    return judge(
        "TLS 1.2 and 1.3 accepted, 1.0 and 1.1 refused",
        seen=f"{len(facts)} hosts",
        problems=problems or ([] if facts else ["no host to visit is declared"]),
        evidence=tuple(f"{fact.host}: {', '.join(sorted(fact.accepted)) or 'nothing'}" for fact in facts),
    )


def hsts(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """tls.hsts: one Strict-Transport-Security, exactly as declared (RFC 6797 section 6.1, ASVS 5.0 3.4.1).

    Less than a year is a step of the declared ladder, whose climb tls.hsts-rung watches; without a ladder a year with
    includeSubDomains is the least. A DNS-only host, whose platform sends its own, may promise more.
    """
    declared = contract.edge.hsts
    climbing = any(rung.ladder == "hsts" for rung in contract.rungs)
    expected = _hsts_text(declared) if declared else "Strict-Transport-Security"
    if not declared:
        return judge(expected, seen="", problems=["no HSTS is declared"])
    problems = [] if facts else ["no host to visit is declared"]
    if not climbing and (declared.max_age < YEAR or not declared.include_subdomains):
        problems.append(f"declared {expected}, must be at least a year with includeSubDomains")
    edges = {host.name for host in contract.hosts if host.proxied}
    for visit in facts:
        problems += _hsts_problems(visit, declared, exactly=host_of(visit.url) in edges)
    return judge(
        expected,
        seen=f"{len(facts)} hosts",
        problems=problems,
        evidence=tuple(f"{v.line()}, {v.header('strict-transport-security') or 'no HSTS'}" for v in facts),
    )


def expiry(_contract: Contract, facts: tuple[CertificateFacts, ...], now: datetime | None = None) -> Verdict:
    """tls.expiry: a quarter of the certificate's lifetime left (warning), an eighth (failure). The project's rule."""
    moment = now or datetime.now(UTC)
    shares = {fact.host: (fact.not_after - moment) / (fact.not_after - fact.not_before) for fact in facts}
    said = {fact.host: f"{fact.host}: until {fact.not_after:%Y-%m-%d}" for fact in facts}
    return judge(
        "a quarter of the lifetime left",
        seen="; ".join(said.values()),
        problems=[said[host] for host, share in shares.items() if share < 1 / 8],
        warnings=[said[host] for host, share in shares.items() if share < 1 / 4],
    )


def lifetime(_contract: Contract, facts: tuple[CertificateFacts, ...]) -> Verdict:
    """tls.lifetime: no longer than the CA/Browser Forum allows at issue (ballot SC-081v3)."""
    problems = []
    for fact in facts:
        days = (fact.not_after - fact.not_before).total_seconds() / 86400
        most = next((limit for since, limit in LIFETIME_STEPS if fact.not_before.date() >= since), LIFETIME_BEFORE)
        if days > most:
            problems.append(f"{fact.host}: {days:.0f} days, at most {most}")
    return judge("200 days (100 from 2027-03-15, 47 from 2029-03-15)", seen=f"{len(facts)} hosts", problems=problems)


def key(_contract: Contract, facts: tuple[CertificateFacts, ...]) -> Verdict:
    """tls.key: RSA of 2048 bits, P-256 or Ed25519; SHA-256 or better; two SCTs (CA/B BR 6.1.5, RFC 6962)."""
    problems = []
    for fact in facts:
        if fact.key_bits < (2048 if fact.key.startswith("RSA") else 256):
            problems.append(f"{fact.host}: {fact.key} is too weak")
        if fact.signature_hash not in HASHES:
            problems.append(f"{fact.host}: signed with {fact.signature_hash}")
        if fact.scts < SCTS_LEAST:
            problems.append(f"{fact.host}: {fact.scts} SCTs, at least {SCTS_LEAST}")
    return judge(
        "RSA 2048, P-256 or Ed25519; SHA-256 or better; two SCTs",
        seen="; ".join(f"{fact.host}: {fact.key}" for fact in facts),
        problems=problems,
    )


def edge_ssl(contract: Contract, _facts: None) -> Verdict:
    """edge.ssl: the edge is told to verify the origin's certificate (strict), TLS 1.2 at least, TLS 1.3 on.

    Cloudflare, "Full (strict)". Judges the declaration; what the live zone is set to is tls.origin.
    """
    edge = contract.edge
    problems = [] if edge.ssl == "strict" else [f"ssl is {edge.ssl}"]
    problems += [] if edge.min_tls_version in {"1.2", "1.3"} else [f"min_tls_version is {edge.min_tls_version}"]
    problems += [] if edge.tls_1_3 else ["tls_1_3 is off"]
    return judge("ssl strict, min_tls_version 1.2, tls_1_3 on", seen=f"ssl {edge.ssl}", problems=problems)


def ciphers(_contract: Contract, facts: tuple[CipherFacts, ...]) -> Verdict:
    """tls.ciphers: no weak cipher is taken, and one with ECDHE and AEAD is preferred (RFC 9325 sections 4.1 and 4.2).

    NULL, anonymous, EXPORT, single and triple DES and RC4 are offered alone, in TLS 1.2; then, weakest first, ciphers
    without forward secrecy, with CBC, and those that should win. TLS 1.3 has only good ones.
    """
    problems = [f"{fact.host} takes {name}" for fact in facts for name in fact.weak]
    problems += [
        f"{fact.host} prefers {fact.preferred or 'no cipher at all'} in TLS 1.2"
        for fact in facts
        if fact.preferred not in GOOD
    ]
    return judge(
        "weak ciphers refused; ECDHE with AEAD preferred",
        seen="; ".join(f"{fact.host}: {fact.preferred}" for fact in facts),
        problems=problems or ([] if facts else ["no host to visit is declared"]),
    )


def _hsts_text(declared: Hsts) -> str:
    parts = [f"max-age={declared.max_age}"]
    parts += ["includeSubDomains"] if declared.include_subdomains else []
    return "; ".join([*parts, "preload"] if declared.preload else parts)


def _hsts_problems(visit: Exchange, declared: Hsts, *, exactly: bool) -> list[str]:
    values = visit.headers_named("strict-transport-security")
    if len(values) != 1:
        return [f"{visit.url}: {len(values)} Strict-Transport-Security headers, must be one"]
    parts = {found[1].lower(): found[2] or "" for part in values[0].split(";") if (found := DIRECTIVE.match(part))}
    age = int(parts["max-age"]) if parts.get("max-age", "").isdigit() else 0
    told = (age, "includesubdomains" in parts, "preload" in parts)
    wanted = (declared.max_age, declared.include_subdomains, declared.preload)
    good = told == wanted if exactly else all(one >= other for one, other in zip(told, wanted, strict=True))
    return [] if good else [f"{visit.url}: {values[0]}, declared {_hsts_text(declared)}"]
