"""What a change of a member's grants, or time alone, leads to: its state, a transition, what destinations must show."""

from dataclasses import dataclass, replace

from handlers.core.desired import fingerprint, labels
from handlers.core.membership import Membership, membership, next_change
from handlers.core.nodes import MemberNode, Transition
from handlers.core.policy import Policy

MAX_TRANSITIONS = 50  # the newest are kept


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A member as it is to be written."""

    member: MemberNode
    membership: Membership
    tell: bool  # whether destinations must be brought to another state
    next_change: int | None  # when time alone will change the membership, Unix seconds


def settle(member: MemberNode, policy: Policy, now: int, *, at: int, event: str | None) -> Settled:
    """`member` with its state at `now`; what changed it happened at `at` through the event `event` (None: time)."""
    current = membership(member.grants, policy, now)
    shown = fingerprint(member.address, labels(current))
    tell = shown != member.shown and (shown is not None or member.shown is not None)
    settled = replace(
        member,
        state=str(current.state),
        shown=shown,
        transitions=_transitions(member, current, at, event),
    )
    return Settled(
        member=settled,
        membership=current,
        tell=tell,
        next_change=next_change(member.grants, policy, now, current),
    )


def _transitions(member: MemberNode, current: Membership, at: int, event: str | None) -> tuple[Transition, ...]:
    if current.state == member.state:
        return member.transitions
    transition = Transition(
        at=at, from_state=member.state, to_state=str(current.state), reason=current.reason, event=event
    )
    return (*member.transitions, transition)[-MAX_TRANSITIONS:]
