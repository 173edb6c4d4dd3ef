"""The zone's settings, as id and value. One stack of the zone declares them.

https://developers.cloudflare.com/api/resources/zones/subresources/settings/
"""

from typing import Any

from infra.edge.header_sections import Hsts
from infra.settings import Stack


def zone_settings(stack: Stack) -> dict[str, Any]:
    """`always_use_https` stays off: it would redirect the API hosts too, and they must refuse plain http.

    A client that is redirected has already sent its key in the clear (ASVS 4.1.2).
    """
    settings = stack.settings
    return {
        "ssl": settings.ssl,
        "min_tls_version": settings.min_tls_version,
        "tls_1_3": "on",
        "always_use_https": "off",
        "security_header": _security_header(settings.hsts),
        **dict(sorted(settings.settings.items())),
    }


def _security_header(hsts: Hsts) -> dict[str, Any]:
    """In Cloudflare's own wrapper; without it every preview shows a difference."""
    header = {
        "enabled": True,
        "max_age": hsts.max_age,
        "include_subdomains": hsts.include_subdomains,
        "preload": hsts.preload,
        "nosniff": True,
    }
    return {"strict_transport_security": header}
