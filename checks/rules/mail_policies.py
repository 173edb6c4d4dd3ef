"""Rules over what comes with mail records: MTA-STS, reports about TLS, BIMI, parked domains."""

import re

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.dns import Answer
from checks.probes.mail import ParkedFacts
from checks.probes.mail_policies import BimiFacts, MtaStsFacts
from checks.rules.dmarc import MAILTO, dmarc_records
from checks.rules.mail_records import tags_of

MAX_AGE_LEAST, MAX_AGE_MOST = 604800, 31557600  # seconds; RFC 8461 section 3.2 says weeks, and at most a year
STS_ID = re.compile(r"[A-Za-z0-9]{1,32}")


def mta_sts(contract: Contract, facts: MtaStsFacts) -> Verdict:
    """mail.mta-sts: one TXT record with the declared id; a policy served 200 as text/plain, unredirected (RFC 8461 3).

    Its mode, max_age and mx are the declared ones, and every declared exchanger is covered; testing warns.
    """
    declared = contract.mail.mta_sts
    assert declared, "the probe raises NotDeclared"
    problems = _announcement_problems(facts.txt, declared.id) + _served_problems(facts)
    policy = policy_fields(facts.policy.body)
    wanted = {"version": ["STSv1"], "mode": [declared.mode], "max_age": [str(declared.max_age)]}
    problems += [
        f"{key}: {policy.get(key)}, declared {value}" for key, value in wanted.items() if policy.get(key) != value
    ]
    problems += _coverage_problems(contract, policy.get("mx", []))
    warnings = ["mode testing: senders deliver without TLS all the same"] if declared.mode == "testing" else []
    if not MAX_AGE_LEAST <= declared.max_age <= MAX_AGE_MOST:
        warnings.append(f"max_age {declared.max_age}: {MAX_AGE_LEAST} to {MAX_AGE_MOST} wanted")
    return judge(
        "the declared policy, announced and served",
        seen=f"mode {declared.mode}, {len(policy.get('mx', []))} exchangers",
        problems=problems,
        warnings=warnings,
        evidence=(facts.txt.line(), facts.policy.line()),
    )


def tls_rpt(contract: Contract, facts: Answer) -> Verdict:
    """mail.tlsrpt: one record v=TLSRPTv1 with the declared mailto: or https: addresses (RFC 8460 section 3)."""
    declared = contract.mail.tls_rpt
    assert declared, "the probe raises NotDeclared"
    records = [record for record in facts.records if record.startswith("v=TLSRPTv1")]
    problems = [] if len(records) == 1 else [f"{len(records)} TLSRPT records at {facts.name}, must be one"]
    for record in records:
        addresses = tuple(part.strip() for part in tags_of(record).get("rua", "").split(",") if part.strip())
        if addresses != declared.rua:
            problems.append(f"reports go to {', '.join(addresses) or 'nobody'}, declared {', '.join(declared.rua)}")
        wrong = [one for one in addresses if not (MAILTO.match(one) or one.startswith("https://"))]
        problems += [f"{one!r} is neither mailto: nor https:" for one in wrong]
    return judge("v=TLSRPTv1 with the declared rua", seen=facts.line(), problems=problems, evidence=(facts.line(),))


def bimi(contract: Contract, facts: BimiFacts) -> Verdict:
    """mail.bimi: the declared record over DMARC that is enforced, and a logo that is an SVG (draft-brand-indicators).

    The certificate's own validity is the mailbox provider's to judge; a rehearsal does not have the logo.
    """
    declared = contract.mail.bimi
    assert declared, "the probe raises NotDeclared"
    records = [record for record in facts.txt.records if record.startswith("v=BIMI1")]
    problems = [] if len(records) == 1 else [f"{len(records)} BIMI records at {facts.txt.name}, must be one"]
    problems += [
        f"l={tags.get('l')} a={tags.get('a')}, declared {declared.logo} {declared.authority}"
        for tags in map(tags_of, records)
        if (tags.get("l"), tags.get("a") or None) != (declared.logo, declared.authority)
    ]
    policies = [tags_of(record) for record in dmarc_records(facts.dmarc)]
    if not policies or any("none" in (tags.get("p"), tags.get("sp")) or tags.get("t") == "y" for tags in policies):
        problems.append("DMARC is not enforced, so no mailbox shows a logo")
    if facts.logo and (facts.logo.status != 200 or "<svg" not in facts.logo.body):
        problems.append(f"{facts.logo.line()}: no SVG")
    warnings = (
        ["no authority: most mailboxes show a logo only with a mark certificate"] if not declared.authority else []
    )
    return judge(
        "the declared logo, over enforced DMARC",
        seen=f"{declared.logo}" + ("" if facts.logo else "; the logo itself is looked at live"),
        problems=problems,
        warnings=warnings,
        evidence=(facts.txt.line(), facts.dmarc.line()),
    )


