"""What the records of a zone ask of one another: what Cloudflare refuses when it is too late to be a preview.

Every check goes through the records once: a zone may have thousands.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from infra.hostnames import APEX, MAX_NAME_OCTETS
from infra.mail.sections import Mail
from infra.names import entries, text
from infra.names.entries import Entry
from infra.names.platforms import PLATFORMS, of_target
from infra.names.record_sections import NULL_MX, ZoneRecord, origin_fault
from infra.names.sections import Host
from infra.names.zone_sections import Caa
from infra.plans import PLANS, PlanName
from infra.problems import Problem, problem

# https://developers.cloudflare.com/dns/manage-dns-records/reference/dns-record-types/
MAX_SET_CHARACTERS = 8192  # of the content of all records of one name and type
MAX_COMMENT_ON_FREE = 100  # characters; the paid plans take 500
_ADDRESSES = ("A", "AAAA")


def names_are_relative_and_fit(
    hosts: tuple[Host, ...], records: tuple[ZoneRecord, ...], domain: str
) -> Iterator[Problem]:
    """The name and the domain together still are a name, and the domain is in it once."""
    for entry in _declared(hosts, records):
        full = entry.full_name(domain)
        if entry.name == domain or entry.name.endswith(f".{domain}"):
            relative = entry.name.removesuffix(domain).rstrip(".") or APEX
            limit = f"names are relative to the zone, so this would be {full}"
            yield problem(f"{entry.key}.name", entry.name, limit, f'Write "{relative}".')
        elif len(full) > MAX_NAME_OCTETS:
            limit = f"a full name has at most {MAX_NAME_OCTETS} characters (RFC 1035), this one {len(full)}"
            yield problem(f"{entry.key}.name", entry.name[:16] + "…", limit, "Use a shorter name.")


def aliases_stand_alone(
    hosts: tuple[Host, ...],
    records: tuple[ZoneRecord, ...],
    mail: Mail,
    domain: str,
    canonical: str,
    api_host: str,
    zone: str,
) -> Iterator[Problem]:
    """A CNAME stands alone at its name (RFC 2181 section 10.1).

    The apex is the exception: Cloudflare flattens a CNAME there into addresses, so only addresses may not be beside it
    (https://developers.cloudflare.com/dns/cname-flattening/).
    """
    there: dict[str, list[Entry]] = defaultdict(list)
    own = (*entries.of_program(canonical, api_host, zone), *entries.of_mail(mail, domain, zone))
    for entry in (*own, *_declared(hosts, records)):
        there[entry.name].append(entry)
    for name, found in there.items():
        first = next((entry for entry in found if entry.source == "program" or entry.type == "CNAME"), None)
        for other in found:
            if first and other is not first and _clash(name, first, other):
                kept, blamed = (other, first) if other.source == "mail" else (first, other)
                limit = f"{kept.key} declares {kept.type} at this name, beside which {blamed.type} cannot be (RFC 2181)"
                yield problem(blamed.key, name, limit, "Keep one of the two.")


def records_are_distinct(
    hosts: tuple[Host, ...], records: tuple[ZoneRecord, ...], mail: Mail, domain: str, zone: str
) -> Iterator[Problem]:
    """Cloudflare refuses a record that is there already."""
    seen: dict[tuple[str, str, str], Entry] = {}
    for entry in (*entries.of_mail(mail, domain, zone), *_declared(hosts, records)):
        first = seen.setdefault((entry.name, entry.type, entry.value), entry)
        # Two CNAMEs do not stand alone either, and mail has rules of its own.
        if first is not entry and entry.type != "CNAME" and entry.source != "mail":
            yield problem(entry.key, f"{entry.type} at {entry.name}", f"{first.key} declares the same", "Remove one.")


def policies_of_mail_are_left_to_it(
    records: tuple[ZoneRecord, ...], mail: Mail, domain: str, zone: str
) -> Iterator[Problem]:
    """Two policies of one kind at one name count as none (RFC 7208 section 4.5, RFC 9989, RFC 8461, RFC 8460)."""
    own = {(entry.name, _version(entry.value)) for entry in entries.of_mail(mail, domain, zone) if entry.type == "TXT"}
    for index, record in enumerate(records):
        if record.type == "TXT" and (record.name, version := _version(record.value)) in own and version:
            limit = f"the mail section declares {version} at this name, and two of them count as none"
            yield problem(f"records[{index}]", f"TXT at {record.name}", limit, "Say it in mail.")


def exchangers_are_hosts(
    hosts: tuple[Host, ...], records: tuple[ZoneRecord, ...], mail: Mail, domain: str, zone: str
) -> Iterator[Problem]:
    """An MX or NS never leads to a CNAME (RFC 2181 section 10.3), and a null MX is the only one (RFC 7505)."""
    declared = list(_declared(hosts, records))
    aliases = {f"{entry.full_name(domain)}." for entry in declared if entry.type == "CNAME" and entry.name != APEX}
    all_records = (*entries.of_mail(mail, domain, zone), *declared)
    exchangers = Counter(entry.name for entry in all_records if entry.type == "MX")
    for entry in declared:
        target = entry.value.rpartition(" ")[2]
        if entry.type in ("MX", "NS") and target in aliases:
            limit = f"{entry.type} never leads to a CNAME, which {target} is (RFC 2181)"
            yield problem(f"{entry.key}.content", target, limit, "Name a host with addresses.")
        if entry.type == "MX" and target == NULL_MX and exchangers[entry.name] > 1:
            yield problem(entry.key, f"MX at {entry.name}", "a null MX is the only one (RFC 7505)", "Remove one.")


def apex_is_cloudflares(records: tuple[ZoneRecord, ...], caa: Caa) -> Iterator[Problem]:
    """The delegation is Cloudflare's, its signatures are the parent's, the authorities are derived."""
    reasons = {
        "NS": ("Cloudflare declares the zone's own name servers", "Remove it."),
        "DS": ("a zone's DS stands in its parent", "Give it to the registrar."),
        "DNSKEY": ("Cloudflare signs the zone", "Remove it; dnssec: true switches it on."),
    }
    if caa.enabled:
        reasons["CAA"] = ("the authorities are derived from what is declared", "Put others into caa.also.")
    for index, record in enumerate(records):
        if record.name == APEX and record.type in reasons:
            yield problem(f"records[{index}]", f"{record.type} at the apex", *reasons[record.type])


def certificate_reaches(hosts: tuple[Host, ...], records: tuple[ZoneRecord, ...]) -> Iterator[Problem]:
    """Cloudflare's universal certificate covers the apex and one label."""
    for entry in _declared(hosts, records):
        if entry.proxied and "." in entry.name:
            limit = "the edge's certificate covers the apex and one label below it"
            yield problem(f"{entry.key}.name", entry.name, limit, "Use one label, or set proxied to false.")


def proxied_records_can_be(records: tuple[ZoneRecord, ...]) -> Iterator[Problem]:
    """What stands behind the proxy is reachable, and on no platform that refuses one."""
    for index, record in enumerate(records):
        if fault := origin_fault(record):
            yield problem(f"records[{index}].content", record.content, fault, "Set proxied to false.")
        found = of_target(record.content or "") if record.proxied and record.type == "CNAME" else None
        if found and (preset := PLATFORMS[found]).proxy == "never":
            limit = f"{preset.title} cannot stand behind a proxy: {preset.proxy_reason} ({preset.proxy_source})"
            yield problem(f"records[{index}].proxied", "true", limit, "Set proxied to false.")


def sets_fit(hosts: tuple[Host, ...], records: tuple[ZoneRecord, ...]) -> Iterator[Problem]:
    """The contents of one name and type have a common limit."""
    sizes: Counter[tuple[str, str]] = Counter()
    for entry in _declared(hosts, records):
        before = sizes[entry.name, entry.type]
        content = text.quoted(entry.value) if entry.type == "TXT" else entry.value
        sizes[entry.name, entry.type] = after = before + len(content)
        if before <= MAX_SET_CHARACTERS < after:
            limit = f"the {entry.type} records of one name have at most {MAX_SET_CHARACTERS} characters together"
            yield problem(
                entry.key, f"{entry.type} at {entry.name}", limit, "Remove those that nobody asks for any more."
            )


def comments_fit_the_plan(records: tuple[ZoneRecord, ...], zone_plan: PlanName) -> Iterator[Problem]:
    """The free plan has short comments."""
    for index, record in enumerate(records):
        if zone_plan == "free" and record.comment and len(record.comment) > MAX_COMMENT_ON_FREE:
            limit = f"plan 'free' has comments of {MAX_COMMENT_ON_FREE} characters, this one has {len(record.comment)}"
            yield problem(f"records[{index}].comment", record.comment[:16] + "…", limit, "Shorten it.")


def records_fit_the_plan(
    hosts: tuple[Host, ...], records: tuple[ZoneRecord, ...], mail: Mail, domain: str, zone: str, zone_plan: PlanName
) -> Iterator[Problem]:
    """Each plan holds so many records; the few of the program itself are counted while they are declared."""
    count = sum(1 for _ in (*entries.of_mail(mail, domain, zone), *_declared(hosts, records)))
    most = PLANS[zone_plan].dns_records
    if count > most:
        limit = f"plan {zone_plan!r} holds {most} records and this stack declares {count}"
        key, shown = ("records", f"{len(records)} records") if records else ("hosts", f"{len(hosts)} hosts")
        yield problem(key, shown, limit, "Declare fewer, or use a larger zonePlan.")


RECORD_CHECKS = (
    names_are_relative_and_fit,
    aliases_stand_alone,
    records_are_distinct,
    policies_of_mail_are_left_to_it,
    exchangers_are_hosts,
    apex_is_cloudflares,
    certificate_reaches,
    proxied_records_can_be,
    sets_fit,
    comments_fit_the_plan,
    records_fit_the_plan,
)


def _declared(hosts: tuple[Host, ...], records: tuple[ZoneRecord, ...]) -> Iterator[Entry]:
    yield from entries.of_hosts(hosts)
    yield from entries.of_records(records)


def _clash(name: str, first: Entry, other: Entry) -> bool:
    """Whether `other` cannot stand beside `first`, which is a CNAME or the program's own."""
    if (first.source, other.source) in (("program", "hosts"), ("mail", "mail")):
        return False  # said by the rules about hosts, and by those about mail
    if first.key == other.key:
        return False  # the addresses of one host
    types = {first.type, other.type}
    if name == APEX or "CNAME" not in types:
        return types <= {"CNAME", *_ADDRESSES} and ("CNAME" in types or first.source == "program")
    return True


def _version(value: str) -> str:
    """What a policy of mail says it is: `v=spf1`, `v=DMARC1`; nothing for other texts."""
    tag = re.split(r"[;\s]", value, maxsplit=1)[0]
    return tag.lower() if tag.lower().startswith("v=") else ""
