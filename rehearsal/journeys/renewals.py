"""Journeys of renewals that fail: with a recovery, and for good."""

import time

from rehearsal.journeys.model import Journey, Person
from rehearsal.journeys.world import DAY, PERIOD_DAYS, World

DRAFT_SECONDS = 3600  # Stripe collects a renewal's invoice an hour after it was made
TIME_TO_SETTLE = 15  # seconds in which the failure has to arrive before the grace period is over


def recovers(world: World, person: Person) -> None:
    """The renewal fails; access lasts through the grace period, if there is one; a working card ends the worry."""
    visit, subscription = world.falls_behind(person)
    world.expect(person, "after the failed renewal", **world.behind(), slack=["payment_failed"])
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
    visit = world.arrives(person, days_ago=PERIOD_DAYS + world.grace_days + 1)
    subscription = world.subscribes(visit)
    world.card(visit, "pm_card_chargeCustomerFail")
    world.time_passes(visit, days_ago=world.grace_days + 0.5)
    world.expect(
        person,
        "once the grace period has run out, with no further event",
        stable=True,
        membership={"state": "past_due", "access": False},
    )
    world.time_passes(visit, days_ago=-30)
    world.expect(person, "once Stripe has given up", stable=True, **world.after_end(subscription))


def runs_out_of_grace(world: World, person: Person) -> None:
    """The grace period ends in a moment, and nobody tells: the answer changes, and the sweep brings Kit along."""
    failing_at = time.time() + TIME_TO_SETTLE - world.grace_days * DAY
    joined_at = failing_at - DRAFT_SECONDS - PERIOD_DAYS * DAY
    visit = world.arrives(person, days_ago=(time.time() - joined_at) / DAY)
    world.subscribes(visit)
    world.card(visit, "pm_card_chargeCustomerFail")
    world.time_passes(visit, days_ago=(time.time() - failing_at - 1) / DAY)
    state = world.policy["failedRenewal"]
    world.expect(
        person, "while grace lasts", membership={"state": state, "access": True, "levels": [world.first_level]}
    )
    by_time = {"changed_by": None} if state == "grace_period" else {}  # else the state's name stays
    world.expect(
        person,
        "once it is over, with no further event",
        membership={"state": "past_due", "access": False, "levels": [], "reason": "grace_period_over", **by_time},
        kit=["payment_failed"],
    )


RENEWALS = (
    Journey(name="renewal_recovers", title="a renewal fails, then recovers within grace", story=recovers),
    Journey(
        name="grace_runs_out", title="the grace period ends while nobody looks", story=runs_out_of_grace, long=True
    ),
    Journey(name="renewal_lapses", title="a renewal fails for good", story=lapses),
)
