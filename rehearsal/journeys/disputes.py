"""Journeys of money that goes back without the founder's will, or does not: disputes, refunds that fail."""

from collections.abc import Sequence
from typing import Any

from rehearsal.journeys.model import Journey, Observed, Person
from rehearsal.journeys.world import World


def loses_a_dispute(world: World, person: Person) -> None:
    """A disputed payment needs a person at once; once the bank has taken the money, the policy decides."""
    subscription, dispute = _disputes(world, person)
    world.dispute_ends(dispute, won=False)
    if world.policy["disputeLost"] == "revoke":
        end = world.events_about(dispute, "charge.dispute.closed")[0]["created"]
        # Stripe goes on billing for what is no longer given: that is for a person to decide.
        ended, shown = _taken("dispute_lost", end), ["refunded", "disputed"]
    else:
        ended, shown = _kept(world, subscription, needs_support=False), world.labels("member_active")
    _shows(world, person, "once it is lost", ended, shown, ["dispute", "dispute_closed"])


def wins_a_dispute(world: World, person: Person) -> None:
    """A dispute that was won leaves the member as if it had never been."""
    subscription, dispute = _disputes(world, person)
    world.dispute_ends(dispute, won=True)
    kept = _kept(world, subscription, needs_support=False)
    _shows(world, person, "once it is won", kept, world.labels("member_active"), ["dispute", "dispute_closed"])


def gets_no_money_back(world: World, person: Person) -> None:
    """A refund that the customer's bank sends back was none: who was refunded is a member again."""
    visit = world.arrives(person)
    subscription = world.subscribes(visit)
    kept = _kept(world, subscription, needs_support=False)
    world.expect(person, "before", stable=True, membership=kept)
    refund = world.refunds(subscription)
    if world.policy["refundFull"] == "revoke":
        ended = _taken("refunded_in_full", world.event(visit, "charge.refunded")["created"])
        _shows(world, person, "after the refund", ended, ["refunded"], ["refund"])
    else:
        _shows(world, person, "after the refund", kept, world.labels("member_active"), ["refund"])
    world.refund_fails(refund)
    _shows(world, person, "once it has failed", kept, world.labels("member_active"), ["refund", "refund_failed"])


def _disputes(world: World, person: Person) -> tuple[str, str]:
    """A member whose payment is disputed, as the policy wants it; the subscription's id and the dispute's."""
    subscription = world.subscribes(world.arrives(person))
    kept = _kept(world, subscription, needs_support=False)
    world.expect(person, "before", stable=True, membership=kept)
    dispute = world.disputes(world.payment_intent(subscription))
    if world.policy["disputeOpen"] == "revoke":
        opened = world.events_about(dispute, "charge.dispute.created")[0]["created"]
        _shows(world, person, "while it is open", _taken("dispute_open", opened), ["refunded", "disputed"], ["dispute"])
    else:
        waiting = _kept(world, subscription, needs_support=True)
        _shows(world, person, "while it is open", waiting, world.labels("member_active"), ["dispute"])
    return subscription, dispute


def _shows(
    world: World, person: Person, step: str, membership: Observed, kit: Sequence[str], slack: Sequence[str]
) -> None:
    world.expect(person, step, stable=True, membership=membership, kit=list(kit), slack=list(slack))


def _kept(world: World, subscription: str, *, needs_support: bool) -> dict[str, Any]:
    return {
        "state": "active",
        "access": True,
        "reason": "paid",
        "until": world.period_end(subscription),
        "needs_support": needs_support,
    }


def _taken(reason: str, since: int) -> dict[str, Any]:
    return {"state": "refunded", "access": False, "reason": reason, "until": since, "needs_support": True}


DISPUTES = (
    Journey(name="dispute_lost", title="a payment is disputed, and the money is lost", story=loses_a_dispute),
    Journey(name="dispute_won", title="a payment is disputed, and the founder is right", story=wins_a_dispute),
    Journey(name="refund_fails", title="a refund fails at the customer's bank", story=gets_no_money_back),
)
