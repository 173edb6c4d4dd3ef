"""What the contract says of the edge."""

from typing import Any

from infra.edge import headers, managed, rate_limits
from infra.edge.addresses import STRIPE_WEBHOOK_ADDRESSES
from infra.settings import Stack


def edge(stack: Stack) -> dict[str, Any]:
    """The parts of the contract's `edge` that the zone's settings and rules decide, for this stack's hosts."""
    settings = stack.settings
    return {
        "ssl": settings.ssl,
        "min_tls_version": settings.min_tls_version,
        "tls_1_3": True,
        "hsts": {
            "max_age": settings.hsts.max_age,
            "include_subdomains": settings.hsts.include_subdomains,
            "preload": settings.hsts.preload,
        },
        "https_redirect_hosts": list(stack.proxied_web_hosts),
        "http_refused_hosts": [stack.api_host],
        "cache": settings.cache.model_dump(mode="json"),
        "waf": {"blocked_paths": list(settings.waf.blocked_paths), "managed": list(managed.names(stack))},
        "rate_limits": rate_limits.declared(stack),
        "unprotected": [*rate_limits.unprotected(stack), *managed.unprotected(stack)],
        "headers": headers.declared(stack),
        "csp": headers.declared_policies(stack),
        "cors": _cors(stack),
        "bot_fight_mode": settings.bots.fight_mode,
        "ddos": _ddos(stack),
        "webhook_addresses": list(STRIPE_WEBHOOK_ADDRESSES),
        "noindex_hosts": [host for host in stack.noindex_hosts if host in stack.proxied_web_hosts],
    }


def rungs(stack: Stack) -> list[dict[str, Any]]:
    """The edge's ladders, for the contract's `rungs`."""
    return [stack.settings.hsts.ladder.entry(), stack.settings.csp.ladder.entry()]


def _cors(stack: Stack) -> dict[str, Any] | None:
    origins = stack.cors_origins
    if not origins:
        return None
    cors = stack.settings.cors
    return {
        "origins": list(origins),
        "methods": list(cors.methods),
        "headers": list(cors.headers),
        "max_age_seconds": cors.max_age_seconds,
    }


def _ddos(stack: Stack) -> dict[str, str] | None:
    ddos = stack.settings.ddos
    return {"action": ddos.action or "default", "sensitivity": ddos.sensitivity} if ddos.overrides else None
