"""Redirects as entries of a bulk list of the account, for those that the zone has no rules left for.

Bulk redirects come after the zone's own rules, so an old address by http or under the alias takes one hop more:
first to the canonical https address. Cloudflare picks the most specific entry, and one whose source has a scheme
before one whose source has none (https://developers.cloudflare.com/rules/url-forwarding/bulk-redirects/how-it-works/):
single paths are therefore written with https, which is all that still arrives here, and directories without.
"""

import re

import pulumi_cloudflare as cloudflare

from infra.component import Component
from infra.redirects import declared
from infra.redirects.conflicts import PathRedirect
from infra.settings import Stack

PHASE = "http_request_redirect"
_KEY = "http.request.full_uri"
_MAX_NAME = 50


class BulkRedirects(Component):
    """The account's list of this stack and the ruleset that enables it; nothing where the zone's rules suffice.

    The entry point of the phase belongs to the account: only one stack of an account can declare it.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__("bulk-redirects")
        redirects = declared.of(stack).bulk
        if redirects:
            self._declare(stack, redirects)
        self.register_outputs({})

    def _declare(self, stack: Stack, redirects: tuple[PathRedirect, ...]) -> None:
        account, name = stack.settings.cloudflare_account_id, list_name(stack)
        entries = cloudflare.List(
            "old-paths",
            account_id=account,
            kind="redirect",
            name=name,
            description=f"Old paths of {stack.settings.domain}",
            items=[cloudflare.ListItemArgs(redirect=entry(redirect)) for redirect in redirects],
            opts=self.child(),
        )
        # The list's name, through its output: the ruleset must not be written before the list that it names.
        rule = cloudflare.RulesetRuleArgs(
            ref="old-paths",
            description=f"Old paths of {stack.settings.domain}",
            expression=entries.name.apply(lambda known: f"{_KEY} in ${known}"),
            action="redirect",
            enabled=True,
            action_parameters=cloudflare.RulesetRuleActionParametersArgs(
                from_list=cloudflare.RulesetRuleActionParametersFromListArgs(name=entries.name, key=_KEY)
            ),
        )
        cloudflare.Ruleset(
            "bulk-redirects",
            account_id=account,
            kind="root",
            name="bulk-redirects",
            phase=PHASE,
            rules=[rule],
            opts=self.child(),
        )


def list_name(stack: Stack) -> str:
    """The list's name: lower-case letters, digits and underscores, at most 50."""
    return re.sub(r"[^a-z0-9_]", "_", stack.prefix.lower())[:_MAX_NAME]


def entry(redirect: PathRedirect) -> cloudflare.ListItemRedirectArgs:
    """A redirect as an entry of the list."""
    source, target = redirect.source, redirect.target
    return cloudflare.ListItemRedirectArgs(
        source_url=f"{source.host}{source.path}" if source.below else f"https://{source.host}{source.path}",
        target_url=target.url,
        status_code=redirect.status,
        include_subdomains=False,
        subpath_matching=source.below,
        preserve_path_suffix=target.keeps,
        preserve_query_string=not target.has_query,
    )
