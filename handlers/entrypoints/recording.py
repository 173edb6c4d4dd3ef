"""Facts into the table: read what they touch, join, settle the members, write all of it in one transaction."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from handlers.adapters.items import Alert, LedgerEntry, Stored
from handlers.adapters.logs import log, metric
from handlers.adapters.nudges import Nudge
from handlers.adapters.store import Change, Store, Tell
from handlers.core.desired import Notice
from handlers.core.errors import ConflictError
from handlers.core.events import Facts
from handlers.core.facts import Item
from handlers.core.graph import Graph, NotLoadedError
from handlers.core.linking import names, take
from handlers.core.membership import opens_nothing
from handlers.core.nodes import (
    HOLDERS,
    InvoiceNode,
    Kind,
    MemberNode,
    Node,
    PaymentNode,
    Ref,
    SubscriptionNode,
    unclaimed,
)
from handlers.core.notices import news
from handlers.core.paths import beyond
from handlers.core.policy import Policy
from handlers.core.settling import Settled, settle
from handlers.settings import DestinationSpec

T = TypeVar("T")

CONFLICT_TRIES = 10
CONFLICT_STEP_SECONDS = 0.01
CONFLICT_CAP_SECONDS = 0.25
UNCLAIMED_SECONDS = 600  # how long facts wait for the event that tells where they belong, before Stripe is asked
UNANSWERED_SECONDS = 60  # until Stripe is asked again about what no event will tell


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What one transaction wrote, as far as somebody has to be told."""

    members: tuple[str, ...] = ()
    nudges: tuple[Nudge, ...] = ()
    alerts: tuple[Alert, ...] = ()
    tied: tuple[str, ...] = ()  # subscriptions of which only Stripe can tell how they are


@dataclass(frozen=True, kw_only=True)
class Observation:
    """A question to Stripe about a second of which snapshots disagree; a higher `number` was asked later."""

    number: int
    at: int


