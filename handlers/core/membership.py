"""What a member may see: a pure function of the grants, the policy and the moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from handlers.core.facts import Item
from handlers.core.grants import Grant
from handlers.core.policy import Policy
from handlers.core.standing import State, moments, standing

_END = float("-inf")  # no known end is later than any
_RANK = {state: place for place, state in enumerate(State)}


@dataclass(frozen=True, kw_only=True)
class GrantView:
    """One grant at one moment. `until` is when access ends or ended (Unix seconds), None where no end is known."""

    id: str
    kind: Literal["subscription", "payment"]
    state: State
    access: bool
    until: int | None
    reason: str
    levels: tuple[str, ...] = ()
    needs_support: bool = False
    verified: bool = True  # False: only the payer says whose it is


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


def membership(grants: Mapping[str, Grant], policy: Policy, now: int) -> Membership:
    """The membership that `grants` (by the id of what was bought) amount to under `policy` at `now` (Unix seconds)."""
    views = tuple(
        view
        for id_, grant in sorted(grants.items(), key=lambda entry: entry[0])
        if (view := _view(id_, grant, policy, now)) is not None
    )
    opening = [view for view in views if view.levels]
    if not opening:
        reason = "price_not_mapped" if views else "no_grant"
        return _membership(State.LEAD, None, reason, views)
    best = min(opening, key=_goodness)
    giving = [view for view in opening if view.access]
    until = _latest(view.until for view in giving) if giving else best.until
    return _membership(best.state, until, best.reason, views)


def next_change(grants: Mapping[str, Grant], policy: Policy, now: int, current: Membership | None = None) -> int | None:
    """The next moment after `now` at which the membership will be another without any event; None if there is none.

    `current` is the membership at `now`, if that is known.
    """
    ahead = sorted({moment for grant in grants.values() for moment in moments(grant, policy) if moment > now})
    if not ahead:
        return None
    present = _outcome(current or membership(grants, policy, now))
    return next((moment for moment in ahead if _outcome(membership(grants, policy, moment)) != present), None)


def opens_nothing(items: Iterable[Item], policy: Policy) -> frozenset[str]:
    """The prices among `items` that config does not name."""
    return frozenset(item.price for item in items if policy.level(item) is None)


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


def _view(id_: str, grant: Grant, policy: Policy, now: int) -> GrantView | None:
    """None for what is not seen yet, and for what only the payer's word ties to the member and which helps nobody."""
    told = standing(grant, policy, now)
    if told is None:
        return None
    levels = policy.levels_of(grant.items)
    view = GrantView(
        id=id_,
        kind="subscription" if grant.purchase is None else "payment",
        state=told.state,
        access=told.access and bool(levels),
        until=told.until,
        reason=told.reason if levels else "price_not_mapped",
        levels=levels,
        needs_support=told.needs_support and bool(levels),
        verified=grant.verified,
    )
    if grant.verified:
        return view
    return replace(view, needs_support=False) if view.access else None


def _outcome(member: Membership) -> tuple[object, ...]:
    states = tuple((view.id, view.state, view.access) for view in member.grants)
    return (member.state, member.access, member.levels, member.needs_support, states)


def _goodness(view: GrantView) -> tuple[object, ...]:
    """The order of grants, best first: access, then state, then the later end."""
    return (not view.access, _RANK[view.state], _END if view.until is None else -view.until, view.id)


def _latest(ends: Iterable[int | None]) -> int | None:
    """The last of the ends; None, no known end, is later than any."""
    known = list(ends)
    return None if None in known else max(end for end in known if end is not None)
