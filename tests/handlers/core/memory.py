"""The table in memory: what the recorder does, without time, versions and deliveries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from handlers.core import events
from handlers.core.grants import Grant
from handlers.core.graph import Graph, NotLoadedError
from handlers.core.linking import take
from handlers.core.nodes import Kind, MemberNode, Node, Ref
from handlers.core.reading import Reading
from tests.handlers.story import Event


@dataclass
class Memory:
    """Nodes by name. Only what `take` asks for is handed to it, so that it cannot look anything up unasked."""

    nodes: dict[Ref, Node] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)

    def tell(self, told: Iterable[Event]) -> "Memory":
        for event in told:
            facts = events.facts(event, self.reading)
            assert facts is not None
            self.take(facts)
        return self

    def take(self, facts: events.Facts) -> "Memory":
        self.nodes.update(self._graph(facts).changed)
        return self

    def members(self) -> Mapping[str, MemberNode]:
        return {ref.id: cast("MemberNode", node) for ref, node in self.nodes.items() if ref.kind is Kind.MEMBER}

    def grants(self, user: str = "user_ada") -> Mapping[str, Grant]:
        member = self.members().get(user)
        return member.grants if member else {}

    def _graph(self, facts: events.Facts) -> Graph:
        loaded: dict[Ref, Node | None] = {}
        while True:
            graph = Graph(loaded)
            try:
                take(facts, graph)
            except NotLoadedError as missing:
                loaded[missing.ref] = self.nodes.get(missing.ref)
            else:
                return graph
