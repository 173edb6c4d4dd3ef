"""Journeys of members who leave: at the period's end, at once, with their money back."""

from rehearsal.journeys.model import Journey, Person
from rehearsal.journeys.world import World


def cancels_at_period_end(world: World, person: Person) -> None:
    """A cancelled member keeps what was paid for, unless the policy ends it at once, and not a day more."""
    visit = world.arrives(person, days_ago=4)
    subscription = world.subscribes(visit)
    world.stripe.v1.subscriptions.update(subscription, {"cancel_at_period_end": True})
    if world.policy["cancel"] == "period_end":
        active = {"state": "active", "access": True}
        kept = world.labels("member_active")
        world.expect(person, "until the period ends", stable=True, membership=active, kit=kept)
    world.time_passes(visit, days_ago=-4)
    world.expect(person, "after the period's end", stable=True, **world.after_end(subscription))


def cancels_at_once(world: World, person: Person) -> None:
    """A subscription that is cancelled now ends now."""
    visit = world.arrives(person)
    subscription = world.subscribes(visit)
    world.expect(person, "before", membership={"state": "active", "access": True})
    world.stripe.v1.subscriptions.cancel(subscription)
    world.expect(person, "after", stable=True, **world.after_end(subscription))


def is_refunded(world: World, person: Person) -> None:
    """The whole money back ends the membership that it paid for, if the policy says so; operations hear of it once."""
    visit = world.arrives(person)
    subscription = world.subscribes(visit)
    world.expect(person, "before", membership={"state": "active", "access": True})
    world.refunds(subscription)
    if world.policy["refundFull"] == "revoke":
        ended, shown = {"state": "refunded", "access": False}, ["refunded"]
    else:
        ended, shown = {"state": "active", "access": True}, world.labels("member_active")
    world.expect(person, "after the refund", stable=True, membership=ended, kit=shown, slack=["refund"])


ENDINGS = (
    Journey(name="cancels_at_period_end", title="a member cancels at the period's end", story=cancels_at_period_end),
    Journey(name="cancels_at_once", title="a member cancels at once", story=cancels_at_once),
    Journey(name="full_refund", title="a member gets the money back", story=is_refunded),
)
