"""Follows the signatures of the zone from the parent's DS record on (RFC 4035 section 5)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from checks.errors import NotDeclared, ProbeError
from checks.probes import dns as stub
from checks.scope import Scope

LOOKED_AT = ("SOA", "NS", "A", "AAAA", "MX", "TXT", "CAA")  # of the domain itself
SIGNALS_NSEC3 = "NSEC3PARAM"
RSA_ALGORITHMS = frozenset({5, 7, 8, 10})


@dataclass(frozen=True, kw_only=True)
class SetFacts:
    """One signed set of records: whether a signature over it holds, and the one that ends first."""

    name: str
    type: str
    valid: bool
    failure: str = ""
    inception: datetime | None = None
    expiration: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class KeyFacts:
    """One DNSKEY; `bits` of an RSA modulus, else 0."""

    tag: int
    algorithm: int
    bits: int


@dataclass(frozen=True, kw_only=True)
class DnssecFacts:
    """The zone's chain of trust at `moment`.

    `digests` are the digest types of the parent's DS records. `vouched` says that the resolver had validated them (in
    a rehearsal the stand-in is the parent). `broken` says why no key of the zone is the parent's, "" where one is.
    """

    moment: datetime
    digests: tuple[int, ...]
    vouched: bool
    keys: tuple[KeyFacts, ...]
    broken: str
    sets: tuple[SetFacts, ...]
    nsec3_iterations: int | None


def chain(scope: Scope) -> DnssecFacts:
    """The chain of the domain's zone. Raises ProbeError when no resolver answers."""
    domain = dns.name.from_text(scope.contract.domain)
    asked = _ask(scope, domain, "DS", checking=True)
    ds = _set(asked, domain, "DS")
    answer = _ask(scope, domain, "DNSKEY")
    keys = _set(answer, domain, "DNSKEY")
    trusted, broken = _trusted(domain, ds, keys, answer)
    return DnssecFacts(
        moment=datetime.now(UTC),
        digests=tuple(sorted(int(one.digest_type) for one in ds or ())),
        vouched=scope.vantage.rehearsal or bool(asked.flags & dns.flags.AD),
        keys=tuple(_key(one) for one in keys or ()),
        broken=broken,
        sets=_sets(scope, domain, trusted) if trusted is not None else (),
        nsec3_iterations=_iterations(scope, domain) if keys else None,
    )


def signed_chain(scope: Scope) -> DnssecFacts:
    """The chain of a zone that is signed. Raises NotDeclared where it is not: that is dns.dnssec's to judge."""
    facts = chain(scope)
    if not facts.keys:
        raise NotDeclared("the zone is not signed; dns.dnssec judges that")
    return facts


def _ask(scope: Scope, name: dns.name.Name, kind: str, *, checking: bool = False) -> dns.message.Message:
    """One answer with its signatures. Unless `checking`, a resolver gives also what it holds for bogus (CD)."""
    question = dns.message.make_query(name, kind, want_dnssec=True)
    question.flags |= dns.flags.RD | dns.flags.AD | (0 if checking else dns.flags.CD)
    failures = []
    for host, port in stub.resolvers(scope):
        for _ in range(3):
            try:
                wait = scope.deadline.left(stub.TRY_SECONDS)
                return dns.query.udp_with_fallback(question, host, timeout=wait, port=port)[0]
            except (dns.exception.DNSException, OSError) as error:
                failures.append(f"{host}:{port}: {type(error).__name__}")
    raise ProbeError(f"no answer for {name} {kind} from {'; '.join(failures)}")


def _trusted(
    domain: dns.name.Name, ds: Any, keys: Any, answer: dns.message.Message
) -> tuple[dns.rrset.RRset | None, str]:
    """The zone's keys when one that the parent names signs them, and why not."""
    if not ds:
        return None, ""
    if not keys:
        return None, "the parent names a key, but the zone has none"
    named = [key for key in keys if any(_matches(domain, key, one) for one in ds)]
    if not named:
        return None, "no key of the zone is one that the parent names"
    entry = dns.rrset.from_rdata_list(domain, keys.ttl, named)
    failure = _failure(keys, _signatures(answer, domain, "DNSKEY"), entry)
    return (
        (None, f"the zone's keys are not signed by the key that the parent names: {failure}") if failure else (keys, "")
    )


def _matches(domain: dns.name.Name, key: Any, ds: Any) -> bool:
    try:
        return dns.dnssec.make_ds(domain, key, ds.digest_type, validating=True) == ds
    except (dns.dnssec.UnsupportedAlgorithm, dns.exception.DNSException):
        return False  # a digest that nobody can check vouches for nothing


def _sets(scope: Scope, domain: dns.name.Name, keys: dns.rrset.RRset) -> tuple[SetFacts, ...]:
    answers = ((kind, _ask(scope, domain, kind)) for kind in ("DNSKEY", *LOOKED_AT))
    found = ((kind, _set(answer, domain, kind), answer) for kind, answer in answers)
    return tuple(_set_facts(domain, kind, records, answer, keys) for kind, records, answer in found if records)


def _set_facts(
    domain: dns.name.Name, kind: str, records: Any, answer: dns.message.Message, keys: dns.rrset.RRset
) -> SetFacts:
    signatures = _signatures(answer, domain, kind)
    failure = _failure(records, signatures, keys)
    times = sorted((one.expiration, one.inception) for one in signatures or ())
    return SetFacts(
        name=domain.to_text(omit_final_dot=True),
        type=kind,
        valid=not failure,
        failure=failure,
        inception=_moment(times[0][1]) if times else None,
        expiration=_moment(times[0][0]) if times else None,
    )


def _failure(records: Any, signatures: Any, keys: dns.rrset.RRset) -> str:
    if not signatures:
        return "no signature"
    try:
        dns.dnssec.validate(records, signatures, {keys.name: keys})
    except dns.dnssec.ValidationFailure as error:
        return str(error)
    return ""


def _set(answer: dns.message.Message, name: dns.name.Name, kind: str) -> Any:
    return answer.get_rrset(answer.answer, name, dns.rdataclass.IN, dns.rdatatype.from_text(kind))


def _signatures(answer: dns.message.Message, name: dns.name.Name, kind: str) -> Any:
    covered = dns.rdatatype.from_text(kind)
    return answer.get_rrset(answer.answer, name, dns.rdataclass.IN, dns.rdatatype.RRSIG, covered)


def _iterations(scope: Scope, domain: dns.name.Name) -> int | None:
    found = _set(_ask(scope, domain, SIGNALS_NSEC3), domain, SIGNALS_NSEC3)
    return max((int(one.iterations) for one in found), default=None) if found else None


def _key(key: Any) -> KeyFacts:
    algorithm = int(key.algorithm)
    return KeyFacts(
        tag=dns.dnssec.key_id(key),
        algorithm=algorithm,
        bits=_modulus_bits(key.key) if algorithm in RSA_ALGORITHMS else 0,
    )


def _modulus_bits(key: bytes) -> int:
    """The size of an RSA modulus behind its exponent (RFC 3110 section 2)."""
    length, start = (key[0], 1) if key[0] else (int.from_bytes(key[1:3], "big"), 3)
    return int.from_bytes(key[start + length :], "big").bit_length()


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
