"""The configuration of what the edge does."""

from pydantic import Field, ValidationInfo, field_validator

from infra.section import Path, Section, refused


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
