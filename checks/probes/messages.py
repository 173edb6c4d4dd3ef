"""Reads seed messages: mail that each sender really sent to a mailbox of ours, saved there as it arrived (.eml).

The mailbox provider's own trace fields say where the message came from; who could forge those owns the mailbox.
"""

import email.utils
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from checks.errors import NeedsInput, NotDeclared, ProbeError
from checks.probes import dns
from checks.probes.dkim import Signature, parse, signatures
from checks.probes.spf_verdict import Address, Envelope, verdict
from checks.scope import Scope

OCTETS_MOST = 10 * 1024 * 1024  # of one message
MESSAGES_MOST = 50
RECEIVED = re.compile(r"from\s+(\S+)\s(.*?)\bby\s", re.DOTALL)
ADDRESS = re.compile(r"[\[(](?:IPv6:)?([0-9A-Fa-f.:]+)[\])]")  # Microsoft writes it in round brackets
OVER_TLS = re.compile(r"\bwith\s+(?:utf8)?[el]smtpsa?\b|\bversion=TLS|\busing\s+TLS|\(TLS", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """How a message came in: from which address, greeted how, over TLS or not, and whether its PTR leads back."""

    client: Address
    helo: str
    tls: bool
    names: tuple[str, ...]
    confirmed: bool


@dataclass(frozen=True, kw_only=True)
class Message:
    """One seed message: the domains that it claims, what proves them, and how it asks to be unsubscribed from."""

    file: str
    author: str
    envelope: str
    spf: str
    signatures: tuple[Signature, ...]
    arrival: Arrival | None
    unsubscribe: str
    unsubscribe_post: str


def seeds(scope: Scope) -> tuple[Message, ...]:
    """Every seed message of the vantage. Raises NotDeclared, NeedsInput, ProbeError."""
    if not scope.contract.mail.senders:
        raise NotDeclared("no sender is declared")
    if not scope.vantage.seed_messages:
        raise NeedsInput("seed_messages: a message of each sender, saved from a mailbox with all headers (.eml)")
    return tuple(_message(scope, Path(name)) for name in scope.vantage.seed_messages[:MESSAGES_MOST])


def marketing_seeds(scope: Scope) -> tuple[Message, ...]:
    """Those from a domain that marketing mail is sent from. Raises as `seeds` does, and where there are none."""
    domains = {sender.domain for sender in scope.contract.mail.senders if sender.kind == "marketing"}
    if not domains:
        raise NotDeclared("no sender of marketing mail is declared")
    found = tuple(message for message in seeds(scope) if message.author in domains)
    if not found:
        raise NeedsInput(f"seed_messages: a newsletter from {', '.join(sorted(domains))}")
    return found


def _message(scope: Scope, path: Path) -> Message:
    octets = _read(path)
    headers = [(name.strip().lower(), _unfolded(value)) for name, value in parse(octets)[0]]
    arrival = _arrival(scope, headers)
    envelope = _address(_first(headers, b"return-path"))
    return Message(
        file=path.name,
        author=_address(_first(headers, b"from")).rpartition("@")[2].lower(),
        envelope=envelope.rpartition("@")[2].lower(),
        spf=_spf(scope, arrival, envelope),
        signatures=signatures(octets, lambda name: dns.look_up(scope, name, "TXT").records),
        arrival=arrival,
        unsubscribe=_first(headers, b"list-unsubscribe"),
        unsubscribe_post=_first(headers, b"list-unsubscribe-post"),
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(OCTETS_MOST + 1)
    except OSError as error:
        raise ProbeError(f"cannot read the seed message {path}: {error.strerror}") from error
    if len(octets) > OCTETS_MOST:
        raise ProbeError(f"the seed message {path} has more than {OCTETS_MOST} bytes")
    return octets


def _unfolded(value: bytes) -> str:
    return re.sub(r"\r\n(?=[ \t])", "", value.decode("utf-8", "replace")).strip()


def _first(headers: list[tuple[bytes, str]], name: bytes) -> str:
    return next((value for key, value in headers if key == name), "")


def _address(value: str) -> str:
    return email.utils.parseaddr(value)[1]


def _arrival(scope: Scope, headers: list[tuple[bytes, str]]) -> Arrival | None:
    """The newest hop from a public address: those above it are inside the mailbox provider."""
    for value in (value for key, value in headers if key == b"received"):
        match = RECEIVED.match(value)
        client = next(filter(None, map(_public, ADDRESS.findall(match[2]))), None) if match else None
        if match and client:
            names = _names(scope, client)
            back = {address for name in names for address in dns.addresses(scope, name)}
            return Arrival(
                client=client,
                helo=match[1],
                tls=OVER_TLS.search(value) is not None,
                names=names,
                confirmed=any(ipaddress.ip_address(address) == client for address in back),
            )
    return None


def _public(text: str) -> Address | None:
    """An address that mail can come from; addresses for documentation count, which rehearsals and tests use."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    inside = address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
    private = address.version == 4 and any(address in network for network in PRIVATE)
    return None if inside or private or (address.version == 6 and address in UNIQUE_LOCAL) else address


PRIVATE = tuple(ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
UNIQUE_LOCAL = ipaddress.IPv6Network("fc00::/7")


def _names(scope: Scope, client: Address) -> tuple[str, ...]:
    return tuple(name.rstrip(".") for name in dns.look_up(scope, client.reverse_pointer, "PTR").records)


def _spf(scope: Scope, arrival: Arrival | None, envelope: str) -> str:
    """What SPF says of the delivery; with an empty envelope (a bounce) the greeting is asked (RFC 7208 2.4)."""
    if arrival is None:
        return "none"
    sender = envelope or f"postmaster@{arrival.helo}"
    return verdict(scope, Envelope(client=arrival.client, sender=sender, helo=arrival.helo))
