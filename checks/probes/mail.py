"""Asks the DNS for the mail records of the domain and its sub-domains."""

from dataclasses import dataclass

from checks.errors import NotDeclared, ProbeError
from checks.probes import dns
from checks.scope import Scope


@dataclass(frozen=True, kw_only=True)
class DkimFacts:
    """One declared selector: what was declared, what its name publishes, the key that is found behind it."""

    selector: str
    declared: str
    published: dns.Answer
    key: dns.Answer


@dataclass(frozen=True, kw_only=True)
class ParkedFacts:
    """What a domain without mail publishes: exchangers, TXT, policy, and a key at a name that nobody declared."""

    domain: str
    mx: dns.Answer
    txt: dns.Answer
    dmarc: dns.Answer
    key: dns.Answer


def mx(scope: Scope) -> tuple[dns.Answer, ...]:
    """The MX records of each domain whose exchangers are declared."""
    return tuple(dns.look_up(scope, declared.domain, "MX") for declared in scope.contract.mail.mx)


def mx_hosts(scope: Scope) -> tuple[dns.Answer, ...]:
    """Addresses of every exchanger that is published. Raises NotDeclared where no domain receives mail."""
    if not any(declared.exchangers for declared in scope.contract.mail.mx):
        raise NotDeclared("no domain receives mail")
    names = [record.partition(" ")[2].rstrip(".") for answer in mx(scope) for record in answer.records]
    return tuple(dns.look_up(scope, name, kind) for name in names if name for kind in ("A", "AAAA"))


def spf(scope: Scope) -> tuple[dns.Answer, ...]:
    """The TXT records of each domain with a declared SPF record."""
    return tuple(dns.look_up(scope, declared.domain, "TXT") for declared in scope.contract.mail.spf)


def dmarc(scope: Scope) -> tuple[dns.Answer, ...]:
    """TXT records at each declared policy's name."""
    return tuple(dns.look_up(scope, declared.name, "TXT") for declared in scope.contract.mail.dmarc)


def dkim(scope: Scope) -> tuple[DkimFacts, ...]:
    """Every declared selector, as published and as resolved. Raises NotDeclared where nobody sends."""
    if not scope.contract.mail.senders:
        raise NotDeclared("no sender is declared")
    return tuple(
        DkimFacts(
            selector=selector.selector,
            declared=selector.value,
            published=dns.look_up(scope, selector.name, selector.type),
            key=dns.look_up(scope, selector.name, "TXT"),
        )
        for selector in scope.contract.mail.dkim
    )


def return_paths(scope: Scope) -> tuple[dns.Answer, ...]:
    """What each declared return path publishes. Raises NotDeclared where there is none."""
    if not scope.contract.mail.return_paths:
        raise NotDeclared("no return path is declared")
    return tuple(dns.look_up(scope, path.name, path.type) for path in scope.contract.mail.return_paths)


def report_authorisations(scope: Scope) -> tuple[dns.Answer, ...]:
    """The authorisation record of each outside domain that a published rua address names."""
    domain = scope.contract.domain
    answers = dmarc(scope)
    if not any(answer.records for answer in answers):
        raise ProbeError(f"{answers[0].name if answers else domain} has no record, so no report address is known")
    found = [address for answer in answers for address in _addresses(answer)]
    domains = {address.partition("!")[0].rpartition("@")[2].lower() for address in found}
    outside = sorted(name for name in domains if name != domain and not name.endswith(f".{domain}"))
    return tuple(dns.look_up(scope, f"{domain}._report._dmarc.{name}", "TXT") for name in outside)


def tls_rpt(scope: Scope) -> dns.Answer:
    """TXT records where reports about TLS are asked for. Raises NotDeclared."""
    if scope.contract.mail.tls_rpt is None:
        raise NotDeclared("no reports about TLS are declared")
    return dns.look_up(scope, scope.contract.mail.tls_rpt.name, "TXT")


def parked(scope: Scope) -> tuple[ParkedFacts, ...]:
    """What each parked or retired domain publishes. Raises NotDeclared where none is declared."""
    domains = (*scope.contract.parked, *(retired.domain for retired in scope.contract.retired))
    if not domains:
        raise NotDeclared("no parked or retired domain is declared")
    return tuple(
        ParkedFacts(
            domain=domain,
            mx=dns.look_up(scope, domain, "MX"),
            txt=dns.look_up(scope, domain, "TXT"),
            dmarc=dns.look_up(scope, f"_dmarc.{domain}", "TXT"),
            key=dns.look_up(scope, f"launch-ready-probe._domainkey.{domain}", "TXT"),
        )
        for domain in domains
    )


def _addresses(answer: dns.Answer) -> list[str]:
    tags = (part.strip().partition("=") for record in answer.records for part in record.split(";"))
    values = [value for name, _, value in tags if name.strip().lower() == "rua"]
    return [address.strip() for value in values for address in value.split(",") if "@" in address]
