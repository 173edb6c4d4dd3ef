"""Headers that the edge sets on answers: phase http_response_headers_transform.

https://developers.cloudflare.com/rules/transform/response-header-modification/
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi_cloudflare as cloudflare

from infra.edge import expressions
from infra.settings import Stack

CSP = "content-security-policy"
REPORTED_CSP = "content-security-policy-report-only"
NOINDEX = {"x-robots-tag": "noindex"}
# Seconds of a year, the most that RFC 9111 caches need; immutable (RFC 8246) spares the question after a reload.
IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable"}
NOSNIFF = {"x-content-type-options": "nosniff"}


def rules(stack: Stack) -> list[cloudflare.RulesetRuleArgs]:
    """What every page says, then each policy for the hosts that share it, then what only some answers say."""
    hosts = stack.edge_web_hosts
    found = [_rule("security-headers", "What browsers may do with every page", hosts, page_headers(stack))]
    name = CSP if stack.settings.csp.enforced else REPORTED_CSP
    for number, (policy, sharing) in enumerate(_by_policy(stack).items(), start=1):
        described = f"Where pages may load from: {', '.join(sharing)}"[:500]
        found.append(_rule(f"csp-{number}", described, sharing, {name: policy}))
    static = expressions.below(hosts, stack.settings.cache.static_paths)
    described = "Files whose content never changes under their name; an error must not be kept as one"
    found.append(_setting("static-immutable", described, expressions.answered_well(static), IMMUTABLE))
    if stack.noindex_hosts:
        found.append(_rule("noindex", "Hosts that search engines must not list", stack.noindex_hosts, NOINDEX))
    return found


def page_headers(stack: Stack) -> dict[str, str]:
    """The headers of every page of a proxied host, by name."""
    headers = stack.settings.headers
    return {
        **NOSNIFF,
        "referrer-policy": headers.referrer_policy,
        "cross-origin-opener-policy": headers.coop,
        "permissions-policy": headers.permissions_policy,
        "x-frame-options": headers.frame.upper(),
    }


def policies(stack: Stack) -> dict[str, str]:
    """The content security policy of each proxied host of the zone that people see, but for those left to the app."""
    csp, strict = stack.settings.csp, stack.settings.headers.strict_policy
    by_host = {stack.host(label): policy for label, policy in csp.policies.items()}
    left = {stack.host(label) for label in csp.left_to_app}
    return {host: by_host.get(host, strict) for host in stack.edge_web_hosts if host not in left}


def declared(stack: Stack) -> list[dict[str, str]]:
    """What the contract says of this stack's hosts. HSTS brings nosniff with it, to the API too."""
    noindex = {host for host in stack.noindex_hosts if host in stack.proxied_web_hosts}
    said = {host: {**page_headers(stack), **(NOINDEX if host in noindex else {})} for host in stack.proxied_web_hosts}
    said[stack.api_host] = NOSNIFF
    return [
        {"host": host, "name": name, "value": value}
        for host, headers in said.items()
        for name, value in headers.items()
    ]


def declared_policies(stack: Stack) -> list[dict[str, Any]]:
    """What the contract says of the policies of this stack's hosts."""
    found = policies(stack)
    enforced = stack.settings.csp.enforced
    own = [host for host in stack.proxied_web_hosts if host in found]
    return [{"host": host, "enforced": enforced, "policy": found[host]} for host in own]


def _by_policy(stack: Stack) -> dict[str, list[str]]:
    """Hosts with the same policy share a rule: a plan has few of them."""
    grouped: dict[str, list[str]] = {}
    for host, policy in policies(stack).items():
        grouped.setdefault(policy, []).append(host)
    return grouped


def _rule(ref: str, description: str, hosts: Sequence[str], headers: Mapping[str, str]) -> cloudflare.RulesetRuleArgs:
    return _setting(ref, description, expressions.asks_for_any(hosts), headers)


def _setting(ref: str, description: str, expression: str, headers: Mapping[str, str]) -> cloudflare.RulesetRuleArgs:
    return cloudflare.RulesetRuleArgs(
        ref=ref,
        description=description,
        expression=expression,
        action="rewrite",
        enabled=True,
        action_parameters=cloudflare.RulesetRuleActionParametersArgs(
            headers={
                name: cloudflare.RulesetRuleActionParametersHeadersArgs(operation="set", value=value)
                for name, value in headers.items()
            }
        ),
    )
