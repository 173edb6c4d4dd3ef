"""One event of a known member takes at most three round trips to the table, in whatever order it became known."""

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.apply_trips import FOLLOWING, TARGET
from bench.known_members import POLICY, Bought, purchases
from bench.memory_table import MemoryTable
from bench.worlds import in_memory, round_trips, take
from handlers.core import paths
from handlers.core.nodes import Kind, MemberNode, Ref
from handlers.settings import STRIPE_EVENTS
from tests.handlers.faults import FaultyClient
from tests.handlers.pipeline_world import World
from tests.handlers.story import DAY, START, Event

KNOWN = purchases(1)


def memory() -> World:
    world = in_memory(POLICY, MemoryTable())
    world.clock.now = START + DAY + 60
    return world


def member(world: World, user: str) -> MemberNode:
    ref = Ref(Kind.MEMBER, user)
    stored = world.store.read([ref])[ref]
    assert stored is not None
    assert isinstance(stored.node, MemberNode)
    return stored.node


def far_from_its_member(kind: str) -> Bought:
    """What is longest on its way: a subscription whose session or customer names the user, if it has such events."""
    with_events = [bought for bought in KNOWN if bought.event(kind) is not None and bought.named_by != "object"]
    return with_events[0]


@pytest.mark.parametrize("kind", STRIPE_EVENTS)
def test_an_event_of_a_known_member_takes_at_most_three(kind: str, world: World) -> None:
    world.policy_document = POLICY
    world.clock.now = START + DAY + 60
    vars(world)["dynamodb"] = FaultyClient(world.dynamodb)
    bought = far_from_its_member(kind)
    take(world, *bought.usual())
    event = bought.event(kind)
    assert event is not None
    trips = Counter(round_trips(world, event))
    assert trips["batch_get_item"] in {1, 2}
    assert trips["transact_write_items"] == 1
    assert trips.total() <= TARGET


@given(st.data())
def test_in_any_order_of_what_was_told_before(data: st.DataObject) -> None:
    bought = data.draw(st.sampled_from(KNOWN), label="bought")
    world = memory()
    take(world, *data.draw(st.permutations(bought.usual()), label="told"))
    kind, renewal = data.draw(st.tuples(st.sampled_from(STRIPE_EVENTS), st.integers(0, 1)), label="event")
    event = bought.event(kind, renewal=renewal)
    assume(event is not None)
    assert event is not None
    assert sum(round_trips(world, event).values()) <= TARGET


def test_a_customer_takes_many_purchases_along_in_three() -> None:
    world, bought = memory(), Bought(number=1, what="payment", named_by="customer")
    take(world, *bought.usual(), *bought.bought_again(FOLLOWING - 1))
    assert sum(round_trips(world, bought.moved()).values()) == TARGET
    assert len(member(world, "user_b").grants) == FOLLOWING


def test_one_more_purchase_of_a_customer_reads_none_of_the_others() -> None:
    world, bought = memory(), Bought(number=1, what="payment", named_by="customer")
    take(world, *bought.usual(), *bought.bought_again(FOLLOWING))
    read: list[int] = []
    asked = FaultyClient(world.dynamodb, batch_get_item=lambda request: read.append(keys(request)))
    vars(world)["dynamodb"] = asked
    take(world, refund_of(bought), *bought.bought_again(FOLLOWING + 1)[-1:])
    assert sum(read) <= 7


def refund_of(bought: Bought) -> Event:
    event = bought.event("refund.created")
    assert event is not None
    return event


def keys(request: object) -> int:
    assert isinstance(request, dict)
    return sum(len(table["Keys"]) for table in request["RequestItems"].values())


def test_more_than_can_wait_costs_a_read_and_nothing_else() -> None:
    world, bought = memory(), Bought(number=1, what="subscription", named_by="session")
    renewals = range(1, paths.MAX_BELOW + 3)
    early = [bought.event("invoice_payment.paid", START, renewal=number) for number in renewals]
    early += [bought.event("invoice.paid", START, renewal=number) for number in renewals]
    take(world, *(event for event in early if event is not None), *bought.usual())
    trips = []
    for number in renewals:
        event = bought.event("refund.created", renewal=number)
        assert event is not None
        trips.append(sum(round_trips(world, event).values()))
    assert max(trips) == TARGET + 1
    assert member(world, bought.user).state == "refunded"
