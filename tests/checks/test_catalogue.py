import inspect
from collections import Counter

import pytest

from checks import catalogue
from checks.catalogue.checklist import entries
from checks.errors import UsageError
from checks.model import Severity

ONLY_LIVE = {
    "aws.age",
    "aws.health-status",
    "aws.subscription",
    "dns.dangling",
    "dns.delegation",
    "dns.registrar",
    "dns.server",
    "dns.soa",
    "edge.rate-recovery",
    "mail.align",
    "mail.dkim-key",
    "mail.dmarc-report",
    "mail.dmarc-safe",
    "mail.mx-hosts",
    "mail.spf-limit",
    "mail.unsub",
    "stripe.account",
    "tls.expiry",
    "tls.key",
    "tls.lifetime",
    "wh.ack",
}


def test_every_checklist_entry_has_a_check_or_a_reason_why_not():
    checked = {check.id for check in catalogue.all_checks()}

    assert {entry.id for entry in catalogue.not_covered()} | checked == set(entries())
    assert all(entry.not_covered for entry in catalogue.not_covered())
    assert [check_id for check_id in checked if entries()[check_id].not_covered] == []


@pytest.mark.parametrize("area", ["dns", "redir", "tls", "http", "app", "cache", "edge"])
def test_of_the_zone_only_what_cannot_be_seen_from_here_has_no_check(area):
    reasons = [entry.not_covered for entry in catalogue.not_covered() if entry.area == area]

    assert [reason for reason in reasons if not reason.startswith("cannot be verified from here: ")] == []


def test_no_check_is_there_twice():
    assert [one for one, count in Counter(check.id for check in catalogue.all_checks()).items() if count > 1] == []


def test_what_only_a_live_run_can_verify_is_pinned():
    assert {check.id for check in catalogue.all_checks() if not check.rehearsable} == ONLY_LIVE


@pytest.mark.parametrize("check", catalogue.all_checks(), ids=lambda check: check.id)
def test_every_check_cites_its_standard_and_says_what_to_do(check):
    specification = inspect.getdoc(check.rule) or ""

    assert check.id in specification.splitlines()[0].split(":")[0]
    assert check.entry.source
    assert check.entry.criterion
    assert check.fix
    assert check.entry.severity in Severity


@pytest.mark.parametrize("check", catalogue.all_checks(), ids=lambda check: check.id)
def test_every_check_tells_a_command_in_both_worlds(check, look):
    assert check.command(look(rehearsal=True, ports={443: 8443}, ca_file="/run/ca.pem"))
    assert check.command(look(rehearsal=False, resolver=None, ports={}))


def test_checks_are_chosen_by_id_or_area():
    chosen = {check.id for check in catalogue.chosen(("mail.spf", "stripe"))}

    assert chosen == {"mail.spf", "stripe.endpoint", "stripe.events", "stripe.version", "stripe.account"}


def test_an_unknown_check_is_refused():
    with pytest.raises(UsageError, match=r"there is no check 'mail\.typo'; known: api"):
        catalogue.chosen(("mail.typo",))
