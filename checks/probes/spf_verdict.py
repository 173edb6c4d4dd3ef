"""Evaluates SPF for one client: the check_host() of RFC 7208 section 4.

Hand-written beside the count of lookups: pyspf, the oracle of the tests, asks a resolver of its own and takes answers
for names that it did not get from us.
"""

import ipaddress
import re
from dataclasses import dataclass

from checks.probes import dns
from checks.probes.spf import LOOKS_UP, records
from checks.scope import Scope

LOOKUPS_MOST, VOIDS_MOST, NAMES_MOST = 10, 2, 10  # section 4.6.4
RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
MACRO = re.compile(r"%(?:\{([a-z])(\d*)(r?)([.\-+,/_=]*)\}|([%_-]))", re.IGNORECASE)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
MECHANISMS = frozenset({"all", "ip4", "ip6", *LOOKS_UP})


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One delivery: the client's address, the envelope sender (local@domain) and the name that it greeted with."""

    client: Address
    sender: str
    helo: str


class _Permanent(Exception):  # noqa: N818 - section 2.6.7 calls the result a permanent error
    """The record cannot be evaluated."""


def verdict(scope: Scope, envelope: Envelope) -> str:
    """pass, fail, softfail, neutral, none or permerror. Raises ProbeError when a resolver does not answer."""
    try:
        return _Evaluation(scope, envelope).check(envelope.sender.rpartition("@")[2].lower())
    except _Permanent:
        return "permerror"


class _Evaluation:
    def __init__(self, scope: Scope, envelope: Envelope) -> None:
        self._scope = scope
        self._envelope = envelope
        self._lookups = 0
        self._voids = 0

    def check(self, domain: str) -> str:
        answer = dns.look_up(self._scope, domain, "TXT")
        found = records(answer)
        if len(found) > 1:
            raise _Permanent
        if not found:
            return "none"
        terms = found[0].split()[1:]
        for term in terms:
            self._check_syntax(term)
        for term in (term for term in terms if not _is_modifier(term)):
            qualifier, rest = (term[0], term[1:]) if term[0] in RESULTS else ("+", term)
            if self._matches(rest, domain):
                return RESULTS[qualifier]
        return self._redirected(terms, domain)

    def _redirected(self, terms: list[str], domain: str) -> str:
        redirect = next((term for term in terms if term.lower().startswith("redirect=")), None)
        if redirect is None:
            return "neutral"
        self._count()
        result = self.check(self._expanded(redirect.partition("=")[2], domain))
        if result == "none":
            raise _Permanent
        return result

    def _check_syntax(self, term: str) -> None:
        name = re.split(r"[:/]", term.lstrip("+-~?").lower(), maxsplit=1)[0]
        if not _is_modifier(term) and name not in MECHANISMS:
            raise _Permanent

    def _matches(self, term: str, domain: str) -> bool:
        name, _, value = term.partition(":")
        kind = name.partition("/")[0].lower()
        if kind == "all":
            return True
        if kind in ("ip4", "ip6"):
            return self._in_network(value, kind)
        self._count()
        target = self._expanded(value.partition("/")[0], domain) or domain
        lengths = term.partition("/")[2]
        if kind == "include":
            return self._included(target)
        if kind == "a":
            return self._among(self._addresses(target), lengths)
        if kind == "mx":
            return any(self._among(dns.addresses(self._scope, host), lengths) for host in self._exchangers(target))
        return bool(kind == "exists" and self._found(target, "A"))  # ptr never matches here: section 5.5

    def _included(self, target: str) -> bool:
        result = self.check(target)
        if result == "none":
            raise _Permanent
        return result == "pass"

    def _in_network(self, text: str, kind: str) -> bool:
        try:
            network = ipaddress.IPv4Network(text, False) if kind == "ip4" else ipaddress.IPv6Network(text, False)
        except ValueError:
            raise _Permanent from None
        return self._envelope.client in network

    def _among(self, addresses: tuple[str, ...], lengths: str) -> bool:
        four, _, six = lengths.partition("//") if not lengths.startswith("/") else ("", "", lengths[1:])
        client = self._envelope.client
        length = (four or "32") if client.version == 4 else (six or "128")
        if not length.isdigit():
            raise _Permanent
        same = (text for text in addresses if ipaddress.ip_address(text).version == client.version)
        return any(client in ipaddress.ip_network(f"{text}/{length}", strict=False) for text in same)

    def _addresses(self, target: str) -> tuple[str, ...]:
        return self._found(target, "A" if self._envelope.client.version == 4 else "AAAA")

    def _exchangers(self, target: str) -> list[str]:
        found = self._found(target, "MX")
        if len(found) > NAMES_MOST:
            raise _Permanent
        return [name for record in found if (name := record.partition(" ")[2].rstrip("."))]

    def _found(self, name: str, kind: str) -> tuple[str, ...]:
        found = dns.look_up(self._scope, name, kind).records
        self._voids += not found
        if self._voids > VOIDS_MOST:
            raise _Permanent
        return found

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > LOOKUPS_MOST:
            raise _Permanent

    def _expanded(self, text: str, domain: str) -> str:
        """The macros of section 7 in a domain-spec."""
        local, _, at = self._envelope.sender.rpartition("@")
        client = self._envelope.client
        dotted = str(client) if client.version == 4 else ".".join(client.exploded.replace(":", ""))
        values = {"s": self._envelope.sender, "l": local, "o": at, "d": domain, "i": dotted, "h": self._envelope.helo}
        values["v"] = "in-addr" if client.version == 4 else "ip6"

        def value(match: re.Match[str]) -> str:
            letter, digits, reverse, separators, plain = match.groups()
            if plain:
                return {"%": "%", "_": " ", "-": "%20"}[plain]
            if letter.lower() not in values:
                raise _Permanent
            parts = re.split(f"[{re.escape(separators or '.')}]", values[letter.lower()])
            parts = parts[::-1] if reverse else parts
            return ".".join(parts[-int(digits) :] if digits else parts)

        return MACRO.sub(value, text).rstrip(".")


def _is_modifier(term: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9_.-]*=", term) is not None
