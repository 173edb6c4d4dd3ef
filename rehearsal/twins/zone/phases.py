"""The phases that the edge twin acts on, with their actions.

https://developers.cloudflare.com/ruleset-engine/reference/phases-list/
"""

from collections.abc import Callable

from rehearsal.twins.zone import protection, traffic
from rehearsal.twins.zone.plans import Limits
from rehearsal.twins.zone.rule import Rule

Check = Callable[[Rule, str, Limits], None]
PHASES: dict[str, tuple[Check, tuple[str, ...]]] = {
    "ddos_l7": (protection.ddos, ("execute",)),
    "http_request_transform": (traffic.url, ("rewrite",)),
    "http_request_redirect": (traffic.bulk_redirect, ("redirect",)),
    "http_request_dynamic_redirect": (traffic.redirect, ("redirect",)),
    "http_request_firewall_custom": (protection.custom, ("block", "skip", "log", *protection.CHALLENGES)),
    "http_ratelimit": (protection.rate_limit, ("block", "log", *protection.CHALLENGES)),
    "http_request_firewall_managed": (protection.managed, ("execute", "skip")),
    "http_request_late_transform": (traffic.headers, ("rewrite",)),
    "http_request_cache_settings": (traffic.cache, ("set_cache_settings",)),
    "http_config_settings": (traffic.configuration, ("set_config",)),
    "http_response_headers_transform": (traffic.headers, ("rewrite",)),
}
"""The phases that the edge twin acts on: the check of a rule's parameters, and its actions."""
