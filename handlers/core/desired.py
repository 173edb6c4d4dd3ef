"""What a destination should hold: the pure target that `sync` brings about."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.core.membership import Membership
from handlers.core.standing import DISPUTED, TRIAL_OVER, State

# The labels of a headline state; a destination maps those that it knows (a tag, a group).
_LABELS: Mapping[State, tuple[str, ...]] = {
    State.ACTIVE: ("member_active",),
    State.TRIALING: ("member_active", "trial_started"),
    State.GRACE_PERIOD: ("member_active", "payment_failed"),
    State.PAST_DUE: ("payment_failed",),
    State.UNPAID: ("payment_failed",),
    State.PAUSED: ("paused",),
    State.REFUNDED: ("refunded",),
    State.CANCELED: ("cancelled",),
    State.PENDING: (),
    State.LEAD: (),
}


@dataclass(frozen=True, kw_only=True)
class Desired:
    """The state that a destination should show for one member."""

    member_id: str
    email: str | None
    labels: frozenset[str]  # e.g. {"member_active", "level:pro"}; a destination maps those it knows
    version: int  # of the member item that this was computed from


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One occurrence to tell people about, at most once for each key."""

    key: str  # "payment_failed:in_…"
    kind: str  # "payment_failed"
    member_id: str
    at: int  # Unix seconds
    max_age_seconds: int
    details: Mapping[str, str] = field(default_factory=dict)  # ids and amounts, never an e-mail


def labels(membership: Membership) -> frozenset[str]:
    """What a destination may show of `membership`: its headline state, and the levels that are open."""
    found = {*_LABELS[membership.state], *(f"level:{level}" for level in membership.levels)}
    if membership.reason in TRIAL_OVER:
        found.add("trial_expired")
    if any(view.reason in DISPUTED for view in membership.grants):
        found.add("disputed")
    return frozenset(found)


def fingerprint(email: str | None, shown: frozenset[str]) -> str | None:
    """A text that changes when a destination has to be told; None while there is nobody or nothing to show."""
    if email is None or not shown:
        return None
    return hashlib.sha256("\n".join([email, *sorted(shown)]).encode()).hexdigest()[:16]
