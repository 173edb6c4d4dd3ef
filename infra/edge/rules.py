"""What the edge's sections ask of the plan and of the program's own routes."""

from collections.abc import Iterator

from handlers.settings import CLAIMS_PATH, HEALTH_PATH, MEMBERS_PATH, WEBHOOK_PATH
from infra.edge import expressions
from infra.edge.sections import Cache, RateLimit, Waf
from infra.hostnames import absolute
from infra.names.sections import Host
from infra.plans import PLANS, PlanName
from infra.problems import Problem, any_of, problem

OWN_ROUTES = (WEBHOOK_PATH, MEMBERS_PATH, CLAIMS_PATH, HEALTH_PATH)


def rate_limit_fits_the_plan(rate_limit: RateLimit, zone_plan: PlanName) -> Iterator[Problem]:
    """Each plan counts over certain periods only."""
    periods = PLANS[zone_plan].rate_limit_periods
    if rate_limit.period_seconds not in periods:
        limit = f"plan {zone_plan!r} counts rule rate-limit over {any_of(periods)} seconds"
        remedy = "Use one of these, or a larger zonePlan."
        yield problem("rateLimit.periodSeconds", rate_limit.period_seconds, limit, remedy)


def cache_fits_the_plan(cache: Cache, zone_plan: PlanName) -> Iterator[Problem]:
    """Each plan has a shortest edge TTL."""
    least = PLANS[zone_plan].min_edge_ttl
    if cache.edge_ttl_seconds < least:
        limit = f"plan {zone_plan!r} keeps what rule static-files caches at least {least} seconds"
        yield problem("cache.edgeTtlSeconds", cache.edge_ttl_seconds, limit, "Raise it, or use a larger zonePlan.")


def edge_leaves_our_routes_alone(waf: Waf, rate_limit: RateLimit) -> Iterator[Problem]:
    """Neither a block nor a limit may touch the webhook, the members API or the health route."""
    paths = [(f"waf.blockedPaths[{index}]", path) for index, path in enumerate(waf.blocked_paths)]
    for key, path in [*paths, ("rateLimit.path", rate_limit.path)]:
        for route in OWN_ROUTES:
            if route.startswith(path) or path.startswith(route):
                limit = f"{route} is the program's own route, which no block or limit may touch"
                yield problem(key, path, limit, "Use another path, or a longer one.")


def expressions_fit(domain: str, hosts: tuple[Host, ...], cache: Cache, waf: Waf) -> Iterator[Problem]:
    """Cloudflare refuses long expressions when the rule is written, too late to be a preview."""
    names = tuple(absolute(host.name, domain) for host in hosts)
    built = {
        "hosts": ("https", expressions.plain_http_to(names)),
        "cache.staticPaths": ("static-files", expressions.static_files(names, cache.static_paths)),
        "waf.blockedPaths": ("blocked-paths", expressions.path_starts_with(waf.blocked_paths)),
    }
    for key, (rule, expression) in built.items():
        if len(expression) > expressions.MAX_LENGTH:
            limit = f"the expression of rule {rule} has at most {expressions.MAX_LENGTH} characters"
            yield problem(key, f"{len(expression)} characters", limit, "List fewer or shorter entries.")


CHECKS = (
    rate_limit_fits_the_plan,
    cache_fits_the_plan,
    edge_leaves_our_routes_alone,
    expressions_fit,
)
