"""Rules over records beside the hosts: those declared verbatim, and the authorities that may issue certificates."""

import re
from collections.abc import Iterable

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from checks.contract import Caa, Contract, Record
from checks.model import Verdict, judge
from checks.probes.dns import Answer
from checks.probes.records import RecordFacts

CAA_TEXT = re.compile(r'(\d+) (\S+) "(.*)"\Z')
PRIORITISED = frozenset({"MX", "URI"})  # the contract keeps the priority beside the content


def records(_contract: Contract, facts: tuple[RecordFacts, ...]) -> Verdict:
    """dns.records: every other declared record is served as declared, TXT strings joined (RFC 1035 section 3.3.14).

    What stands beside them is not judged here (`launch-ready drift` lists it). A proxied one must have an address.
    """
    problems = [problem for fact in facts for problem in _record_problems(fact)]
    evidence = tuple(answer.line() for fact in facts for answer in fact.answers)
    return judge(
        "each declared record is served with its content",
        seen=f"{sum(len(fact.declared) for fact in facts)} records are served",
        problems=problems,
        evidence=evidence,
    )


def caa(contract: Contract, facts: tuple[Answer, ...]) -> Verdict:
    """dns.caa: exactly the declared authorities may issue, plain and wildcard, and iodef is as declared (RFC 8659).

    Only what stands before the parameters of a value is compared: the edge adds its own. Without an issuewild record
    those of issue hold for wildcards too (section 4.3). Records of names below the domain are not looked at.
    """
    declared = contract.caa
    expected = "CAA: the declared authorities and no other"
    evidence = tuple(answer.line() for answer in facts)
    if declared is None:
        said = "no CAA is declared: any authority may issue certificates for the domain"
        return judge(expected, seen="", problems=[said], evidence=evidence)
    problems = [problem for answer in facts for problem in _caa_problems(declared, answer)]
    return judge(expected, seen=", ".join(declared.issuers) or "nobody may issue", problems=problems, evidence=evidence)


def _record_problems(fact: RecordFacts) -> list[str]:
    if fact.addresses:
        return [f"{answer.line()}: a proxied name has an address" for answer in fact.addresses if not answer.records]
    wanted = {_declared_text(record) for record in fact.declared}
    problems = []
    for answer in fact.answers:
        missing = wanted - {_comparable(fact.type, text) for text in answer.records}
        problems += [f"{fact.name} {fact.type} at {answer.resolver} lacks {text}" for text in sorted(missing)]
    return problems


def _declared_text(record: Record) -> str:
    if record.type in PRIORITISED and record.priority is not None:
        return _comparable(record.type, f"{record.priority} {record.content}")
    return _comparable(record.type, record.content)


def _comparable(kind: str, text: str) -> str:
    """A record's text in one form: parsed and printed again, names in lower case; TXT as it is."""
    if kind in {"TXT", "SPF"}:
        return text
    try:
        parsed = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), text)
    except dns.exception.DNSException:
        return text
    return str(parsed).lower()


def _caa_problems(declared: Caa, answer: Answer) -> list[str]:
    found = [match.groups() for match in map(CAA_TEXT.match, answer.records) if match]
    issue = _authorities(value for _, tag, value in found if tag == "issue")
    wild = _authorities(value for _, tag, value in found if tag == "issuewild")
    iodef = {value for _, tag, value in found if tag == "iodef"}
    where = f"at {answer.resolver}"
    problems = _difference(f"issue {where}", issue, set(declared.issuers))
    if not any(tag == "issue" for _, tag, _ in found):
        problems.append(f"no CAA issue record {where}: any authority may issue")
    if wild or declared.wildcard_issuers:
        problems += _difference(f"issuewild {where}", wild, set(declared.wildcard_issuers))
    if iodef != ({declared.iodef} if declared.iodef else set()):
        problems.append(f"iodef {where} is {', '.join(sorted(iodef)) or 'absent'}, declared {declared.iodef}")
    return problems


def _authorities(values: Iterable[str]) -> set[str]:
    names = (value.partition(";")[0].strip().lower() for value in values)
    return {name for name in names if name}


def _difference(what: str, found: set[str], declared: set[str]) -> list[str]:
    extra, missing = sorted(found - declared), sorted(declared - found)
    return [f"{what} lets {name} in, which is not declared" for name in extra] + [
        f"{what} lacks {name}" for name in missing
    ]
