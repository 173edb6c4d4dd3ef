"""Journeys about who is who: one person with two customers, two people with one address, a customer made anew."""

from dataclasses import replace

from rehearsal.journeys.model import Journey, Person
from rehearsal.journeys.world import World


def has_two_customers(world: World, person: Person) -> None:
    """Two customers at Stripe are one member: by the purchase's metadata, and by the customer's own."""
    first = world.arrives(person)
    subscription = world.subscribes(first)
    second = replace(first, customer=world.buys_without_user(person))
    world.writes_metadata_on_customer(second, world.metadata(person))
    active = {"state": "active", "access": True, "customers": sorted([first.customer, second.customer])}
    world.expect(person, "with both", stable=True, membership={**active, "grants": {"active": 2}})
    world.stripe.v1.subscriptions.cancel(subscription)
    world.expect(
        person,
        "after one has ended",
        stable=True,
        membership={**active, "grants": {"active": 1, "canceled": 1}, "levels": [world.first_level]},
        kit=world.labels("member_active"),
    )


def shares_an_address(world: World, person: Person) -> None:
    """Two users who typed the same address stay two, and who named no user is neither of them."""
    partner = replace(person.another("partner"), email=person.email)
    visit, other = world.arrives(person), world.arrives(partner)
    world.subscribes(visit)
    world.subscribes(other)
    world.buys_without_user(person)
    for someone, customer in ((person, visit.customer), (partner, other.customer)):
        world.expect(
            someone,
            f"{someone.name}, alone",
            stable=True,
            membership={"state": "active", "customers": [customer], "grants": {"active": 1}},
            kit=world.labels("member_active"),
        )


def is_deleted_and_comes_back(world: World, person: Person) -> None:
    """With the customer at Stripe the membership ends; the same user joins again as another customer."""
    visit = world.arrives(person)
    subscription = world.subscribes(visit)
    world.expect(person, "before", stable=True, membership={"state": "active", "grants": {"active": 1}})
    world.deletes_customer(visit)
    world.expect(person, "after the deletion", stable=True, **world.after_end(subscription))
    again = world.arrives(person)
    world.subscribes(again)
    world.expect(
        person,
        "as a new customer",
        stable=True,
        membership={"state": "active", "access": True, "reason": "paid", "grants": {"active": 1, "canceled": 1}},
        kit=world.labels("member_active"),
    )


PEOPLE = (
    Journey(name="two_customers", title="one person is two customers at Stripe", story=has_two_customers),
    Journey(name="same_email", title="two people have the same e-mail address", story=shares_an_address),
    Journey(name="customer_deleted", title="a customer is deleted and comes back", story=is_deleted_and_comes_back),
)
