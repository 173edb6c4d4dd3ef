"""A backfill in lines for whoever runs it, and as one document to compare with what the app believes."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handlers.core.membership import GrantView, Membership
from handlers.operations.backfill import Outcome, Prospect, Unmatched
from handlers.operations.errors import UsageError
from handlers.operations.identities import Identities

MOST_TYPES = 3  # of another endpoint's events that are named


def lines(outcome: Outcome, identities: Identities) -> Iterator[str]:
    """Members first, one a line; then what a person has to look at; the counts last."""
    for change in outcome.changes:
        yield _member(change)
    for unmatched in outcome.unmatched:
        yield _stranger(unmatched)
    for contradiction in outcome.contradictions:
        yield (
            f"contradiction  {contradiction.subject}: line {contradiction.line} of the file says "
            f"{contradiction.claimed}, Stripe or the table {', '.join(contradiction.known)}: the latter stands; where "
            "the file is right, set the user id in the customer's metadata at Stripe"
        )
    for refused in outcome.refused:
        yield f"not taken  {refused.id}: {refused.reason}"
    for price, purchases in sorted(outcome.prices.items()):
        yield f"price not named  {price}: {purchases} purchases open nothing; name it under products, pulumi up, repeat"
    for other in outcome.account.others:
        more = f" and {len(other.events) - MOST_TYPES} more" if len(other.events) > MOST_TYPES else ""
        state = "" if other.enabled else ", disabled"
        yield f"other endpoint  {other.id} at {other.host}{state}: {', '.join(other.events[:MOST_TYPES])}{more}"
    yield from _counts(outcome, identities)


def write(outcome: Outcome, path: Path) -> None:
    """Write `document` to `path`. Raises UsageError."""
    try:
        path.write_text(json.dumps(document(outcome), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def document(outcome: Outcome) -> dict[str, Any]:
    """The same as JSON data, moments in Unix seconds.

    {"applied", "members": [{"user_id", "was", "becomes", "told", "changes"}], "unmatched": [{"payer", "grants"}],
    "contradictions": [{"subject", "line", "claimed", "known"}], "not_taken": [{"id", "reason"}], "prices": {price:
    purchases}, "other_endpoints": [{"id", "host", "enabled", "events"}], "writes"}; `was` and `becomes` have state,
    access, levels, until, reason, needs_support and grants. All members are there, those who stay as they are too.
    """
    return {
        "applied": outcome.applied,
        "members": [{**asdict(member), "changes": member.changes} for member in outcome.members],
        "unmatched": [asdict(unmatched) for unmatched in outcome.unmatched],
        "contradictions": [asdict(contradiction) for contradiction in outcome.contradictions],
        "not_taken": [asdict(refused) for refused in outcome.refused],
        "prices": dict(sorted(outcome.prices.items())),
        "other_endpoints": [asdict(other) for other in outcome.account.others],
        "writes": outcome.writes,
    }


def _member(change: Prospect) -> str:
    was = change.was.state if change.was else "unknown"
    quiet = "" if change.told else "; destinations stay as they are"
    return f"member  {change.user_id}  {was} -> {_standing(change.becomes)}{quiet}"


def _standing(member: Membership) -> str:
    opened = f" ({', '.join(member.levels)})" if member.levels else ""
    return f"{member.state}{opened}{_until(member.access, member.until)}: {member.reason}"


def _stranger(unmatched: Unmatched) -> str:
    bought = ", ".join(_bought(view) for view in unmatched.grants)
    return f"unmatched  {unmatched.payer}: {bought}"


def _bought(view: GrantView) -> str:
    opened = f" ({', '.join(view.levels)})" if view.levels else ""
    return f"{view.id}{opened} {view.state}"


def _until(access: bool, until: int | None) -> str:
    if until is None:
        return ""
    return f", {'until' if access else 'since'} {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M:%S}"


def _counts(outcome: Outcome, identities: Identities) -> Iterator[str]:
    history = outcome.account.history
    yield "at Stripe    " + ", ".join(f"{count} {name}" for name, count in history.read.items())
    if history.nobodys:
        yield f"             {history.nobodys} refunded or disputed payments paid for no membership"
    if identities.rows:
        yield (
            f"the file     {identities.rows} rows: {outcome.joined} payers known by it alone, {outcome.idle} customers "
            f"who bought nothing, {identities.repeated} repeated, {identities.incomplete} without a user or a payer, "
            f"{identities.shared} with an e-mail that another row has"
        )
    changes = outcome.changes
    states = Counter(str(change.becomes.state) for change in changes)
    becoming = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"
    yield f"members      {len(outcome.members)} looked at, {len(changes)} change: {becoming}"
    yield f"destinations {sum(change.told for change in changes)} members to show anew"
    if outcome.unmatched:
        yield (
            f"unmatched    {len(outcome.unmatched)} payers are not written: name their users in --identities, or in "
            "metadata at Stripe, and repeat"
        )
    if outcome.applied:
        yield f"BACKFILLED: {outcome.writes} transactions written."
    else:
        yield f"DRY RUN: {outcome.writes} transactions would be written; nothing was. With --apply they are."
