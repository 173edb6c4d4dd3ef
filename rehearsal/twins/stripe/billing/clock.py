"""Test clocks: what falls due between the frozen time and the target happens, in order of time.

Source: https://docs.stripe.com/billing/testing/test-clocks.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import checkout, pausing, periods, subscription
from rehearsal.twins.stripe.errors import invalid
from rehearsal.twins.stripe.store import Object

TWO_YEARS = 2 * 366 * 86_400


class Due(NamedTuple):
    """Something that happens at a moment (seconds since the epoch)."""

    at: int
    happen: Callable[[], object]


def advance(account: Account, clock: Object, target: int) -> None:
    """Move the clock to `target`. ApiError 400 if that is in its past or further than Stripe goes at once."""
    _check_target(account, clock, target)
    while (due := _earliest(account, clock)) is not None and due.at <= target:
        clock["frozen_time"] = max(due.at, clock["frozen_time"])
        due.happen()
    clock["frozen_time"] = target


def _check_target(account: Account, clock: Object, target: int) -> None:
    now = clock["frozen_time"]
    if target <= now:
        message = f"frozen_time must be after the test clock's current frozen time ({now}), got {target}"
        raise invalid(message, param="frozen_time")
    limit = furthest(account, clock)
    if target - now > limit:
        message = (
            f"Cannot advance more than two intervals of the shortest subscription of this clock ({limit} s) at once, "
            f"got {target - now} s; advance in steps"
        )
        raise invalid(message, param="frozen_time")


def furthest(account: Account, clock: Object) -> int:
    """How many seconds the clock may advance at once: two intervals of its shortest subscription, else two years."""
    items = [item for made in _living(account, clock) for item in made["items"]["data"]]
    return min((2 * periods.longest(item["price"]["recurring"]) for item in items), default=TWO_YEARS)


def _living(account: Account, clock: Object) -> list[Object]:
    found = account.store.find("subscription", test_clock=clock["id"])
    return [made for made in found if made["status"] not in subscription.ENDED]


def _earliest(account: Account, clock: Object) -> Due | None:
    tasks = [*_subscription_tasks(account, clock), *_invoice_tasks(account, clock), *_session_tasks(account, clock)]
    return min(tasks, key=lambda due: due.at, default=None)


def _subscription_tasks(account: Account, clock: Object) -> Iterator[Due]:
    for made in _living(account, clock):
        if made["status"] == "incomplete":
            happen = partial(subscription.expire_incomplete, account, made)
            yield Due(made["created"] + subscription.INCOMPLETE_FOR, happen)
            continue
        if made["status"] == "trialing" and not account.store.notes(made)["trial_notice"]:
            announce = partial(subscription.announce_trial_end, account, made)
            yield Due(made["trial_end"] - subscription.TRIAL_NOTICE, announce)
        if made["status"] != "paused":
            ends = min(item["current_period_end"] for item in made["items"]["data"])
            yield Due(ends, partial(subscription.renew, account, made))
        if made["cancel_at"] and not made["cancel_at_period_end"]:
            cancel = partial(subscription.end, account, made, "cancellation_requested")
            yield Due(made["cancel_at"], cancel)
        yield from _pausing_tasks(account, made)


def _pausing_tasks(account: Account, made: Object) -> Iterator[Due]:
    resumption = pausing.resumption(account, made)
    if resumption is not None and not resumption["attempted"]:
        expire = partial(pausing.expire_resumption, account, made)
        yield Due(resumption["created"] + pausing.RESUMPTION_FOR, expire)
    if made["pause_collection"] and made["pause_collection"]["resumes_at"]:
        yield Due(made["pause_collection"]["resumes_at"], partial(pausing.resume_collection, account, made))


def _invoice_tasks(account: Account, clock: Object) -> Iterator[Due]:
    for due in account.store.find("invoice", test_clock=clock["id"], auto_advance=True):
        moment = due["automatically_finalizes_at"] or due["next_payment_attempt"]
        if moment is not None and due["status"] in ("draft", "open"):
            yield Due(moment, partial(subscription.collect, account, due))


def _session_tasks(account: Account, clock: Object) -> Iterator[Due]:
    for session in account.store.find("checkout.session", status="open"):
        if account.clock_of(session) == clock["id"]:
            yield Due(session["expires_at"], partial(checkout.expire, account, session))
