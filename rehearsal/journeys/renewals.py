"""Journeys of renewals that fail: with a recovery, and for good."""

from rehearsal.journeys.model import Journey, Person
from rehearsal.journeys.world import World

MONTH_AND_A_DAY = 32


def recovers(world: World, person: Person) -> None:
    """The renewal fails yesterday; access lasts through the grace period; a working card ends the worry."""
    visit = world.arrives(person, days_ago=MONTH_AND_A_DAY)
    subscription = world.subscribes(visit)
    world.card(visit, "pm_card_chargeCustomerFail")
    world.time_passes(visit)
    world.expect(
        person,
        "after the failed renewal",
        membership={"state": "grace_period", "access": True},
        kit=world.labels("member_active", "payment_failed"),
        slack=["payment_failed"],
    )
    world.card(visit, "pm_card_visa")
    world.pays_open_invoice(subscription)
    world.expect(
        person,
        "after paying at last",
        stable=True,
        membership={"state": "active", "access": True},
        kit=world.labels("member_active"),
    )


def lapses(world: World, person: Person) -> None:
    """Nobody pays: the grace period runs out, then Stripe gives up."""
    grace_days = int(world.policy["graceDays"])
    visit = world.arrives(person, days_ago=31 + grace_days + 1)
    world.subscribes(visit)
    world.card(visit, "pm_card_chargeCustomerFail")
    world.time_passes(visit, days_ago=grace_days + 0.5)
    world.expect(
        person,
        "once the grace period has run out, with no further event",
        stable=True,
        membership={"state": "past_due", "access": False},
    )
    world.time_passes(visit, days_ago=-30)
    world.expect(
        person,
        "once Stripe has given up",
        stable=True,
        membership={"state": "canceled", "access": False, "levels": []},
        kit=["cancelled"],
    )


RENEWALS = (
    Journey(name="renewal_recovers", title="a renewal fails, then recovers within grace", story=recovers),
    Journey(name="renewal_lapses", title="a renewal fails for good", story=lapses),
)
