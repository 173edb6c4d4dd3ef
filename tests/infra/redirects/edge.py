"""The edge's twin with redirects alone: where one request is led."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pulumi_cloudflare as cloudflare

from infra.redirects import bulk, single
from infra.redirects.conflicts import PathRedirect
from rehearsal.twins.edge import redirects
from rehearsal.twins.edge.bulk_redirects import BulkRedirects
from rehearsal.twins.edge.exchange import Answer, Exchange
from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.rules import Request
from rehearsal.twins.zone import RedirectItem, Rule
from tests.infra.redirects.zone import NAMES

Hop = tuple[int, str] | None  # status and Location


def by_rules(listed: Sequence[PathRedirect], url: str) -> Hop:
    """The first hop where all of them are rules of the zone."""
    rules = [_rule(single.old_path(redirect, NAMES)) for redirect in listed]
    return _hop(redirects.redirect(_passage(url, rules)))


def by_list(listed: Sequence[PathRedirect], url: str) -> Hop:
    """The first hop where all of them are entries of a list."""
    items = [_item(bulk.entry(redirect)) for redirect in listed]
    switch = _made(expression="http.request.full_uri in $old_paths", parameters={"fromList": {"name": "old_paths"}})
    account = SimpleNamespace(revision=1, bulk_redirects=lambda: [switch], redirect_list=lambda name: items)
    return _hop(BulkRedirects(cast("Any", account)).redirect(_passage(url, [])))


def _passage(url: str, rules: Sequence[Rule]) -> Passage:
    zone = cast("Any", SimpleNamespace(rulesets=lambda phase: rules))
    return Passage(zone=zone, exchange=_exchange(url), record=lambda event: None)


def _exchange(url: str) -> Exchange:
    parts = urlsplit(url)
    request = Request(
        method="GET", scheme=parts.scheme, host=parts.netloc, path=parts.path, raw_path=parts.path, query=parts.query
    )
    return Exchange.of(request, b"", parts.netloc)


def _hop(answer: Answer | None) -> Hop:
    return (answer.status, dict(answer.headers)["location"]) if answer else None


def _rule(args: cloudflare.RulesetRuleArgs) -> Rule:
    value: Any = cast("Any", args.action_parameters).from_value
    target = {"value": value.target_url.value, "expression": value.target_url.expression}
    parameters = {
        "statusCode": value.status_code,
        "preserveQueryString": value.preserve_query_string,
        "targetUrl": {key: text for key, text in target.items() if text},
    }
    return _made(expression=str(args.expression), parameters={"fromValue": parameters})


def _made(*, expression: str, parameters: dict[str, Any]) -> Rule:
    return Rule(ref="r", expression=expression, action="redirect", enabled=True, parameters=parameters, ratelimit={})


def _item(args: cloudflare.ListItemRedirectArgs) -> RedirectItem:
    entry = cast("Any", args)
    return RedirectItem(
        source_url=entry.source_url,
        target_url=entry.target_url,
        status_code=entry.status_code,
        include_subdomains=entry.include_subdomains,
        subpath_matching=entry.subpath_matching,
        preserve_query_string=entry.preserve_query_string,
        preserve_path_suffix=entry.preserve_path_suffix,
    )
