"""Journeys of events that never come, which reconcile makes up for when its time comes."""

from rehearsal.journeys.model import Journey, Person
from rehearsal.journeys.world import Visit, World


def misses_what_happened(world: World, person: Person) -> None:
    """A cancellation while the endpoint was disabled, and refunds whose events were lost: one run brings them all.

    All of it is days old: reconcile leaves alone what is younger than ten minutes, which may be on its way.
    """
    refunded, once = person.another("refunded"), person.another("once")
    visits = [world.arrives(someone, days_ago=3) for someone in (person, refunded, once)]
    canceled, kept = [_shown(world, visit, world.subscribes(visit)) for visit in visits[:2]]
    bought = _shown(world, visits[2], world.buys_once(visits[2]))
    for visit in visits:
        world.time_passes(visit, days_ago=2)

    with world.endpoint_disabled():
        world.stripe.v1.subscriptions.cancel(canceled)
    with world.misses(acknowledged=True):
        world.refunds(kept)
    with world.misses():
        world.refunds_payment(world.payment_of(bought))
    for visit in visits:
        _is_member(world, visit.person, "while nothing tells")

    world.reconciles()
    world.expect(person, "canceled meanwhile", stable=True, **world.after_end(canceled), slack=[])
    _gets_money_back(world, refunded, "refunded, though Stripe believes that it told")
    _gets_money_back(world, once, "a payment refunded, though nothing told")


def _shown(world: World, visit: Visit, purchase: str) -> str:
    """The purchase, once it shows."""
    _is_member(world, visit.person, "before")
    return purchase


def _is_member(world: World, person: Person, step: str) -> None:
    world.expect(
        person, step, stable=True, membership={"state": "active", "access": True}, kit=world.labels("member_active")
    )


def _gets_money_back(world: World, person: Person, step: str) -> None:
    if world.policy["refundFull"] == "revoke":
        ended, shown = {"state": "refunded", "access": False, "reason": "refunded_in_full"}, ["refunded"]
    else:
        ended, shown = {"state": "active", "access": True}, world.labels("member_active")
    world.expect(person, step, stable=True, membership=ended, kit=shown, slack=["refund"])


LOSSES = (
    Journey(
        name="reconciled",
        title="a cancellation and two refunds that no event told of",
        story=misses_what_happened,
        alone=True,
    ),
)
