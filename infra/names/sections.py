"""The configuration of the hosts: what a name leads to."""

import ipaddress
from typing import Literal

from pydantic import ValidationInfo, field_validator

from infra.hostnames import label_fault, record_fault
from infra.section import Section, refused

RESERVED_HOSTS = {"www": "the redirect to the apex"}


_PRIVATE = tuple(
    ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


class Host(Section):
    """A name of the zone that people or operators use, and where it leads. `ttl` 1 is Cloudflare's "automatic"."""

    name: str
    type: Literal["A", "AAAA", "CNAME"]
    proxied: bool
    role: Literal["web", "ops"]
    content: str
    ttl: int | None = None

    @field_validator("name")
    @classmethod
    def _is_a_label(cls, name: str) -> str:
        if fault := label_fault(name):
            raise refused(fault, 'Write "@" for the apex or the part before the domain, such as "app".')
        if name in RESERVED_HOSTS:
            raise refused(f"{name!r} is declared by the program: {RESERVED_HOSTS[name]}", "Leave it out of hosts.")
        return name

    @field_validator("content")
    @classmethod
    def _fits_the_type(cls, content: str, info: ValidationInfo) -> str:
        kind = info.data.get("type")
        if kind == "CNAME" and (fault := record_fault(content)):
            raise refused(fault, "Give the absolute name that your hosting provider shows.")
        if kind in ("A", "AAAA") and (fault := _address_fault(content, 4 if kind == "A" else 6)):
            raise refused(fault, f"Give the origin's public {'IPv4' if kind == 'A' else 'IPv6'} address.")
        return content

    @field_validator("ttl")
    @classmethod
    def _fits_the_proxy(cls, ttl: int | None, info: ValidationInfo) -> int | None:
        if ttl is None:
            return ttl
        if info.data.get("proxied") and ttl != 1:
            raise refused("a proxied record has ttl 1 (automatic)", "Leave ttl out, or set proxied to false.")
        if ttl != 1 and not 60 <= ttl <= 86400:
            raise refused("a ttl is 1 (automatic) or 60 to 86400 seconds", "Leave ttl out for the usual one.")
        return ttl

    @property
    def record_ttl(self) -> int:
        """Seconds that resolvers keep the record: five minutes where Cloudflare does not decide."""
        return self.ttl or (1 if self.proxied else 300)


def _address_fault(text: str, version: Literal[4, 6]) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"an {'A' if version == 4 else 'AAAA'} record holds an IPv{version} address"
    if address.version != version:
        return f"this is an IPv{address.version} address in an {'A' if version == 4 else 'AAAA'} record"
    if str(address) != text:
        return f"an address is written as Cloudflare gives it back, here {address}; else every preview differs"
    private = any(address in network for network in _PRIVATE)
    if private or address.is_loopback or address.is_unspecified or address.is_multicast or address.is_link_local:
        return "an origin's address is one that the Internet can reach"
    return None
