"""Rules over DMARC records: the policy, and where reports go."""

import re

from checks.contract import Contract, Dmarc
from checks.model import Verdict, judge
from checks.probes.dns import Answer
from checks.rules.mail_records import tags_of

MAILTO = re.compile(r"mailto:[^@\s,!;]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}(?:![0-9]+[kmgt]?)?\Z")
POLICIES = ("none", "quarantine", "reject")
REMOVED_TAGS = ("pct", "rf", "ri")  # RFC 9989
TAGS = ("p", "sp", "np")


def dmarc(contract: Contract, facts: tuple[Answer, ...]) -> Verdict:
    """mail.dmarc: one record a declared domain, at its declared rung, sp and np too, no removed tag (RFC 9989).

    Whether the rung is the one that must be reached is mail.dmarc-rung; whether mail that is sent aligns, mail.align.
    """
    problems: list[str] = []
    for declared, answer in zip(contract.mail.dmarc, facts, strict=True):
        records = dmarc_records(answer)
        if len(records) == 1:
            problems += _record_problems(records[0], declared)
        else:
            problems.append(f"{len(records)} DMARC records at {answer.name}, must be one")
    return judge(
        "the declared rung, enforced for sub-domains as declared",
        seen="; ".join(record for answer in facts for record in dmarc_records(answer)),
        problems=problems,
        evidence=tuple(answer.line() for answer in facts),
    )


def dmarc_rua(contract: Contract, facts: tuple[Answer, ...]) -> Verdict:
    """mail.dmarc-rua: the declared addresses for aggregate reports, each a mailto: URI (RFC 9990 section 4).

    A domain that sends has at least one. Whether another domain has agreed to take them is mail.dmarc-report.
    """
    problems: list[str] = []
    for declared, answer in zip(contract.mail.dmarc, facts, strict=True):
        addresses = report_addresses(answer)
        problems += [f"{address!r} is not a mailto: address" for address in addresses if not MAILTO.match(address)]
        if contract.mail.senders and not addresses:
            problems.append(f"no rua= at {answer.name}")
        elif addresses != declared.rua:
            problems.append(f"{answer.name} reports to {', '.join(addresses)}, declared {', '.join(declared.rua)}")
    return judge(
        "rua= with the declared mailto: addresses",
        seen=f"{sum(len(report_addresses(answer)) for answer in facts)} report addresses",
        problems=problems,
        evidence=tuple(answer.line() for answer in facts),
    )


def dmarc_report(_contract: Contract, facts: tuple[Answer, ...]) -> Verdict:
    """mail.dmarc-report: every report address of another domain is authorised there (RFC 9990 section 4)."""
    problems = [
        f"{answer.name} has no v=DMARC1 record: that domain does not take these reports"
        for answer in facts
        if not any(record.startswith("v=DMARC1") for record in answer.records)
    ]
    return judge(
        "each outside report address authorised by its domain",
        seen=f"{len(facts)} outside domains agree",
        problems=problems,
        evidence=tuple(answer.line() for answer in facts),
    )


def dmarc_records(answer: Answer) -> tuple[str, ...]:
    """The DMARC records among TXT records: the version comes first and is exact (RFC 9989 section 4.7)."""
    return tuple(record for record in answer.records if re.match(r"v\s*=\s*DMARC1\s*(;|$)", record))


def report_addresses(answer: Answer) -> tuple[str, ...]:
    """The rua addresses of the DMARC records in an answer."""
    found = (tags_of(record).get("rua", "") for record in answer.records if record.startswith("v=DMARC1"))
    return tuple(address.strip() for text in found for address in text.split(",") if address.strip())


def _record_problems(record: str, declared: Dmarc) -> list[str]:
    tags = tags_of(record)
    found = {"p": tags.get("p", "(missing)"), **{tag: tags[tag] for tag in TAGS[1:] if tag in tags}}
    problems = [f"{tag}={value} is no policy" for tag, value in found.items() if value not in POLICIES]
    problems += [f"{tag}= was removed by RFC 9989" for tag in REMOVED_TAGS if tag in tags]
    wanted = dict(zip(TAGS, (declared.policy, declared.subdomains, declared.nonexistent), strict=True))
    for tag in TAGS:
        if tags.get(tag) != wanted[tag]:
            problems.append(
                f"{declared.name}: published {_shown(tag, tags.get(tag))}, declared {_shown(tag, wanted[tag])}"
            )
    if (tags.get("t") == "y") != declared.testing:
        said = "t=y: receivers treat it as a test" if not declared.testing else "no t=y, declared as a test"
        problems.append(f"{declared.name}: {said}")
    return problems


def _shown(tag: str, value: str | None) -> str:
    return f"{tag}={value}" if value else f"no {tag}="
