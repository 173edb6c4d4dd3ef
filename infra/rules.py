"""What the sections of the configuration ask of one another, of the plan and of the program's own routes.

A rule runs when every section that it reads was valid by itself, so one run reports as much as can be known.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.settings import DESTINATIONS
from infra import tenancy_rules
from infra.destination_sections import Destinations
from infra.documents import rules as documents
from infra.edge import access_sections as access
from infra.edge import rules as edge
from infra.mail import rules as mail
from infra.names import rules as names
from infra.problems import Problem, problem, repeated
from infra.redirects import rules as redirects
from infra.sections import EventBridge, Product
from infra.settings import STRIPE_API
from infra.timing import DEAD_LETTER_CONCURRENCY

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


def products_are_distinct(products: tuple[Product, ...]) -> Iterator[Problem]:
    """A price buys one level."""
    for price in repeated(product.price for product in products):
        yield problem("products", price, "a price buys one level", "Keep one entry for it.")


def tagged_labels_exist(destinations: Destinations, products: tuple[Product, ...]) -> Iterator[Problem]:
    """A tag for a label that no member ever has would never be set."""
    known = {*STATE_LABELS, *(f"level:{product.level}" for product in products)}
    for label in destinations.kit.tags:
        if label not in known:
            limit = f"a member's labels are {', '.join(sorted(known))}"
            yield problem("destinations.kit.tags", label, limit, "Correct the label, or sell its level in products.")


def reserved_concurrency_is_known(
    reserved_concurrency: Mapping[str, int], event_bridge: EventBridge
) -> Iterator[Problem]:
    """Only functions that exist can have concurrency reserved."""
    known = (*FUNCTIONS, BRIDGE) if event_bridge.source else FUNCTIONS
    for name in reserved_concurrency:
        if name not in known:
            limit = f"the functions are {', '.join(known)}"
            yield problem(f"reservedConcurrency.{name}", reserved_concurrency[name], limit, "Correct the name.")


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
            yield problem(key, reserved, limit, remedy)


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
            yield problem(key, "[secret]", limit, "Set the other key, or change livemode.")


def event_source_is_of_the_mode(livemode: bool, event_bridge: EventBridge) -> Iterator[Problem]:
    """A test source brings a live stack events which it refuses, and never a payment."""
    if livemode and event_bridge.is_of_test_mode:
        limit = "livemode is true and this source is of test mode"
        yield problem("eventBridge.source", event_bridge.source, limit, "Make a live event destination at Stripe.")


def identity_keys_differ(identity_key: Any, identity_key_previous: Any) -> Iterator[Problem]:
    """A key that was rolled to itself was not rolled."""
    if identity_key.get_secret_value() == identity_key_previous.get_secret_value():
        limit = "it is the same as identityKey"
        yield problem("identityKeyPrevious", "[secret]", limit, "Set the key from before the roll, or remove it.")


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
        *names.CHECKS,
        *edge.CHECKS,
        *redirects.CHECKS,
        *documents.CHECKS,
        *access.CHECKS,
        *mail.CHECKS,
        *tenancy_rules.CHECKS,
        products_are_distinct,
        tagged_labels_exist,
        reserved_concurrency_is_known,
        reserved_concurrency_suffices,
        stripe_keys_match_the_mode,
        event_source_is_of_the_mode,
        identity_keys_differ,
    )
)


def _called_at_once(function: str, apply_max_concurrency: int, sync_max_concurrency: int) -> int:
    """How many batches of its queues a function is given at once; 1 where no queue calls it."""
    if function in ("apply", BRIDGE):
        return apply_max_concurrency
    if function == UNDELIVERED:
        return DEAD_LETTER_CONCURRENCY * (1 + len(DESTINATIONS))
    return sync_max_concurrency if function.startswith("sync-") else 1
