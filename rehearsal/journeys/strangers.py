"""Journeys of payers who do not come from the app's own checkout: impostors, signed links, claims."""

from typing import Any

import httpx

from rehearsal.journeys.model import Journey, MismatchError, Person
from rehearsal.journeys.world import World

HERS = ("customers", "state", "access", "levels", "reason", "needs_support", "grants", "transitions")


def is_impersonated(world: World, person: Person) -> None:
    """Who types a member's id at a payment link, pays and disputes, changes nothing of hers for the worse."""
    mallory = person.another("mallory")
    visit = world.arrives(person)
    world.subscribes(visit)
    member = world.labels("member_active")
    world.expect(person, "before", stable=True, membership={"state": "active"}, kit=member, slack=[])
    before = _seen(world, person)
    customer = world.buys_without_user(mallory, reference=person.user_id)
    subscription = world.subscription_of(customer)
    world.disputes(world.payment_intent(subscription))
    world.settle(person, "after the payment and its dispute")
    _is_unharmed(world, person, before)
    adds = world.unsigned_reference == "add"
    if not adds:  # else it is hers, unverified, and nobody has to claim it
        world.ten_minutes_pass(subscription)
        _is_reported(world, person, customer)
        _is_unharmed(world, person, before)
    grants = {"active": 2 if adds and world.policy["disputeOpen"] == "keep" else 1}
    active = {"state": "active", "access": True, "needs_support": False, "grants": grants}
    world.expect(person, "in the end", membership=active, kit=member, slack=["dispute"] if adds else [])
    world.expect(mallory, "Mallory", membership=None, kit=[])


def _seen(world: World, person: Person) -> dict[str, Any]:
    member = world.members.get(person.user_id)
    if member is None:
        raise LookupError(f"{person.user_id} is no member")
    return member


def _is_unharmed(world: World, person: Person, before: dict[str, Any]) -> None:
    """Nothing of hers is another; a stack that lets unsigned references add shows what they added as unverified."""
    after, was = _seen(world, person), before
    if world.unsigned_reference == "add":
        verified = [grant for grant in after["grants"] if grant["verified"]]
        after, was = ({name: shown[name] for name in HERS} for shown in ({**after, "grants": verified}, before))
    if after != was:
        raise MismatchError("nothing of hers is another", was, after)


def signs_the_reference(world: World, person: Person) -> None:
    """A reference that the app's server has signed names its user, whoever carries it to Stripe."""
    customer = world.buys_without_user(person, reference=world.sign_reference(person.user_id))
    world.expect(
        person,
        "after paying",
        stable=True,
        membership={
            "state": "active",
            "access": True,
            "customers": [customer],
            "until": world.period_end(world.subscription_of(customer)),
        },
        kit=world.labels("member_active"),
    )


def claims_later(world: World, person: Person) -> None:
    """Nobody knows who paid; operations get a link, and whoever has it and is signed in takes the purchase, once."""
    thief = person.another("thief")
    customer = world.buys_without_user(person)
    subscription = world.subscription_of(customer)
    world.expect(person, "while nobody knows who paid", stable=True, membership=None, kit=[])
    world.ten_minutes_pass(subscription)
    _is_reported(world, person, customer)
    if not world.claimable:
        world.expect(person, "with no link to claim it: the stack has no identity.claimUrl", membership=None)
        return
    token = world.claim_token(customer)
    _answers(world, token, person, httpx.codes.OK)
    claimed = {"state": "active", "access": True, "until": world.period_end(subscription), "customers": [customer]}
    kit = world.labels("member_active")
    world.expect(person, "after the claim", stable=True, membership=claimed, kit=kit)
    version = world.version(person)
    _answers(world, token, thief, httpx.codes.CONFLICT)
    _answers(world, token, person, httpx.codes.OK)
    world.expect(thief, "who comes second", membership=None)
    world.expect(person, "after two more", membership={**claimed, "version": version}, kit=kit)


def _is_reported(world: World, person: Person, customer: str) -> None:
    """Operations hear of the payer whom nobody knows, once the sweep has asked Stripe in vain."""
    world.expect(person, "after ten minutes", notices_about={customer: ["unclaimed"]})


def _answers(world: World, token: str, person: Person, expected: int) -> None:
    status = world.members.claim(token, person.user_id)
    if status != expected:
        raise MismatchError(f"the claim of {person.name}", {"status": int(expected)}, {"status": status})


STRANGERS = (
    Journey(name="impostor", title="somebody pays and disputes in a member's name", story=is_impersonated, long=True),
    Journey(name="signed_link", title="somebody pays by a link that the app has signed", story=signs_the_reference),
    Journey(name="claimed", title="a payer whom nobody knows claims the purchase", story=claims_later, long=True),
)
