"""Journeys of trials and pauses: a trial that ends without a card, and money that is not collected for a while."""

from rehearsal.journeys.model import Journey, Person
from rehearsal.journeys.world import World

TRIAL_DAYS = 7


def tries_first(world: World, person: Person) -> None:
    """A trial without a card is announced before it ends, pauses when it does, and goes on once somebody pays."""
    visit = world.arrives(person, days_ago=TRIAL_DAYS - 2)
    subscription = world.starts_trial(visit, days=TRIAL_DAYS, with_card=False, then="pause")
    end = world.stripe.v1.subscriptions.retrieve(subscription).trial_end
    if world.policy["trial"] == "grant":
        trying = {"state": "trialing", "access": True, "reason": "trial", "until": end}
        shown = world.labels("member_active", "trial_started")
    else:
        trying, shown = {"state": "pending", "access": False, "reason": "trial_gives_nothing", "until": None}, []
    world.expect(person, "on trial", stable=True, membership=trying, kit=shown, slack=[])
    world.time_passes(visit)
    world.expect(person, "before its end", stable=True, membership=trying, kit=shown, slack=["trial_will_end"])
    world.time_passes(visit, days_ago=-3)
    paused = {"state": "paused", "access": False, "reason": "trial_ended_without_payment_method", "levels": []}
    world.expect(person, "after its end", stable=True, membership=paused, kit=["paused", "trial_expired"])
    world.card(visit, "pm_card_visa")
    world.resumes(subscription)
    world.expect(
        person,
        "once it is paid for",
        stable=True,
        membership={"state": "active", "access": True, "reason": "paid", "until": world.period_end(subscription)},
        kit=world.labels("member_active"),
    )


def is_not_billed_for_a_while(world: World, person: Person) -> None:
    """Collection paused with "void" is a service not given, unless the policy says otherwise; it comes back."""
    visit = world.arrives(person)
    subscription = world.subscribes(visit)
    active = {"state": "active", "access": True, "reason": "paid", "until": world.period_end(subscription)}
    member = world.labels("member_active")
    world.expect(person, "before", stable=True, membership=active, kit=member)
    world.pauses_collection(subscription, behavior="void")
    if world.policy["pause"] == "keep":
        world.expect(person, "while nothing is collected", stable=True, membership=active, kit=member)
    else:
        since = world.event(visit, "customer.subscription.updated")["created"]
        paused = {"state": "paused", "access": False, "reason": "collection_paused", "until": since}
        world.expect(person, "while nothing is collected", stable=True, membership=paused, kit=["paused"])
    world.resumes_collection(subscription)
    world.expect(person, "once it is collected again", stable=True, membership=active, kit=member)


PAUSES = (
    Journey(name="trial", title="a trial ends without a card, and somebody pays after all", story=tries_first),
    Journey(name="collection_paused", title="nothing is collected for a while", story=is_not_billed_for_a_while),
)
