"""Rules over the domain's mail records: MX, SPF, DKIM, DMARC."""

import base64
import binascii
import ipaddress
import re

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.dns import Answer
from checks.probes.mail import DkimFacts
from checks.probes.spf import SpfCost
from checks.probes.spf import records as spf_records

LOOKUPS_MOST, LOOKUPS_WARN, VOIDS_MOST = 10, 8, 2  # RFC 7208 section 4.6.4
MAILTO = re.compile(r"mailto:[^@\s,!;]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}(?:![0-9]+[kmgt]?)?\Z")
POLICIES = ("none", "quarantine", "reject")
REMOVED_TAGS = ("pct", "rf", "ri")  # RFC 9989


def mx(contract: Contract, facts: Answer) -> Verdict:
    """mail.mx: the domain publishes exactly the declared exchangers, each a host name (RFC 5321 section 5.1).

    Whether those hosts resolve is the vendor's zone: mail.mx-hosts.
    """
    published = sorted(_exchanger(record) for record in facts.records)
    declared = sorted((mx.priority, mx.host.rstrip(".").lower()) for mx in contract.mail.mx)
    problems = [] if published else [f"{contract.domain} has no MX record"]
    if published and published != declared:
        problems.append(f"published {published}, declared {declared}")
    problems += [f"{host} is an address, not a host name" for _, host in published if _is_address(host)]
    return judge(
        "the declared exchangers, by host name", seen=facts.line(), problems=problems, evidence=(facts.line(),)
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


def spf(contract: Contract, facts: Answer) -> Verdict:
    """mail.spf: one record that ends in -all or ~all, without ptr, as declared (RFC 7208 sections 3.2, 5.1, 5.5).

    How many lookups its includes cost is mail.spf-limit.
    """
    records = spf_records(facts)
    problems = [] if len(records) == 1 else [f"{len(records)} SPF records at {contract.domain}, must be one"]
    for record in records:
        problems += _spf_problems(record)
        if contract.mail.spf and record != contract.mail.spf.value:
            problems.append(f"published {record!r}, declared {contract.mail.spf.value!r}")
    return judge(
        "one record ending in -all or ~all, without ptr",
        seen=" ".join(records),
        problems=problems,
        evidence=(facts.line(),),
    )


def spf_limit(_contract: Contract, facts: SpfCost) -> Verdict:
    """mail.spf-limit: at most 10 DNS lookups (8 warns) and 2 void ones (RFC 7208 section 4.6.4)."""
    problems = [facts.error] if facts.error else []
    if facts.lookups > LOOKUPS_MOST:
        problems.append(f"{facts.lookups} lookups, at most {LOOKUPS_MOST}")
    if facts.voids > VOIDS_MOST:
        problems.append(f"{facts.voids} void lookups, at most {VOIDS_MOST}")
    warnings = [f"{facts.lookups} lookups, close to {LOOKUPS_MOST}"] if facts.lookups >= LOOKUPS_WARN else []
    return judge(
        f"at most {LOOKUPS_MOST} lookups and {VOIDS_MOST} void ones",
        seen=f"{facts.lookups} lookups, {facts.voids} void",
        problems=problems,
        warnings=warnings,
    )


def dkim(_contract: Contract, facts: tuple[DkimFacts, ...]) -> Verdict:
    """mail.dkim: every declared selector is published as declared, and there is at least one (RFC 6376 section 3.6).

    A CNAME leads into the vendor's zone; the key that it holds is mail.dkim-key.
    """
    problems = [] if facts else ["no selector is declared"]
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
        failing, warning = _key_problems(fact)
        problems += failing
        warnings += warning
    return judge(
        "RSA of at least 2048 bits or Ed25519, not t=y",
        seen=f"{len(facts)} keys strong enough",
        problems=problems,
        warnings=warnings,
        evidence=tuple(fact.key.line() for fact in facts),
    )


def dmarc(contract: Contract, facts: Answer) -> Verdict:
    """mail.dmarc: one record, p=quarantine or reject, not t=y, sp and np no weaker, no removed tag (RFC 9989).

    Whether mail that people send aligns with it is mail.align.
    """
    records = [record for record in facts.records if record.replace(" ", "").startswith("v=DMARC1")]
    if len(records) != 1:
        return judge(
            "one DMARC record",
            seen="",
            problems=[f"{len(records)} DMARC records at {facts.name}, must be one"],
            evidence=(facts.line(),),
        )
    tags = tags_of(records[0])
    problems = _policy_problems(tags)
    problems += [f"{tag}= was removed by RFC 9989" for tag in REMOVED_TAGS if tag in tags]
    problems += ["t=y: receivers treat it as a test"] if tags.get("t") == "y" else []
    declared = contract.mail.dmarc.policy if contract.mail.dmarc else None
    if declared and tags.get("p") != declared:
        problems.append(f"published p={tags.get('p')}, declared {declared}")
    return judge(
        "p=quarantine or p=reject, enforced for subdomains too",
        seen=records[0],
        problems=problems,
        evidence=(facts.line(),),
    )


def dmarc_rua(_contract: Contract, facts: Answer) -> Verdict:
    """mail.dmarc-rua: an address for aggregate reports, each a mailto: URI (RFC 9990 section 4).

    Whether another domain has agreed to take them is mail.dmarc-report.
    """
    addresses = report_addresses(facts)
    problems = [f"{address!r} is not a mailto: address" for address in addresses if not MAILTO.match(address)]
    if not addresses:
        problems.append(f"no rua= at {facts.name}")
    return judge(
        "rua= with at least one mailto: address",
        seen=f"{len(addresses)} report addresses",
        problems=problems,
        evidence=(facts.line(),),
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


def tags_of(record: str) -> dict[str, str]:
    """The tags of a `tag=value; tag=value` record, names in lower case."""
    pairs = (part.partition("=") for part in record.split(";") if part.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def report_addresses(answer: Answer) -> tuple[str, ...]:
    """The rua addresses of the DMARC records in an answer."""
    found = (tags_of(record).get("rua", "") for record in answer.records if record.startswith("v=DMARC1"))
    return tuple(address.strip() for text in found for address in text.split(",") if address.strip())


def _spf_problems(record: str) -> list[str]:
    terms = record.lower().split()[1:]
    problems = [f"{term}: ptr is slow and must not be used" for term in terms if term.lstrip("+-~?").startswith("ptr")]
    redirected = any(term.startswith("redirect=") for term in terms)
    everything = [term for term in terms if term.lstrip("+-~?") == "all"]
    if not everything and not redirected:
        problems.append("no all term: anybody else is neutral")
    problems += [f"{term} lets anybody send" for term in everything if term not in {"-all", "~all"}]
    wide = [term for term in terms if term.lstrip("+-~?") in {"ip4:0.0.0.0/0", "ip6:::/0"}]
    return problems + [f"{term} lets anybody send" for term in wide]


def _policy_problems(tags: dict[str, str]) -> list[str]:
    policy = tags.get("p", "")
    if policy not in POLICIES:
        return [f"p={policy or '(missing)'} is no policy"]
    problems = [] if policy != "none" else ["p=none only watches; nothing is refused"]
    for tag in ("sp", "np"):
        value = tags.get(tag, policy)
        if value not in POLICIES or POLICIES.index(value) < POLICIES.index(policy):
            problems.append(f"{tag}={value} is weaker than p={policy}")
    return problems


def _key_problems(fact: DkimFacts) -> tuple[list[str], list[str]]:
    name = fact.key.name
    if not fact.key.records:
        return [f"{name} holds no key"], []
    tags = tags_of(fact.key.records[0])
    test = [f"{name}: t=y, receivers treat it as a test"] if "y" in tags.get("t", "").split(":") else []
    try:
        bits = _key_bits(tags)
    except ValueError as error:
        return [f"{name}: {error}", *test], []
    if bits < 1024:
        return [f"{name}: RSA {bits} bits, at least 2048", *test], []
    return test, [f"{name}: RSA {bits} bits, 2048 wanted"] if bits < 2048 else []


def _key_bits(tags: dict[str, str]) -> int:
    """The strength as RSA bits; an Ed25519 key counts as 3072. ValueError for what is no key."""
    if not tags.get("p"):
        raise ValueError("the key was revoked (empty p=)")
    try:
        raw = base64.b64decode("".join(tags["p"].split()), validate=True)
    except binascii.Error as error:
        raise ValueError("p= is not base64") from error
    if tags.get("k", "rsa") == "ed25519":
        ed25519.Ed25519PublicKey.from_public_bytes(raw)
        return 3072
    key = serialization.load_der_public_key(raw)
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError(f"p= holds a {type(key).__name__}, not the declared RSA key")
    return key.key_size


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
