"""What the sections of the configuration ask of one another, of the plan and of the program's own routes.

A rule runs when every section that it reads was valid by itself, so one run reports as much as can be known.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.settings import CLAIMS_PATH, DESTINATIONS, HEALTH_PATH, MEMBERS_PATH, WEBHOOK_PATH
from infra import expressions
from infra.destination_sections import Destinations
from infra.hostnames import APEX, MAX_NAME_OCTETS, absolute
from infra.mail_sections import Mail
from infra.plans import PLANS, PlanName
from infra.problems import Problem
from infra.sections import Cache, EventBridge, Host, Product, RateLimit, Waf
from infra.settings import STRIPE_API
from infra.timing import DEAD_LETTER_CONCURRENCY

OWN_ROUTES = (WEBHOOK_PATH, MEMBERS_PATH, CLAIMS_PATH, HEALTH_PATH)
OWN_RECORDS = 3  # www, api and the certificate's validation
UNDELIVERED = "undelivered"
# What members are labelled with for their state; handlers.core.desired says which state has which.
STATE_LABELS = (
    *("cancelled", "disputed", "member_active", "paused", "payment_failed", "refunded"),
    *("trial_expired", "trial_started"),
)
FUNCTIONS = (
    *("webhook", "apply", "members", "claims", "sweep", "reconcile", UNDELIVERED),
    *(f"sync-{spec.name}" for spec in DESTINATIONS),
)
BRIDGE = "bridge"  # only where Stripe's events come through EventBridge too


def apex_is_declared(hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """Www redirects to the apex, so the apex must lead somewhere."""
    if not any(host.name == APEX for host in hosts):
        names = ", ".join(host.name for host in hosts)
        yield _problem("hosts", names, "the apex is where www redirects to", 'Add a host named "@".')


def hosts_do_not_collide(hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """One record for each name and type, and a CNAME stands alone (RFC 2181 section 10.1)."""
    counts = Counter((host.name, host.type) for host in hosts)
    aliases = {host.name for host in hosts if host.type == "CNAME"}
    for index, host in enumerate(hosts):
        key = f"hosts[{index}].name"
        if counts[host.name, host.type] > 1:
            yield _problem(key, host.name, "each name and type is declared once", "Remove the repeated host.")
        elif host.name in aliases and host.type != "CNAME":
            yield _problem(key, host.name, "a CNAME stands alone at its name (RFC 2181)", "Keep one of the two.")


def hosts_agree_with_themselves(hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """The A and AAAA records of one name are proxied, or not, together."""
    first: dict[str, Host] = {}
    for index, host in enumerate(hosts):
        other = first.setdefault(host.name, host)
        if (host.proxied, host.role) != (other.proxied, other.role):
            limit = "the records of one name agree on proxied and role"
            yield _problem(f"hosts[{index}]", host.name, limit, "Make them equal.")


def names_fit(hosts: tuple[Host, ...], domain: str) -> Iterator[Problem]:
    """The label and the domain together still are a name."""
    for index, host in enumerate(hosts):
        name = absolute(host.name, domain)
        if len(name) > MAX_NAME_OCTETS:
            limit = f"a full name has at most {MAX_NAME_OCTETS} characters (RFC 1035), this one {len(name)}"
            yield _problem(f"hosts[{index}].name", host.name[:16] + "…", limit, "Use a shorter name.")


def certificate_reaches(hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """Cloudflare's universal certificate covers the apex and one label."""
    for index, host in enumerate(hosts):
        if host.proxied and "." in host.name:
            limit = "the edge's certificate covers the apex and one label below it"
            yield _problem(f"hosts[{index}].name", host.name, limit, "Use one label, or set proxied to false.")


