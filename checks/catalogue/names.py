"""The checks of DNS and mail."""

from checks.catalogue.checklist import entries
from checks.commands import dig
from checks.model import Check
from checks.probes import authority, dns, mail, records, spf
from checks.rules import authority as authority_rules
from checks.rules import dns as dns_rules
from checks.rules import mail as mail_rules
from checks.rules import records as record_rules
from checks.scope import Scope

PROVIDER = "the stand-in answers in place of the DNS provider's own servers"
VENDOR = "the record leads into a vendor's zone, which a rehearsal does not have"


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (*_zone(), *_signed(), *_authority(), *_records(), *_vendors())


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
    )


def _authority() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["dns.delegation"],
            probe=authority.delegation,
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


def _records() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["mail.mx"],
            probe=mail.mx,
            rule=mail_rules.mx,
            fix="declare the mail provider's exchangers under `mail.mx` and deploy",
            command=lambda scope: dig(scope, scope.contract.domain, "MX"),
        ),
        Check(
            entry=entries()["mail.spf"],
            probe=mail.spf,
            rule=mail_rules.spf,
            fix="declare the senders under `mail.spf.includes` with `all: -all`; remove other v=spf1 records",
            command=lambda scope: dig(scope, scope.contract.domain, "TXT"),
        ),
        Check(
            entry=entries()["mail.dkim"],
            probe=mail.dkim,
            rule=mail_rules.dkim,
            fix="declare each sender's selectors under `mail.dkim` and deploy",
            command=_dig_selector,
        ),
        Check(
            entry=entries()["mail.dmarc"],
            probe=mail.dmarc,
            rule=mail_rules.dmarc,
            fix="set `mail.dmarc.policy` to quarantine or reject and deploy",
            command=lambda scope: dig(scope, f"_dmarc.{scope.contract.domain}", "TXT"),
        ),
        Check(
            entry=entries()["mail.dmarc-rua"],
            probe=mail.dmarc,
            rule=mail_rules.dmarc_rua,
            fix="give `mail.dmarc.rua` an address that somebody or something reads",
            command=lambda scope: dig(scope, f"_dmarc.{scope.contract.domain}", "TXT"),
        ),
    )


def _vendors() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["mail.mx-hosts"],
            probe=mail.mx_hosts,
            rule=mail_rules.mx_hosts,
            fix="use the exchangers' names exactly as the mail provider gives them",
            command=lambda scope: dig(scope, scope.contract.domain, "MX"),
            only_live=VENDOR,
        ),
        Check(
            entry=entries()["mail.spf-limit"],
            probe=spf.cost,
            rule=mail_rules.spf_limit,
            fix="drop includes that nobody sends through; move marketing mail to its own subdomain",
            command=lambda scope: dig(scope, scope.contract.domain, "TXT"),
            only_live=VENDOR,
            timeout=30.0,
        ),
        Check(
            entry=entries()["mail.dkim-key"],
            probe=mail.dkim,
            rule=mail_rules.dkim_key,
            fix="rotate the selector to a key of 2048 bits at the sender, and leave its test mode",
            command=_dig_selector,
            only_live=VENDOR,
        ),
        Check(
            entry=entries()["mail.dmarc-report"],
            probe=mail.report_authorisations,
            rule=mail_rules.dmarc_report,
            fix="ask the report service to authorise the domain, or take the reports at an address of your own",
            command=lambda scope: dig(scope, f"_dmarc.{scope.contract.domain}", "TXT"),
            only_live=VENDOR,
        ),
    )


def _dig_selector(scope: Scope) -> str:
    selectors = scope.contract.mail.dkim
    name = selectors[0].name if selectors else f"_domainkey.{scope.contract.domain}"
    return dig(scope, name, "TXT")


def _dig_record(scope: Scope) -> str:
    declared = scope.contract.records
    return dig(scope, declared[0].name, declared[0].type) if declared else dig(scope, scope.contract.domain, "TXT")
