"""Asks the DNS for the domain's mail records."""

from dataclasses import dataclass

from checks.errors import ProbeError
from checks.probes import dns
from checks.scope import Scope


@dataclass(frozen=True, kw_only=True)
class DkimFacts:
    """One declared selector: what was declared, what its name publishes, the key that is found behind it."""

    selector: str
    declared: str
    published: dns.Answer
    key: dns.Answer


def mx(scope: Scope) -> dns.Answer:
    """The domain's MX records."""
    return dns.look_up(scope, scope.contract.domain, "MX")


def mx_hosts(scope: Scope) -> tuple[dns.Answer, ...]:
    """Addresses of every exchanger that the domain publishes."""
    names = [record.partition(" ")[2].rstrip(".") for record in mx(scope).records]
    return tuple(dns.look_up(scope, name, kind) for name in names for kind in ("A", "AAAA"))


def spf(scope: Scope) -> dns.Answer:
    """The domain's TXT records."""
    return dns.look_up(scope, scope.contract.domain, "TXT")


def dmarc(scope: Scope) -> dns.Answer:
    """TXT records at `_dmarc`."""
    return dns.look_up(scope, f"_dmarc.{scope.contract.domain}", "TXT")


def dkim(scope: Scope) -> tuple[DkimFacts, ...]:
    """Every declared selector, as published and as resolved."""
    return tuple(
        DkimFacts(
            selector=selector.selector,
            declared=selector.value,
            published=dns.look_up(scope, selector.name, selector.type),
            key=dns.look_up(scope, selector.name, "TXT"),
        )
        for selector in scope.contract.mail.dkim
    )


def report_authorisations(scope: Scope) -> tuple[dns.Answer, ...]:
    """The authorisation record of each outside domain that a rua address names."""
    domain = scope.contract.domain
    answer = dmarc(scope)
    if not answer.records:
        raise ProbeError(f"{answer.name} has no record, so no report address is known")
    domains = {address.partition("!")[0].rpartition("@")[2] for address in _addresses(answer)}
    outside = sorted(name for name in domains if name != domain and not name.endswith(f".{domain}"))
    return tuple(dns.look_up(scope, f"{domain}._report._dmarc.{name}", "TXT") for name in outside)


def _addresses(answer: dns.Answer) -> list[str]:
    tags = (part.strip().partition("=") for record in answer.records for part in record.split(";"))
    values = [value for name, _, value in tags if name.strip().lower() == "rua"]
    return [address.strip() for value in values for address in value.split(",") if "@" in address]
