"""What the mail's sections ask of one another, of the hosts and of the limits of SPF."""

from collections import defaultdict
from collections.abc import Iterator

from infra.hostnames import APEX, MAX_NAME_OCTETS, absolute
from infra.mail import published, spf
from infra.mail.lookups import Mode
from infra.mail.sections import Mail
from infra.problems import Problem, problem, repeated

SPF_TEXT_MOST = 450  # octets: section 3.4 of RFC 7208 advises answers that fit 512 octets


def senders_are_distinct(mail: Mail) -> Iterator[Problem]:
    """A vendor is declared once for a domain."""
    for name in repeated(f"{sender.via} at {sender.domain}" for sender in mail.senders):
        yield problem("mail.senders", name, "each is declared once for a domain", "Merge the entries.")


def exchangers_are_distinct(mail: Mail) -> Iterator[Problem]:
    """One record for each exchanger."""
    for host in repeated(host for host, _ in mail.receive.exchangers) if mail.receive else ():
        yield problem("mail.receive.mx", host, "each is declared once", "Remove the repeated entry.")


def kinds_stay_apart(mail: Mail) -> Iterator[Problem]:
    """What people complain about must not cost receipts and sign-in mails their reputation."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for sender in mail.senders:
        kinds[sender.domain].add(sender.kind)
    for index, sender in enumerate(mail.senders):
        if sender.kind == "marketing" and "transactional" in kinds[sender.domain]:
            limit = "transactional and marketing mail never share a domain: complaints about one harm the other"
            yield problem(f"mail.senders[{index}].domain", sender.domain, limit, "Give it a sub-domain, such as news.")


def mail_names_stand_alone(mail: Mail, domain: str) -> Iterator[Problem]:
    """One TXT or key at a name, and a CNAME beside nothing (RFC 2181 section 10.1)."""
    types: dict[str, list[str]] = defaultdict(list)
    for record in published.records(mail, domain):
        types[record.name].append(record.type)
    for name, found in types.items():
        if "CNAME" in found and len(found) > 1:
            remedy = "Give one of the two senders another selector, return path or domain."
            yield problem("mail.senders", name, f"a CNAME stands alone and here are {', '.join(found)}", remedy)
        elif "._domainkey." in name and len(found) > 1:
            yield problem("mail.senders", name, "one key stands at a name", "Two senders need two selectors.")


def mail_names_fit(mail: Mail, domain: str) -> Iterator[Problem]:
    """Labels and the domain together still are a name."""
    for record in published.records(mail, domain):
        if len(record.name) > MAX_NAME_OCTETS:
            limit = f"a full name has at most {MAX_NAME_OCTETS} characters (RFC 1035), this one {len(record.name)}"
            yield problem("mail.senders", record.name[:32] + "…", limit, "Use shorter labels.")


def who_sends_takes_mail(mail: Mail) -> Iterator[Problem]:
    """A null MX is for domains that send nothing: bounces and answers would be refused (RFC 7505 section 4.2)."""
    for index, sender in enumerate(mail.senders):
        if not mail.receive and sender.domain == APEX:
            limit = "the domain receives no mail (null MX), and receivers refuse senders that take no answer (RFC 7505)"
            yield problem(f"mail.senders[{index}].domain", APEX, limit, "Declare mail.receive, or send from a label.")


def spf_stays_in_its_limits(mail: Mail, domain: str, spf_lookups: Mode) -> Iterator[Problem]:
    """Ten lookups and two that find nothing; a record beyond is void as a whole (RFC 7208 section 4.6.4)."""
    for label in published.sending_domains(mail):
        name, text = absolute(label, domain), published.spf(mail, label)
        found = spf.cost(text, name, spf_lookups)
        faults = list(found.errors)
        if found.lookups > spf.LOOKUPS_MOST:
            faults.append(f"{found.lookups} lookups, at most {spf.LOOKUPS_MOST} (RFC 7208 section 4.6.4)")
        if found.voids > spf.VOIDS_MOST:
            faults.append(f"{found.voids} lookups that find nothing, at most {spf.VOIDS_MOST}")
        if faults:
            limit = "; ".join([*faults, f"counted from the {found.source} answers: {' | '.join(found.tree)}"])
            yield problem("mail.senders", text, limit, f"Move a sender of {name} to a sub-domain, or drop it.")


def spf_fits_an_answer(mail: Mail, domain: str) -> Iterator[Problem]:
    """A record that does not fit one datagram is lost at receivers that cannot ask over TCP (RFC 7208 section 3.4)."""
    for label in published.sending_domains(mail):
        text = published.spf(mail, label)
        if len(text) > SPF_TEXT_MOST:
            limit = f"an SPF record has at most {SPF_TEXT_MOST} characters, this one {len(text)}"
            name = absolute(label, domain)
            yield problem("mail.senders", name, limit, "Name networks rather than single addresses, or use include:.")


def dmarc_climbs(mail: Mail) -> Iterator[Problem]:
    """A rung is on the way to its target, and below it there is a date; so it is for sub-domains, and for a test."""
    policy = mail.dmarc
    yield from policy.ladder.problems()
    if policy.ladder.reached and not policy.reached and policy.by is None:
        shown = f"{policy.weakest}{', testing' if policy.testing else ''}"
        limit = f"below the target {policy.target}, as a test or for sub-domains, there is a day by which it is reached"
        yield problem("mail.dmarc.by", shown, limit, 'Write it as by: "2027-03-01".')


def dmarc_is_read(mail: Mail) -> Iterator[Problem]:
    """Without reports nobody learns what the next rung would refuse."""
    if mail.senders and not mail.dmarc.rua:
        limit = "a domain that sends takes aggregate reports, which say what the next rung would refuse"
        yield problem("mail.dmarc.rua", "nothing", limit, "Give an address such as mailto:dmarc@….")


def dmarc_domains_are_mail_domains(mail: Mail) -> Iterator[Problem]:
    """A policy of its own is for a sub-domain that sends."""
    for name in mail.dmarc.domains:
        if name not in published.sending_domains(mail):
            limit = "no sender uses this sub-domain; the domain's own policy covers it"
            yield problem(f"mail.dmarc.domains.{name}", mail.dmarc.domains[name], limit, "Remove it.")


def transport_needs_mail(mail: Mail) -> Iterator[Problem]:
    """MTA-STS and TLS reports are about mail that comes in."""
    if mail.receive:
        return
    declared = {"mail.mtaSts": mail.mta_sts and mail.mta_sts.mode, "mail.tlsRpt": ", ".join(mail.tls_rpt)}
    for key, value in declared.items():
        if value:
            limit = "it is about mail that the domain receives, and it receives none"
            yield problem(key, value, limit, "Declare mail.receive, or remove it.")


def bimi_needs_enforcement(mail: Mail) -> Iterator[Problem]:
    """Mailboxes show a logo only where nobody else can use the name."""
    if mail.bimi and not mail.dmarc.enforced:
        shown = f"{mail.dmarc.weakest}{', testing' if mail.dmarc.testing else ''}"
        limit = f"a logo needs DMARC at quarantine or reject, for sub-domains too, and here it is {shown}"
        yield problem("mail.bimi", mail.bimi.logo, limit, "Raise mail.dmarc first.")


CHECKS = (
    senders_are_distinct,
    exchangers_are_distinct,
    kinds_stay_apart,
    mail_names_stand_alone,
    mail_names_fit,
    who_sends_takes_mail,
    spf_stays_in_its_limits,
    spf_fits_an_answer,
    dmarc_climbs,
    dmarc_is_read,
    dmarc_domains_are_mail_domains,
    transport_needs_mail,
    bimi_needs_enforcement,
)
