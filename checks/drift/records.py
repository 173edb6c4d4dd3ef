"""Declared records against those of the zone, each of them once and in linear time."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from checks.drift.declared import Resource
from checks.drift.forms import content, differing, snake
from checks.drift.model import UNKNOWN, Change, Difference, Pair, Part

_COMPARED = ("ttl", "proxied", "priority", "comment", "data")


class _Waiting:
    """Live records that nothing declared was paired with yet; each is given once."""

    def __init__(self, live: Iterable[Mapping[str, Any]]) -> None:
        self._left = {record["id"]: record for record in live}
        self._exact: dict[tuple[str, str, str], deque[str]] = defaultdict(deque)
        self._named: dict[tuple[str, str], deque[str]] = defaultdict(deque)
        for id_, record in self._left.items():
            name, kind = record["name"].lower(), record["type"]
            self._exact[name, kind, _content(record)].append(id_)
            self._named[name, kind].append(id_)

    def equal(self, name: str, kind: str, text: str) -> Mapping[str, Any] | None:
        return self._next(self._exact.get((name, kind, text)))

    def with_data(self, name: str, kind: str, data: Mapping[str, Any]) -> Mapping[str, Any] | None:
        for id_ in self._named.get((name, kind), ()):
            if id_ in self._left and not list(differing(data, self._left[id_].get("data") or {})):
                return self._left.pop(id_)
        return None

    def any(self, name: str, kind: str) -> Mapping[str, Any] | None:
        return self._next(self._named.get((name, kind)))

    def versioned(self, name: str, version: str) -> Mapping[str, Any] | None:
        """A TXT record of the same use, as its first tag says: two others have nothing to do with one another."""
        for id_ in self._named.get((name, "TXT"), ()):
            if version and id_ in self._left and _version(_content(self._left[id_])) == version:
                return self._left.pop(id_)
        return None

    def proof(self, kind: str, names: Set[str]) -> Mapping[str, Any] | None:
        """A record that is left just below one of `names`, at a label that no host has."""
        for id_, record in self._left.items():
            label, _, below = record["name"].lower().partition(".")
            if record["type"] == kind and label.startswith("_") and below in names:
                return self._left.pop(id_)
        return None

    def rest(self) -> Iterable[Mapping[str, Any]]:
        return self._left.values()

    def _next(self, ids: deque[str] | None) -> Mapping[str, Any] | None:
        while ids:
            if (record := self._left.pop(ids.popleft(), None)) is not None:
                return record
        return None


def compare(declared: Sequence[Resource], live: Iterable[Mapping[str, Any]], zone: str) -> Part:
    """Compare the records of the zone with the id `zone`.

    Records pair by name and type, first those of the same content, then the others in their order."""
    found, waiting = Part(), _Waiting(live)
    named = [resource for resource in declared if resource.inputs["name"] != UNKNOWN]
    paired = [(resource, _equal(resource, waiting)) for resource in named]
    for resource, record in paired:
        if record is None:
            record = _other(resource, waiting)
        if record is None:
            found.differences.append(_missing(resource))
        else:
            found.pairs.append(Pair(resource.urn, f"{zone}/{record['id']}"))
            _judge(resource, record, found)
    names = frozenset(resource.inputs["name"].lower() for resource in named)
    for resource in declared:
        if resource.inputs["name"] == UNKNOWN:
            _find_proof(resource, waiting, found, names, zone)
    found.differences += [_unmanaged(record) for record in waiting.rest()]
    return found


def _equal(resource: Resource, waiting: _Waiting) -> Mapping[str, Any] | None:
    name, kind = resource.inputs["name"].lower(), resource.inputs["type"]
    if resource.inputs.get("data"):
        return waiting.with_data(name, kind, snake(resource.inputs["data"]))
    wanted = resource.inputs.get("content")
    if wanted is None or wanted == UNKNOWN:
        return None
    return waiting.equal(name, kind, content(kind, wanted))


def _other(resource: Resource, waiting: _Waiting) -> Mapping[str, Any] | None:
    """One that stands for the same thing with another content."""
    name, kind = resource.inputs["name"].lower(), resource.inputs["type"]
    if kind == "TXT":
        return waiting.versioned(name, _version(content(kind, resource.inputs["content"])))
    return waiting.any(name, kind)


def _version(text: str) -> str:
    """Such as `v=spf1` or `v=DMARC1`: what the text begins with; empty where it has none."""
    return text.split(";")[0].split(" ")[0] if text.startswith("v=") else ""


def _find_proof(resource: Resource, waiting: _Waiting, found: Part, names: Set[str], zone: str) -> None:
    """A record whose name only the certificate's authority knows: it stands below the name that it proves."""
    record = waiting.proof(resource.inputs["type"], names)
    if record is not None:
        found.same += 1
        found.pairs.append(Pair(resource.urn, f"{zone}/{record['id']}"))
    else:
        found.undecided.append(f"{resource.name} ({resource.source}): its name is known after the deployment only")


def _missing(resource: Resource) -> Difference:
    name = f"{resource.inputs['name']} {resource.inputs['type']}"
    return Difference(change=Change.MISSING, kind="record", name=name, resource=resource.name, source=resource.source)


def _judge(resource: Resource, record: Mapping[str, Any], found: Part) -> None:
    wanted = {key: snake(resource.inputs[key]) for key in _COMPARED if resource.inputs.get(key) is not None}
    text = resource.inputs.get("content")
    if text is not None:
        wanted["content"] = text if text == UNKNOWN else content(record["type"], text)
    fields = tuple(differing(wanted, {**record, "content": _content(record)}))
    if not fields:
        found.same += 1
        return
    found.differences.append(
        Difference(
            change=Change.DIFFERENT,
            kind="record",
            name=f"{record['name']} {record['type']}",
            fields=fields,
            resource=resource.name,
            source=resource.source,
            id=record["id"],
        )
    )


def _unmanaged(record: Mapping[str, Any]) -> Difference:
    name = f"{record['name']} {record['type']} {_content(record)}"
    return Difference(change=Change.UNMANAGED, kind="record", name=name, id=record["id"])


def _content(record: Mapping[str, Any]) -> str:
    return content(record["type"], str(record.get("content") or ""))
