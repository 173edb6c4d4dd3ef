"""The nodes that one transaction reads and writes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar, cast

from handlers.core.nodes import (
    CustomerNode,
    InvoiceNode,
    Kind,
    MemberNode,
    Node,
    PaymentNode,
    Ref,
    SessionNode,
    SubscriptionNode,
)

N = TypeVar("N", bound=Node)


class NotLoadedError(Exception):
    """A node is needed that was not read yet; `others` will be needed too."""

    def __init__(self, ref: Ref, *others: Ref) -> None:
        super().__init__(f"{ref.kind} {ref.id}")
        self.ref = ref
        self.others = others


class Graph:
    """Nodes as they were read, and as they will be written; `loaded` has None for what the table does not hold."""

    def __init__(self, loaded: Mapping[Ref, Node | None]) -> None:
        self._loaded = loaded
        self._changed: dict[Ref, Node] = {}

    @property
    def changed(self) -> Mapping[Ref, Node]:
        """What differs from what was read."""
        return self._changed

    def before(self, ref: Ref) -> Node | None:
        """The node as it was read; NotLoadedError when it was not."""
        if ref not in self._loaded:
            raise NotLoadedError(ref)
        return self._loaded[ref]

    def need(self, refs: Iterable[Ref]) -> None:
        """NotLoadedError with all of `refs` that were not read: so that they can be read together."""
        missing = [ref for ref in refs if ref not in self._loaded]
        if missing:
            raise NotLoadedError(*missing)

    def get(self, ref: Ref) -> Node | None:
        """The node as it is now; NotLoadedError when it was not read."""
        return self._changed.get(ref) or self.before(ref)

    def put(self, ref: Ref, node: Node) -> None:
        """`node` from now on; nothing is to be written when that is what was read."""
        if node == self.before(ref):
            self._changed.pop(ref, None)
        else:
            self._changed[ref] = node

    def changed_of(self, kind: Kind) -> Iterator[tuple[str, Node]]:
        """The ids and nodes of one kind that differ from what was read, in a fixed order."""
        for ref in sorted(ref for ref in self._changed if ref.kind is kind):
            yield ref.id, self._changed[ref]

    def payment(self, id_: str) -> PaymentNode | None:
        """The payment `id_`."""
        return cast("PaymentNode | None", self.get(Ref(Kind.PAYMENT, id_)))

    def invoice(self, id_: str) -> InvoiceNode | None:
        """The invoice `id_`."""
        return cast("InvoiceNode | None", self.get(Ref(Kind.INVOICE, id_)))

    def subscription(self, id_: str) -> SubscriptionNode:
        """The subscription `id_`, an empty one when it is new."""
        node = cast("SubscriptionNode | None", self.get(Ref(Kind.SUBSCRIPTION, id_)))
        return node or SubscriptionNode(id=id_)

    def customer(self, id_: str) -> CustomerNode:
        """The customer `id_`, an empty one when it is new."""
        return cast("CustomerNode | None", self.get(Ref(Kind.CUSTOMER, id_))) or CustomerNode(id=id_)

    def session(self, id_: str) -> SessionNode | None:
        """The Checkout Session `id_`."""
        return cast("SessionNode | None", self.get(Ref(Kind.SESSION, id_)))

    def member(self, id_: str) -> MemberNode:
        """The member `id_`, an empty one when it is new."""
        return cast("MemberNode | None", self.get(Ref(Kind.MEMBER, id_))) or MemberNode(id=id_)
