"""Journeys of events rather than people: repeated, at once, in the wrong order, forged."""

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from rehearsal.journeys.model import Journey, MismatchError, Person
from rehearsal.journeys.world import World

HTTP_BAD_REQUEST = 400
TOLERANCE_SECONDS = 300


def is_told_twice(world: World, person: Person) -> None:
    """The same event again, and three times at the same moment, has no second effect."""
    visit, _ = world.falls_behind(person)
    once: dict[str, Any] = {**world.behind(), "slack": ["payment_failed"]}
    world.expect(person, "after one telling", stable=True, **once)
    before = world.version(person)
    event = world.event(visit, "invoice.payment_failed")
    world.twin.redeliver(event["id"], times=1)
    world.twin.redeliver(event["id"], times=3, concurrently=True)
    world.expect(person, "after four more", stable=True, **once)
    after = world.version(person)
    if after != before:
        raise MismatchError("nothing was written again", {"version": before}, {"version": after})


def updates_and_deletes_in_one_second(world: World, person: Person) -> None:
    """`updated` and `deleted` carry the same second; whichever comes last, the subscription has ended."""
    visit = world.arrives(person)
    subscription = world.subscribes(visit)
    world.stripe.v1.subscriptions.update(subscription, {"metadata": {"note": "changed in the same second"}})
    world.stripe.v1.subscriptions.cancel(subscription)
    world.expect(person, "deleted last", stable=True, membership={"state": "canceled", "access": False})
    updated = world.event(visit, "customer.subscription.updated")
    deleted = world.event(visit, "customer.subscription.deleted")
    if updated["created"] != deleted["created"]:
        raise MismatchError("the premise", {"created": deleted["created"]}, {"created": updated["created"]})
    # Stripe may tell of one change with two Event objects; a copy under its own id is one that arrives late.
    late = {**updated, "id": f"evt_{secrets.token_hex(12)}"}
    status = _post_signed(world, late)
    if status != 200:
        raise MismatchError("the late event is accepted", {"status": 200}, {"status": status})
    world.expect(person, "updated last", stable=True, membership={"state": "canceled", "access": False})


def is_forged(world: World, person: Person) -> None:
    """Unsigned, tampered, stale and future-dated requests are refused and change nothing."""
    event = _made_up_subscription(world, person)
    body = json.dumps(event).encode()
    now = int(time.time())
    genuine = world.twin.sign(body, world.webhook.secret, now)
    forgeries = {
        "unsigned": (body, None),
        "tampered": (body.replace(b'"active"', b'"unpaid"'), genuine),
        "wrong secret": (body, world.twin.sign(body, f"whsec_{secrets.token_hex(16)}", now)),
        "stale": (body, world.twin.sign(body, world.webhook.secret, now - TOLERANCE_SECONDS - 5)),
        "future": (body, world.twin.sign(body, world.webhook.secret, now + TOLERANCE_SECONDS + 5)),
    }
    expected = dict.fromkeys(forgeries, HTTP_BAD_REQUEST)
    answers = {name: world.webhook.post(*forgery) for name, forgery in forgeries.items()}
    if answers != expected:
        raise MismatchError("each is refused", expected, answers)
    world.expect(person, "nothing was written", stable=True, membership=None)


def _post_signed(world: World, event: Mapping[str, Any]) -> int:
    body = json.dumps(event).encode()
    return world.webhook.post(body, world.twin.sign(body, world.webhook.secret, int(time.time())))


def _made_up_subscription(world: World, person: Person) -> dict[str, Any]:
    now = int(time.time())
    return {
        "id": f"evt_{secrets.token_hex(12)}",
        "object": "event",
        "type": "customer.subscription.created",
        "created": now,
        "livemode": True,
        "data": {
            "object": {
                "id": f"sub_{secrets.token_hex(12)}",
                "object": "subscription",
                "status": "active",
                "customer": f"cus_{secrets.token_hex(12)}",
                "metadata": world.metadata(person),
                "items": {"data": [{"price": {"id": next(iter(world.prices.values()))}}]},
            }
        },
    }


DELIVERIES = (
    Journey(name="told_twice", title="one event, delivered twice and at the same moment", story=is_told_twice),
    Journey(
        name="same_second",
        title="updated and deleted in the same second, in both orders",
        story=updates_and_deletes_in_one_second,
    ),
    Journey(name="forged", title="unsigned, tampered, stale and future-dated requests", story=is_forged),
)
