"""How long resolvers keep a record."""

AUTOMATIC = 1  # seconds: the only ttl that Cloudflare takes for a proxied record
DEFAULT_TTL = 300  # seconds: short enough to move within a launch, inside what RFC 1912 advises
LEAST, MOST = 60, 86400  # seconds that Cloudflare takes of a zone that is not Enterprise


def ttl_fault(ttl: int, *, proxied: bool) -> tuple[str, str] | None:
    """What is wrong with a ttl, and what to do; None when Cloudflare takes it."""
    if proxied and ttl != AUTOMATIC:
        return "a proxied record has ttl 1 (automatic)", "Leave ttl out, or set proxied to false."
    if ttl != AUTOMATIC and not LEAST <= ttl <= MOST:
        return f"a ttl is 1 (automatic) or {LEAST} to {MOST} seconds", "Leave ttl out for the usual one."
    return None
