"""What the edge's sections ask of the plan, of the hosts and of the program's own routes."""

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.settings import CLAIMS_PATH, HEALTH_PATH, MEMBERS_PATH, WEBHOOK_PATH
from infra.edge import extra_rule_limits
from infra.edge.header_sections import Csp, Hsts
from infra.edge.known_settings import CHOICES, KINDS, LEAST_PLAN, OWN
from infra.edge.sections import Bots, Cache, Cors, Ddos, RateLimit, Waf
from infra.hostnames import absolute
from infra.names.sections import Host
from infra.plans import ORDER, PLANS, PlanName, larger_plan
from infra.problems import Problem, any_of, problem, repeated

OWN_ROUTES = (WEBHOOK_PATH, MEMBERS_PATH, CLAIMS_PATH, HEALTH_PATH)


def rate_limits_fit_the_plan(rate_limits: tuple[RateLimit, ...], zone_plan: PlanName) -> Iterator[Problem]:
    """Each plan counts over certain periods, refuses for certain times and knows certain fields of a request."""
    plan = PLANS[zone_plan]
    for index, wanted in enumerate(rate_limits):
        key, rule = f"rateLimits[{index}]", f"rule rate-limit-{wanted.name}"
        if (period := wanted.period_seconds) not in plan.rate_limit_periods:
            limit = f"plan {zone_plan!r} counts {rule} over {any_of(plan.rate_limit_periods)} seconds"
            remedy = larger_plan(lambda other, period=period: period in other.rate_limit_periods)
            yield problem(f"{key}.periodSeconds", period, limit, f"Use one of these; {remedy}.")
        seconds = wanted.mitigation_seconds
        if seconds is not None and seconds not in plan.rate_limit_mitigations:
            limit = f"plan {zone_plan!r} lets {rule} refuse for {any_of(plan.rate_limit_mitigations)} seconds"
            remedy = larger_plan(lambda other, seconds=seconds: seconds in other.rate_limit_mitigations)
            yield problem(f"{key}.mitigationSeconds", seconds, limit, f"Use one of these; {remedy}.")
        if wanted.hosts and not plan.limits_by("http.host"):
            limit = f"plan {zone_plan!r} counts {rule} by path alone: its limits cannot read http.host"
            remedy = larger_plan(lambda other: other.limits_by("http.host"))
            yield problem(f"{key}.hosts", ", ".join(wanted.hosts), limit, f"Leave hosts out; {remedy}.")


def rate_limits_name_hosts_and_themselves(
    rate_limits: tuple[RateLimit, ...], hosts: tuple[Host, ...], zone: str
) -> Iterator[Problem]:
    """A limit's name is its rule's, and its hosts are behind the edge. A tenant's limits are its owner's."""
    if zone == "tenant":
        return
    for name in repeated(limit.name for limit in rate_limits):
        yield problem("rateLimits", name, "each limit has a name of its own", "Rename one of them.")
    proxied = sorted({host.name for host in hosts if host.proxied})
    for index, wanted in enumerate(rate_limits):
        for label in wanted.hosts:
            if label not in proxied:
                limit = f"a limit counts at declared hosts that are proxied: {', '.join(proxied)}"
                yield problem(f"rateLimits[{index}].hosts", label, limit, "Correct it, or declare the host.")


def edge_leaves_our_routes_alone(waf: Waf, rate_limits: tuple[RateLimit, ...]) -> Iterator[Problem]:
    """Neither a block nor a limit may touch the webhook, the API or the health route; limits at other hosts cannot."""
    paths = [(f"waf.blockedPaths[{index}]", path) for index, path in enumerate(waf.blocked_paths)]
    for number, wanted in enumerate(rate_limits):
        if not wanted.hosts:
            paths += [(f"rateLimits[{number}].paths[{index}]", path) for index, path in enumerate(wanted.paths)]
    for key, path in paths:
        for route in OWN_ROUTES:
            if route.startswith(path.lower()) or path.lower().startswith(route):
                limit = f"{route} is the program's own route, which no block or limit may touch"
                yield problem(key, path, limit, "Use another path, or a longer one.")


def cache_fits_the_plan(cache: Cache, zone_plan: PlanName) -> Iterator[Problem]:
    """Each plan has a shortest edge TTL."""
    least, seconds = PLANS[zone_plan].min_edge_ttl, cache.edge_ttl_seconds
    if seconds < least:
        limit = f"plan {zone_plan!r} keeps what rule static-files caches at least {least} seconds"
        remedy = larger_plan(lambda other: other.min_edge_ttl <= seconds)
        yield problem("cache.edgeTtlSeconds", seconds, limit, f"Raise it; {remedy}.")


