"""Which of the declared hosts a probe visits, and as what."""

from collections.abc import Iterable

from checks.contract import Contract, Host
from checks.errors import NotDeclared
from checks.probes.http import host_of
from checks.scope import Scope


def visited_hosts(scope: Scope) -> tuple[Host, ...]:
    """The hosts that people visit. A rehearsal has no platform behind a DNS-only host, so only proxied ones there."""
    visited = {
        host.name: host
        for host in scope.contract.hosts
        if host.role != "api" and (host.proxied or not scope.vantage.rehearsal)
    }
    return tuple(visited.values())


def api_hosts(contract: Contract) -> tuple[str, ...]:
    """The hosts that programs call."""
    named = {host.name for host in contract.hosts if host.role == "api"}
    return tuple(sorted(named | {host_of(contract.endpoints.webhook), host_of(contract.endpoints.members)}))


def page_hosts(scope: Scope) -> tuple[str, ...]:
    """The visited hosts that show a stranger pages of the app. Raises NotDeclared where there is none.

    Left out are hosts that only redirect, those behind Access, those in maintenance, and the one that serves nothing
    but the MTA-STS policy: their answers are the edge's own.
    """
    edge = scope.contract.edge
    closed = {*edge.access_hosts, *(edge.maintenance.hosts if edge.maintenance else ())}
    closed |= {host_of(document.url) for document in edge.documents if document.kind == "mta-sts"}
    found = tuple(host.name for host in visited_hosts(scope) if host.role in {"web", "ops"} and host.name not in closed)
    if not found:
        raise NotDeclared("no host that shows pages to strangers is declared")
    return found


def proxied(contract: Contract, names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` for which the edge answers."""
    ours = {host.name for host in contract.hosts if host.proxied}
    return tuple(name for name in names if name in ours)


def home_host(scope: Scope) -> str:
    """The host of the home page: the domain's canonical one, else (a tenant's stack) the first that shows pages."""
    canonical_of = {redirect.from_host: redirect.to_host for redirect in scope.contract.redirects}
    domain, names = scope.contract.domain, page_hosts(scope)
    home = canonical_of.get(domain, domain)
    return home if home in names else names[0]


def web_paths(contract: Contract) -> tuple[str, ...]:
    """Paths of the app that the edge was told of as a signed-in person's, or limits: where sessions begin and live."""
    named = [*contract.edge.cache.never_paths]
    for limit in contract.edge.rate_limits:
        if not set(limit.hosts) & set(api_hosts(contract)):
            named += limit.paths
    return tuple(dict.fromkeys(named))
