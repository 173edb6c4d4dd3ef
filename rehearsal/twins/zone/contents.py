"""What each type of record holds, as Cloudflare takes it: `content`, or `data` with its parts.

https://developers.cloudflare.com/api/resources/dns/subresources/records/
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

import dns.exception
import dns.name
import dns.rdata

from rehearsal.twins.zone.refusals import CloudflareError, one_of, text, whole

TXT_OCTETS = 255  # RFC 1035 section 3.3.14: one character string
_TXT_TOTAL = 4096
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_QUOTED = re.compile(r'\s*"((?:\\.|[^"\\])*)"', re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-9]{3}|.)", re.DOTALL)
_SHORT, _BYTE = 65_535, 255
_TAGS = ("issue", "issuewild", "issuemail", "iodef")
Parsed = tuple[str, int | None, Mapping[str, Any]]


def _address(version: int) -> Callable[[Mapping[str, Any], str], Parsed]:
    def parse(inputs: Mapping[str, Any], what: str) -> Parsed:
        content = text(inputs, "content", what)
        try:
            address = ipaddress.ip_address(content)
        except ValueError:
            address = None
        if address is None or address.version != version:
            message = f"{what}: content must be an IPv{version} address, got {content!r}"
            raise CloudflareError(message, 9005 if version == 4 else 9006)
        return content, None, {}

    return parse


def _host(inputs: Mapping[str, Any], what: str) -> Parsed:
    return _host_name(text(inputs, "content", what), what), None, {}


def _host_name(name: str, what: str) -> str:
    plain = name.rstrip(".")
    labels = plain.split(".")
    if len(plain) > 253 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdecimal():
        raise CloudflareError(f"{what}: content must be a host name, got {name!r}", 9007)
    return plain


def _mail_exchanger(inputs: Mapping[str, Any], what: str) -> Parsed:
    if inputs.get("priority") is None:
        raise CloudflareError(f"{what}: an MX record needs a priority from 0 to 65535", 9100)
    content = text(inputs, "content", what)
    host = "." if content == "." else _host_name(content, what)  # RFC 7505: the null MX
    return host, whole(inputs["priority"], f"{what}: priority", least=0, most=_SHORT), {}


def _text(inputs: Mapping[str, Any], what: str) -> Parsed:
    content = text(inputs, "content", what)
    parts = strings(content)
    longest, total = max(map(len, parts)), sum(len(part) + 1 for part in parts)
    if longest > TXT_OCTETS:
        remedy = "split it" if content.startswith('"') else "quote and split it"
        raise CloudflareError(
            f"{what}: a string of {longest} octets; {remedy} into strings of at most {TXT_OCTETS}, "
            "or what is read back differs from what was declared in every preview"
        )
    if total > _TXT_TOTAL:
        raise CloudflareError(f"{what}: at most {_TXT_TOTAL} octets with their lengths, got {total}", 9023)
    return content, None, {}


def strings(content: str) -> list[bytes]:
    """The character strings of TXT content: its quoted parts, or all of it when it is not quoted.

    In quotes, `\\DDD` is an octet and any other `\\X` is X (RFC 1035 section 5.1). CloudflareError where a quote is
    left open.
    """
    if not content.startswith('"'):
        return [content.encode()]
    parts, position = [], 0
    while position < len(content.rstrip()):
        match = _QUOTED.match(content, position)
        if match is None:
            raise CloudflareError(f"TXT content is quoted in part only: {content[position : position + 20]!r}")
        parts.append(_ESCAPED.sub(_unescaped, match[1].encode()))
        position = match.end()
    return parts


def _unescaped(match: re.Match[bytes]) -> bytes:
    octet = int(match[1]) if len(match[1]) == 3 else _BYTE + 1
    return bytes([octet]) if octet <= _BYTE else match[1]


def quoted(octets: bytes) -> str:
    """One character string in the form of a zone file (RFC 1035 section 5.1)."""
    escaped = "".join(
        f"\\{byte:03}" if byte < 0x20 or byte > 0x7E else f"\\{chr(byte)}" if chr(byte) in '"\\' else chr(byte)
        for byte in octets
    )
    return f'"{escaped}"'


def _open_pgp_key(inputs: Mapping[str, Any], what: str) -> Parsed:
    content = text(inputs, "content", what)
    _check_form("OPENPGPKEY", content, what)
    return content, None, {}


Part = Callable[[Any, str], str]


def _number(most: int) -> Part:
    return lambda value, what: str(whole(value, what, least=0, most=most))


def _plain(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise CloudflareError(f"{what} must be a text that is not empty, got {value!r}", 9101)
    return value


def _quotable(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise CloudflareError(f"{what} must be a text, got {value!r}", 9101)
    return quoted(value.encode())


def _target(value: Any, what: str) -> str:
    return "." if value == "." else _host_name(_plain(value, what), what)


def _tag(value: Any, what: str) -> str:
    return one_of(value, _TAGS, what)


def _parameters(value: Any, what: str) -> str:
    if value is not None and not isinstance(value, str):
        raise CloudflareError(f"{what} must be a text, got {value!r}", 9101)
    return value or ""


def _decimal(value: Any, what: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CloudflareError(f"{what} must be a number, got {value!r}", 9101)
    return f"{value:g}"


def _metres(value: Any, what: str) -> str:
    return f"{_decimal(value, what)}m"


_OCTET, _NUMBER = _number(_BYTE), _number(_SHORT)
_ASSOCIATION: Mapping[str, Part] = {
    "usage": _OCTET,
    "selector": _OCTET,
    "matchingType": _OCTET,
    "certificate": _plain,
}
_BINDING: Mapping[str, Part] = {"priority": _NUMBER, "target": _target, "value": _parameters}
_LATITUDE: Mapping[str, Part] = {"latDegrees": _decimal, "latMinutes": _decimal, "latSeconds": _decimal}
_LONGITUDE: Mapping[str, Part] = {"longDegrees": _decimal, "longMinutes": _decimal, "longSeconds": _decimal}
_PARTS: Mapping[str, Mapping[str, Part]] = {
    "CAA": {"flags": _OCTET, "tag": _tag, "value": _quotable},
    "CERT": {"type": _NUMBER, "keyTag": _NUMBER, "algorithm": _OCTET, "certificate": _plain},
    "DNSKEY": {"flags": _NUMBER, "protocol": _OCTET, "algorithm": _OCTET, "publicKey": _plain},
    "DS": {"keyTag": _NUMBER, "algorithm": _OCTET, "digestType": _OCTET, "digest": _plain},
    "HTTPS": _BINDING,
    "LOC": {
        **_LATITUDE,
        "latDirection": lambda value, what: one_of(value, ("N", "S"), what),
        **_LONGITUDE,
        "longDirection": lambda value, what: one_of(value, ("E", "W"), what),
        **dict.fromkeys(("altitude", "size", "precisionHorz", "precisionVert"), _metres),
    },
    "NAPTR": {
        "order": _NUMBER,
        "preference": _NUMBER,
        "flags": _quotable,
        "service": _quotable,
        "regex": _quotable,
        "replacement": _target,
    },
    "SMIMEA": _ASSOCIATION,
    "SRV": {"priority": _NUMBER, "weight": _NUMBER, "port": _NUMBER, "target": _target},
    "SSHFP": {"algorithm": _OCTET, "type": _OCTET, "fingerprint": _plain},
    "SVCB": _BINDING,
    "TLSA": _ASSOCIATION,
    "URI": {"priority": _NUMBER, "weight": _NUMBER, "target": _quotable},
}
_OPTIONAL = frozenset({"value"})  # of a service binding in alias mode


def _data(kind: str) -> Callable[[Mapping[str, Any], str], Parsed]:
    """The reader of a type that comes in `data`; URI has its priority outside of it, as MX has."""
    parts = _PARTS[kind]

    def parse(inputs: Mapping[str, Any], what: str) -> Parsed:
        data = inputs.get("data")
        if kind == "URI" and isinstance(data, Mapping):
            data = {"priority": inputs.get("priority"), **data}
        wanted = [key for key in parts if not (kind in ("HTTPS", "SVCB") and key in _OPTIONAL)]
        if not isinstance(data, Mapping) or any(data.get(key) is None for key in wanted):
            raise CloudflareError(f"{what} needs data with {', '.join(wanted)}", 9101)
        content = " ".join(part(data.get(key), f"{what}: data.{key}") for key, part in parts.items()).rstrip()
        _check_form(kind, content, what)
        priority = whole(data["priority"], what, least=0, most=_SHORT) if kind == "URI" else None
        return content, priority, inputs["data"]

    return parse


def _check_form(kind: str, content: str, what: str) -> None:
    """Raise CloudflareError unless `content` is the type's form of a zone file."""
    try:
        dns.rdata.from_text("IN", kind, content, origin=dns.name.root)
    except (dns.exception.DNSException, ValueError) as error:
        raise CloudflareError(f"{what}: data is not valid: {error}", 9101) from error


CONTENTS: dict[str, Callable[[Mapping[str, Any], str], Parsed]] = {
    "A": _address(4),
    "AAAA": _address(6),
    "CNAME": _host,
    "NS": _host,
    "PTR": _host,
    "MX": _mail_exchanger,
    "TXT": _text,
    "OPENPGPKEY": _open_pgp_key,
    **{kind: _data(kind) for kind in _PARTS},
}
"""Every type that Cloudflare takes."""
