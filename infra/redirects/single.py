"""Redirects as rules of the zone, phase http_request_dynamic_redirect.

Old paths come first, so that they take one hop from every form of an address: http or https, with www or without.
https://developers.cloudflare.com/rules/url-forwarding/single-redirects/
"""

import hashlib

import pulumi_cloudflare as cloudflare

from infra.edge import expressions
from infra.redirects import declared
from infra.redirects.conflicts import PathRedirect
from infra.redirects.names import Names
from infra.settings import Stack

STATUS = 301


def rules(stack: Stack) -> list[cloudflare.RulesetRuleArgs]:
    """All of the zone's own redirect rules, in the order in which they act."""
    names = declared.names_of(stack)
    return [*(old_path(redirect, names) for redirect in declared.of(stack).single), *_fixed(stack)]


def _fixed(stack: Stack) -> list[cloudflare.RulesetRuleArgs]:
    """The alias first, for http and https alike, so that it takes one hop and not two."""
    alias, canonical = stack.alias_host, stack.canonical_host
    return [
        _rule(
            "www-to-apex" if stack.settings.canonical == "apex" else "apex-to-www",
            f"{alias} is an alias of {canonical}",
            expressions.asks_for(alias),
            _computed(expressions.same_place_at(expressions.literal(canonical))),
            status=STATUS,
        ),
        _rule(
            "https",
            "People's browsers are taken to https; API hosts are left out, they refuse plain http",
            expressions.plain_http_to(stack.edge_web_hosts),
            _computed(expressions.same_place_at("http.host")),
            status=STATUS,
        ),
    ]


def old_path(redirect: PathRedirect, names: Names) -> cloudflare.RulesetRuleArgs:
    """A redirect as a rule; one at the canonical host acts at its alias too."""
    source, target = redirect.source, redirect.target
    hosts = (source.host, names.alias) if source.host == names.canonical else (source.host,)
    where = expressions.below_path if source.below else expressions.at_path
    url = _computed(expressions.moved(source.path, target.url)) if target.keeps else _written(target.url)
    return _rule(
        f"path-{hashlib.sha256(str(source).encode()).hexdigest()[:12]}",
        f"{source} has moved",
        where(hosts, source.path),
        url,
        status=redirect.status,
        keep_query=not target.has_query,
    )


def _computed(expression: str) -> cloudflare.RulesetRuleActionParametersFromValueTargetUrlArgs:
    return cloudflare.RulesetRuleActionParametersFromValueTargetUrlArgs(expression=expression)


def _written(url: str) -> cloudflare.RulesetRuleActionParametersFromValueTargetUrlArgs:
    return cloudflare.RulesetRuleActionParametersFromValueTargetUrlArgs(value=url)


def _rule(
    ref: str,
    description: str,
    expression: str,
    url: cloudflare.RulesetRuleActionParametersFromValueTargetUrlArgs,
    *,
    status: int,
    keep_query: bool = True,
) -> cloudflare.RulesetRuleArgs:
    return cloudflare.RulesetRuleArgs(
        ref=ref,
        description=description,
        expression=expression,
        action="redirect",
        enabled=True,
        action_parameters=cloudflare.RulesetRuleActionParametersArgs(
            from_value=cloudflare.RulesetRuleActionParametersFromValueArgs(
                status_code=status, preserve_query_string=keep_query, target_url=url
            )
        ),
    )