def parked(_contract: Contract, facts: tuple[ParkedFacts, ...]) -> Verdict:
    """mail.parked: null MX, v=spf1 -all, p=reject, an empty key at any selector (RFC 7505, M3AAWG parked domains).

    Retired domains too: they redirect, and neither send nor receive.
    """
    problems = [found for domain in facts for found in _parked_problems(domain)]
    return judge(
        "null MX, SPF -all, DMARC reject, empty keys",
        seen=f"{len(facts)} domains neither send nor receive",
        problems=problems,
        evidence=tuple(answer.line() for one in facts for answer in (one.mx, one.txt, one.dmarc, one.key)),
    )


def policy_fields(text: str) -> dict[str, list[str]]:
    """The fields of an MTA-STS policy, each with its values in order."""
    fields: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), []).append(value.strip())
    return fields


def _announcement_problems(txt: Answer, policy_id: str) -> list[str]:
    records = [record for record in txt.records if record.startswith("v=STSv1")]
    if len(records) != 1:
        return [f"{len(records)} MTA-STS records at {txt.name}, must be one"]
    found = tags_of(records[0]).get("id", "")
    problems = [] if STS_ID.fullmatch(found) else [f"id={found!r} is not 1 to 32 letters and digits"]
    return problems + ([f"id={found}, declared {policy_id}"] if found != policy_id else [])


def _served_problems(facts: MtaStsFacts) -> list[str]:
    answer = facts.policy
    if answer.status != 200:
        return [f"{answer.line()}: a policy is served with 200, and no redirect is followed"]
    kind = answer.header("content-type").partition(";")[0].strip().lower()
    return [] if kind == "text/plain" else [f"content-type {kind or '(none)'}, must be text/plain"]


def _coverage_problems(contract: Contract, patterns: list[str]) -> list[str]:
    declared = [mx.host for one in contract.mail.mx if one.domain == contract.domain for mx in one.exchangers]
    return [f"mx {host} is not covered by the policy" for host in declared if not _covered(host, patterns)]


def _covered(host: str, patterns: list[str]) -> bool:
    """Section 4.1: a leading `*.` stands for exactly one label."""
    wildcard = "*." + host.partition(".")[2]
    return any(pattern.lower() in (host.lower(), wildcard.lower()) for pattern in patterns)


def _parked_problems(facts: ParkedFacts) -> list[str]:
    spf = [record for record in facts.txt.records if record.lower().split(" ")[0] == "v=spf1"]
    policies = [tags_of(record).get("p") for record in dmarc_records(facts.dmarc)]
    keys = [tags_of(record) for record in facts.key.records]
    problems = [] if facts.mx.records == ("0 .",) else [f"{facts.mx.line()}; a null MX is wanted (0 .)"]
    problems += [] if spf == ["v=spf1 -all"] else [f"{facts.domain}: SPF {spf}, wanted v=spf1 -all"]
    problems += [] if policies == ["reject"] else [f"{facts.dmarc.line()}; p=reject is wanted"]
    empty = [tags.get("v") == "DKIM1" and tags.get("p") == "" for tags in keys]
    return problems + ([] if empty == [True] else [f"{facts.key.line()}; v=DKIM1; p= is wanted at any selector"])
