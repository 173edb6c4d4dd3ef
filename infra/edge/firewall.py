"""Custom rules of the firewall: phase http_request_firewall_custom.

https://developers.cloudflare.com/waf/custom-rules/
"""

import pulumi_cloudflare as cloudflare

from handlers.settings import WEBHOOK_PATH
from infra.edge import expressions
from infra.edge.addresses import STRIPE_WEBHOOK_ADDRESSES
from infra.plans import PLANS
from infra.settings import Stack

# https://developers.cloudflare.com/waf/custom-rules/skip/options/
SKIPPED_PHASES = ("http_ratelimit", "http_request_firewall_managed")
BOT_PHASE = "http_request_sbfm"
SKIPPED_PRODUCTS = ("bic", "hot", "securityLevel", "uaBlock", "zoneLockdown")


def stripe_passes(stack: Stack) -> cloudflare.RulesetRuleArgs:
    """The first rule of all: nothing after it holds up what Stripe sends to a webhook from its published addresses.

    Over TLS only, so that plain http stays refused. The signature is still what decides whether an event is genuine.
    """
    phases = [*SKIPPED_PHASES, *([BOT_PHASE] if PLANS[stack.settings.zone_plan].skips_bot_rules else [])]
    return cloudflare.RulesetRuleArgs(
        ref="stripe-webhooks",
        description="Webhooks from Stripe's published addresses meet no limit, challenge or managed rule",
        expression=expressions.sent_by(STRIPE_WEBHOOK_ADDRESSES, stack.api_hosts, WEBHOOK_PATH),
        action="skip",
        enabled=True,
        action_parameters=cloudflare.RulesetRuleActionParametersArgs(
            ruleset="current", phases=phases, products=list(SKIPPED_PRODUCTS)
        ),
        logging=cloudflare.RulesetRuleLoggingArgs(enabled=True),
    )


def rules(stack: Stack) -> list[cloudflare.RulesetRuleArgs]:
    """What is refused, after `stripe_passes`."""
    return [
        cloudflare.RulesetRuleArgs(
            ref="plain-http-api",
            description="The API refuses plain http instead of redirecting a key that was sent in the clear",
            expression=expressions.plain_http_to(stack.api_hosts),
            action="block",
            enabled=True,
        ),
        cloudflare.RulesetRuleArgs(
            ref="blocked-paths",
            description="Paths that only scanners ask for",
            expression=expressions.path_starts_with_in_any_case(stack.settings.waf.blocked_paths),
            action="block",
            enabled=True,
        ),
    ]
