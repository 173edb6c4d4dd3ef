"""What the edge keeps: phase http_request_cache_settings. The last rule that matches decides.

https://developers.cloudflare.com/cache/how-to/cache-rules/
"""

import pulumi_cloudflare as cloudflare

from infra.edge import expressions
from infra.settings import Stack


def rules(stack: Stack) -> list[cloudflare.RulesetRuleArgs]:
    """Static files are kept, pages come from the origin, and the API and whoever is signed in get nothing stored."""
    cache = stack.settings.cache
    never = [expressions.asks_for_any(stack.api_hosts)]
    never += [expressions.path_starts_with(cache.never_paths)] if cache.never_paths else []
    found = [
        _never("pages", "Pages are asked for at the origin, whose word browsers get", _pages(stack)),
        _static_files(stack),
        _never("never-cached", "The API, and paths with something of one person's", expressions.any_of(*never)),
    ]
    if cache.session_cookies:
        signed_in = expressions.carries_cookie(cache.session_cookies)
        # Static paths too: a page of the signed-in that answered below one would be kept for everybody.
        found.append(_never("signed-in", "Whoever is signed in gets nothing that was stored", signed_in))
    return found


def _pages(stack: Stack) -> str:
    return expressions.pages(stack.edge_web_hosts)


def _static_files(stack: Stack) -> cloudflare.RulesetRuleArgs:
    """`respect_origin` for browsers: the zone's usual four hours would shorten `immutable` for them.

    Under the armor, a page that answers to the name of a file is not kept
    (https://developers.cloudflare.com/cache/cache-security/cache-deception-armor/).
    """
    cache = stack.settings.cache
    return cloudflare.RulesetRuleArgs(
        ref="static-files",
        description="Files whose content never changes under their name",
        expression=expressions.below(stack.edge_web_hosts, cache.static_paths),
        action="set_cache_settings",
        enabled=True,
        action_parameters=cloudflare.RulesetRuleActionParametersArgs(
            cache=True,
            edge_ttl=cloudflare.RulesetRuleActionParametersEdgeTtlArgs(
                mode="override_origin", default=cache.edge_ttl_seconds
            ),
            browser_ttl=cloudflare.RulesetRuleActionParametersBrowserTtlArgs(mode="respect_origin"),
            cache_key=cloudflare.RulesetRuleActionParametersCacheKeyArgs(cache_deception_armor=True),
        ),
    )


def _never(ref: str, description: str, expression: str) -> cloudflare.RulesetRuleArgs:
    return cloudflare.RulesetRuleArgs(
        ref=ref,
        description=description,
        expression=expression,
        action="set_cache_settings",
        enabled=True,
        action_parameters=cloudflare.RulesetRuleActionParametersArgs(cache=False),
    )