def cache_agrees_with_itself(cache: Cache) -> Iterator[Problem]:
    """What is never kept is not kept for ever."""
    for index, path in enumerate(cache.static_paths):
        for never in cache.never_paths:
            if path.startswith(never):
                limit = f"{never} is among neverPaths, which win, so nothing below {path} would be kept"
                yield problem(f"cache.staticPaths[{index}]", path, limit, "Take one of the two out.")


def ladders_climb(hsts: Hsts, csp: Csp) -> Iterator[Problem]:
    """A target is not behind its rung, and one ahead has a date."""
    yield from hsts.ladder.problems()
    yield from csp.ladder.problems()


def policies_are_for_hosts(csp: Csp, hosts: tuple[Host, ...], zone: str) -> Iterator[Problem]:
    """The edge can set a policy only on answers that pass through it. A tenant's policies are its owner's."""
    if zone == "tenant":
        return
    proxied = sorted({host.name for host in hosts if host.proxied})
    for key, labels in (("csp.policies", csp.policies), ("csp.leftToApp", csp.left_to_app)):
        for label in labels:
            if label not in proxied:
                limit = f"the edge sets policies of declared hosts that are proxied: {', '.join(proxied)}"
                yield problem(key, label, limit, "Correct the name; an unproxied host's origin sets its own.")
    for label in csp.left_to_app:
        if label in csp.policies:
            limit = "the edge sets this host's policy, or its app does"
            yield problem("csp.leftToApp", label, limit, "Take it out of one of the two.")


def cors_names_known_pages(cors: Cors, hosts: tuple[Host, ...], domain: str) -> Iterator[Problem]:
    """Exactly the app's own origins: no wildcard, no null, nothing of somebody else's."""
    known = sorted({f"https://{absolute(host.name, domain)}" for host in hosts if host.role == "web"})
    for index, origin in enumerate(cors.origins or ()):
        if origin not in known:
            limit = f"an origin that may call the API is one of the app's: {', '.join(known)}"
            yield problem(f"cors.origins[{index}]", origin, limit, "Correct it, or leave origins out for all of them.")


def bots_leave_the_webhook_alone(bots: Bots, domain: str, api_host: str) -> Iterator[Problem]:
    """https://developers.cloudflare.com/bots/get-started/bot-fight-mode/: no rule makes an exception of it."""
    if bots.fight_mode:
        limit = (
            f"{absolute(api_host, domain)} is proxied and takes Stripe's webhooks, which Bot Fight Mode may challenge; "
            "no rule of any plan can except them"
        )
        yield problem("bots.fightMode", "true", limit, "Set it to false; use rateLimits and waf.blockedPaths.")


def ddos_fits_the_plan(ddos: Ddos, zone_plan: PlanName) -> Iterator[Problem]:
    """To log without acting is for the largest plan."""
    if ddos.action == "log" and not PLANS[zone_plan].log_action:
        limit = f"plan {zone_plan!r} has no action log for rule ddos"
        yield problem("ddos.action", "log", limit, f"Use block; {larger_plan(lambda other: other.log_action)}.")


def settings_are_known(settings: Mapping[str, Any], zone_plan: PlanName) -> Iterator[Problem]:
    """The provider takes any id and value at preview; Cloudflare refuses them only when they are written."""
    for setting, value in settings.items():
        key = f"settings.{setting}"
        if setting in OWN:
            yield problem(key, value, "the program declares this setting itself", f"It is set by {OWN[setting]}.")
        elif setting not in CHOICES and setting not in KINDS:
            yield problem(key, value, "Cloudflare has no such zone setting", "Its API reference lists them.")
        elif setting in CHOICES and (value not in CHOICES[setting] or isinstance(value, bool)):
            yield problem(key, value, f"its values are {', '.join(map(str, CHOICES[setting]))}", "Use one of these.")
        elif setting in KINDS and not isinstance(value, KINDS[setting]):
            yield problem(key, value, f"its value is of type {KINDS[setting].__name__}", "Correct it.")
        elif ORDER.index(zone_plan) < ORDER.index(least := LEAST_PLAN.get(setting, "free")):
            limit = f"plan {zone_plan!r} has no setting {setting}"
            yield problem(key, value, limit, f"Leave it out; zonePlan {least} allows it.")


CHECKS = (
    rate_limits_fit_the_plan,
    rate_limits_name_hosts_and_themselves,
    edge_leaves_our_routes_alone,
    cache_fits_the_plan,
    cache_agrees_with_itself,
    ladders_climb,
    policies_are_for_hosts,
    cors_names_known_pages,
    bots_leave_the_webhook_alone,
    ddos_fits_the_plan,
    settings_are_known,
    *extra_rule_limits.CHECKS,
)
