"""The checks of mail."""

from checks.catalogue.checklist import entries
from checks.commands import curl, dig, only
from checks.model import Check
from checks.probes import dmarc_reports, mail, mail_policies, messages, rungs, spf
from checks.rules import dmarc as dmarc_rules
from checks.rules import dmarc_reports as report_rules
from checks.rules import mail as mail_rules
from checks.rules import mail_policies as policy_rules
from checks.rules import messages as message_rules
from checks.rules import rungs as rung_rules
from checks.scope import Scope

VENDOR = "the record leads into a vendor's zone, which a rehearsal does not have"
NO_MAIL = "a rehearsal sends no mail, and nobody reports on it"


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (*_records(), *_dmarc(), *_vendors(), *_policies(), *_mail_that_was_sent())


def _records() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["mail.mx"],
            probe=mail.mx,
            rule=mail_rules.mx,
            fix="declare who receives the mail under `mail.receive` and deploy",
            command=lambda scope: dig(scope, scope.contract.domain, "MX"),
        ),
        Check(
            entry=entries()["mail.spf"],
            probe=mail.spf,
            rule=mail_rules.spf,
            fix="declare who sends under `mail.senders`; remove v=spf1 records made by hand",
            command=lambda scope: dig(scope, scope.contract.domain, "TXT"),
        ),
        Check(
            entry=entries()["mail.dkim"],
            probe=mail.dkim,
            rule=mail_rules.dkim,
            fix="enter each sender's selectors as the vendor shows them under `mail.senders` and deploy",
            command=_dig_selector,
        ),
        Check(
            entry=entries()["mail.return-path"],
            probe=mail.return_paths,
            rule=mail_rules.return_path,
            fix="enter the return path as the vendor shows it under `mail.senders` and deploy",
            command=_dig_return_path,
        ),
        Check(
            entry=entries()["mail.parked"],
            probe=mail.parked,
            rule=policy_rules.parked,
            fix="list the domain under `parked`, deploy, and remove records made by hand in its zone",
            command=lambda scope: dig(scope, next(iter(scope.contract.parked), scope.contract.domain), "TXT"),
        ),
    )


def _dmarc() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["mail.dmarc"],
            probe=mail.dmarc,
            rule=dmarc_rules.dmarc,
            fix="deploy what `mail.dmarc` declares; remove a record made by hand",
            command=_dig_dmarc,
        ),
        Check(
            entry=entries()["mail.dmarc-rung"],
            probe=rungs.of("dmarc"),
            rule=rung_rules.climbs,
            fix="raise `mail.dmarc.rung` when mail.dmarc-safe passes, and drop `testing`",
            command=_dig_dmarc,
        ),
        Check(
            entry=entries()["mail.dmarc-rua"],
            probe=mail.dmarc,
            rule=dmarc_rules.dmarc_rua,
            fix="give `mail.dmarc.rua` an address that somebody or something reads",
            command=_dig_dmarc,
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
            probe=spf.costs,
            rule=mail_rules.spf_limit,
            fix="drop senders that nobody uses, or move one to a sub-domain of its own",
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
            rule=dmarc_rules.dmarc_report,
            fix="ask the report service to authorise the domain, or take the reports at an address of your own",
            command=_dig_dmarc,
            only_live=VENDOR,
        ),
    )


def _policies() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["mail.mta-sts"],
            probe=mail_policies.mta_sts,
            rule=policy_rules.mta_sts,
            fix="declare `mail.mtaSts` and deploy; the edge serves the policy",
            command=lambda scope: curl(scope, f"https://mta-sts.{scope.contract.domain}/.well-known/mta-sts.txt"),
        ),
        Check(
            entry=entries()["mail.tlsrpt"],
            probe=mail.tls_rpt,
            rule=policy_rules.tls_rpt,
            fix="declare `mail.tlsRpt` and deploy",
            command=lambda scope: dig(scope, f"_smtp._tls.{scope.contract.domain}", "TXT"),
        ),
        Check(
            entry=entries()["mail.bimi"],
            probe=mail_policies.bimi,
            rule=policy_rules.bimi,
            fix="enforce DMARC, serve the SVG at `mail.bimi.logo`, and deploy",
            command=lambda scope: dig(scope, f"default._bimi.{scope.contract.domain}", "TXT"),
        ),
    )


def _mail_that_was_sent() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["mail.align"],
            probe=messages.seeds,
            rule=message_rules.align,
            fix="finish the sender's domain authentication at the vendor; send a new message to the seed mailbox",
            command=only("mail.align"),
            only_live=NO_MAIL,
            timeout=30.0,
        ),
        Check(
            entry=entries()["mail.unsub"],
            probe=messages.marketing_seeds,
            rule=message_rules.unsubscribe,
            fix="switch one-click unsubscribe on at the sender of the newsletter",
            command=only("mail.unsub"),
            only_live=NO_MAIL,
            timeout=30.0,
        ),
        Check(
            entry=entries()["mail.dmarc-safe"],
            probe=dmarc_reports.reports,
            rule=report_rules.next_rung,
            fix="declare the senders that the reports name, or authenticate their domain, before the next rung",
            command=only("mail.dmarc-safe"),
            only_live=NO_MAIL,
            timeout=60.0,
        ),
    )


def _dig_dmarc(scope: Scope) -> str:
    return dig(scope, f"_dmarc.{scope.contract.domain}", "TXT")


def _dig_selector(scope: Scope) -> str:
    selectors = scope.contract.mail.dkim
    name = selectors[0].name if selectors else f"_domainkey.{scope.contract.domain}"
    return dig(scope, name, "TXT")


def _dig_return_path(scope: Scope) -> str:
    paths = scope.contract.mail.return_paths
    return dig(scope, paths[0].name, paths[0].type) if paths else dig(scope, scope.contract.domain, "TXT")
