"""Rules over mail records: MX, SPF, DKIM and return paths. DMARC is in `checks.rules.dmarc`."""

import ipaddress

from checks.contract import Contract, Mx
from checks.model import Verdict, judge
from checks.probes.dns import Answer
from checks.probes.mail import DkimFacts
from checks.probes.spf import SpfCost
from checks.probes.spf import records as spf_records
from checks.rules.mail_records import key_problems, spf_record_problems

LOOKUPS_MOST, LOOKUPS_WARN, VOIDS_MOST = 10, 8, 2  # RFC 7208 section 4.6.4


def mx(contract: Contract, facts: tuple[Answer, ...]) -> Verdict:
    """mail.mx: each domain publishes exactly its declared exchangers, by host name (RFC 5321 section 5.1).

    A domain that receives nothing publishes a null MX (RFC 7505). Whether the hosts resolve is mail.mx-hosts.
    """
    problems: list[str] = []
    for declared, answer in zip(contract.mail.mx, facts, strict=True):
        problems += _mx_problems(declared, answer)
    return judge(
        "the declared exchangers, by host name; a null MX where no mail is received",
        seen="; ".join(answer.line() for answer in facts),
        problems=problems,
        evidence=tuple(answer.line() for answer in facts),
    )


def mx_hosts(_contract: Contract, facts: tuple[Answer, ...]) -> Verdict:
    """mail.mx-hosts: every exchanger has an address and is no CNAME (RFC 5321 section 5.1, RFC 2181 section 10.3)."""
    problems = [f"{answer.name} is a CNAME" for answer in facts if len(answer.names) > 1]
    addressed = {answer.name for answer in facts if answer.records}
    problems += [f"{name} has no address" for name in sorted({answer.name for answer in facts} - addressed)]
    if not facts:
        problems.append("no exchanger is published")
    return judge(
        "every exchanger resolves, none is a CNAME",
        seen=f"{len(addressed)} exchangers resolve",
        problems=problems,
        evidence=tuple(answer.line() for answer in facts),
    )


def spf(contract: Contract, facts: tuple[Answer, ...]) -> Verdict:
    """mail.spf: one record a domain, ending in -all or ~all, without ptr, as declared (RFC 7208 3.2, 5.1, 5.5).

    How many lookups its includes cost is mail.spf-limit.
    """
    problems: list[str] = []
    for declared, answer in zip(contract.mail.spf, facts, strict=True):
        records = spf_records(answer)
        problems += [] if len(records) == 1 else [f"{len(records)} SPF records at {declared.domain}, must be one"]
        for record in records:
            problems += spf_record_problems(record)
            if record != declared.value:
                problems.append(f"{declared.domain} publishes {record!r}, declared {declared.value!r}")
    return judge(
        "one record a sending domain, ending in -all or ~all, without ptr",
        seen="; ".join(record for answer in facts for record in spf_records(answer)),
        problems=problems,
        evidence=tuple(answer.line() for answer in facts),
    )


def spf_limit(_contract: Contract, facts: tuple[SpfCost, ...]) -> Verdict:
    """mail.spf-limit: at most 10 DNS lookups (8 warns) and 2 void ones a record (RFC 7208 section 4.6.4)."""
    problems: list[str] = []
    warnings: list[str] = []
    for cost in facts:
        problems += [f"{cost.domain}: {cost.error}"] if cost.error else []
        if cost.lookups > LOOKUPS_MOST:
            problems.append(f"{cost.domain}: {cost.lookups} lookups, at most {LOOKUPS_MOST}")
        elif cost.lookups >= LOOKUPS_WARN:
            warnings.append(f"{cost.domain}: {cost.lookups} lookups, close to {LOOKUPS_MOST}")
        if cost.voids > VOIDS_MOST:
            problems.append(f"{cost.domain}: {cost.voids} void lookups, at most {VOIDS_MOST}")
    return judge(
        f"at most {LOOKUPS_MOST} lookups and {VOIDS_MOST} void ones a record",
        seen="; ".join(f"{cost.domain}: {cost.lookups} lookups, {cost.voids} void" for cost in facts),
        problems=problems,
        warnings=warnings,
    )


def dkim(contract: Contract, facts: tuple[DkimFacts, ...]) -> Verdict:
    """mail.dkim: every declared selector is published as declared, and each sender has one (RFC 6376 section 3.6).

    A CNAME leads into the vendor's zone; the key that it holds is mail.dkim-key.
    """
    signed = {key.domain for key in contract.mail.dkim}
    unsigned = [sender for sender in contract.mail.senders if sender.domain not in signed]
    problems = [f"no selector is declared for {sender.via} at {sender.domain}" for sender in unsigned]
    for fact in facts:
        found = [_unquoted(record) for record in fact.published.records]
        if found != [_unquoted(fact.declared)]:
            problems.append(f"{fact.published.line()}; declared {fact.declared}")
    return judge(
        "each declared selector published as declared",
        seen=f"{len(facts)} selectors",
        problems=problems,
        evidence=tuple(fact.published.line() for fact in facts),
    )


def dkim_key(_contract: Contract, facts: tuple[DkimFacts, ...]) -> Verdict:
    """mail.dkim-key: RSA of 2048 bits or Ed25519, not in test mode (RFC 8301 section 3.2, RFC 8463, RFC 6376 3.6.1).

    1024 to 2047 bits warn; less, a revoked key (empty p=) and t=y fail.
    """
    problems: list[str] = [] if facts else ["no selector is declared"]
    warnings: list[str] = []
    for fact in facts:
        failing, warning = key_problems(fact)
        problems += failing
        warnings += warning
    return judge(
        "RSA of at least 2048 bits or Ed25519, not t=y",
        seen=f"{len(facts)} keys strong enough",
        problems=problems,
        warnings=warnings,
        evidence=tuple(fact.key.line() for fact in facts),
    )


def return_path(contract: Contract, facts: tuple[Answer, ...]) -> Verdict:
    """mail.return-path: each declared return path is published as declared, and stands alone (RFC 2181 10.1).

    With a CNAME the vendor answers for the name's SPF record; with an MX the record is one of mail.spf.
    """
    problems = []
    for declared, answer in zip(contract.mail.return_paths, facts, strict=True):
        wanted = declared.value if declared.priority is None else f"{declared.priority} {declared.value}"
        found = [record.rstrip(".") for record in answer.records]
        problems += [] if found == [wanted] else [f"{answer.line()}; declared {wanted}"]
    return judge(
        "each return path as declared",
        seen=f"{len(facts)} return paths",
        problems=problems,
        evidence=tuple(answer.line() for answer in facts),
    )


def _mx_problems(declared: Mx, answer: Answer) -> list[str]:
    published = sorted(_exchanger(record) for record in answer.records)
    wanted = sorted((mx.priority, mx.host.lower()) for mx in declared.exchangers) or [(0, "")]
    if not published:
        return [f"{declared.domain} has no MX record"]
    problems = [] if published == wanted else [f"{declared.domain} publishes {published}, declared {wanted}"]
    return problems + [f"{host} is an address, not a host name" for _, host in published if _is_address(host)]


def _exchanger(record: str) -> tuple[int, str]:
    priority, _, host = record.partition(" ")
    return int(priority), host.rstrip(".").lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _unquoted(record: str) -> str:
    return record.replace('" "', "").strip('"').rstrip(".").strip()
