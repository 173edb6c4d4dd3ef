"""The mail of an existing zone as configuration: the same exchangers, senders and policy, word for word if possible."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from infra.adoption.hosts import relative
from infra.adoption.validity import fault
from infra.hostnames import APEX
from infra.mail.sections import POLICIES, Mail, Receive
from infra.mail.sender_sections import Dkim, Sender
from infra.mail.vendors import GOOGLE_MX
from infra.names import text

_DKIM = "._domainkey"
_SPF = "v=spf1"
_UNDECLARED_TAGS = frozenset({"pct", "rf", "ri", "adkim", "aspf", "fo", "ruf"})
_UNTIL_TARGET = timedelta(days=90)


def mail_of(records: Sequence[Mapping[str, Any]], domain: str, today: date, notes: list[str]) -> dict[str, Any]:
    """The section `mail`; what it cannot say stays a record of its own, or is told in `notes`."""
    found: dict[str, Any] = {}
    if receive := _receive(records, domain, notes):
        found["receive"] = receive
    spf = _texts(records, domain, _SPF)
    senders = [_sender(name, value, records, domain, notes) for name, value in spf.items()]
    found["senders"] = [sender for sender in senders if sender]
    found["spfAll"] = "-all" if spf.get(APEX, "").endswith("-all") else "~all"
    found["dmarc"] = _dmarc(_texts(records, domain, "v=DMARC1").get("_dmarc"), today, notes)
    if found["senders"] and not found["dmarc"].get("rua"):
        found["dmarc"]["rua"] = [f"mailto:postmaster@{domain}"]
        notes.append(
            f"DMARC: reports go to postmaster@{domain}, for a domain that sends takes them; correct the address"
        )
    if addresses := _tls_rpt(_texts(records, domain, "v=TLSRPTv1").get("_smtp._tls")):
        found["tlsRpt"] = addresses
    return found


def _texts(records: Iterable[Mapping[str, Any]], domain: str, version: str) -> dict[str, str]:
    """The TXT records that begin with `version`, by relative name, joined; a name with two is left alone."""
    found: dict[str, list[str]] = {}
    for record in records:
        if record["type"] == "TXT":
            value = text.plain(record["content"]) if record["content"].startswith('"') else record["content"]
            if value == version or value.startswith((f"{version} ", f"{version};")):
                found.setdefault(relative(record["name"].lower(), domain), []).append(value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _receive(records: Iterable[Mapping[str, Any]], domain: str, notes: list[str]) -> dict[str, Any] | None:
    found = [
        (record["content"].rstrip(".").lower() or ".", int(record.get("priority") or 0))
        for record in records
        if record["type"] == "MX" and record["name"].lower() == domain
    ]
    if not found or found == [(".", 0)]:
        return None
    exchangers = sorted(found, key=lambda exchanger: (exchanger[1], exchanger[0]))
    if tuple(exchangers) == GOOGLE_MX:
        return {"via": "google"}
    receive = {"mx": [{"host": host, "priority": priority} for host, priority in exchangers]}
    if fault(Receive, receive):
        notes.append(f"the exchangers of {domain} cannot be declared as they are: {exchangers}; write mail.receive")
        return None
    return receive


def _sender(
    name: str, spf: str, records: Iterable[Mapping[str, Any]], domain: str, notes: list[str]
) -> dict[str, Any] | None:
    """One sender that has everything which a domain's SPF record names, so that the record stays as it is."""
    full = domain if name == APEX else f"{name}.{domain}"
    terms = [_with_value(term, full) for term in spf.split()[1:] if not term.endswith("all")]
    if not terms:
        return None
    sender = {
        "via": "plain",
        "domain": name,
        "kind": "people" if name == APEX else "transactional",
        "spf": terms,
        "dkim": list(_keys(name, records, domain)),
    }
    if (refusal := fault(Sender, sender)) is None:
        return sender
    notes.append(f"{full} has {spf!r}, which cannot be declared as it is ({refusal}): write its sender in mail.senders")
    return None


def _with_value(term: str, full: str) -> str:
    """`a` and `mx` alone mean the domain itself (RFC 7208 sections 5.3 and 5.4)."""
    plain = term.removeprefix("+")
    return f"{plain}:{full}" if plain in ("a", "mx") else plain


def _keys(name: str, records: Iterable[Mapping[str, Any]], domain: str) -> Iterable[dict[str, str]]:
    ending = _DKIM if name == APEX else f"{_DKIM}.{name}"
    for record in records:
        at = relative(record["name"].lower(), domain)
        if at.endswith(ending) and record["type"] in ("CNAME", "TXT"):
            value = record["content"].rstrip(".")
            value = text.plain(record["content"]) if record["content"].startswith('"') else value
            key = {"selector": at.removesuffix(ending), "type": record["type"], "value": value}
            if fault(Dkim, key) is None:
                yield key


def _dmarc(value: str | None, today: date, notes: list[str]) -> dict[str, Any]:
    """What is published; a domain that publishes nothing begins at none, which changes nobody's mail."""
    parts = [part.partition("=") for part in (value or "").split(";")]
    tags = {name.strip(): rest.strip() for name, _, rest in parts}
    rung = tags.get("p", "none") if tags.get("p") in POLICIES else "none"
    notes += [
        f"DMARC: the tag {old}={tags[old]} is not declared, a deployment takes it out of the record"
        for old in sorted(_UNDECLARED_TAGS & tags.keys())
    ]
    found: dict[str, Any] = {"rung": rung, "target": rung}
    if rung == "none":
        found |= {"target": "quarantine", "by": (today + _UNTIL_TARGET).isoformat()}
    if tags.get("sp") in POLICIES:
        found["subdomains"] = tags["sp"]
    if tags.get("t") == "y":
        found["testing"] = True
        found.setdefault("by", (today + _UNTIL_TARGET).isoformat())
    addresses = [uri.strip() for uri in tags.get("rua", "").split(",") if uri.strip()]
    kept = [uri for uri in addresses if fault(Mail, {"dmarc": {"rua": [uri]}}) is None]
    return {**found, "rua": kept} if kept else found


def _tls_rpt(value: str | None) -> list[str]:
    tags = dict(part.strip().partition("=")[::2] for part in (value or "").split(";"))
    addresses = [uri.strip() for uri in tags.get("rua", "").split(",") if uri.strip()]
    return [uri for uri in addresses if fault(Mail, {"tlsRpt": [uri]}) is None]
