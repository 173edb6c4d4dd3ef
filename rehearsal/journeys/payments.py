"""Journeys of people who pay once: at once, later, never, and with money back."""

from typing import Any

from rehearsal.journeys.model import Journey, Observed, Person
from rehearsal.journeys.world import DAY, ONCE_CENTS, Visit, World


def buys_once_and_is_refunded(world: World, person: Person) -> None:
    """One payment opens a level at once, though only the session's line items say what was sold; money back ends it."""
    visit = world.arrives(person)
    if world.once is None:
        session, level, days = world.buys_once(visit), world.first_level, None
    else:
        session, level, days = world.buys_listed(visit, world.once), world.once.level, world.once.days
    end = None if days is None else world.event(visit, "payment_intent.succeeded")["created"] + days * DAY
    paid = _paid(level, until=end)
    member = world.labels("member_active", level=level)
    world.expect(person, "after paying", stable=True, membership=paid, kit=member)
    world.refunds_payment(world.payment_of(session))
    if world.policy["refundFull"] == "revoke":
        since = world.event(visit, "charge.refunded")["created"]
        ended, shown = _over("refunded", "refunded_in_full", until=since), ["refunded"]
    else:
        ended, shown = paid, member
    world.expect(person, "after the refund", stable=True, membership=ended, kit=shown, slack=["refund"])


def gets_a_part_back(world: World, person: Person) -> None:
    """A part of the money back, and then another, leave access alone unless the policy says otherwise."""
    visit = world.arrives(person)
    payment = world.payment_of(world.buys_once(visit))
    world.expect(person, "after paying", stable=True, membership=_paid(world.first_level))
    for parts, cents in enumerate((ONCE_CENTS // 4, ONCE_CENTS // 3), start=1):
        world.refunds_part(payment, cents)
        if world.policy["refundPartial"] == "keep":
            left, shown = _paid(world.first_level), world.labels("member_active")
        else:
            since = world.event(visit, "charge.refunded")["created"]
            left, shown = _over("refunded", "refunded_in_part", until=since), ["refunded"]
        world.expect(person, f"after part {parts}", stable=True, membership=left, kit=shown, slack=["refund"] * parts)


def pays_later(world: World, person: Person) -> None:
    """A debit opens nothing until the bank has paid it."""
    session = _orders(world, world.arrives(person))
    world.payment_arrives(session)
    world.expect(
        person,
        "once the money is here",
        stable=True,
        membership=_paid(world.first_level),
        kit=world.labels("member_active"),
    )


def never_pays(world: World, person: Person) -> None:
    """A debit that the bank returns never opens anything."""
    visit = world.arrives(person)
    session = _orders(world, visit)
    world.payment_fails(session)
    world.expect(
        person,
        "once the debit has come back",
        stable=True,
        membership={**_over("canceled", "payment_failed"), "grants": {"canceled": 1}},
        kit=["cancelled"],
    )


def _orders(world: World, visit: Visit) -> str:
    session = world.pays_later(visit)
    pending = {**_over("pending", "payment_pending", until=None), "grants": {"pending": 1}}
    world.expect(visit.person, "while the money is on its way", stable=True, membership=pending, kit=[])
    return session


def _paid(level: str, **more: Any) -> Observed:
    paid = {"state": "active", "access": True, "reason": "paid_once", "levels": [level], "until": None}
    return {**paid, "needs_support": False, **more}


def _over(state: str, reason: str, **more: Any) -> dict[str, Any]:
    return {"state": state, "access": False, "reason": reason, "levels": [], **more}


PAYMENTS = (
    Journey(name="bought_once", title="somebody pays once, and gets the money back", story=buys_once_and_is_refunded),
    Journey(name="part_refund", title="somebody gets parts of a payment back", story=gets_a_part_back),
    Journey(name="paid_later", title="a debit arrives days later", story=pays_later),
    Journey(name="paid_never", title="a debit comes back", story=never_pays),
)