class Recorder:
    """Writes facts and what follows from them.

    A `silent` one brings destinations to the members' state without a notice to anybody: for history that operations
    do not have to hear of. `clock` gives Unix seconds; `pause` waits between conflicts.
    """

    def __init__(
        self,
        *,
        store: Store,
        policy: Policy,
        destinations: Sequence[DestinationSpec],
        silent: bool = False,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._policy = policy
        self._destinations = tuple(destinations)
        self._silent = silent
        self._clock = clock
        self._pause = pause

    def record(self, facts: Facts, *, at: int, ledger: LedgerEntry | None = None) -> Recorded:
        """Write `facts`, told at `at`, and their `ledger` entry.

        Raises DuplicateError when the event is in the ledger, EventError when the facts cannot be taken,
        ConflictError when other writers won every time.
        """
        return self._repeat(lambda: self._write_facts(facts, at, ledger))

    def would_change(self, facts: Facts) -> Mapping[Ref, tuple[Node | None, Node]]:
        """What recording `facts` would write, as it is and as it would be; nothing is written.

        Raises EventError when the facts cannot be taken.
        """
        _, graph = self._gather(facts)
        return {ref: (graph.before(ref), node) for ref, node in graph.changed.items()}

    def let_time_pass(self, user_id: str) -> Recorded:
        """Write what has become of the member by now without any event. Raises ConflictError."""
        return self._repeat(lambda: self._write_member(user_id))

    def observe(self, subscription: str) -> Observation | None:
        """Number a question about a tied subscription, before it is asked; None where nothing is left to ask.

        The number decides between two answers whatever order they come back in. Raises ConflictError.
        """
        return self._repeat(lambda: self._write_observation(subscription))

    def notify(self, notice: Notice) -> Recorded:
        """Tell operations of `notice`, once for its key."""
        told = tuple((spec.name, notice) for spec in self._for("notices"))
        return self._commit(Change(now=int(self._clock()), notices=told))

    def _repeat(self, write: Callable[[], T]) -> T:
        for attempt in range(1, CONFLICT_TRIES):
            try:
                return write()
            except ConflictError:
                metric("WriteConflict", 1)
                step = min(CONFLICT_CAP_SECONDS, CONFLICT_STEP_SECONDS * 2**attempt)
                self._pause(random.uniform(0, step))  # noqa: S311 - jitter
        return write()

    def _write_facts(self, facts: Facts, at: int, ledger: LedgerEntry | None) -> Recorded:
        read, graph = self._gather(facts)
        now = int(self._clock())
        event = ledger.event if ledger else None
        settled = {ref: settle(node, self._policy, now, at=at, event=event) for ref, node in _members(graph)}
        change = Change(
            now=now,
            nodes=_stored(graph, read, settled, now),
            ledger=ledger,
            tell=tuple(self._tell(settled, read)),
            notices=() if self._silent else self._notices(graph, now),
            alerts=tuple(self._alerts(graph)),
        )
        return self._commit(change)

    def _write_observation(self, subscription: str) -> Observation | None:
        ref = Ref(Kind.SUBSCRIPTION, subscription)
        stored = self._store.read([ref])[ref]
        node = cast("SubscriptionNode | None", stored.node if stored else None)
        if stored is None or node is None or not node.tied or node.tied_at is None:
            return None
        asking = replace(node, observations=node.observations + 1)
        written = replace(stored, node=asking, version=stored.version + 1)
        self._store.commit(Change(now=int(self._clock()), nodes={ref: written}))
        return Observation(number=asking.observations, at=node.tied_at)

    def _write_member(self, user_id: str) -> Recorded:
        ref = Ref(Kind.MEMBER, user_id)
        read = self._store.read([ref])
        stored = read[ref]
        if stored is None:
            return Recorded()
        now = int(self._clock())
        member = cast("MemberNode", stored.node)
        settled = settle(member, self._policy, now, at=min(stored.due_at or now, now), event=None)
        written = replace(stored, node=settled.member, version=stored.version + 1, due_at=settled.next_change)
        return self._commit(Change(now=now, nodes={ref: written}, tell=tuple(self._tell({ref: settled}, read))))

    def _gather(self, facts: Facts) -> tuple[Mapping[Ref, Stored | None], Graph]:
        """Everything that `facts` touch, and the graph with the facts taken in."""
        wanted = names(facts)
        read: dict[Ref, Stored | None] = {}
        while True:
            read.update(self._store.read(wanted - read.keys()))
            graph = Graph({ref: stored.node if stored else None for ref, stored in read.items()})
            try:
                take(facts, graph)
            except NotLoadedError as missing:
                above = (beyond(stored.node) for stored in read.values() if stored is not None)
                wanted = frozenset({missing.ref, *missing.others}).union(*above)
            else:
                return read, graph

    def _tell(self, settled: Mapping[Ref, Settled], read: Mapping[Ref, Stored | None]) -> Iterator[Tell]:
        for ref, outcome in settled.items():
            if outcome.tell:
                for spec in self._for("state"):
                    yield Tell(destination=spec.name, member=ref.id, version=_version(read[ref]))

    def _alerts(self, graph: Graph) -> Iterator[Alert]:
        """Prices that config does not name, of what was bought just now or has new prices."""
        for ref, node in graph.changed.items():
            if ref.kind in HOLDERS:
                before = graph.before(ref)
                known = {item.price for item in _items(before)}
                for price in sorted(opens_nothing(_items(node), self._policy) - known):
                    yield Alert(kind="unmapped_price", subject=price)

    def _notices(self, graph: Graph, now: int) -> tuple[tuple[str, Notice], ...]:
        return tuple((spec.name, notice) for notice in news(graph, now) for spec in self._for("notices"))

    def _for(self, carries: str) -> Iterator[DestinationSpec]:
        return (spec for spec in self._destinations if spec.carries == carries)

    def _commit(self, change: Change) -> Recorded:
        written = self._store.commit(change)
        states = [Nudge(destination=told.destination, member=told.member) for told in written.tell]
        notices = [
            Nudge(destination=destination, member=notice.member_id, notice=notice.key)
            for destination, notice in written.notices
        ]
        return Recorded(
            members=tuple(ref.id for ref in written.nodes if ref.kind is Kind.MEMBER),
            nudges=(*states, *notices),
            alerts=written.alerts,
            tied=tuple(
                ref.id
                for ref, stored in written.nodes.items()
                if isinstance(stored.node, SubscriptionNode) and stored.node.tied
            ),
        )


def raise_alerts(alerts: Iterable[Alert], event: str | None) -> None:
    """A line and a metric for each alert; `event` is what led to it."""
    for alert in alerts:
        log("error", "somebody should look", event_id=event, action="alert", result=alert.kind, subject=alert.subject)
        metric("Alert", 1, kind=alert.kind)


def _items(node: Node | None) -> tuple[Item, ...]:
    grant = node.grant if isinstance(node, PaymentNode | InvoiceNode | SubscriptionNode) else None
    return grant.items if grant is not None else ()


def _members(graph: Graph) -> list[tuple[Ref, MemberNode]]:
    return [(ref, node) for ref, node in graph.changed.items() if isinstance(node, MemberNode)]


def _stored(
    graph: Graph, read: Mapping[Ref, Stored | None], settled: Mapping[Ref, Settled], now: int
) -> dict[Ref, Stored]:
    """What changed, each with the version that follows the one that was read."""
    return {
        ref: _next(read[ref], settled[ref].member, settled[ref].next_change, now)
        if ref in settled
        else _next(read[ref], node, _ask_at(read[ref], node, now), now)
        for ref, node in graph.changed.items()
    }


def _version(stored: Stored | None) -> int:
    return stored.version + 1 if stored else 1


def _next(stored: Stored | None, node: Node, due_at: int | None, now: int) -> Stored:
    return Stored(
        node=node,
        version=_version(stored),
        first_seen=stored.first_seen if stored else now,
        asked=stored.asked if stored else False,
        due_at=due_at,
    )


def _ask_at(stored: Stored | None, node: Node, now: int) -> int | None:
    """When Stripe is to be asked about the node; None when all is known, or that was asked before."""
    if isinstance(node, SubscriptionNode) and node.tied:
        return now + UNANSWERED_SECONDS
    if not unclaimed(node) or (stored is not None and stored.asked):
        return None
    unpriced = isinstance(node, PaymentNode | InvoiceNode) and node.member is not None
    return (stored.first_seen if stored else now) + (UNANSWERED_SECONDS if unpriced else UNCLAIMED_SECONDS)
