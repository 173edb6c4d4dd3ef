"""What facts would make of the table, without writing any: nodes are read from it, and changed in memory."""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from handlers.adapters.store import Store
from handlers.core import reconciling
from handlers.core.events import Facts
from handlers.core.graph import Graph, NotLoadedError
from handlers.core.linking import names, take
from handlers.core.nodes import Kind, MemberNode, Node, Ref
from handlers.operations.errors import StackError

Taken = Mapping[Ref, Node | None]  # nodes that facts changed, as they were before; None for new ones


class Preview:
    """Nodes as they would be. Members stay in memory from first to last, the others until `turn_over`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._nodes: dict[Ref, Node | None] = {}
        self._were: dict[str, MemberNode | None] = {}

    def load(self, facts: Iterable[Facts]) -> None:
        """Read everything that `facts` name, together. Raises StackError for what this version cannot read."""
        self._read(frozenset().union(*(names(told) for told in facts)))

    def take(self, facts: Facts) -> Taken:
        """Take `facts`; what they changed, as it was. Raises EventError where the table could not take them."""
        while True:
            graph = Graph(self._nodes)
            try:
                take(facts, graph)
            except NotLoadedError as missing:
                self._read(frozenset({missing.ref, *missing.others}))
            else:
                break
        taken = {ref: graph.before(ref) for ref in graph.changed}
        self._nodes.update(graph.changed)
        return taken

    def is_news(self, taken: Taken) -> bool:
        """Whether what was taken, with what was taken since, makes the table say anything else about a member."""
        return reconciling.changes((before, node) for ref, before in taken.items() if (node := self.node(ref)))

    def node(self, ref: Ref) -> Node | None:
        """The node as it would be."""
        if ref not in self._nodes:
            self._read(frozenset({ref}))
        return self._nodes[ref]

    def members(self) -> Iterator[tuple[MemberNode | None, MemberNode]]:
        """The members that were looked at, as they were and as they would be."""
        for user, before in sorted(self._were.items()):
            after = cast("MemberNode | None", self._nodes[Ref(Kind.MEMBER, user)])
            if after is not None:
                yield before, after

    def turn_over(self) -> None:
        """Forget all but the members: what follows is about other payers."""
        self._nodes = {ref: node for ref, node in self._nodes.items() if ref.kind is Kind.MEMBER}

    def _read(self, refs: frozenset[Ref]) -> None:
        try:
            found = self._store.read(refs - self._nodes.keys())
        except (KeyError, TypeError, ValueError) as error:
            raise StackError(
                f"the table holds something that this version cannot read ({type(error).__name__}): run the command of "
                "the version that is deployed, or deploy this one first"
            ) from None
        for ref, stored in found.items():
            self._nodes[ref] = stored.node if stored else None
            if ref.kind is Kind.MEMBER:
                self._were[ref.id] = cast("MemberNode | None", self._nodes[ref])
