"""Rules over addresses that others publish and the edge lets through."""

import re
from collections.abc import Mapping
from typing import Any

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.http import host_of

ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?\b")
LIMITS = "http_ratelimit"


def webhook_addresses(contract: Contract, facts: tuple[str, ...]) -> Verdict:
    """edge.webhook-addresses: the addresses that no limit touches are exactly Stripe's published ones (Stripe, "IPs").

    One that Stripe added may meet a limit; one that it gave up lets somebody else through.
    """
    declared, published = set(contract.edge.webhook_addresses), set(facts)
    problems = [f"Stripe posts from {one}, which is not let through" for one in sorted(published - declared)]
    problems += [f"{one} is let through and is not Stripe's" for one in sorted(declared - published)]
    return judge(
        "the declared addresses are those that Stripe publishes",
        seen=f"{len(published)} addresses",
        problems=problems or ([] if published else ["Stripe's list is empty"]),
        evidence=(", ".join(facts),),
    )


def skipped_first(contract: Contract, facts: tuple[Mapping[str, Any], ...]) -> Verdict:
    """edge.webhook-skip: the firewall's first rule takes Stripe's posts past every limit (Cloudflare, "Skip rules").

    Exactly the declared addresses, at the webhook's host and path alone, out of the other custom rules and the rate
    limits. A rule before it could refuse them; an expression that names no address would let everybody through.
    """
    webhook = contract.endpoints.webhook
    host = host_of(webhook)
    first = facts[0] if facts else {}
    parameters, expression = first.get("action_parameters") or {}, str(first.get("expression", ""))
    problems = []
    if first.get("action") != "skip":
        problems.append(f"the first rule is {first.get('description') or first.get('action') or 'not there'}, no skip")
    elif LIMITS not in (parameters.get("phases") or ()) or parameters.get("ruleset") != "current":
        problems.append(f"the first rule skips {parameters.get('phases') or 'no phase'}, not custom rules and limits")
    else:
        problems += [
            f"it does not name {part}" for part in (host, webhook.partition(host)[2]) if part not in expression
        ]
        problems += _address_problems(contract, expression)
    return judge(
        "the first rule skips custom rules and limits for Stripe's addresses at the webhook",
        seen=f"{len(contract.edge.webhook_addresses)} addresses skip {LIMITS}",
        problems=problems,
        evidence=(expression,),
    )


def _address_problems(contract: Contract, expression: str) -> list[str]:
    named, declared = set(ADDRESS.findall(expression)), set(contract.edge.webhook_addresses)
    return [f"it lets {one} through" for one in sorted(named - declared)] + [
        f"it lacks {one}" for one in sorted(declared - named)
    ]
