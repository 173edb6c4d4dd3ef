"""Counts the DNS lookups that evaluating an SPF record takes (RFC 7208 section 4.6.4).

Counted here and not by checkdmarc: that keeps answers for the life of the process, so a repeated check would see
the old record, and a name server that does not answer reads there as a broken record.
"""

from dataclasses import dataclass, field

from checks.probes import dns
from checks.scope import Scope

LOOKS_UP = frozenset({"include", "a", "mx", "ptr", "exists"})
TOO_MANY = 40  # terms that are followed: four times what a receiver follows
EXCHANGERS_MOST = 10  # names of one mx term, ibid.


@dataclass(frozen=True, kw_only=True)
class SpfCost:
    """DNS lookups that evaluating a domain's SPF record takes; `error` where it cannot be evaluated at all."""

    domain: str
    lookups: int
    voids: int
    error: str = ""


@dataclass
class _Count:
    lookups: int = 0
    voids: int = 0
    errors: list[str] = field(default_factory=list)


def costs(scope: Scope) -> tuple[SpfCost, ...]:
    """What each declared SPF record costs as it is published. Raises ProbeError when a resolver does not answer."""
    return tuple(cost(scope, declared.domain) for declared in scope.contract.mail.spf)


def cost(scope: Scope, domain: str) -> SpfCost:
    """What a domain's SPF record costs, every term evaluated. Raises ProbeError when a resolver does not answer."""
    count = _Count()
    _follow(scope, domain, count, ())
    return SpfCost(domain=domain, lookups=count.lookups, voids=count.voids, error="; ".join(count.errors))


def records(answer: dns.Answer) -> tuple[str, ...]:
    """The SPF records among TXT records (section 4.5: the version, then a space or the end)."""
    return tuple(record for record in answer.records if record.lower().split(" ")[0] == "v=spf1")


def _follow(scope: Scope, domain: str, count: _Count, above: tuple[str, ...]) -> None:
    if domain in above:
        count.errors.append(f"{domain} includes itself")
        return
    answer = dns.look_up(scope, domain, "TXT")
    found = records(answer)
    if above and not answer.records:
        count.voids += 1
    if len(found) != 1:
        count.errors.append(f"{domain} has {len(found)} SPF records")
        return
    terms = [term.lower() for term in found[0].split()[1:]]
    for term in terms:
        _term(scope, term, domain, count, (*above, domain))
    redirect = next((term.partition("=")[2] for term in terms if term.startswith("redirect=")), "")
    if redirect and not any(term.lstrip("+-~?") == "all" for term in terms):  # section 6.1
        count.lookups += 1
        _follow(scope, redirect, count, (*above, domain))


def _term(scope: Scope, term: str, domain: str, count: _Count, above: tuple[str, ...]) -> None:
    name, _, rest = term.lstrip("+-~?").partition(":")
    name = name.partition("/")[0]
    if name not in LOOKS_UP or count.lookups >= TOO_MANY:
        return
    count.lookups += 1
    target = rest.partition("/")[0] or domain
    if "%" in target:
        return  # a macro: what it asks for depends on the message
    if name == "include":
        _follow(scope, target, count, above)
    elif name == "mx":
        _exchangers(scope, target, count)
    elif name in {"a", "exists"} and not _addressed(scope, target):
        count.voids += 1


def _exchangers(scope: Scope, target: str, count: _Count) -> None:
    found = dns.look_up(scope, target, "MX").records
    count.voids += not found
    if len(found) > EXCHANGERS_MOST:
        count.errors.append(f"mx:{target} names {len(found)} exchangers, at most {EXCHANGERS_MOST}")


def _addressed(scope: Scope, name: str) -> bool:
    """A receiver asks for A or AAAA, whichever the sender used: void only where both are."""
    return any(dns.look_up(scope, name, kind).records for kind in ("A", "AAAA"))
