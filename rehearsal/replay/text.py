"""What the command line says of a replay, to a person: each member and why, then what a person should know."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.replay.moments import in_words
from rehearsal.replay.replay import Outcome

_SHOWN = 10  # of each list; the JSON has all
_NAMED = 3  # events of one reason; the JSON has all
_MOMENTS = ("at", "created", "_end")  # what the names of fields that hold one end with
_MODES = {True: "live", False: "test"}
_REASONS = {
    "livemode": "they are of the other mode than the replay",
    "type": "their type tells nothing of membership",
}


def lines(outcome: Outcome) -> Iterator[str]:
    """The text, line by line, the verdict last; what a terminal would obey is written out."""
    for line in _lines(outcome):
        yield line if line.isprintable() else "".join(map(_printable, line))


def _printable(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def _lines(outcome: Outcome) -> Iterator[str]:
    document = outcome.document
    for member in document["members"]:
        yield from _member(member, document["as_of"])
        yield ""
    yield from _prices(document, outcome.options.stack)
    yield from _events("parked", document["parked"])
    yield from _events("ignored", document["ignored"])
    yield from _oddities("no event", document["not_events"])
    yield from _oddities("same id", document["unlike"])
    yield from _some("DISAGREES", [str(entry) for entry in document["disagreements"]])
    yield from _some("LOST", [f"{entry['event']}: {entry['why']}" for entry in document["lost"]])
    yield from _summary(outcome)


def _member(member: Mapping[str, Any], as_of: int) -> Iterator[str]:
    customers = ", ".join(member["customers"])
    user = "(no user claims this payer)" if member["user_id"] is None else member["user_id"]
    yield f"{user}  {customers}".rstrip()
    support = "; needs support" if member.get("needs_support") else ""
    yield f"  {_standing(member, as_of)}{support}"
    for grant in member["grants"]:
        levels = " + ".join(grant.get("levels") or ()) or "no level"
        unverified = "" if grant.get("verified", True) else ", unverified"
        yield f"  grant {grant['id']} ({grant['kind']}, {levels}{unverified}): {_standing(grant, as_of)}"
        yield from (f"    {name}: {_fact(name, told)}" for name, told in grant.get("facts", {}).items())
    for change in member["transitions"]:
        cause = f", {change['event']}" if change.get("event") else ""
        step = f"{change.get('from') or 'nobody'} -> {change['to']}"
        yield f"  {in_words(change['at'])}  {step}: {change['reason']}{cause}"


def _standing(what: Mapping[str, Any], as_of: int) -> str:
    """State, access, its end and the reason, of a member or a grant."""
    until = what["until"]
    if what["access"]:
        access = "access without end" if until is None else f"access until {in_words(until)}"
    else:
        access = "no access" if until is None or until > as_of else f"no access since {in_words(until)}"
    return f"{what['state']}, {access}: {what['reason'] or 'no reason'}"


def _fact(name: str, told: Any) -> str:
    """A fact in one line; moments as dates."""
    if isinstance(told, Mapping):
        return ", ".join(f"{inner} {_fact(inner, value)}" for inner, value in told.items())
    if isinstance(told, (list, tuple)):
        return " + ".join(_fact(name, value) for value in told)
    if isinstance(told, bool):
        return "yes" if told else "no"
    return in_words(told) if isinstance(told, int) and name.endswith(_MOMENTS) else str(told)


def _prices(document: Mapping[str, Any], stack: str) -> Iterator[str]:
    prices = [f"{entry['price']} ({entry['grants']} grants)" for entry in document["unmapped_prices"]]
    if not prices:
        return
    if document["any_price"]:
        yield from _some(f"as {document['any_price']}", prices)
        return
    yield from _some("no level", prices)
    yield _row("", f"these prices give nothing: name them under products in Pulumi.{stack}.yaml, such as")
    yield _row("", f"  - {{price: {document['unmapped_prices'][0]['price']}, level: …}}")
    yield _row("", "or see what they would give with --any-price LEVEL")


def _events(name: str, groups: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line a reason: how many events of which type, and the first few of them."""
    by_reason: dict[str, list[Mapping[str, Any]]] = {}
    for group in groups:
        by_reason.setdefault(group["reason"], []).append(group)
    for reason, same in by_reason.items():
        total = sum(group["count"] for group in same)
        types = ", ".join(f"{group['count']} {group['type'] or 'of no type'}" for group in same)
        ids = [id_ for group in same for id_ in group["events"]]
        first = ", ".join(ids[:_NAMED]) + (", …" if total > _NAMED else "")
        yield _row(name, f"{total}: {_REASONS.get(reason, reason)} ({types}; {first})")


def _oddities(name: str, oddities: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from _some(name, [f"line {oddity['line']}: {oddity['what']}" for oddity in oddities])


def _some(name: str, entries: Sequence[str]) -> Iterator[str]:
    for entry in entries[:_SHOWN]:
        yield _row(name, entry)
    if len(entries) > _SHOWN:
        yield _row(name, f"and {len(entries) - _SHOWN} more; --json FILE has all")


def _summary(outcome: Outcome) -> Iterator[str]:
    document, options = outcome.document, outcome.options
    yield _row("events", ", ".join(_counted(document["counts"])))
    if document["goes_on"]:
        yield _row("", "the last page says that there are more: a part of the history is missing here")
    order = "in the file's order" if options.seed is None else f"shuffled with seed {options.seed}"
    times = "" if options.repeat == 1 else f", each {options.repeat} times"
    yield _row("sent", f"{outcome.sent.requests} requests{times}, {order}: {outcome.sent.rate:.0f} a second")
    yield _row("mode", _mode(document))
    yield _row("as of", f"{in_words(document['as_of'])} UTC")
    yield _verdict(document)


def _counted(counts: Mapping[str, int]) -> Iterator[str]:
    yield f"{counts['distinct']} different ones"
    if counts["repeated"]:
        yield f"{counts['repeated']} repetitions in the file"
    if counts["after_now"]:
        yield f"{counts['after_now']} later than --now, which members do not know of"
    yield from (f"{counts[name]} {name}" for name in ("applied", "ignored", "parked"))


def _mode(document: Mapping[str, Any]) -> str:
    mode = _MODES[document["livemode"]]
    if document["livemode"] == document["stack_livemode"]:
        return f"{mode}, as the stack's own"
    return f"{mode}, as most events are; the stack's own is {_MODES[document['stack_livemode']]}"


def _verdict(document: Mapping[str, Any]) -> str:
    members, lost, disagree = document["members"], document["lost"], document["disagreements"]
    if lost or disagree:
        return f"NOT REPLAYED: {len(lost)} events were lost, {len(disagree)} members differ from their events in order."
    access = sum(1 for member in members if member["access"])
    unclaimed = len(document["unclaimed"])
    return f"REPLAYED: {len(members)} members, {access} have access; no user claims {unclaimed} of them."


def _row(name: str, text: str) -> str:
    return f"{name:<11} {text}"
