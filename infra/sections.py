"""The sections of a stack's configuration but for mail: frozen models, each value checked where it stands.

Names are camelCase in the configuration and snake_case here. What one section asks of another is in `infra.rules`.
"""

import ipaddress
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from infra.hostnames import label_fault, record_fault
from infra.section import Path, Section, refused

RESERVED_HOSTS = {"www": "the redirect to the apex", "api": "the webhook and members API"}
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


class Hsts(Section):
    """Strict-Transport-Security (RFC 6797); `max_age` in seconds."""

    max_age: int = Field(default=31536000, ge=0, le=63072000)
    include_subdomains: bool = True
    preload: bool = False

    @field_validator("preload")
    @classmethod
    def _is_accepted(cls, preload: bool, info: ValidationInfo) -> bool:
        if preload and not (info.data.get("include_subdomains") and info.data.get("max_age", 0) >= 31536000):
            limit = "the preload list takes only maxAge of 31536000 or more with includeSubdomains"
            raise refused(limit, "Raise both, or set preload to false.")
        return preload


class Cache(Section):
    """Paths whose content never changes under its name, and how long the edge keeps it."""

    static_paths: tuple[Path, ...] = Field(default=("/_next/static/",), min_length=1)
    edge_ttl_seconds: int = Field(default=86400, le=31536000)


class Waf(Section):
    """Paths that no visitor has business asking for."""

    blocked_paths: tuple[Path, ...] = Field(default=("/.env", "/.git/"), min_length=1)


class RateLimit(Section):
    """How often one address may ask for a path, counted at each of Cloudflare's locations."""

    path: Path = "/auth/"
    requests: int = Field(default=20, ge=1, le=1_000_000)
    period_seconds: int = 10


class Product(Section):
    """A price, by its id or lookup key, and the access level that it buys.

    `days` is how long a one-time payment for it gives access; without it, for ever. Subscriptions have their periods.
    """

    price: str = Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")
    level: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    days: int | None = Field(default=None, ge=1, le=36500)


class Policy(Section):
    """When access begins and ends; what each setting does is in Pulumi.yaml."""

    grace_days: int = Field(default=7, ge=0, le=60)
    failed_renewal: Literal["grace_period", "past_due"] = "grace_period"
    refund_full: Literal["revoke", "keep"] = "revoke"
    refund_partial: Literal["keep", "revoke"] = "keep"
    dispute_open: Literal["keep", "revoke"] = "keep"
    dispute_lost: Literal["revoke", "keep"] = "revoke"
    cancel: Literal["period_end", "immediate"] = "period_end"
    cancel_window_days: int = Field(default=0, ge=0, le=60)
    trial: Literal["grant", "deny"] = "grant"
    pause: Literal["by_behavior", "revoke", "keep"] = "by_behavior"


class Identity(Section):
    """How a payment finds its user: what an unsigned reference may do, and where payers claim what they bought."""

    unsigned_reference: Literal["ignore", "add"] = "ignore"
    claim_url: str | None = Field(default=None, max_length=500)
    claim_days: int = Field(default=30, ge=1, le=90)

    @field_validator("claim_url")
    @classmethod
    def _is_a_page_of_the_app(cls, url: str | None) -> str | None:
        if url is not None and (fault := _page_fault(url)):
            raise refused(fault, "Give the app's page alone, such as https://app.tidewriters.example/claim.")
        return url


class Webhook(Section):
    """What Stripe's endpoint answers to what Stripe did not sign."""

    bad_signature: Literal[400, 401, 403] = 400


class EventBridge(Section):
    """Stripe's partner event source, for stacks that take events from EventBridge too; absent: none do.

    Stripe makes the source when an event destination of that kind is made for the AWS account and region
    (Stripe, "Send events to Amazon EventBridge").
    """

    source: str | None = Field(default=None, pattern=r"^aws\.partner/stripe\.com/ed_[A-Za-z0-9_]{1,200}$")

    @property
    def is_of_test_mode(self) -> bool:
        """Whether the source's name says that its events are of test mode."""
        return (self.source or "").startswith("aws.partner/stripe.com/ed_test_")


def _page_fault(url: str) -> str | None:
    """What is wrong with the address of a page to which a token is added."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "https" and parts.hostname and not (parts.username or parts.password)
    except ValueError:
        plain = False
    if not plain or not url.isascii() or any(character.isspace() or character in '<>"' for character in url):
        return "a page that takes tokens has an https address without user or password"
    if "?" in url or "#" in url:
        return "the token is added to the address, which has no query or fragment of its own"
    return None


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