def rate_limit_fits_the_plan(rate_limit: RateLimit, zone_plan: PlanName) -> Iterator[Problem]:
    """Each plan counts over certain periods only."""
    periods = PLANS[zone_plan].rate_limit_periods
    if rate_limit.period_seconds not in periods:
        limit = f"plan {zone_plan!r} counts rule rate-limit over {_any_of(periods)} seconds"
        remedy = "Use one of these, or a larger zonePlan."
        yield _problem("rateLimit.periodSeconds", rate_limit.period_seconds, limit, remedy)


def cache_fits_the_plan(cache: Cache, zone_plan: PlanName) -> Iterator[Problem]:
    """Each plan has a shortest edge TTL."""
    least = PLANS[zone_plan].min_edge_ttl
    if cache.edge_ttl_seconds < least:
        limit = f"plan {zone_plan!r} keeps what rule static-files caches at least {least} seconds"
        yield _problem("cache.edgeTtlSeconds", cache.edge_ttl_seconds, limit, "Raise it, or use a larger zonePlan.")


def records_fit_the_plan(hosts: tuple[Host, ...], mail: Mail, zone_plan: PlanName) -> Iterator[Problem]:
    """Each plan holds so many records."""
    count = len(hosts) + OWN_RECORDS + len(mail.mx) + len(mail.dkim) + 2  # SPF and DMARC
    most = PLANS[zone_plan].dns_records
    if count > most:
        limit = f"plan {zone_plan!r} holds {most} records and this stack declares {count}"
        yield _problem("hosts", f"{len(hosts)} hosts", limit, "Declare fewer, or use a larger zonePlan.")


def edge_leaves_our_routes_alone(waf: Waf, rate_limit: RateLimit) -> Iterator[Problem]:
    """Neither a block nor a limit may touch the webhook, the members API or the health route."""
    paths = [(f"waf.blockedPaths[{index}]", path) for index, path in enumerate(waf.blocked_paths)]
    for key, path in [*paths, ("rateLimit.path", rate_limit.path)]:
        for route in OWN_ROUTES:
            if route.startswith(path) or path.startswith(route):
                limit = f"{route} is the program's own route, which no block or limit may touch"
                yield _problem(key, path, limit, "Use another path, or a longer one.")


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
            yield _problem(key, f"{len(expression)} characters", limit, "List fewer or shorter entries.")


def mail_entries_are_distinct(mail: Mail) -> Iterator[Problem]:
    """One record for each exchanger and each selector."""
    listed = {"mail.mx": [mx.host for mx in mail.mx], "mail.dkim": [dkim.selector for dkim in mail.dkim]}
    for key, names in listed.items():
        for name in _repeated(names):
            yield _problem(key, name, "each is declared once", "Remove the repeated entry.")


def products_are_distinct(products: tuple[Product, ...]) -> Iterator[Problem]:
    """A price buys one level."""
    for price in _repeated(product.price for product in products):
        yield _problem("products", price, "a price buys one level", "Keep one entry for it.")


def tagged_labels_exist(destinations: Destinations, products: tuple[Product, ...]) -> Iterator[Problem]:
    """A tag for a label that no member ever has would never be set."""
    known = {*STATE_LABELS, *(f"level:{product.level}" for product in products)}
    for label in destinations.kit.tags:
        if label not in known:
            limit = f"a member's labels are {', '.join(sorted(known))}"
            yield _problem("destinations.kit.tags", label, limit, "Correct the label, or sell its level in products.")


def reserved_concurrency_is_known(
    reserved_concurrency: Mapping[str, int], event_bridge: EventBridge
) -> Iterator[Problem]:
    """Only functions that exist can have concurrency reserved."""
    known = (*FUNCTIONS, BRIDGE) if event_bridge.source else FUNCTIONS
    for name in reserved_concurrency:
        if name not in known:
            limit = f"the functions are {', '.join(known)}"
            yield _problem(f"reservedConcurrency.{name}", reserved_concurrency[name], limit, "Correct the name.")


