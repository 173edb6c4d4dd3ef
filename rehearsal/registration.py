"""One registration as the program sent it: the graph's entry, the plain properties, and the line that declared it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from google.protobuf.json_format import MessageToDict

from rehearsal import wire
from rehearsal.graph import STACK_TYPE, Resource, marked

_OPTIONS = (
    "protect",
    "ignoreChanges",
    "additionalSecretOutputs",
    "retainOnDelete",
    "deleteBeforeReplace",
    "customTimeouts",
    "importId",
    "replaceOnChanges",
    "deletedWith",
    "aliases",
    "aliasURNs",
    "version",
    "hideDiffs",
)


_PROGRAM = "__main__.py"


@dataclass(frozen=True)
class Registration:
    """`resource` is what the graph shows; `properties` are the same inputs with secrets in plain."""

    resource: Resource
    properties: wire.Decoded


def make_urn(project: str, stack: str, parent: str, type_token: str, name: str) -> str:
    """The engine's name of a resource: the types of its parents below the stack are part of it."""
    parent_type = parent.split("::")[2] if parent else ""
    qualified = type_token if parent_type in ("", STACK_TYPE) else f"{parent_type}${type_token}"
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


class SourceLines:
    """Finds the lines of the project that declared a resource."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._known: dict[str, str | None] = {}  # a program has few files, and each resource a way through many of them

    def of(self, request: Any) -> tuple[str, ...]:
        """`file:line` of each frame inside the project, relative to its root, innermost first.

        The way ends where the program begins: what runs the program may lie in the project, too.
        """
        positions = [request.sourcePosition, *(frame.pc for frame in request.stackTrace.frames)]
        found = [(self._file(position.uri), position.line) for position in positions]
        files = [file for file, _ in found]
        if request.stackTrace.frames:  # no line of the program makes the stack itself
            found = found[: len(files) - files[::-1].index(_PROGRAM) if _PROGRAM in files else 0]
        # The position is the first frame, too; and who calls itself is on the way more than once.
        return tuple(dict.fromkeys(f"{file}:{line}" for file, line in found if file))

    def _file(self, uri: str) -> str | None:
        if uri not in self._known:
            self._known[uri] = self._relative(uri)
        return self._known[uri]

    def _relative(self, uri: str) -> str | None:
        path = Path(unquote(urlparse(uri).path))
        if not path.is_relative_to(self._root):
            return None
        relative = path.relative_to(self._root)
        # The environment with the SDKs usually lies inside the project.
        return None if "site-packages" in relative.parts else relative.as_posix()


def from_register(request: Any, urn: str, sources: SourceLines) -> Registration:
    """A RegisterResourceRequest."""
    properties = wire.decode(request.object)
    dependencies = {key: tuple(sorted(value.urns)) for key, value in request.propertyDependencies.items()}
    return _registration(request, urn, sources, properties, request.custom, dependencies, _set_options(request))


def from_read(request: Any, urn: str, sources: SourceLines) -> Registration:
    """A ReadResourceRequest; the option `read` holds the id that was asked for."""
    properties = wire.decode(request.properties)
    return _registration(request, urn, sources, properties, True, {}, {"read": request.id})


def _registration(
    request: Any,
    urn: str,
    sources: SourceLines,
    properties: wire.Decoded,
    custom: bool,
    property_dependencies: dict[str, tuple[str, ...]],
    options: dict[str, Any],
) -> Registration:
    lines = sources.of(request)
    resource = Resource(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=custom,
        parent=request.parent,
        provider=_provider_urn(request.provider),
        inputs=marked(properties),
        secrets=tuple(sorted(properties.secrets)),
        unknowns=tuple(sorted(properties.unknowns)),
        dependencies=_sorted(request.dependencies),
        property_dependencies={key: property_dependencies[key] for key in sorted(property_dependencies)},
        options=options,
        source=lines[0] if lines else "unknown",
        sources=lines,
    )
    return Registration(resource, properties)


def _sorted(urns: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(urns)))


def _provider_urn(reference: str) -> str:
    """The URN in a provider reference `urn::id`; the id differs from run to run."""
    return reference.rsplit("::", 1)[0] if reference else ""


def _set_options(request: Any) -> dict[str, Any]:
    fields = {field.name for field, _ in request.ListFields()}
    names = [name for name in _OPTIONS if name in fields]
    return {name: _option(getattr(request, name)) for name in names}


def _option(value: Any) -> Any:
    if isinstance(value, str | bool):
        return value
    if hasattr(value, "DESCRIPTOR"):
        return MessageToDict(value)
    return [_option(item) for item in value]
