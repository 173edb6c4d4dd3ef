"""Journeys of events rather than people: repeated, at once, in the wrong order, forged."""

import json
import secrets
import time
from typing import Any

from rehearsal.journeys.model import Journey, MismatchError, Person
from rehearsal.journeys.world import World

HTTP_BAD_REQUEST = 400
TOLERANCE_SECONDS = 300
UPDATED = "customer.subscription.updated"


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
    ended = world.after_end(subscription)
    world.expect(person, "deleted last", stable=True, **ended)
    updated = world.event(visit, "customer.subscription.updated")
    deleted = world.event(visit, "customer.subscription.deleted")
    if updated["created"] != deleted["created"]:
        raise MismatchError("the premise", {"created": deleted["created"]}, {"created": updated["created"]})
    # Stripe may tell of one change with two Event objects; a copy under its own id is one that arrives late.
    late = {**updated, "id": f"evt_{secrets.token_hex(12)}"}
    status = world.posts(late)
    if status != 200:
        raise MismatchError("the late event is accepted", {"status": 200}, {"status": status})
    world.expect(person, "updated last", stable=True, **ended)


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


def is_told_thinly(world: World, person: Person) -> None:
    """No event shows the change, a thin one only names the subscription: Stripe is asked, and access follows."""
    visit = world.arrives(person)
    subscription = world.subscribes(visit)
    until = world.period_end(subscription)
    active = {"state": "active", "reason": "paid", "until": until}
    world.expect(person, "before", stable=True, membership=active, kit=world.labels("member_active"))
    with world.loses(UPDATED, subscription):
        world.stripe.v1.subscriptions.update(subscription, {"cancel_at_period_end": True})
    world.expect(person, "while nothing tells", stable=True, membership=active)
    world.tells_thinly(world.events_about(subscription, UPDATED)[-1])
    _shows_end(world, person, "once it was told", until)


def changes_twice_in_one_second(world: World, person: Person) -> None:
    """Two changes of one second are told in either order; what Stripe shows now is what counts."""
    other = person.another("other")
    for someone, ends, order in ((person, True, -1), (other, False, 1)):
        visit = world.arrives(someone)
        subscription = world.subscribes(visit)
        world.expect(someone, "before", stable=True, membership={"state": "active", "reason": "paid"})
        with world.loses(UPDATED, subscription):
            for change in (not ends, ends):
                # Metadata too, so that each is a change.
                params: Any = {"cancel_at_period_end": change, "metadata": {"ends": str(change)}}
                world.stripe.v1.subscriptions.update(subscription, params)
        told = world.events_about(subscription, UPDATED)
        if len(told) != 2 or len({event["created"] for event in told}) != 1:
            raise MismatchError("the premise", {"seconds": 1, "events": 2}, {"told": [e["created"] for e in told]})
        for event in told[::order]:
            world.tells(event)
            world.settle(someone, "told")
        until = world.period_end(subscription)
        if ends:
            _shows_end(world, someone, "the one that ends, told in the wrong order", until)
        else:
            active = {"state": "active", "access": True, "reason": "paid", "until": until}
            world.expect(someone, "the one that goes on", stable=True, membership=active)


def _shows_end(world: World, person: Person, step: str, until: int) -> None:
    if world.policy["cancel"] == "period_end":
        ending = {"state": "active", "access": True, "reason": "cancels_at_period_end", "until": until}
    else:
        window = bool(world.policy["cancelWindowDays"])
        ending = {"state": "canceled", "access": window, "reason": "cancellation_requested"}
    world.expect(person, step, stable=True, membership=ending)


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
    Journey(name="thin_event", title="a change that only a thin event tells of", story=is_told_thinly),
    Journey(name="same_second_tie", title="two changes in the same second", story=changes_twice_in_one_second),
    Journey(name="forged", title="unsigned, tampered, stale and future-dated requests", story=is_forged),
)
