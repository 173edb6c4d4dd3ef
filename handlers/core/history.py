"""What events would have led to, had each been handled when it happened: members with all of their transitions.

The table's own transitions say when *we* learned of something, in the order in which it was told; told in order, with
the clock of the events, they are what the members would have seen.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from handlers.core import events
from handlers.core.errors import EventError
from handlers.core.events import Facts
from handlers.core.graph import Graph, NotLoadedError
from handlers.core.linking import names, take
from handlers.core.nodes import Kind, MemberNode, Node, Ref
from handlers.core.policy import Policy
from handlers.core.reading import Reading
from handlers.core.settling import settle

# What happens to an object in one second happens in this order, as far as the types tell.
_FIRST = ("created", "completed", "succeeded", "paid")
_LAST = ("deleted", "closed", "failed", "expired")


@dataclass
class History:
    """Nodes in memory; time goes on from event to event, and takes effect between them."""

    policy: Policy
    reading: Reading
    nodes: dict[Ref, Node] = field(default_factory=dict)
    _ahead: dict[str, int] = field(default_factory=dict)  # user -> when time alone changes the member

    def tell(self, told: Iterable[Mapping[str, Any]], until: int) -> "History":
        """Take the events that happened up to `until` (Unix seconds), in their order, and let time pass until then.

        Events that cannot be read, or taken, are left out.
        """
        for event in in_order(told):
            at = int(event["created"])
            if at > until:
                break
            self._pass_time(at)
            try:
                facts = events.facts(event, self.reading)
                changed = {} if facts is None else self._taken(facts)
            except EventError:
                continue
            self.nodes.update(changed)
            self._settle(changed, at, str(event["id"]))
        self._pass_time(until)
        return self

    @property
    def members(self) -> dict[str, MemberNode]:
        """The members, by user."""
        return {ref.id: cast("MemberNode", node) for ref, node in self.nodes.items() if ref.kind is Kind.MEMBER}

    def _taken(self, facts: Facts) -> Mapping[Ref, Node]:
        loaded: dict[Ref, Node | None] = {ref: self.nodes.get(ref) for ref in names(facts)}
        while True:
            graph = Graph(loaded)
            try:
                take(facts, graph)
            except NotLoadedError as missing:
                loaded[missing.ref] = self.nodes.get(missing.ref)
            else:
                return graph.changed

    def _settle(self, changed: Mapping[Ref, Node], at: int, event: str) -> None:
        for ref in changed:
            if ref.kind is Kind.MEMBER:
                self._settle_member(ref, at, event)

    def _settle_member(self, ref: Ref, at: int, event: str | None) -> None:
        settled = settle(cast("MemberNode", self.nodes[ref]), self.policy, at, at=at, event=event)
        self.nodes[ref] = settled.member
        self._ahead.pop(ref.id, None)
        if settled.next_change is not None:
            self._ahead[ref.id] = settled.next_change

    def _pass_time(self, until: int) -> None:
        while self._ahead:
            user, at = min(self._ahead.items(), key=lambda entry: (entry[1], entry[0]))
            if at > until:
                return
            self._settle_member(Ref(Kind.MEMBER, user), at, None)


def in_order(told: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Snapshot events as they happened; of one second, as far as their types tell."""
    readable = (event for event in told if isinstance(event.get("created"), int))
    return iter(sorted(readable, key=_place))


def _place(event: Mapping[str, Any]) -> tuple[int, int, str]:
    last = str(event.get("type")).rpartition(".")[2]
    rank = 0 if last in _FIRST else 2 if last in _LAST else 1
    return (event["created"], rank, str(event.get("id")))
