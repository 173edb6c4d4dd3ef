"""The checks of DNS."""

from checks.catalogue.checklist import entries
from checks.commands import dig
from checks.model import Check
from checks.probes import authority, dns, dnssec, records
from checks.rules import authority as authority_rules
from checks.rules import dns as dns_rules
from checks.rules import dnssec as dnssec_rules
from checks.rules import records as record_rules
from checks.scope import Scope

PROVIDER = "the stand-in answers in place of the DNS provider's own servers"
VENDOR = "the record leads into a vendor's zone, which a rehearsal does not have"


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (*_zone(), *_signed(), *_authority())


def _zone() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["dns.hosts"],
            probe=dns.hosts,
            rule=dns_rules.hosts,
            fix="declare the host under `hosts:`, deploy, and remove records made by hand",
            command=lambda scope: dig(scope, scope.contract.domain, "A"),
        ),
        Check(
            entry=entries()["dns.ttl"],
            probe=dns.hosts,
            rule=dns_rules.ttl,
            fix="set the record's ttl to 1 (automatic) or at most 300 until the launch is over",
            command=lambda scope: dig(scope, scope.contract.domain, "A"),
        ),
    )


def _signed() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["dns.records"],
            probe=records.records,
            rule=record_rules.records,
            fix="deploy again: the record was removed or changed by hand",
            command=_dig_record,
        ),
        Check(
            entry=entries()["dns.caa"],
            probe=records.caa,
            rule=record_rules.caa,
            fix="deploy with `caa:` switched on; remove CAA records made by hand, or declare them under `caa.also`",
            command=lambda scope: dig(scope, scope.contract.domain, "CAA"),
        ),
        Check(
            entry=entries()["dns.dnssec"],
            probe=dnssec.chain,
            rule=dnssec_rules.dnssec,
            fix="set `dnssec: true` and enter its DS record at the registrar; a broken chain: remove the DS first",
            command=lambda scope: dig(scope, scope.contract.domain, "DS"),
            timeout=30.0,
        ),
        Check(
            entry=entries()["dns.dnssec-alg"],
            probe=dnssec.signed_chain,
            rule=dnssec_rules.algorithms,
            fix="let the DNS provider sign with ECDSA P-256 (algorithm 13), and enter its new DS at the registrar",
            command=lambda scope: dig(scope, scope.contract.domain, "DNSKEY"),
            timeout=30.0,
        ),
    )


def _authority() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["dns.delegation"],
            probe=authority.delegations,
            rule=authority_rules.delegation,
            fix="at the registrar, set exactly the name servers that the DNS provider assigned to the zone",
            command=lambda scope: dig(scope, scope.contract.domain, "NS"),
            only_live="a rehearsal has no parent zone and no registrar",
        ),
        Check(
            entry=entries()["dns.server"],
            probe=authority.servers,
            rule=authority_rules.server,
            fix="ask the DNS provider: its servers must answer UDP and TCP and serve nobody else's names",
            command=lambda scope: dig(scope, scope.contract.domain, "SOA"),
            only_live=PROVIDER,
        ),
        Check(
            entry=entries()["dns.soa"],
            probe=authority.soa,
            rule=authority_rules.soa,
            fix="set the zone's SOA timers at the DNS provider",
            command=lambda scope: dig(scope, scope.contract.domain, "SOA"),
            only_live=PROVIDER,
        ),
        Check(
            entry=entries()["dns.dangling"],
            probe=authority.targets,
            rule=authority_rules.dangling,
            fix="remove the record, or claim again what it points at",
            command=lambda scope: dig(scope, scope.contract.domain, "CNAME"),
            only_live=VENDOR,
            timeout=30.0,
        ),
        Check(
            entry=entries()["dns.registrar"],
            probe=authority.registration,
            rule=authority_rules.registrar,
            fix="renew the domain and lock it against transfer at the registrar",
            command=lambda scope: f"curl -sSL https://rdap.org/domain/{scope.contract.domain}",
            only_live="an invented domain has no registrar",
        ),
    )


def _dig_record(scope: Scope) -> str:
    declared = scope.contract.records
    return dig(scope, declared[0].name, declared[0].type) if declared else dig(scope, scope.contract.domain, "TXT")
