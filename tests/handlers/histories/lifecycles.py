"""Hypothesis strategies: histories of whole lives at Stripe, policies to judge them by, and ways to tell them."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.handlers.histories import people as persons
from tests.handlers.histories import purchases, subscriptions
from tests.handlers.histories.people import USERS, Buyer, Naming
from tests.handlers.histories.prices import LIFETIME, MEMBER, PASS, PRO, PRODUCTS, UNKNOWN
from tests.handlers.histories.purchases import Purchase
from tests.handlers.histories.scribe import SHAPES, Scribe
from tests.handlers.histories.subscriptions import Subscription
from tests.handlers.story import DAY, START, Event

MOST_LOST = 4

policies: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"products": st.just(PRODUCTS)},
    optional={
        "grace_days": st.sampled_from([7, 0, 2, 14]),
        "failed_renewal": st.sampled_from(["grace_period", "past_due"]),
        "refund_full": st.sampled_from(["revoke", "keep"]),
        "refund_partial": st.sampled_from(["keep", "revoke"]),
        "dispute_open": st.sampled_from(["keep", "revoke"]),
        "dispute_lost": st.sampled_from(["revoke", "keep"]),
        "cancel": st.sampled_from(["period_end", "immediate"]),
        "cancel_window_days": st.sampled_from([0, 3]),
        "trial": st.sampled_from(["grant", "deny"]),
        "pause": st.sampled_from(["by_behavior", "revoke", "keep"]),
        "unsigned_reference": st.sampled_from(["ignore", "add"]),
    },
)


@st.composite
def histories(draw: st.DrawFn, *, people: int = len(USERS), losses: bool = True) -> list[Event]:
    """The events of one to four people, in the order of time; some may never have been told."""
    scribe = Scribe(draw, draw(st.sampled_from(SHAPES)))
    for place in range(draw(st.integers(1, people))):
        _person(scribe, USERS[place], START + place * 101)
    told = sorted(scribe.events, key=lambda event: event["created"])
    if losses and told and draw(st.sampled_from([False, False, True])):
        most = draw(st.sampled_from([MOST_LOST, len(told)]))
        lost = draw(st.sets(st.integers(0, len(told) - 1), min_size=1, max_size=most))
        told = [event for place, event in enumerate(told) if place not in lost]
    return told


@st.composite
def tellings(draw: st.DrawFn, history: list[Event], *, batches: int = 4) -> list[list[Event]]:
    """One way to tell a history: in any order, some events twice, in batches."""
    again = draw(st.lists(st.sampled_from(history), max_size=5)) if history else []
    told = draw(st.permutations([*history, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(told)), max_size=batches - 1)))
    return [told[start:end] for start, end in zip([0, *cuts], [*cuts, len(told)], strict=True)]


def squeezed(history: list[Event]) -> list[Event]:
    """The same history within a few seconds, so that almost everything is a tie."""
    return [event | {"created": START + (event["created"] - START) // (20 * DAY)} for event in history]


@st.composite
def attacks(draw: st.DrawFn) -> list[Event]:
    """Somebody buys with the id of the first user in an unsigned reference, and takes the money back, or not."""
    scribe = Scribe(draw, draw(st.sampled_from(SHAPES)), place="x")
    buyer = Buyer(USERS[-1], "cus_mallory", scribe.choose("mallory@mail.example", f"{USERS[0]}@mail.example"), {})
    naming = Naming("unsigned", USERS[0], USERS[0])
    buyer.tell(scribe, "created", START + 5)
    if scribe.maybe():
        Purchase(scribe, buyer, naming, LIFETIME, START + 7 * DAY).happen()
    else:
        subscriptions.life(scribe, buyer, MEMBER, START + 7 * DAY, naming)
    return scribe.events


def _person(scribe: Scribe, user: str, at: int) -> None:
    email = scribe.choose(f"{user}@mail.example", "family@mail.example")
    buyer = persons.arrives(scribe, user, email, at)
    running = _buys(scribe, buyer, at + 10)
    persons.changes(scribe, buyer, at + 20)
    if scribe.choose(False, False, True):
        if scribe.maybe():
            _deleted(scribe, buyer, running, at + 50 * DAY)
        again = persons.arrives(scribe, user, email, at + 50 * DAY + 30)
        _buys(scribe, again, at + 50 * DAY + 40)


def _deleted(scribe: Scribe, buyer: Buyer, running: list[Subscription], at: int) -> None:
    """With its customer, Stripe ends every subscription."""
    gone_at = max([at, *(one.told_at + 1 for one in running)])
    for one in running:
        if one.status not in ("canceled", "incomplete_expired"):
            one.end(gone_at)
    buyer.tell(scribe, "deleted", gone_at)


def _buys(scribe: Scribe, buyer: Buyer, at: int) -> list[Subscription]:
    """Whatever one customer buys; the subscriptions of it."""
    found = []
    kinds = scribe.choose(("subscription",), ("once",), ("subscription", "once"), ("subscription", "subscription"), ())
    for number, kind in enumerate(kinds):
        begun = at + number * 20 * DAY + number
        if kind == "once":
            guest = replace(buyer, customer=None) if scribe.choose(False, False, False, True) else buyer
            purchases.purchase(scribe, guest, scribe.choose(LIFETIME, PASS, PASS, UNKNOWN), begun)
        else:
            price = scribe.choose(MEMBER, MEMBER, PRO, MEMBER, UNKNOWN)
            found.append(subscriptions.life(scribe, buyer, price, begun))
    return found
