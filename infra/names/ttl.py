"""How long resolvers keep a record."""

AUTOMATIC = 1  # what Cloudflare decides: 300 seconds, and the only ttl that it takes for a proxied record
LEAST, MOST = 60, 86400  # seconds that Cloudflare takes of a zone that is not Enterprise


def ttl_fault(ttl: int, *, proxied: bool) -> tuple[str, str] | None:
    """What is wrong with a ttl, and what to do; None when Cloudflare takes it."""
    if proxied and ttl != AUTOMATIC:
        return "a proxied record has ttl 1 (automatic)", "Leave ttl out, or set proxied to false."
    if ttl != AUTOMATIC and not LEAST <= ttl <= MOST:
        return f"a ttl is 1 (automatic) or {LEAST} to {MOST} seconds", "Leave ttl out for the usual one."
    return None
