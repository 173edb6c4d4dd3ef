"""DNS records as Cloudflare takes, keeps and refuses them.

https://developers.cloudflare.com/dns/manage-dns-records/reference/dns-record-types/
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.twins.zone.plans import Limits
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError, one_of, text, whole

AUTOMATIC = 1  # the ttl that stands for "as Cloudflare sees fit"
AUTOMATIC_SECONDS = 300
_MOST_TTL = 86_400
_TXT_OCTETS = 255  # RFC 1035 section 3.3.14: one character string
_TXT_TOTAL = 2048
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_QUOTED = re.compile(r'\s*"((?:\\.|[^"\\])*)"', re.DOTALL)
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
        return self.name, self.type, self.content.rstrip(".").lower(), self.priority


def parse_record(inputs: Mapping[str, Any], zone: str, limits: Limits) -> Record:
    """The record that Cloudflare makes of `inputs`; raises CloudflareError or NotInTwinError."""
    kind = text(inputs, "type", "a record")
    name = _absolute(text(inputs, "name", "a record"), zone)
    what = f"{kind} record {name}"
    if kind not in _CONTENTS:
        raise NotInTwinError(f"{what}: the DNS twin serves {', '.join(_CONTENTS)}")
    _check_name(name, what)
    content, priority, data = _CONTENTS[kind](inputs, what)
    return Record(
        name=name,
        type=kind,
        content=content,
        ttl=_ttl(inputs, what, limits),
        proxied=_proxied(inputs, kind, what),
        priority=priority,
        data=data,
    )


def check_beside(record: Record, others: Iterable[Record], zone: str, limits: Limits) -> None:
    """Raise CloudflareError when `record` cannot stand beside `others`, those already in the zone."""
    present = list(others)
    if len(present) >= limits.records:
        raise CloudflareError(f"the plan holds {limits.records} records, {record.name} would be one more")
    for other in (other for other in present if other.name == record.name):
        pair = {record.type, other.type}
        if record.identity == other.identity:
            raise CloudflareError(f"an identical {record.type} record {record.name} already exists")
        # RFC 2181 section 10.1; at the apex Cloudflare flattens a CNAME, which then stands beside MX and TXT.
        if "CNAME" in pair and (record.name != zone or pair <= set(PROXIABLE)):
            raise CloudflareError(
                f"{record.type} record {record.name}: a {other.type} record of that name already exists, "
                "and a CNAME stands alone"
            )
        if pair <= {"A", "AAAA"} and record.proxied != other.proxied:
            raise CloudflareError(f"{record.name}: the A and AAAA records of a name are proxied together or not")


def _absolute(name: str, zone: str) -> str:
    """The API appends the zone to every name that does not end in it; `@` is the apex."""
    plain = name.rstrip(".").lower()
    if plain == "@":
        return zone
    return plain if plain == zone or plain.endswith(f".{zone}") else f"{plain}.{zone}"


def _check_name(name: str, what: str) -> None:
    labels = name.removeprefix("*.").split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise CloudflareError(f"{what}: labels have 1 to 63 letters, digits, - and _, names 253 characters at most")


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


Parsed = tuple[str, int | None, Mapping[str, Any]]


def _address(version: int) -> Callable[[Mapping[str, Any], str], Parsed]:
    def parse(inputs: Mapping[str, Any], what: str) -> Parsed:
        content = text(inputs, "content", what)
        try:
            address = ipaddress.ip_address(content)
        except ValueError:
            address = None
        if address is None or address.version != version:
            raise CloudflareError(f"{what}: content must be an IPv{version} address, got {content!r}")
        return content, None, {}

    return parse


def _host(inputs: Mapping[str, Any], what: str) -> Parsed:
    return _host_name(text(inputs, "content", what), what), None, {}


def _host_name(name: str, what: str) -> str:
    plain = name.rstrip(".")
    labels = plain.split(".")
    if len(plain) > 253 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdecimal():
        raise CloudflareError(f"{what}: content must be a host name, got {name!r}")
    return plain


def _mail_exchanger(inputs: Mapping[str, Any], what: str) -> Parsed:
    if inputs.get("priority") is None:
        raise CloudflareError(f"{what}: an MX record needs a priority from 0 to 65535")
    content = text(inputs, "content", what)
    host = "." if content == "." else _host_name(content, what)  # RFC 7505: the null MX
    return host, whole(inputs["priority"], f"{what}: priority", least=0, most=65_535), {}


def _text(inputs: Mapping[str, Any], what: str) -> Parsed:
    content = text(inputs, "content", what)
    if len(content) > _TXT_TOTAL:
        raise CloudflareError(f"{what}: at most {_TXT_TOTAL} characters, got {len(content)}")
    parts = strings(content)
    longest = max(len(part.encode()) for part in parts)
    if longest > _TXT_OCTETS:
        remedy = "split it" if content.startswith('"') else "quote and split it"
        raise CloudflareError(
            f"{what}: a string of {longest} octets; {remedy} into strings of at most {_TXT_OCTETS}, "
            "or what is read back differs from what was declared in every preview"
        )
    return content, None, {}


def strings(content: str) -> list[str]:
    """The character strings of TXT content: its quoted parts, or all of it when it is not quoted."""
    if not content.startswith('"'):
        return [content]
    parts, position = [], 0
    while position < len(content.rstrip()):
        match = _QUOTED.match(content, position)
        if match is None:
            raise CloudflareError(f"TXT content is quoted in part only: {content[position : position + 20]!r}")
        parts.append(re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL))
        position = match.end()
    return parts


def _authority_authorization(inputs: Mapping[str, Any], what: str) -> Parsed:
    data = _data(inputs, what, ("flags", "tag", "value"))
    flags = whole(data["flags"], f"{what}: data.flags", least=0, most=255)
    tag = one_of(data["tag"], ("issue", "issuewild", "issuemail", "iodef"), f"{what}: data.tag")
    return f'{flags} {tag} "{data["value"]}"', None, data


def _service(inputs: Mapping[str, Any], what: str) -> Parsed:
    data = _data(inputs, what, ("priority", "weight", "port", "target"))
    numbers = [whole(data[key], f"{what}: data.{key}", least=0, most=65_535) for key in ("priority", "weight", "port")]
    return f"{' '.join(map(str, numbers))} {_host_name(str(data['target']), what)}", None, data


def _data(inputs: Mapping[str, Any], what: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    data = inputs.get("data")
    if not isinstance(data, Mapping) or any(data.get(key) is None for key in keys):
        raise CloudflareError(f"{what} needs data with {', '.join(keys)}")
    return data


_CONTENTS: dict[str, Callable[[Mapping[str, Any], str], Parsed]] = {
    "A": _address(4),
    "AAAA": _address(6),
    "CNAME": _host,
    "NS": _host,
    "MX": _mail_exchanger,
    "TXT": _text,
    "CAA": _authority_authorization,
    "SRV": _service,
}
