"""What the domain's mail is declared as: records with their names, types and texts, and the policy. Pure."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from infra.hostnames import APEX, absolute
from infra.mail.sections import Dmarc, Mail, MtaSts
from infra.mail.sender_sections import Sender
from infra.mail.vendors import VENDORS

NULL_MX = (".", 0)  # RFC 7505: the domain takes no mail
SENDS_NOTHING = "v=spf1 -all"
MTA_STS_HOST = "mta-sts"  # RFC 8461 section 3.2
MTA_STS_PATH = "/.well-known/mta-sts.txt"
ORIGINLESS = "100::"  # the discard prefix (RFC 6666): the edge answers and asks nobody behind it


@dataclass(frozen=True, kw_only=True)
class MailRecord:
    """One record: its resource's name, its absolute name, and its content, a TXT's without quotes."""

    resource: str
    name: str
    type: str
    content: str
    priority: int | None = None
    proxied: bool = False


def records(mail: Mail, domain: str) -> tuple[MailRecord, ...]:
    """Every record of the domain's mail, in a fixed order."""
    return (
        *_exchangers(mail, domain),
        *_envelopes(mail, domain),
        *_keys(mail, domain),
        *_return_paths(mail, domain),
        *_policies(mail.dmarc, domain),
        *_transport(mail, domain),
    )


def sending_domains(mail: Mail) -> tuple[str, ...]:
    """The labels that mail is sent as or from: the domain itself, each sender's, and return paths of our own."""
    labels = [APEX]
    for sender in mail.senders:
        labels.append(sender.domain)
        shape = VENDORS[sender.via].return_path
        if shape and shape.type == "MX":
            labels.append(below(sender.bounces_to or "", sender.domain))
    return tuple(dict.fromkeys(labels))


def envelope(sender: Sender) -> str:
    """The label of the domain that is the envelope sender of a sender's mail."""
    return below(sender.bounces_to, sender.domain) if sender.bounces_to else sender.domain


def below(label: str, domain: str) -> str:
    """A label below a sending domain's."""
    return label if domain == APEX else f"{label}.{domain}"


def spf(mail: Mail, label: str) -> str:
    """The SPF record of one domain (RFC 7208): who may be its envelope sender, and what becomes of all others."""
    terms = dict.fromkeys(term for sender in mail.senders if envelope(sender) == label for term in sender.mechanisms)
    return " ".join(["v=spf1", *terms, mail.spf_all]) if terms else SENDS_NOTHING


def dkim_name(selector: str, domain: str) -> str:
    """Where a selector's key stands (RFC 6376 section 3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def dmarc(policy: Dmarc) -> str:
    """The domain's DMARC record (RFC 9989)."""
    tags = ["v=DMARC1", f"p={policy.rung}"]
    tags += [f"sp={policy.subdomains}"] if policy.subdomains else []
    tags += [f"np={policy.nonexistent}"] if policy.nonexistent else []
    return "; ".join([*tags, *_last_tags(policy)])


def dmarc_below(policy: Dmarc, label: str) -> str:
    """The record of a sub-domain that has one of its own."""
    return "; ".join(["v=DMARC1", f"p={policy.domains[label]}", *_last_tags(policy)])


def mta_sts_policy(mta_sts: MtaSts, exchangers: tuple[tuple[str, int], ...]) -> str:
    """The policy's text (RFC 8461 section 3.2), lines ended as there."""
    lines = ["version: STSv1", f"mode: {mta_sts.mode}", *(f"mx: {host}" for host, _ in exchangers)]
    return "".join(f"{line}\r\n" for line in [*lines, f"max_age: {mta_sts.max_age_seconds}"])


def mta_sts_id(policy: str) -> str:
    """What changes when the policy does (section 3.1: up to 32 letters and digits)."""
    return hashlib.sha256(policy.encode()).hexdigest()[:32]


def authorisations(uris: tuple[str, ...], domain: str) -> tuple[str, ...]:
    """The records by which other domains agree to take reports about this one (RFC 9990 section 4): theirs to make."""
    theirs = {uri.rpartition("@")[2] for uri in uris}
    outside = sorted(name for name in theirs if name != domain and not name.endswith(f".{domain}"))
    return tuple(f"{domain}._report._dmarc.{name}" for name in outside)


def _last_tags(policy: Dmarc) -> list[str]:
    testing = ["t=y"] if policy.testing else []
    return [*testing, f"rua={','.join(policy.rua)}"] if policy.rua else testing


def _at(label: str) -> str:
    """What tells a resource of a sub-domain from the domain's own."""
    return "" if label == APEX else f"-at-{label}"


def _exchangers(mail: Mail, domain: str) -> Iterator[MailRecord]:
    exchangers = mail.receive.exchangers if mail.receive else (NULL_MX,)
    for number, (host, priority) in enumerate(exchangers, start=1):
        yield MailRecord(resource=f"mx-{number}", name=domain, type="MX", content=host, priority=priority)


def _envelopes(mail: Mail, domain: str) -> Iterator[MailRecord]:
    for label in sending_domains(mail):
        name = absolute(label, domain)
        yield MailRecord(resource=f"spf{_at(label)}", name=name, type="TXT", content=spf(mail, label))


def _keys(mail: Mail, domain: str) -> Iterator[MailRecord]:
    for sender in mail.senders:
        for key in sender.dkim:
            yield MailRecord(
                resource=f"dkim-{key.selector}{_at(sender.domain)}",
                name=dkim_name(key.selector, absolute(sender.domain, domain)),
                type=key.type,
                content=key.value,
            )


def _return_paths(mail: Mail, domain: str) -> Iterator[MailRecord]:
    for sender in mail.senders:
        shape = VENDORS[sender.via].return_path
        if shape and sender.bounces_to:
            yield MailRecord(
                resource=f"return-path-{below(sender.bounces_to, sender.domain)}",
                name=absolute(below(sender.bounces_to, sender.domain), domain),
                type=shape.type,
                content=sender.bounce_target or "",
                priority=shape.priority if shape.type == "MX" else None,
            )


def _policies(policy: Dmarc, domain: str) -> Iterator[MailRecord]:
    yield MailRecord(resource="dmarc", name=f"_dmarc.{domain}", type="TXT", content=dmarc(policy))
    for label in policy.domains:
        name = f"_dmarc.{absolute(label, domain)}"
        yield MailRecord(resource=f"dmarc{_at(label)}", name=name, type="TXT", content=dmarc_below(policy, label))


def _transport(mail: Mail, domain: str) -> Iterator[MailRecord]:
    if mail.mta_sts and mail.receive:
        policy_id = mta_sts_id(mta_sts_policy(mail.mta_sts, mail.receive.exchangers))
        text = f"v=STSv1; id={policy_id};"
        yield MailRecord(resource="mta-sts", name=f"_mta-sts.{domain}", type="TXT", content=text)
        host = absolute(MTA_STS_HOST, domain)
        yield MailRecord(resource="host-mta-sts-aaaa", name=host, type="AAAA", content=ORIGINLESS, proxied=True)
    if mail.tls_rpt:
        text = f"v=TLSRPTv1; rua={','.join(mail.tls_rpt)}"
        yield MailRecord(resource="tls-rpt", name=f"_smtp._tls.{domain}", type="TXT", content=text)
    if mail.bimi:
        text = f"v=BIMI1; l={mail.bimi.logo}; a={mail.bimi.authority or ''}"
        yield MailRecord(resource="bimi", name=f"default._bimi.{domain}", type="TXT", content=text)
