"""Whatever a genuine event holds, it is either read or refused with a reason: nothing else may come out."""

import copy
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.adapters.items import Stored, node_item
from handlers.core import events
from handlers.core.errors import EventError
from handlers.core.reading import Reading
from tests.handlers import story
from tests.handlers.core.memory import Memory

NAMES = sorted(path.stem for path in story.FOLDER.glob("*.json"))
RECORDED = [story.recorded(name) for name in NAMES]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([10**40, -(10**40), "", "x" * 5000, "\ud800", "\x00", [], {}, {"data": None}, {"id": 5}]),
    st.text(st.characters(), max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every field and entry inside `value`."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, entry in inside for place in [(*path, key), *places(entry, (*path, key))]]


READ = {
    *("id", "type", "created", "livemode", "data", "object", "status", "items", "price", "lookup_key", "customer"),
    *("current_period_end", "metadata", "user_id", "cancel_at", "cancel_at_period_end", "canceled_at", "ended_at"),
    *("latest_invoice", "parent", "subscription_details", "subscription", "amount_paid", "billing_reason", "payment"),
    *("customer_email", "customer_details", "email", "payment_intent", "charge", "invoice", "amount", "refunded"),
    *("amount_refunded", "mode", "payment_status", "amount_total", "currency", "customer_account", 0),
}
PLACES = [
    (number, place)
    for number, event in enumerate(RECORDED)
    for place in places(event)
    if place[-1] in READ and "lines" not in place
]


def replaced(event: Any, place: tuple[Any, ...], junk: Any) -> Any:
    changed = copy.deepcopy(event)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = junk
    return changed


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(PLACES), JUNK)
@example(
    (NAMES.index("customer.subscription.created"), ("data", "object", "items", "data", 0, "price", "id")), "\ud800"
)
def test_junk_anywhere_is_read_or_refused(place: tuple[int, tuple[Any, ...]], junk: Any) -> None:
    number, path = place
    event = replaced(RECORDED[number], path, junk)
    memory = Memory()
    reason = refusal(memory, event)
    if reason is not None:
        assert 10 < len(reason) < 300
        assert reason.isprintable()
    for ref, node in memory.nodes.items():
        item = node_item(ref, Stored(node=node, version=1, first_seen=1, due_at=1))
        assert len(item["pk"]["S"].encode()) <= 2048  # DynamoDB's limit of a partition key


def refusal(memory: Memory, event: Any) -> str | None:
    """Tell `event`; the reason why it cannot be read, None when it was."""
    try:
        if events.facts(event, Reading()) is not None:
            memory.tell([event])
    except EventError as error:
        return str(error)
    return None
