"""What is told to a person because the pipeline cannot go on by itself: notices to the operations channel.

Each has a key, so that it is told once, and says what failed, what was tried, and how to go on.
"""

from datetime import UTC, datetime

from handlers.core.desired import Notice

MAX_AGE_SECONDS = 7 * 86_400  # while the channel cannot be reached, what waits to be told is still worth telling
EVERYBODY = "(everybody)"

_RESEND = "launch-ready resend {what} --contract contract.json --apply"


def parked(*, destination: str, member: str, what: str, error: str, attempts: int, since: int, now: int) -> Notice:
    """A delivery that is not tried again; `what` is "{member}:{version}" of a state, or the key of a notice."""
    return _notice(
        "parked",
        f"{destination}:{what}",
        member,
        now,
        destination=destination,
        delivery=what,
        error=error,
        tried=f"{attempts} times, since {_moment(since)}",
        replay="mend the cause, then " + _RESEND.format(what="--parked"),
    )


def quota_spent(*, destination: str, month: str, limit: int, now: int) -> Notice:
    """The calls that the vendor's plan allows in a month ("2026-11") are used up but for what takes access away."""
    return _notice(
        "quota_spent",
        f"{destination}:{month}",
        EVERYBODY,
        now,
        destination=destination,
        calls_per_month=str(limit),
        remedy=f"a larger plan at the vendor, and destinations.{destination}.callsPerMonth; "
        f"or wait: new states are shown next month, only removals of access go out until then",
    )


def undelivered_event(*, event: str, type_: str, who: str, reason: str, now: int) -> Notice:
    """An event that the queue gave up; it is parked in the ledger."""
    return _notice(
        "undelivered",
        event,
        who,
        now,
        event=event,
        type=type_,
        error=reason,
        replay="look at apply's log, mend the cause, then " + _RESEND.format(what=f"--event {event}"),
    )


def undelivered_nudges(*, destination: str, member: str, day: str, now: int) -> Notice:
    """Messages to the sync function of `destination` that never reached our code, `member`'s first on that day."""
    return _notice(
        "undelivered",
        f"{destination}:{day}",
        member,
        now,
        destination=destination,
        error=f"messages never reached the code of sync-{destination}: it does not start, or Lambda refuses to run it",
        replay="look at the function's errors and throttles; nothing is lost, and the sweep tries again by itself",
    )


def _notice(kind: str, subject: str, member: str, now: int, **details: str) -> Notice:
    return Notice(
        key=f"{kind}:{subject}",
        kind=kind,
        member_id=member,
        at=now,
        max_age_seconds=MAX_AGE_SECONDS,
        details=dict(sorted(details.items())),
    )


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
