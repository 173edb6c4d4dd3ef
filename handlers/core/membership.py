"""What a member may see: a pure function of the grants, the policy and the moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from handlers.core.facts import SubscriptionFact
from handlers.core.grants import Grant
from handlers.core.policy import DAY_SECONDS, Policy

# How long a renewal that nobody told us of is waited for: Stripe delivers events for three days.
RENEWAL_NEWS_SECONDS = 3 * DAY_SECONDS


class State(StrEnum):
    """The states of a grant and, as the best one, of a member; best first."""

    ACTIVE = "active"
    TRIALING = "trialing"
    GRACE_PERIOD = "grace_period"
    PENDING = "pending"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    REFUNDED = "refunded"
    CANCELED = "canceled"
    LEAD = "lead"  # a member without a grant that opens anything


_RANK = {state: place for place, state in enumerate(State)}


@dataclass(frozen=True, kw_only=True)
class GrantView:
    """One grant at one moment. `until` is when access ends or ended (Unix seconds), None where no end is known."""

    subscription: str
    state: State
    access: bool
    until: int | None
    reason: str
    levels: tuple[str, ...] = ()
    needs_support: bool = False


@dataclass(frozen=True, kw_only=True)
class Membership:
    """The canonical answer at one moment: the union of the grants' access under the best one's state."""

    state: State
    access: bool
    levels: tuple[str, ...]
    until: int | None
    reason: str
    needs_support: bool
    grants: tuple[GrantView, ...]


@dataclass(frozen=True, kw_only=True)
class _Standing:
    """State, access, its end and why, before the price is looked at."""

    state: State
    until: int | None
    reason: str
    access: bool = False
    needs_support: bool = False


def membership(grants: Mapping[str, Grant], policy: Policy, now: int) -> Membership:
    """The membership that `grants` (by subscription id) amount to under `policy` at `now` (Unix seconds)."""
    views = tuple(
        _view(id_, grant, grant.subscription, policy, now)
        for id_, grant in sorted(grants.items(), key=lambda entry: entry[0])
        if grant.subscription is not None
    )
    opening = [view for view in views if view.levels]
    if not opening:
        reason = "price_not_mapped" if views else "no_grant"
        return _membership(State.LEAD, None, reason, views)
    best = min(opening, key=_goodness)
    giving = [view for view in opening if view.access]
    until = _latest(view.until for view in giving) if giving else best.until
    return _membership(best.state, until, best.reason, views)


def next_change(grants: Mapping[str, Grant], policy: Policy, now: int) -> int | None:
    """The next moment after `now` at which the membership will be another without any event; None if there is none."""
    present = _outcome(membership(grants, policy, now))
    ahead = sorted({moment for grant in grants.values() for moment in _moments(grant, policy) if moment > now})
    return next((moment for moment in ahead if _outcome(membership(grants, policy, moment)) != present), None)


def opens_nothing(fact: SubscriptionFact, policy: Policy) -> frozenset[str]:
    """The prices of `fact` that config does not name."""
    return frozenset(item.price for item in fact.items if policy.level(item) is None)


def _membership(state: State, until: int | None, reason: str, views: tuple[GrantView, ...]) -> Membership:
    levels = sorted({level for view in views if view.access for level in view.levels})
    return Membership(
        state=state,
        access=any(view.access for view in views),
        levels=tuple(levels),
        until=until,
        reason=reason,
        needs_support=any(view.needs_support for view in views),
        grants=views,
    )


def _view(id_: str, grant: Grant, fact: SubscriptionFact, policy: Policy, now: int) -> GrantView:
    standing = _standing(grant, fact, policy, now)
    levels = tuple(sorted({level for item in fact.items if (level := policy.level(item)) is not None}))
    return GrantView(
        subscription=id_,
        state=standing.state,
        access=standing.access and bool(levels),
        until=standing.until,
        reason=standing.reason if levels else "price_not_mapped",
        levels=levels,
        needs_support=standing.needs_support and bool(levels),
    )


def _standing(grant: Grant, fact: SubscriptionFact, policy: Policy, now: int) -> _Standing:
    """Money that went back decides first, then Stripe's status: all eight of them."""
    returned = _returned(grant, fact, policy)
    if returned is not None:
        return returned
    match fact.status:
        case "canceled":
            return _Standing(state=State.CANCELED, until=_ended(fact), reason="subscription_canceled")
        case "incomplete_expired":
            return _Standing(state=State.CANCELED, until=_ended(fact), reason="first_payment_never_made")
        case "incomplete":
            return _Standing(state=State.PENDING, until=None, reason="first_payment_pending")
        case "unpaid":
            return _Standing(state=State.UNPAID, until=fact.at, reason="renewal_never_paid")
        case "paused":
            return _Standing(state=State.PAUSED, until=fact.at, reason="trial_ended_without_payment_method")
        case "past_due" | "active" | "trialing":
            return _running(grant, fact, policy, now)
    # A status that Stripe adds later opens nothing until this table names it.
    return _Standing(state=State.PENDING, until=None, reason="status_unknown", needs_support=True)


