"""What evaluating an SPF record costs a receiver, term by term (RFC 7208 section 4.6.4).

Ten terms that ask the DNS, and two that find nothing; a record over either limit is a permanent error, which receivers
treat as no SPF at all. Every term is counted, as if none matched before the last.

Written here and again in `checks`: the verifier shares no code with the builder. checkdmarc is a second opinion of
both in the tests; as a library it would ask one resolver of its own and keep answers for the life of the process.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from infra.mail.lookups import Mode, Names, NotRecorded, Unanswered, live, recorded, say_unreachable

LOOKUPS_MOST, VOIDS_MOST = 10, 2
EXCHANGERS_MOST = 10  # names of one mx term
FOLLOWED_MOST = 40  # terms: four times what a receiver follows, so that the tree shows what is too much
ASKS = frozenset({"include", "a", "mx", "ptr", "exists"})


@dataclass(kw_only=True)
class Node:
    """One term, what it costs by itself and what it leads to."""

    term: str
    lookups: int = 0
    voids: int = 0
    notes: list[str] = field(default_factory=list)
    below: list["Node"] = field(default_factory=list)

    @property
    def all_lookups(self) -> int:
        """With everything below."""
        return self.lookups + sum(node.all_lookups for node in self.below)

    @property
    def all_voids(self) -> int:
        """With everything below."""
        return self.voids + sum(node.all_voids for node in self.below)

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The tree as text, a term a line, what costs nothing left out."""
        if self.lookups or self.notes:
            notes = f" ({'; '.join(self.notes)})" if self.notes else ""
            yield f"{'  ' * depth}{self.term}: {self.all_lookups}{notes}"
        for node in self.below:
            yield from node.lines(depth + 1)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a record costs. `source`: where the answers came from; `unknown`: names that were counted as one lookup."""

    lookups: int
    voids: int
    errors: tuple[str, ...]
    unknown: tuple[str, ...]
    source: Mode
    tree: tuple[str, ...]


def cost(record: str, domain: str, mode: Mode) -> Cost:
    """What `record`, published at `domain`, costs. Where the DNS stops answering, the recorded set is used."""
    names = live() if mode == "dns" else None
    if names:
        try:
            return _cost(record, domain, names, "dns")
        except Unanswered:
            say_unreachable()  # one answer lost is no reason to stop a preview
    return _cost(record, domain, recorded(), "recorded")


def _cost(record: str, domain: str, names: Names, source: Mode) -> Cost:
    evaluation = _Evaluation(names)
    tree = evaluation.record(record, domain, ())
    return Cost(
        lookups=sum(node.all_lookups for node in tree),
        voids=sum(node.all_voids for node in tree),
        errors=tuple(evaluation.errors),
        unknown=tuple(dict.fromkeys(evaluation.unknown)),
        source=source,
        tree=tuple(line for node in tree for line in node.lines()),
    )


class _Evaluation:
    def __init__(self, names: Names) -> None:
        self._names = names
        self._followed = 0
        self.errors: list[str] = []
        self.unknown: list[str] = []

    def record(self, text: str, domain: str, above: tuple[str, ...]) -> list[Node]:
        """A node for each term of a record."""
        terms = text.lower().split()[1:]
        nodes = [self._term(term, domain, above) for term in terms]
        redirect = next((term for term in terms if term.startswith("redirect=")), None)
        if redirect and not any(term.lstrip("+-~?") == "all" for term in terms):  # section 6.1
            node = Node(term=redirect, lookups=1)
            self._follow(node, redirect.partition("=")[2], (*above, domain))
            nodes.append(node)
        return nodes

    def _term(self, term: str, domain: str, above: tuple[str, ...]) -> Node:
        name, _, rest = term.lstrip("+-~?").partition(":")
        name, node = name.partition("/")[0], Node(term=term)
        if name not in ASKS or self._followed >= FOLLOWED_MOST:
            return node
        self._followed += 1
        node.lookups = 1
        target = rest.partition("/")[0] or domain
        if name == "ptr":
            self.errors.append(f"{term}: ptr must not be used (section 5.5)")
        elif "%" in target:
            node.notes.append("depends on the message")
        elif name == "include":
            self._follow(node, target, (*above, domain))
        else:
            self._find(node, name, target)
        return node

    def _follow(self, node: Node, target: str, above: tuple[str, ...]) -> None:
        if target in above:
            self._wrong(node, f"{target} includes itself")
            return
        try:
            texts = self._names.txt(target)
        except NotRecorded:
            node.notes.append("not recorded, counted as one")
            self.unknown.append(target)
            return
        node.voids += not texts
        found = [text for text in texts if text.lower().split(" ")[0] == "v=spf1"]
        if len(found) != 1:
            self._wrong(node, f"{target} has {len(found)} SPF records, must have one")
            return
        node.below = self.record(found[0], target, above)

    def _find(self, node: Node, name: str, target: str) -> None:
        try:
            found = self._names.mx(target) if name == "mx" else self._names.addresses(target)
        except NotRecorded:
            self.unknown.append(target)
            return
        node.voids += not found
        if name == "mx" and len(found) > EXCHANGERS_MOST:
            self._wrong(node, f"{node.term} names {len(found)} exchangers, at most {EXCHANGERS_MOST}")

    def _wrong(self, node: Node, what: str) -> None:
        node.notes.append(what)
        self.errors.append(what)
