"""What Cloudflare's edge does with a request: TLS, redirects, blocks, caching and one rate limit.

A phase has one entry-point ruleset in a zone, so each is declared once, here. Every rule has a `ref`: without one,
Cloudflare makes all later rules anew when one is removed.
"""

from typing import Any, Literal

import pulumi
import pulumi_cloudflare as cloudflare

from infra.component import Component
from infra.edge import expressions
from infra.hostnames import APEX
from infra.names.zone import Zone
from infra.plans import PLANS
from infra.settings import Stack

SSL = "strict"
MIN_TLS = "1.2"
REDIRECT_STATUS = 301

Phase = Literal[
    "http_request_dynamic_redirect",
    "http_request_firewall_custom",
    "http_request_cache_settings",
    "http_ratelimit",
]


class Edge(Component):
    """The zone's settings and rulesets. One stack owns them; a second one that writes them would fight this one."""

    def __init__(self, stack: Stack, zone: Zone) -> None:
        super().__init__("edge")
        self._stack = stack
        self._zone = zone
        self._plan = PLANS[stack.settings.zone_plan]
        for setting, value in self._settings().items():
            self._setting(setting, value)
        self._ruleset("redirects", "http_request_dynamic_redirect", self._plan.redirect_rules, self._redirects())
        self._ruleset("firewall", "http_request_firewall_custom", self._plan.firewall_rules, self._blocks())
        self._ruleset("cache", "http_request_cache_settings", self._plan.cache_rules, [self._static_files()])
        self._ruleset("rate-limits", "http_ratelimit", self._plan.rate_limit_rules, [self._rate_limit()])
        self.register_outputs({})

    def _settings(self) -> dict[str, Any]:
        """`always_use_https` stays off: it would redirect the API hosts too, and they must refuse plain http.

        A client that is redirected has already sent its key in the clear (ASVS 4.1.2).
        """
        hsts = self._stack.settings.hsts
        header = {
            "enabled": True,
            "max_age": hsts.max_age,
            "include_subdomains": hsts.include_subdomains,
            "preload": hsts.preload,
            "nosniff": True,
        }
        return {
            "ssl": SSL,
            "min_tls_version": MIN_TLS,
            "tls_1_3": "on",
            "always_use_https": "off",
            # Cloudflare's own wrapper; without it every preview shows a difference.
            "security_header": {"strict_transport_security": header},
        }

    def _setting(self, setting: str, value: Any) -> None:
        name = setting.replace("_", "-")
        cloudflare.ZoneSetting(name, zone_id=self._zone.id, setting_id=setting, value=value, opts=self.child())

    def _ruleset(self, name: str, phase: Phase, limit: int, rules: list[cloudflare.RulesetRuleArgs]) -> None:
        if len(rules) > limit:
            plan = self._stack.settings.zone_plan
            raise pulumi.RunError(f"ruleset {name!r} has {len(rules)} rules; plan {plan!r} allows {limit} in {phase}")
        cloudflare.Ruleset(
            name, zone_id=self._zone.id, kind="zone", name=name, phase=phase, rules=rules, opts=self.child()
        )

    def _redirects(self) -> list[cloudflare.RulesetRuleArgs]:
        """www first, for http and https alike, so that it takes one hop and not two."""
        stack = self._stack
        return [
            _redirect(
                "www-to-apex",
                "www is an alias of the apex",
                expressions.asks_for(stack.www_host),
                expressions.literal(stack.host(APEX)),
            ),
            _redirect(
                "https",
                "People's browsers are taken to https; API hosts are left out, they refuse plain http",
                expressions.plain_http_to(stack.proxied_web_hosts),
                "http.host",
            ),
        ]

    def _blocks(self) -> list[cloudflare.RulesetRuleArgs]:
        return [
            cloudflare.RulesetRuleArgs(
                ref="plain-http-api",
                description="The API refuses plain http instead of redirecting a key that was sent in the clear",
                expression=expressions.plain_http_to([self._stack.api_host]),
                action="block",
                enabled=True,
            ),
            cloudflare.RulesetRuleArgs(
                ref="blocked-paths",
                description="Paths that only scanners ask for",
                expression=expressions.path_starts_with(self._stack.settings.waf.blocked_paths),
                action="block",
                enabled=True,
            ),
        ]

    def _static_files(self) -> cloudflare.RulesetRuleArgs:
        cache = self._stack.settings.cache
        return cloudflare.RulesetRuleArgs(
            ref="static-files",
            description="Files whose content never changes under their name",
            expression=expressions.static_files(self._stack.proxied_web_hosts, cache.static_paths),
            action="set_cache_settings",
            enabled=True,
            action_parameters=cloudflare.RulesetRuleActionParametersArgs(
                cache=True,
                edge_ttl=cloudflare.RulesetRuleActionParametersEdgeTtlArgs(
                    mode="override_origin", default=cache.edge_ttl_seconds
                ),
            ),
        )

    def _rate_limit(self) -> cloudflare.RulesetRuleArgs:
        """By path alone: the free plan's expressions know no host. The config keeps it off the API's routes."""
        limit = self._stack.settings.rate_limit
        return cloudflare.RulesetRuleArgs(
            ref="rate-limit",
            description="Guessing passwords and codes takes too long to be worth it",
            expression=expressions.path_starts_with([limit.path]),
            action="block",
            enabled=True,
            ratelimit=cloudflare.RulesetRuleRatelimitArgs(
                characteristics=["ip.src", "cf.colo.id"],
                period=limit.period_seconds,
                requests_per_period=limit.requests,
                mitigation_timeout=self._plan.rate_limit_mitigation,
            ),
        )


def _redirect(ref: str, description: str, expression: str, authority: str) -> cloudflare.RulesetRuleArgs:
    """Permanently to https at `authority`, an expression, with path and query."""
    target = cloudflare.RulesetRuleActionParametersFromValueTargetUrlArgs(
        expression=expressions.same_place_at(authority)
    )
    return cloudflare.RulesetRuleArgs(
        ref=ref,
        description=description,
        expression=expression,
        action="redirect",
        enabled=True,
        action_parameters=cloudflare.RulesetRuleActionParametersArgs(
            from_value=cloudflare.RulesetRuleActionParametersFromValueArgs(
                status_code=REDIRECT_STATUS, preserve_query_string=True, target_url=target
            )
        ),
    )
