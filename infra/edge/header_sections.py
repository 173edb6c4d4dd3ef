"""The configuration of the headers that the edge adds to answers, and of those that become stricter in steps."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from infra.ladders import Ladder
from infra.section import Section, refused

HstsRung = Literal["minutes", "week", "month", "year", "preload"]
CspRung = Literal["report-only", "enforce"]
# https://hstspreload.org: in steps, so that a host without https is found while the mistake is cheap.
_HSTS_SECONDS: dict[HstsRung, int] = {
    "minutes": 300,
    "week": 604_800,
    "month": 2_592_000,
    "year": 31_536_000,
    "preload": 63_072_000,
}
_WHOLE_DOMAIN = ("year", "preload")
_STRICT_POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors "
NO_DEVICES = "camera=(), display-capture=(), geolocation=(), microphone=(), usb=()"
_MAX_POLICY = 4000  # characters; browsers and proxies begin to refuse a response's headers at 8 KiB in all


def _header_value(value: str) -> str:
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise refused("a header's value is one line of ASCII without blanks around it", "Write it on one line.")
    return value


def _policy(text: str) -> str:
    names = [directive.split()[0].lower() for directive in _header_value(text).split(";") if directive.strip()]
    if not names:
        raise refused("a policy has at least one directive", "Leave the host out to give it the strict default.")
    if repeated := [name for name in names if names.count(name) > 1]:
        limit = f"browsers read only the first {repeated[0]} of a policy (CSP3 section 2.2.1)"
        raise refused(limit, "Put all of its sources into one directive.")
    return text


HeaderValue = Annotated[str, Field(min_length=1, max_length=_MAX_POLICY), AfterValidator(_header_value)]
Policy = Annotated[str, Field(max_length=_MAX_POLICY), AfterValidator(_policy)]


class Hsts(Section):
    """Strict-Transport-Security (RFC 6797) as a ladder; from `year` on it speaks for every host of the domain."""

    rung: HstsRung = "year"
    target: HstsRung = "year"
    by: date | None = None

    @property
    def max_age(self) -> int:
        """Seconds for which browsers remember it."""
        return _HSTS_SECONDS[self.rung]

    @property
    def include_subdomains(self) -> bool:
        """Whether it speaks for hosts below the one that says it."""
        return self.rung in _WHOLE_DOMAIN

    @property
    def preload(self) -> bool:
        """Whether browsers may ship with it."""
        return self.rung == "preload"

    @property
    def ladder(self) -> Ladder:
        """Where it stands."""
        rungs = get_args(HstsRung)
        return Ladder(name="hsts", key="hsts", rungs=rungs, rung=self.rung, target=self.target, by=self.by)


class Csp(Section):
    """Content-Security-Policy of each host, by its label; hosts that are not listed get a strict one.

    `left_to_app` are hosts whose app sends a policy of its own: one with a nonce is another for each answer, and the
    edge would put its own in that one's place.
    """

    rung: CspRung = "report-only"
    target: CspRung = "report-only"
    by: date | None = None
    policies: dict[str, Policy] = Field(default_factory=dict)
    left_to_app: tuple[str, ...] = ()

    @property
    def enforced(self) -> bool:
        """Whether browsers refuse what the policy does not allow, or only report it."""
        return self.rung == "enforce"

    @property
    def ladder(self) -> Ladder:
        """Where it stands."""
        rungs = get_args(CspRung)
        return Ladder(name="csp", key="csp", rungs=rungs, rung=self.rung, target=self.target, by=self.by)


class Headers(Section):
    """Headers of every page; the least strict value of each is one that ASVS 5.0 chapter 3.4 still accepts."""

    referrer_policy: Literal["no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"] = (
        "strict-origin-when-cross-origin"
    )
    coop: Literal["same-origin", "same-origin-allow-popups"] = "same-origin"
    permissions_policy: HeaderValue = NO_DEVICES
    frame: Literal["deny", "sameorigin"] = "deny"

    @property
    def strict_policy(self) -> str:
        """The policy of hosts that have none of their own; it frames as X-Frame-Options does, which it overrides."""
        return _STRICT_POLICY + {"deny": "'none'", "sameorigin": "'self'"}[self.frame]
