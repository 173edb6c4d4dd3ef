"""The zone settings that Cloudflare's API has, with their values: copied from the types of its SDK, `cloudflare` 5.9.

A copy, because importing the SDK would cost every preview half a second; a test holds it against the SDK. Which plan a
setting needs is said in the SDK's documentation of each.
"""

from collections.abc import Mapping
from typing import Any

from infra.plans import PlanName

SWITCHES = (
    *("0rtt", "always_online", "always_use_https", "automatic_https_rewrites", "brotli", "browser_check"),
    *("china_network_enabled", "content_converter", "development_mode", "early_hints", "email_obfuscation"),
    *("hotlink_protection", "http2", "http3", "ip_geolocation", "ipv6", "mirage", "opportunistic_encryption"),
    *("opportunistic_onion", "orange_to_orange", "origin_error_page_pass_thru", "pre_render", "prefetch_preload"),
    *("privacy_pass", "redirects_for_ai_training", "replace_insecure_js", "response_buffering", "rocket_loader"),
    *("search_for_agents", "server_side_exclude", "sha1_support", "sort_query_string_for_cache", "tls_1_2_only"),
    *("tls_client_auth", "true_client_ip_header", "waf", "webmcp_enabled", "webp", "websockets"),
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
CHOICES: Mapping[str, tuple[Any, ...]] = {
    **dict.fromkeys(SWITCHES, ("on", "off")),
    "cache_level": ("aggressive", "basic", "simplified"),
    "challenge_ttl": (
        *(5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, 45 * _MINUTE, _HOUR, 2 * _HOUR, 3 * _HOUR, 4 * _HOUR, 8 * _HOUR),
        *(16 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY, 365 * _DAY),
    ),
    "cname_flattening": ("flatten_at_root", "flatten_all"),
    "edge_cache_ttl": (
        *(30, _MINUTE, 5 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE),
        *(hours * _HOUR for hours in (1, 2, 3, 4, 5, 8, 12, 16, 20)),
        *(days * _DAY for days in range(1, 8)),
    ),
    "h2_prioritization": ("on", "off", "custom"),
    "image_resizing": ("on", "off", "open"),
    "max_upload": (*range(100, 501, 25), *range(1000, 5001, 500)),
    "min_tls_version": ("1.0", "1.1", "1.2", "1.3"),
    "origin_max_http_version": ("2", "1"),
    "polish": ("off", "lossless", "lossy"),
    "pseudo_ipv4": ("off", "add_header", "overwrite_header"),
    "security_level": ("off", "essentially_off", "low", "medium", "high", "under_attack"),
    "ssl": ("off", "flexible", "full", "strict"),
    "tls_1_3": ("on", "off", "zrt"),
    "transformations": ("on", "off", "open"),
}
KINDS: Mapping[str, type] = {  # those whose values are not listed
    "aegis": dict,
    "automatic_platform_optimization": dict,
    "browser_cache_ttl": int,
    "ciphers": list,
    "nel": dict,
    "origin_h2_max_streams": int,
    "proxy_read_timeout": int,
    "security_header": dict,
    "transformations_allowed_origins": str,
    "webmcp_packs": str,
}
NOT_SET_BY_VALUE = ("advanced_ddos", "ssl_recommender")  # the one is only read, the other is no on or off here
# What the program itself declares, and where that is written instead.
OWN: Mapping[str, str] = {
    "ssl": "ssl",
    "min_tls_version": "minTlsVersion",
    "security_header": "hsts",
    "tls_client_auth": "originPulls",
    "tls_1_3": "nothing: it is always on",
    "tls_1_2_only": "minTlsVersion",
    "always_use_https": "nothing: it would redirect API hosts too, which must refuse plain http",
}
LEAST_PLAN: Mapping[str, PlanName] = {
    **dict.fromkeys(("h2_prioritization", "mirage", "polish", "waf", "webp"), "pro"),
    **dict.fromkeys(
        (
            *("china_network_enabled", "orange_to_orange", "prefetch_preload", "proxy_read_timeout"),
            *("response_buffering", "sort_query_string_for_cache", "true_client_ip_header"),
        ),
        "enterprise",
    ),
}
