"""The plainest visit: the first page of each host over https, redirects not followed."""

from checks.probes.hosts import visited_hosts
from checks.probes.http import Browser, Exchange
from checks.scope import Scope


def secure_visits(scope: Scope) -> tuple[Exchange, ...]:
    """The answer of each visited host."""
    with Browser(scope) as browser:
        return tuple(browser.ask(f"https://{host.name}/") for host in visited_hosts(scope))
