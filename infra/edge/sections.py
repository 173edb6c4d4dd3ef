"""The configuration of what the edge does with a request."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from infra.section import Path, Section, refused

CookieName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
HeaderName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
_WEAK_SSL = {
    "full": "the edge would take any certificate of the origin, and so anybody's in between",
    "flexible": "the edge would ask the origin by plain http; one that redirects to https is asked for ever, in a loop",
    "off": "visitors would get no https at all",
}
_TLS_VERSIONS = ("1.2", "1.3")


def ssl_fault(mode: str) -> str | None:
    """Why the edge must not speak to origins in this mode; None for strict."""
    if mode == "strict":
        return None
    reason = _WEAK_SSL.get(mode, f"its modes are strict, {', '.join(_WEAK_SSL)}")
    return f"ssl is strict; with {mode} {reason}"


def _strict(mode: str) -> str:
    if fault := ssl_fault(mode):
        raise refused(fault, "Set it to strict, and give the origin a valid certificate.")
    return mode


def _tls_version(version: str) -> str:
    if version in _TLS_VERSIONS:
        return version
    limit = f"the least version of TLS is {' or '.join(_TLS_VERSIONS)} (RFC 8996 ends 1.0 and 1.1)"
    raise refused(limit, 'Set it to "1.2".')


SslMode = Annotated[str, AfterValidator(_strict)]
TlsVersion = Annotated[str, AfterValidator(_tls_version)]


class Cache(Section):
    """What the edge may keep: paths whose content never changes under its name, and what is never kept."""

    static_paths: tuple[Path, ...] = Field(default=("/_next/static/",), min_length=1)
    edge_ttl_seconds: int = Field(default=86400, ge=1, le=31536000)
    never_paths: tuple[Path, ...] = ("/account", "/auth", "/api")
    session_cookies: tuple[CookieName, ...] = ("__Host-session",)


class Waf(Section):
    """Paths that no visitor has business asking for, and whether Cloudflare's managed rules are deployed."""

    blocked_paths: tuple[Path, ...] = Field(default=("/.env", "/.git/"), min_length=1)
    managed: bool = True


class RateLimit(Section):
    """How often one address may ask for some paths, counted at each of Cloudflare's locations.

    `hosts` are labels of declared hosts, none for every host of the zone. 1 is the first priority: where the plan
    counts fewer limits than are declared, those come first. `mitigation_seconds` None is the plan's usual wait.
    """

    name: RuleName
    paths: tuple[Path, ...] = Field(min_length=1)
    hosts: tuple[str, ...] = ()
    requests: int = Field(default=20, ge=1, le=1_000_000)
    period_seconds: int = 10
    mitigation_seconds: int | None = None
    priority: int = Field(default=1, ge=1, le=1000)


SIGN_IN = RateLimit(name="sign-in", paths=("/auth/",))


class Bots(Section):
    """Plain Bot Fight Mode, which is refused in front of a webhook; the zone's setting is declared all the same."""

    fight_mode: bool = False


class Ddos(Section):
    """The one override of the managed ruleset against floods; default and no action: none is declared.

    https://developers.cloudflare.com/ddos-protection/managed-rulesets/http/override-parameters/
    """

    sensitivity: Literal["default", "medium", "low", "eoff"] = "default"
    action: Literal["block", "managed_challenge", "challenge", "log"] | None = None

    @property
    def overrides(self) -> bool:
        """Whether it changes anything."""
        return self.sensitivity != "default" or self.action is not None


class Cors(Section):
    """Which of the app's pages may call the API from a browser; None: every page of a proxied web host, [] none."""

    origins: tuple[str, ...] | None = None
    methods: tuple[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], ...] = Field(default=("GET", "POST"), min_length=1)
    headers: tuple[HeaderName, ...] = ("authorization", "content-type")
    max_age_seconds: int = Field(default=600, ge=0, le=86400)


class ExtraRule(Section):
    """A rule that was in the zone when it was adopted, kept as it is; parameters are named as Pulumi names them."""

    ref: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    description: str = Field(default="", max_length=500)
    expression: str = Field(min_length=1)
    action: str = Field(pattern=r"^[a-z_]{1,40}$")
    enabled: bool = True
    action_parameters: dict[str, Any] | None = None
    ratelimit: dict[str, Any] | None = None
    logging: dict[str, Any] | None = None
    position: Literal["first", "last"] = "last"

    @field_validator("expression")
    @classmethod
    def _has_no_blanks_around(cls, expression: str) -> str:
        if expression != expression.strip():
            raise refused("Cloudflare gives expressions back without blanks around them", "Remove the blanks.")
        return expression
