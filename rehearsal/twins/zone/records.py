"""DNS records as Cloudflare takes, keeps and refuses them.

https://developers.cloudflare.com/dns/manage-dns-records/reference/dns-record-types/
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.name

from rehearsal.twins.zone.contents import CONTENTS
from rehearsal.twins.zone.plans import Limits
from rehearsal.twins.zone.refusals import CloudflareError, text, whole

AUTOMATIC = 1  # the ttl that stands for "as Cloudflare sees fit"
AUTOMATIC_SECONDS = 300
_MOST_TTL = 86_400
_TXT_OF_A_NAME = 8192  # characters of all TXT content of one name
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
PROXIABLE = ("A", "AAAA", "CNAME")


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record. `name` is absolute, lower case, without the last dot; `content` as it was declared."""

    name: str
    type: str
    content: str
    ttl: int
    proxied: bool = False
    priority: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ttl_seconds(self) -> int:
        """What resolvers are told."""
        return AUTOMATIC_SECONDS if self.ttl == AUTOMATIC else self.ttl

    @property
    def identity(self) -> tuple[str, str, str, int | None]:
        """What no two records of a zone share."""
        content = self.content if self.type in ("TXT", "URI", "CAA") else self.content.rstrip(".").lower()
        return self.name, self.type, content, self.priority


def parse_record(inputs: Mapping[str, Any], zone: str, limits: Limits) -> Record:
    """The record that Cloudflare makes of `inputs`; raises CloudflareError or NotInTwinError."""
    kind = text(inputs, "type", "a record")
    name = absolute(text(inputs, "name", "a record"), zone)
    what = f"{kind} record {name}"
    if kind not in CONTENTS:
        raise CloudflareError(f"{what}: there is no such type; Cloudflare takes {', '.join(CONTENTS)}", 9004)
    _check_name(name, what)
    if kind == "DS" and name == zone:
        raise CloudflareError(
            f"{what}: a DS record belongs beside the NS records of a delegation, not at the apex", 9101
        )
    content, priority, data = CONTENTS[kind](inputs, what)
    return Record(
        name=name,
        type=kind,
        content=content,
        ttl=_ttl(inputs, what, limits),
        proxied=_proxied(inputs, kind, what),
        priority=priority,
        data=data,
    )


def check_beside(record: Record, others: Iterable[Record], zone: str) -> None:
    """Raise CloudflareError when `record` cannot stand beside `others`, those of its name."""
    present = list(others)
    _check_texts(record, present)
    for other in present:
        pair = {record.type, other.type}
        if record.identity == other.identity:
            raise CloudflareError(f"an identical {record.type} record {record.name} already exists", 81058)
        # RFC 2181 section 10.1; at the apex Cloudflare flattens a CNAME, which then stands beside MX and TXT.
        if "CNAME" in pair and (record.name != zone or pair <= set(PROXIABLE)):
            raise CloudflareError(
                f"{record.type} record {record.name}: a {other.type} record of that name already exists, "
                "and a CNAME stands alone",
                81053,
            )
        if pair <= {"A", "AAAA"} and record.proxied != other.proxied:
            raise CloudflareError(f"{record.name}: the A and AAAA records of a name are proxied together or not")


def _check_texts(record: Record, others: Iterable[Record]) -> None:
    texts = [record, *others]
    total = sum(len(one.content) for one in texts if one.type == "TXT")
    if record.type == "TXT" and total > _TXT_OF_A_NAME:
        message = f"TXT records {record.name}: {total} characters together, at most {_TXT_OF_A_NAME}"
        raise CloudflareError(message, 9023)


def absolute(name: str, zone: str) -> str:
    """The API appends the zone to every name that does not end in it; `@` is the apex. Unicode becomes Punycode."""
    plain = name.rstrip(".").lower()
    if not plain.isascii():
        try:
            plain = dns.name.from_unicode(plain).to_text(omit_final_dot=True)
        except dns.exception.DNSException as error:
            raise CloudflareError(f"record {name}: the name has no form in Punycode: {error}", 9000) from error
    if plain == "@":
        return zone
    return plain if plain == zone or plain.endswith(f".{zone}") else f"{plain}.{zone}"


def _check_name(name: str, what: str) -> None:
    labels = name.removeprefix("*.").split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        message = f"{what}: labels have 1 to 63 letters, digits, - and _, names 253 characters at most"
        raise CloudflareError(message, 9000)


def _ttl(inputs: Mapping[str, Any], what: str, limits: Limits) -> int:
    ttl = whole(inputs.get("ttl"), f"{what}: ttl", least=AUTOMATIC, most=_MOST_TTL)
    if inputs.get("proxied") and ttl != AUTOMATIC:
        raise CloudflareError(f"{what}: a proxied record must have ttl 1 (automatic), got {ttl}")
    if ttl != AUTOMATIC and ttl < limits.least_ttl:
        raise CloudflareError(f"{what}: ttl must be 1 (automatic) or {limits.least_ttl} to {_MOST_TTL}, got {ttl}")
    return ttl


def _proxied(inputs: Mapping[str, Any], kind: str, what: str) -> bool:
    proxied = bool(inputs.get("proxied"))
    if proxied and kind not in PROXIABLE:
        raise CloudflareError(f"{what}: only {', '.join(PROXIABLE)} records can be proxied")
    return proxied
