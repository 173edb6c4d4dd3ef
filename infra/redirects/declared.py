"""Which redirects a stack declares, and which of them are rules of the zone or entries of a bulk list."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from infra.documents import declared as documents
from infra.plans import PLANS, Plan
from infra.redirects import old_paths
from infra.redirects.conflicts import PathRedirect
from infra.redirects.names import Names, names
from infra.settings import Stack

PHASE = "http_request_dynamic_redirect"
OWN_RULES = 2  # the alias and https


class Declared(NamedTuple):
    """Old paths in the file's order: rules of the zone while it has room for them, then entries of a bulk list."""

    single: tuple[PathRedirect, ...]
    bulk: tuple[PathRedirect, ...]


def of(stack: Stack) -> Declared:
    """What a stack declares; a tenant declares nothing, for the zone's rules are its owner's."""
    settings = stack.settings
    if not stack.owns_zone:
        return Declared((), ())
    found = old_paths.load(settings.redirects.file, names_of(stack))
    return divided(found.redirects, PLANS[settings.zone_plan], taken(settings.extra_rules))


def taken(extra_rules: Mapping[str, Sequence[object]]) -> int:
    """How many of the zone's redirect rules are not old paths."""
    return OWN_RULES + len(extra_rules.get(PHASE, ()))


def divided(redirects: Sequence[PathRedirect], plan: Plan, others: int) -> Declared:
    """The redirects in a zone that has `others` rules of their phase already."""
    room = max(0, plan.redirect_rules - others)
    return Declared(tuple(redirects[:room]), tuple(redirects[room:]))


def names_of(stack: Stack) -> Names:
    """The names of the stack's zone."""
    settings = stack.settings
    return names(
        domain=settings.domain,
        canonical=settings.canonical,
        hosts=settings.hosts,
        api_host=settings.api_host,
        records=settings.records,
        served=documents.of(stack),
        retired=settings.retired,
    )
