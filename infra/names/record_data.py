"""Records whose parts Cloudflare wants one by one (`data`) and not as text: their parts, and how a zone file has them.

The parts are those of Cloudflare's API (https://developers.cloudflare.com/api/resources/dns/subresources/records/);
dnspython, which writes and reads every type, judges the values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import dns.exception
import dns.name
import dns.rdata

from infra.hostnames import record_fault

Value = int | float | str


@dataclass(frozen=True)
class Part:
    """One part: its key in the configuration, and how a zone file writes it."""

    key: str
    kind: Literal["number", "decimal", "metres", "word", "words", "text", "name"]

    def written(self, value: Value) -> str:
        """The part as a zone file has it."""
        match self.kind:
            case "metres":
                return f"{value}m"
            case "text":
                escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
                return f'"{escaped}"'
            case "name" if value != ROOT:
                return f"{value}."
        return str(value)

    def fault(self, value: object) -> str | None:
        """Why it cannot be this; None when it can. Ranges are left to the type's own parser."""
        if self.kind == "number":
            return None if type(value) is int else "it is a whole number"
        if self.kind in ("decimal", "metres"):
            return None if type(value) in (int, float) else "it is a number"
        if not isinstance(value, str):
            return "it is a text"
        if self.kind == "name" and value != ROOT:
            return record_fault(value)
        if self.kind == "word" and not _WORD.fullmatch(value):
            return "it is one word"
        return None if value.isprintable() else "it is printable text"


_WORD = re.compile(r'[^\s"();\\]+')  # nothing that a zone file would read as more than itself
ROOT = "."  # as a target: this service is not offered here (RFC 2782), or the record's own name (RFC 9460)
_SERVICE = (Part("priority", "number"), Part("target", "name"), Part("value", "words"))
_CERTIFICATE = (Part("usage", "number"), Part("selector", "number"), Part("matchingType", "number"))


def _axis(name: str) -> tuple[Part, ...]:
    degrees, minutes, seconds = (Part(f"{name}{unit}", "number") for unit in ("Degrees", "Minutes", "Seconds"))
    return degrees, minutes, Part(seconds.key, "decimal"), Part(f"{name}Direction", "word")


PARTS: Mapping[str, tuple[Part, ...]] = {
    "CAA": (Part("flags", "number"), Part("tag", "word"), Part("value", "text")),
    "CERT": (
        *(Part("type", "number"), Part("keyTag", "number"), Part("algorithm", "number")),
        Part("certificate", "word"),
    ),
    "DNSKEY": (
        *(Part("flags", "number"), Part("protocol", "number"), Part("algorithm", "number")),
        Part("publicKey", "word"),
    ),
    "DS": (
        *(Part("keyTag", "number"), Part("algorithm", "number"), Part("digestType", "number")),
        Part("digest", "word"),
    ),
    "HTTPS": _SERVICE,
    "LOC": (
        *_axis("lat"),
        *_axis("long"),
        *(Part(key, "metres") for key in ("altitude", "size", "precisionHorz", "precisionVert")),
    ),
    "NAPTR": (
        *(Part("order", "number"), Part("preference", "number")),
        *(Part("flags", "text"), Part("service", "text"), Part("regex", "text")),
        Part("replacement", "name"),
    ),
    "SMIMEA": (*_CERTIFICATE, Part("certificate", "word")),
    "SRV": (
        *(Part("priority", "number"), Part("weight", "number"), Part("port", "number")),
        Part("target", "name"),
    ),
    "SSHFP": (Part("algorithm", "number"), Part("type", "number"), Part("fingerprint", "word")),
    "SVCB": _SERVICE,
    "TLSA": (*_CERTIFICATE, Part("certificate", "word")),
    "URI": (Part("weight", "number"), Part("target", "text")),
}


def data_fault(kind: str, data: Mapping[str, Any]) -> str | None:
    """Why `data`, of any JSON values, is no record of the type; None when it is."""
    parts = {part.key: part for part in PARTS[kind]}
    if parts.keys() != data.keys():
        return f"the parts of {kind} are {', '.join(parts)}"
    for key, part in parts.items():
        if fault := part.fault(data[key]):
            return f"{key}: {fault}"
    return zone_file_fault(kind, written(kind, data))


def zone_file_fault(kind: str, content: str) -> str | None:
    """Why a zone file could not hold such a record; None when it could."""
    try:
        parsed(kind, content)
    except (dns.exception.DNSException, ValueError) as error:
        return f"it is no {kind} record ({error})"
    return None


def written(kind: str, data: Mapping[str, Value]) -> str:
    """`data` as a zone file has it; a URI's priority stands beside it, so that 0 holds its place."""
    text = " ".join(part.written(data[part.key]) for part in PARTS[kind])
    return f"0 {text}" if kind == "URI" else text


def parsed(kind: str, content: str) -> dns.rdata.Rdata:
    """The record data that a zone file's text means. Raises a DNSException or a ValueError."""
    return dns.rdata.from_text("IN", kind, content, origin=dns.name.root, relativize=False)