def _returned(grant: Grant, fact: SubscriptionFact, policy: Policy) -> _Standing | None:
    """The standing of a grant whose newest payment went back, where policy takes access away for that."""
    refunded = grant.paid.refunded if grant.paid else None
    if grant.paid is None or refunded is None:
        return None
    full = refunded.amount >= grant.paid.amount
    if (policy.refund_full if full else policy.refund_partial) == "keep":
        return None
    return _Standing(
        state=State.REFUNDED,
        until=refunded.at,
        reason="refunded_in_full" if full else "refunded_in_part",
        # Stripe goes on billing for what we no longer give: a person has to decide.
        needs_support=fact.status in {"active", "trialing", "past_due"} and fact.cancel_at is None,
    )


def _running(grant: Grant, fact: SubscriptionFact, policy: Policy, now: int) -> _Standing:
    """A subscription that Stripe still bills."""
    if policy.cancel == "immediate" and fact.canceled_at is not None:
        return _Standing(state=State.CANCELED, until=fact.canceled_at, reason="cancellation_requested")
    if fact.cancel_at is not None and fact.cancel_at <= now:
        return _Standing(state=State.CANCELED, until=fact.cancel_at, reason="cancellation_took_effect")
    failed_at = _failed_at(grant, fact)
    if failed_at is not None:
        return _lapsed(failed_at + policy.grace_seconds, now)
    return _in_good_standing(fact, policy, now)


def _failed_at(grant: Grant, fact: SubscriptionFact) -> int | None:
    """When the payment failed that is still owed; None when nothing is.

    The two events that tell of a failure (of the invoice, of the subscription) come in any order, and so do the two
    that tell of a recovery: the newer news counts. An upgrade that could not be paid takes nothing away.
    """
    failing = grant.failing
    if fact.status != "past_due":
        return failing.at if failing and failing.renewal and failing.at >= fact.at else None
    if failing is not None:
        return failing.at
    settled = grant.settled
    if settled is not None and settled.id == fact.latest_invoice and settled.at >= fact.at:
        return None
    first_seen = grant.past_due
    return first_seen.at if first_seen and first_seen.period_end == (fact.period_end or 0) else fact.at


def _lapsed(end: int, now: int) -> _Standing:
    if now < end:
        return _Standing(state=State.GRACE_PERIOD, until=end, reason="renewal_failed", access=True)
    return _Standing(state=State.PAST_DUE, until=end, reason="grace_period_over")


def _in_good_standing(fact: SubscriptionFact, policy: Policy, now: int) -> _Standing:
    state = State.TRIALING if fact.status == "trialing" else State.ACTIVE
    if fact.cancel_at is not None:
        return _Standing(state=state, until=fact.cancel_at, reason="cancels_at_period_end", access=True)
    end = fact.period_end
    if end is None or now < end:
        reason = "trial" if state is State.TRIALING else "paid"
        return _Standing(state=state, until=end, reason=reason, access=True)
    last = end + _patience(policy)
    if now < last:  # Stripe renews on the second, its news may take longer
        return _Standing(state=state, until=last, reason="renewal_expected", access=True)
    return _Standing(state=State.PAST_DUE, until=last, reason="renewal_not_seen", needs_support=True)


def _patience(policy: Policy) -> int:
    return max(policy.grace_seconds, RENEWAL_NEWS_SECONDS)


def _ended(fact: SubscriptionFact) -> int:
    return fact.ended_at or fact.canceled_at or fact.at


def _moments(grant: Grant, policy: Policy) -> Iterable[int]:
    """Every moment at which time alone can change what `grant` amounts to."""
    fact = grant.subscription
    if fact is None:
        return
    if fact.cancel_at is not None:
        yield fact.cancel_at
    if fact.period_end is not None:
        yield fact.period_end + _patience(policy)
    failed_at = _failed_at(grant, fact)
    if failed_at is not None:
        yield failed_at + policy.grace_seconds


def _outcome(member: Membership) -> tuple[object, ...]:
    states = tuple((view.subscription, view.state, view.access) for view in member.grants)
    return (member.state, member.access, member.levels, member.needs_support, states)


def _goodness(view: GrantView) -> tuple[object, ...]:
    """The order of grants, best first: access, then state, then the later end."""
    return (not view.access, _RANK[view.state], -(view.until or 0), view.subscription)


def _latest(ends: Iterable[int | None]) -> int | None:
    """The last of the ends; None, no known end, is later than any."""
    known = list(ends)
    return None if None in known else max(end for end in known if end is not None)
