"""The configuration of records that stand in the zone as they are written."""

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from infra.hostnames import owner_fault, record_fault
from infra.names import text
from infra.names.addresses import address_fault, reach_fault
from infra.names.record_data import PARTS, data_fault, parsed, written, zone_file_fault
from infra.names.ttl import AUTOMATIC, ttl_fault
from infra.section import Section, refused

# Everything that Cloudflare takes but SOA, which is its own.
# fmt: off
RecordType = Literal[
    "A", "AAAA", "CAA", "CERT", "CNAME", "DNSKEY", "DS", "HTTPS", "LOC", "MX", "NAPTR", "NS", "OPENPGPKEY", "PTR",
    "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", "URI",
]
# fmt: on
PROXIABLE = ("A", "AAAA", "CNAME")
WITH_PRIORITY = ("MX", "URI")  # Cloudflare keeps theirs beside the content
NULL_MX = "."  # RFC 7505
MAX_WIRE_OCTETS = 4096  # of one record, as Cloudflare's page on record types has it


class ZoneRecord(Section):
    """One record: `content` as text, or `data` for the types of which Cloudflare wants the parts.

    `name` is relative to the zone, "@" for the apex. TXT content is the text that is meant, or, where it is in quotes
    as a whole, its zone file form; it is split and escaped here.
    """

    name: str
    type: RecordType
    content: str | None = Field(default=None, validate_default=True)
    data: dict[str, Any] | None = Field(default=None, validate_default=True)
    proxied: bool = False
    ttl: int | None = None
    priority: int | None = Field(default=None, validate_default=True, ge=0, le=65535)
    comment: str | None = Field(default=None, min_length=1, max_length=500)

    @field_validator("name")
    @classmethod
    def _is_in_the_zone(cls, name: str) -> str:
        if fault := owner_fault(name):
            raise refused(fault, 'Write the part before the domain, such as "_dmarc", or "@" for the apex.')
        return name

    @field_validator("content")
    @classmethod
    def _fits_the_type(cls, content: str | None, info: ValidationInfo) -> str | None:
        kind = info.data.get("type")
        if kind is None:
            return content
        if kind in PARTS:
            if content is not None:
                raise refused(f"Cloudflare wants the parts of {kind}, not its text", f"Use data: {_keys(kind)}.")
            return content
        if not content:
            raise refused(f"a record of type {kind} has content", "Add it.")
        if fault := content_fault(kind, content):
            raise refused(fault, _CONTENT_REMEDIES.get(kind, "Copy it from whoever asked for the record."))
        return content

    @field_validator("data")
    @classmethod
    def _has_the_parts(cls, data: dict[str, Any] | None, info: ValidationInfo) -> dict[str, Any] | None:
        kind = info.data.get("type")
        if kind is None:
            return data
        if kind not in PARTS:
            if data is not None:
                raise refused(f"a record of type {kind} has content, no parts", "Use content.")
            return data
        if data is None:
            raise refused(f"Cloudflare wants the parts of {kind}", f"Add data: {_keys(kind)}.")
        if fault := data_fault(kind, data):
            raise refused(fault, f"Write data: {_keys(kind)}.")
        return data

    @field_validator("proxied")
    @classmethod
    def _can_be_proxied(cls, proxied: bool, info: ValidationInfo) -> bool:
        if proxied and info.data.get("type", "A") not in PROXIABLE:
            raise refused(f"only {', '.join(PROXIABLE)} can be proxied", "Leave proxied out.")
        return proxied

    @field_validator("ttl")
    @classmethod
    def _fits_the_proxy(cls, ttl: int | None, info: ValidationInfo) -> int | None:
        if ttl is not None and (fault := ttl_fault(ttl, proxied=bool(info.data.get("proxied")))):
            raise refused(*fault)
        return ttl

    @field_validator("priority")
    @classmethod
    def _is_for_the_type(cls, priority: int | None, info: ValidationInfo) -> int | None:
        kind = info.data.get("type")
        if kind in WITH_PRIORITY and priority is None:
            raise refused(f"a record of type {kind} has a priority", "Add it: the lowest is tried first.")
        if kind is not None and kind not in WITH_PRIORITY and priority is not None:
            raise refused(f"a record of type {kind} has no priority beside it", "Leave it out, or put it into data.")
        return priority

    @property
    def record_ttl(self) -> int:
        """Seconds that resolvers keep the record; 1 is what Cloudflare decides."""
        return self.ttl or AUTOMATIC

    @property
    def sent_content(self) -> str | None:
        """What Cloudflare is sent as content; None where it is sent the parts."""
        if self.content is not None and self.type == "TXT":
            return text.quoted(text.plain(self.content))
        return self.content

    @property
    def value(self) -> str:
        """The record's data as a resolver shows it: absolute names end in a dot, TXT is joined and without quotes."""
        if self.data is not None:
            shown = str(parsed(self.type, written(self.type, self.data)))
            return shown.removeprefix("0 ") if self.type == "URI" else shown
        assert self.content is not None
        if self.type == "TXT":
            return text.plain(self.content)
        return f"{self.content}." if self.type in _NAMES and self.content != NULL_MX else self.content


_NAMES = ("CNAME", "MX", "NS", "PTR")
_CONTENT_REMEDIES = {
    "A": "Give an IPv4 address.",
    "AAAA": "Give an IPv6 address.",
    "TXT": "Write the text that is meant without quotes around it; splitting and escaping is done here.",
    **dict.fromkeys(_NAMES, "Give the absolute name in full, such as in1.mail.example."),
}


def content_fault(kind: str, content: str) -> str | None:
    """Why a record of a type without parts cannot hold `content`; None when it can."""
    match kind:
        case "A" | "AAAA":
            return address_fault(content, kind)
        case "TXT":
            return _text_fault(content)
        case "MX" if content == NULL_MX:
            return None
        case "CNAME" | "MX" | "NS" | "PTR":
            return record_fault(content, host_only=kind in ("MX", "NS"))
    return zone_file_fault(kind, content)


def origin_fault(record: ZoneRecord) -> str | None:
    """Why the edge could not reach what a proxied record leads to; None when it could, or need not."""
    if record.proxied and record.type in ("A", "AAAA") and record.content:
        return reach_fault(record.content)
    return None


def _text_fault(content: str) -> str | None:
    try:
        sent = text.quoted(text.plain(content))
    except ValueError as error:
        return str(error)
    size = len(parsed("TXT", sent).to_wire() or b"")
    if size > MAX_WIRE_OCTETS:
        return f"a record has at most {MAX_WIRE_OCTETS} octets, this one {size}"
    return None


def _keys(kind: str) -> str:
    return "{" + ", ".join(part.key for part in PARTS[kind]) + "}"
