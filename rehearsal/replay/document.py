"""The JSON of a replay: a function of the events and the moment alone, however they were shuffled and repeated."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.replay.history import History, Oddity

_MEMBER = ("user_id", "customers", "state", "access", "until", "reason", "grants", "transitions")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What was replayed, of what, and what the ledger has of it."""

    history: History
    now: int
    livemode: bool
    configured: bool  # the stack's own livemode
    any_price: str | None
    recorded: Mapping[str, str]  # event id -> id in the ledger
    lost: Mapping[str, str]  # event id -> what is known of it


def document(told: Told, judged: Mapping[str, Any]) -> dict[str, Any]:
    """The whole document; `judged` is what the Judge said. Moments are Unix seconds."""
    members = sorted(judged["members"], key=_place)
    outcomes = {id_: judged["ledger"].get(entry, {}) for id_, entry in told.recorded.items()}
    by_outcome = Counter(outcome.get("outcome") for outcome in outcomes.values())
    return {
        "as_of": told.now,
        "livemode": told.livemode,
        "stack_livemode": told.configured,
        "counts": {
            "events": len(told.history.order),
            "distinct": len(told.history.events),
            "repeated": len(told.history.order) - len(told.history.events),
            "not_events": len(told.history.others),
            "after_now": told.history.later_than(told.now),
            "applied": by_outcome["applied"],
            "parked": by_outcome["parked"],
            "ignored": by_outcome["ignored"],
            "lost": len(told.lost),
        },
        "members": [_member(member) for member in members],
        "unclaimed": [member["customers"] for member in members if member["user_id"] is None],
        "any_price": told.any_price,
        "unmapped_prices": sorted(judged["unmapped_prices"], key=lambda entry: str(entry["price"])),
        "parked": _grouped(told, outcomes, "parked"),
        "ignored": _grouped(told, outcomes, "ignored"),
        "lost": [{"event": id_, "why": told.lost[id_]} for id_ in sorted(told.lost)],
        "disagreements": judged["disagreements"],
        "not_events": _oddities(told.history.others),
        "unlike": _oddities(told.history.unlike),
        "goes_on": told.history.goes_on,
    }


def _member(member: Mapping[str, Any]) -> dict[str, Any]:
    """The member's fields, the promised ones first."""
    first = {name: member[name] for name in _MEMBER}
    return {**first, **{name: value for name, value in member.items() if name not in first}}


def _place(member: Mapping[str, Any]) -> tuple[bool, str, Sequence[str]]:
    """By user id; whom no user claims comes last, by customer."""
    user_id = member["user_id"]
    return user_id is None, user_id or "", member["customers"]


def _grouped(told: Told, outcomes: Mapping[str, Mapping[str, Any]], wanted: str) -> list[dict[str, Any]]:
    """The events of one outcome, by reason and type."""
    groups: dict[tuple[str, str], list[str]] = {}
    for id_, outcome in outcomes.items():
        if outcome.get("outcome") == wanted:
            reason = str(outcome.get("reason") or "no reason was given")
            groups.setdefault((reason, told.history.events[id_].type), []).append(id_)
    return [
        {"reason": reason, "type": type_, "count": len(ids), "events": sorted(ids)}
        for (reason, type_), ids in sorted(groups.items())
    ]


def _oddities(oddities: Iterable[Oddity]) -> list[dict[str, Any]]:
    return [{"line": oddity.line, "what": oddity.what} for oddity in oddities]
