"""Reads the addresses from which Stripe says that it posts."""

import requests

from checks.errors import NotDeclared, ProbeError
from checks.probes.hosts import api_hosts
from checks.probes.http import host_of
from checks.scope import Scope

PATH = "/files/ips/ips_webhooks.json"  # https://docs.stripe.com/ips
SITE = "https://stripe.com"


def webhook_addresses(scope: Scope) -> tuple[str, ...]:
    """The published addresses. Raises ProbeError when the list cannot be read.

    Raises NotDeclared where no address is declared and nothing could limit or refuse Stripe's posts.
    """
    edge = scope.contract.edge
    webhook = scope.contract.endpoints.webhook
    path = webhook.partition(host_of(webhook))[2]
    hosts = set(api_hosts(scope.contract))
    limits = [one for one in edge.rate_limits if path.startswith(one.paths) and (not one.hosts or hosts & {*one.hosts})]
    if not edge.webhook_addresses and not limits and not edge.waf.managed:
        raise NotDeclared("nothing at the edge counts or inspects the webhook's requests")
    site = scope.vantage.stripe.api_base if scope.vantage.rehearsal and scope.vantage.stripe else SITE
    try:
        answer = requests.get(f"{site}{PATH}", timeout=scope.deadline.left(), allow_redirects=False)
        answer.raise_for_status()
        return tuple(sorted(str(one) for one in answer.json()["WEBHOOKS"]))
    except (requests.RequestException, KeyError, TypeError, ValueError) as error:
        raise ProbeError(f"GET {site}{PATH}: {type(error).__name__}: {error}") from error
