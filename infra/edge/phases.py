"""The phases in which a zone may have rules: the name of each one's ruleset, and what the plan allows there.

https://developers.cloudflare.com/ruleset-engine/reference/phases-list/
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from infra.plans import Plan

Phase = Literal[
    "ddos_l7",
    "http_request_transform",
    "http_request_dynamic_redirect",
    "http_request_firewall_custom",
    "http_ratelimit",
    "http_request_firewall_managed",
    "http_request_late_transform",
    "http_config_settings",
    "http_request_cache_settings",
    "http_request_origin",
    "http_response_headers_transform",
    "http_response_compression",
    "http_custom_errors",
]
PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True)
class RulesetName:
    """The ruleset of a phase: its resource's name, the key of the configuration that fills it, the plan's limit.

    Without a limit the program knows of none, and only Cloudflare would refuse one rule too many.
    """

    name: str
    key: str
    limit: Callable[[Plan], int] | None = None


# The names are those that `launch-ready adopt` imports an existing zone under: they must not change.
RULESETS: Mapping[Phase, RulesetName] = {
    "ddos_l7": RulesetName("ddos", "ddos", lambda _: 1),  # the one override that every plan has
    "http_request_transform": RulesetName("url-rewrites", "extraRules", lambda plan: plan.transform_rules),
    "http_request_dynamic_redirect": RulesetName("redirects", "redirects", lambda plan: plan.redirect_rules),
    "http_request_firewall_custom": RulesetName("firewall", "waf", lambda plan: plan.firewall_rules),
    "http_ratelimit": RulesetName("rate-limits", "rateLimits", lambda plan: plan.rate_limit_rules),
    "http_request_firewall_managed": RulesetName("managed-firewall", "waf"),
    "http_request_late_transform": RulesetName("request-headers", "extraRules", lambda plan: plan.transform_rules),
    "http_config_settings": RulesetName("config-rules", "extraRules", lambda plan: plan.config_rules),
    "http_request_cache_settings": RulesetName("cache", "cache", lambda plan: plan.cache_rules),
    "http_request_origin": RulesetName("origin-rules", "extraRules", lambda plan: plan.origin_rules),
    "http_response_headers_transform": RulesetName("response-headers", "headers", lambda plan: plan.transform_rules),
    "http_response_compression": RulesetName("compression-rules", "extraRules"),
    "http_custom_errors": RulesetName("custom-errors", "extraRules"),
}