def reserved_concurrency_suffices(
    reserved_concurrency: Mapping[str, int], apply_max_concurrency: int, sync_max_concurrency: int
) -> Iterator[Problem]:
    """A queue that calls a function more often than its reserve allows has its messages thrown back and counted."""
    for name, reserved in reserved_concurrency.items():
        fed = _called_at_once(name, apply_max_concurrency, sync_max_concurrency)
        if reserved < fed:
            key = f"reservedConcurrency.{name}"
            limit = f"queues call it up to {fed} times at once, and refused calls count towards the dead letters"
            remedy = f"Reserve at least {fed}" + ("." if name == UNDELIVERED else ", or lower the maximum concurrency.")
            yield _problem(key, reserved, limit, remedy)


def stripe_keys_match_the_mode(
    livemode: bool, stripe_api_base: str, stripe_api_key: Any, stripe_read_key: Any
) -> Iterator[Problem]:
    """A test key makes an endpoint that never sees a payment; only Stripe itself gives its keys this form."""
    if stripe_api_base != STRIPE_API:
        return
    wrong = "_test_" if livemode else "_live_"
    for key, secret in (("stripeApiKey", stripe_api_key), ("stripeReadKey", stripe_read_key)):
        if secret.get_secret_value().startswith((f"sk{wrong}", f"rk{wrong}")):
            limit = f"livemode is {str(livemode).lower()} and this key is of the other mode"
            yield _problem(key, "[secret]", limit, "Set the other key, or change livemode.")


def event_source_is_of_the_mode(livemode: bool, event_bridge: EventBridge) -> Iterator[Problem]:
    """A test source brings a live stack events which it refuses, and never a payment."""
    if livemode and event_bridge.is_of_test_mode:
        limit = "livemode is true and this source is of test mode"
        yield _problem("eventBridge.source", event_bridge.source, limit, "Make a live event destination at Stripe.")


def identity_keys_differ(identity_key: Any, identity_key_previous: Any) -> Iterator[Problem]:
    """A key that was rolled to itself was not rolled."""
    if identity_key.get_secret_value() == identity_key_previous.get_secret_value():
        limit = "it is the same as identityKey"
        yield _problem("identityKeyPrevious", "[secret]", limit, "Set the key from before the roll, or remove it.")


@dataclass(frozen=True)
class Rule:
    """A check over the sections that its parameters are named after."""

    check: Callable[..., Iterable[Problem]]

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of the fields of Settings that it reads."""
        return tuple(inspect.signature(self.check).parameters)

    def problems(self, valid: Mapping[str, Any]) -> Iterable[Problem]:
        """What is wrong, as far as the sections are valid."""
        if all(name in valid for name in self.needs):
            return self.check(*(valid[name] for name in self.needs))
        return ()


RULES: tuple[Rule, ...] = tuple(
    Rule(check)
    for check in (
        apex_is_declared,
        hosts_do_not_collide,
        hosts_agree_with_themselves,
        names_fit,
        certificate_reaches,
        rate_limit_fits_the_plan,
        cache_fits_the_plan,
        records_fit_the_plan,
        edge_leaves_our_routes_alone,
        expressions_fit,
        mail_entries_are_distinct,
        products_are_distinct,
        tagged_labels_exist,
        reserved_concurrency_is_known,
        reserved_concurrency_suffices,
        stripe_keys_match_the_mode,
        event_source_is_of_the_mode,
        identity_keys_differ,
    )
)


def _problem(key: str, value: object, limit: str, remedy: str) -> Problem:
    return Problem(key=key, value=str(value), limit=limit, remedy=remedy)


def _any_of(numbers: tuple[int, ...]) -> str:
    return ", ".join(str(number) for number in numbers)


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _called_at_once(function: str, apply_max_concurrency: int, sync_max_concurrency: int) -> int:
    """How many batches of its queues a function is given at once; 1 where no queue calls it."""
    if function in ("apply", BRIDGE):
        return apply_max_concurrency
    if function == UNDELIVERED:
        return DEAD_LETTER_CONCURRENCY * (1 + len(DESTINATIONS))
    return sync_max_concurrency if function.startswith("sync-") else 1
