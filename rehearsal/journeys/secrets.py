"""Journeys of secrets that change while they are in use."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from rehearsal.journeys.model import Journey, MismatchError, Person
from rehearsal.journeys.world import POLL_SECONDS, Visit, World


def is_told_while_the_signing_secret_is_rolled(world: World, person: Person) -> None:
    """The signing secret changes at Stripe, then in the stack, then the old one ends: no event is refused for good.

    An instance of the webhook looks for a new secret once a minute at most, which a rehearsal does not wait for: the
    instances end instead, and new ones look. That one which goes on looks by itself is not shown.
    """
    visit, old = world.arrives(person), world.webhook.secret
    _subscribes(world, visit, "before", 1)

    told = len(world.twin.deliveries())
    new = world.twin.roll_secret(world.endpoint)
    _subscribes(world, visit, "Stripe signs with both, the stack holds the old one", 2)
    world.operations.store_signing_secret(current=new, previous=old)
    world.webhook = replace(world.webhook, secret=new)
    _subscribes(world, visit, "the stack holds both", 3)
    refused = [attempt.status for attempt in world.twin.deliveries()[told:] if _is_refusal(attempt.status)]
    if refused:
        raise MismatchError("while Stripe signs with both", {"refused": []}, {"refused": refused})

    world.twin.end_overlap(world.endpoint)
    _subscribes(world, visit, "Stripe signs with the new one", 4, meanwhile=lambda: _instances_end(world))
    taken = {"current": httpx.codes.OK, "previous": httpx.codes.OK}
    answers = {"current": _posts_again(world, visit, new), "previous": _posts_again(world, visit, old)}
    if answers != taken:
        raise MismatchError("either signature is taken", taken, answers)


def _subscribes(
    world: World, visit: Visit, step: str, times: int, *, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """One more subscription, whose events all have to arrive: then there are as many `times`."""
    world.subscribes(visit)
    meanwhile()
    active = {"state": "active", "access": True, "grants": {"active": times}}
    world.expect(visit.person, step, stable=True, membership=active)


def _instances_end(world: World) -> None:
    """Those of the webhook that hold the old secret alone, once they were told something."""
    told, deadline = len(world.twin.deliveries()), time.monotonic() + world.patience_seconds
    while len(world.twin.deliveries()) == told and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    world.operations.end_instances("webhook")


def _posts_again(world: World, visit: Visit, secret: str) -> int:
    """The status for an event that was told already, signed with one secret."""
    event: dict[str, Any] = world.event(visit, "customer.subscription.created")
    body = json.dumps(event).encode()
    return world.webhook.post(body, world.twin.sign(body, secret))


def _is_refusal(status: int | None) -> bool:
    """Whether it says that Stripe did not sign the event; which status does, is the stack's choice."""
    return status is not None and httpx.codes.is_client_error(status)


SECRETS = (
    Journey(
        name="secret_rolled",
        title="the signing secret is rolled while events keep coming",
        story=is_told_while_the_signing_secret_is_rolled,
        alone=True,
    ),
)
