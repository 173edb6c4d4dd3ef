"""Zone settings: which exist, what they may be, and what a zone has that declares none.

https://developers.cloudflare.com/api/resources/zones/subresources/settings/
"""

from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.twins.zone.plans import Plan
from rehearsal.twins.zone.refusals import CloudflareError, needs, one_of, whole

_YEAR = 31_536_000
_MINUTES_30, _HOURS_2, _HOURS_4, _DAY = 1800, 7200, 14_400, 86_400
_CHOICES: dict[str, tuple[Any, ...]] = {
    "ssl": ("off", "flexible", "full", "strict", "origin_pull"),
    "min_tls_version": ("1.0", "1.1", "1.2", "1.3"),
    "tls_1_3": ("on", "off", "zrt"),
    "cache_level": ("aggressive", "basic", "simplified"),
    "security_level": ("off", "essentially_off", "low", "medium", "high", "under_attack"),
    "polish": ("off", "lossless", "lossy"),
    "pseudo_ipv4": ("off", "add_header", "overwrite_header"),
    "challenge_ttl": (300, 900, _MINUTES_30, 2700, 3600, _HOURS_2, 10_800, _HOURS_4, 28_800, 57_600, _DAY),
}
_SWITCHES = (
    "0rtt",
    "always_online",
    "always_use_https",
    "automatic_https_rewrites",
    "brotli",
    "browser_check",
    "development_mode",
    "early_hints",
    "email_obfuscation",
    "hotlink_protection",
    "http2",
    "http3",
    "ip_geolocation",
    "ipv6",
    "mirage",
    "opportunistic_encryption",
    "opportunistic_onion",
    "orange_to_orange",
    "prefetch_preload",
    "privacy_pass",
    "replace_insecure_js",
    "response_buffering",
    "rocket_loader",
    "server_side_exclude",
    "sort_query_string_for_cache",
    "speed_brain",
    "tls_client_auth",
    "true_client_ip_header",
    "waf",
    "webp",
    "websockets",
)
_LEAST_PLAN: dict[str, Plan] = {
    "mirage": "pro",
    "polish": "pro",
    "waf": "pro",
    "webp": "pro",
    "prefetch_preload": "enterprise",
    "response_buffering": "enterprise",
    "sort_query_string_for_cache": "enterprise",
    "true_client_ip_header": "enterprise",
}
# Those that the edge twin follows; it keeps the others, and that is all.
DEFAULTS: Mapping[str, Any] = {
    "ssl": "full",
    "min_tls_version": "1.0",
    "tls_1_3": "on",
    "always_use_https": "off",
    "browser_cache_ttl": _HOURS_4,
    "http2": "on",
    "security_header": {"strict_transport_security": {"enabled": False}},
    "tls_client_auth": "off",
}


def check_setting(setting: str, value: Any, plan: Plan) -> None:
    """Raise CloudflareError unless a zone on `plan` may have `setting` at `value`."""
    check = _CHECKS.get(setting)
    if check is None:
        raise CloudflareError(f"there is no zone setting {setting!r}; known: {', '.join(sorted(_CHECKS))}")
    needs(plan, _LEAST_PLAN.get(setting, "free"), f"zone setting {setting!r}")
    check(value, f"zone setting {setting!r}")


def _choice(allowed: tuple[Any, ...]) -> Callable[[Any, str], None]:
    def check(value: Any, what: str) -> None:
        one_of(value, allowed, what)

    return check


def _browser_cache_ttl(value: Any, what: str) -> None:
    whole(value, what, least=0, most=_YEAR)


def _security_header(value: Any, what: str) -> None:
    """HSTS travels in a wrapper of its own; the keys are Cloudflare's, in snake case, whatever the SDK does."""
    header = value.get("strict_transport_security") if isinstance(value, Mapping) else None
    if not isinstance(header, Mapping) or set(value) != {"strict_transport_security"}:
        raise CloudflareError(f'{what} must be {{"strict_transport_security": {{…}}}}')
    switches = ("enabled", "include_subdomains", "preload", "nosniff")
    unknown = set(header) - {*switches, "max_age"}
    if unknown:
        raise CloudflareError(f"{what} has no {', '.join(sorted(map(str, unknown)))}")
    for key in switches:
        if not isinstance(header.get(key, False), bool):
            raise CloudflareError(f"{what}: {key} must be true or false, got {header[key]!r}")
    whole(header.get("max_age", 0), f"{what}: max_age", least=0, most=10 * _YEAR)


_CHECKS: dict[str, Callable[[Any, str], None]] = {
    **{setting: _choice(("on", "off")) for setting in _SWITCHES},
    **{setting: _choice(allowed) for setting, allowed in _CHOICES.items()},
    "browser_cache_ttl": _browser_cache_ttl,
    "security_header": _security_header,
}
KNOWN = frozenset(_CHECKS)
"""The names of all settings."""
