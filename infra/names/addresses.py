"""Addresses as records hold them."""

import ipaddress
from typing import Literal

# Networks that no origin is reached in (RFC 1918, 6598, 4193); documentation networks (RFC 5737) are let through.
_PRIVATE = tuple(
    ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


def kind_of(address: str) -> Literal["A", "AAAA"]:
    """The type of the record that holds it."""
    return "AAAA" if ":" in address else "A"


def address_fault(text: str, kind: Literal["A", "AAAA"]) -> str | None:
    """Why `text` cannot be the content of such a record; None when it can."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"an {kind} record holds an IPv{_version(kind)} address"
    if address.version != _version(kind):
        return f"this is an IPv{address.version} address in an {kind} record"
    if str(address) != text:
        return f"an address is written as Cloudflare gives it back, here {address}; else every preview differs"
    return None


def reach_fault(text: str) -> str | None:
    """Why nobody outside reaches the address; None when they do, and for the originless 100::."""
    address = ipaddress.ip_address(text)
    private = any(address in network for network in _PRIVATE)
    if private or address.is_loopback or address.is_unspecified or address.is_multicast or address.is_link_local:
        return "an origin's address is one that the Internet can reach"
    return None


def _version(kind: Literal["A", "AAAA"]) -> Literal[4, 6]:
    return 4 if kind == "A" else 6
