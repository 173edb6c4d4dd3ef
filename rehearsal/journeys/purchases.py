"""Journeys of people who buy: membership, something else, and two memberships at once."""

from rehearsal.journeys.model import Journey, Person
from rehearsal.journeys.world import World


def joins(world: World, person: Person) -> None:
    """A person pays and is a member, in the app and on the mailing list."""
    visit = world.arrives(person)
    world.subscribes(visit)
    world.expect(
        person,
        "after paying",
        membership={"state": "active", "access": True, "levels": [world.first_level], "needs_support": False},
        kit=world.labels("member_active"),
    )


def buys_something_else(world: World, person: Person) -> None:
    """A one-time payment for what is not membership opens nothing."""
    visit = world.arrives(person)
    session = world.stripe.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "customer": visit.customer,
            "line_items": [
                {
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 1900,
                        "product_data": {"name": "Printed anthology"},
                    },
                    "quantity": 1,
                }
            ],
            "metadata": world.metadata(person),
            "success_url": "https://example.com/thanks",
        }
    )
    world.pays(session)
    world.expect(
        person, "after paying", stable=True, membership={"state": "lead", "access": False, "levels": []}, kit=[]
    )


def has_two_one_refunded(world: World, person: Person) -> None:
    """Two subscriptions, the first one refunded in full: the other keeps the access."""
    visit = world.arrives(person)
    first = world.subscribes(visit)
    world.subscribes(visit)
    world.expect(person, "with both", membership={"state": "active", "access": True, "grants": {"active": 2}})
    world.refunds(first)
    revoked = world.policy["refundFull"] == "revoke"
    world.expect(
        person,
        "after the refund of one",
        stable=True,
        membership={
            "state": "active",
            "access": True,
            "grants": {"active": 1, "refunded": 1} if revoked else {"active": 2},
        },
        kit=world.labels("member_active"),
        slack=["refund"],
    )


PURCHASES = (
    Journey(name="joins", title="a member joins", story=joins),
    Journey(name="buys_something_else", title="somebody buys what is not membership", story=buys_something_else),
    Journey(name="two_one_refunded", title="two subscriptions, one refunded", story=has_two_one_refunded),
)
