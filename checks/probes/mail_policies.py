"""Fetches what mail records lead to over HTTPS: the MTA-STS policy, the BIMI logo."""

from dataclasses import dataclass

from checks.errors import NotDeclared
from checks.probes import dns
from checks.probes.http import Browser, Exchange
from checks.scope import Scope


@dataclass(frozen=True, kw_only=True)
class MtaStsFacts:
    """The TXT records that announce a policy, and the answer at the policy's address, redirects not followed."""

    txt: dns.Answer
    policy: Exchange


@dataclass(frozen=True, kw_only=True)
class BimiFacts:
    """The BIMI records, the DMARC records that they depend on, and the logo; None where only a live run has it."""

    txt: dns.Answer
    dmarc: dns.Answer
    logo: Exchange | None


def mta_sts(scope: Scope) -> MtaStsFacts:
    """The declared policy as senders find it (RFC 8461 section 3). Raises NotDeclared, ProbeError."""
    declared = scope.contract.mail.mta_sts
    if declared is None:
        raise NotDeclared("no MTA-STS policy is declared")
    with Browser(scope) as browser:
        return MtaStsFacts(txt=dns.look_up(scope, declared.name, "TXT"), policy=browser.ask(declared.url))


def bimi(scope: Scope) -> BimiFacts:
    """The declared logo. A rehearsal has no app that would serve it. Raises NotDeclared, ProbeError."""
    declared = scope.contract.mail.bimi
    if declared is None:
        raise NotDeclared("no BIMI record is declared")
    txt = dns.look_up(scope, declared.name, "TXT")
    dmarc = dns.look_up(scope, f"_dmarc.{scope.contract.domain}", "TXT")
    if scope.vantage.rehearsal:
        return BimiFacts(txt=txt, dmarc=dmarc, logo=None)
    with Browser(scope) as browser:
        return BimiFacts(txt=txt, dmarc=dmarc, logo=browser.ask(declared.logo))
