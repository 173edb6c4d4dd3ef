"""The apply pass: runs the program once more and brings every resource that it declares to its twin."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal import program, stackfile, wire
from rehearsal.adopted import Key
from rehearsal.errors import DeploymentError, RehearsalError
from rehearsal.graph import Graph, Resource
from rehearsal.invokes import answer
from rehearsal.monitor import Answer, Engine, Monitor
from rehearsal.registration import Registration, SourceLines
from rehearsal.resources import handler_for
from rehearsal.resources.handler import Created, Declared, ResourceHandler
from rehearsal.target import Target


@dataclass(frozen=True)
class Step:
    """One resource that was brought to its twin, and the seconds that it took."""

    resource: Resource
    id: str
    seconds: float


@dataclass(frozen=True)
class Deployment:
    """What an apply pass left: the graph, the stack's outputs in plain (secrets too), and the steps in order.

    `adopted` counts the resources that were there before.
    """

    graph: Graph
    outputs: Mapping[str, Any]
    created: tuple[Step, ...]
    adopted: int = 0


Progress = Callable[[Step], None]


def _quiet(step: Step) -> None:
    """No progress."""


def apply(
    project_dir: Path,
    stack: str,
    target: Target,
    overrides: Mapping[str, Any] | None = None,
    *,
    progress: Progress = _quiet,
    over_grpc: bool = False,
    existing: Mapping[Key, str] | None = None,
) -> Deployment:
    """Deploy `stack` of the program in `project_dir` to the twins of `target`.

    `existing` are ids of resources that stand there and are brought to what is declared instead of made. `progress` is
    called after each resource, from several threads. Raises StackError, ProgramError, or DeploymentError with the
    resource and the line that declared it.
    """
    root = project_dir.resolve()
    config = stackfile.load(root, stack, overrides)
    deploying = _Deploying(replace(target, root=root), progress, existing or {})
    monitor = Monitor(config.project, config.stack, SourceLines(root), deploying)
    program.run(root, config, monitor, Engine(target.log), dry_run=False, over_grpc=over_grpc)
    if monitor.outputs.unknowns:
        raise DeploymentError(f"stack outputs are unknown after the deployment: {', '.join(monitor.outputs.unknowns)}")
    return Deployment(
        monitor.graph(),
        monitor.outputs.values,
        tuple(deploying.created),
        adopted=deploying.adopted,
    )


class _Deploying:
    """Creates each custom resource with the handler of its type, or updates it where it exists."""

    def __init__(self, target: Target, progress: Progress, existing: Mapping[Key, str]) -> None:
        self.created: list[Step] = []
        self.adopted = 0
        self._existing = existing
        self._target = target
        self._progress = progress
        self._lock = threading.Lock()

    def register(self, registration: Registration, provider: Mapping[str, Any]) -> Answer:
        """See Backend."""
        resource, properties = registration.resource, registration.properties
        handler = _handler(resource)
        _refuse_unknown_inputs(resource, properties)
        _refuse_import(resource)
        began = time.monotonic()
        declared = Declared(
            urn=resource.urn,
            type=resource.type,
            name=resource.name,
            inputs=properties.values,
            source=resource.source,
        )
        made = self._bring(handler, declared, self._target.with_provider(provider))
        step = Step(resource, made.id, time.monotonic() - began)
        with self._lock:
            self.created.append(step)
        self._progress(step)
        return Answer(made.id, made.outputs)

    def _bring(self, handler: ResourceHandler, declared: Declared, target: Target) -> Created:
        id_ = self._existing.get((declared.type, declared.name))
        if id_ is None or handler.read(id_, target) is None:
            return _create(handler, declared, target)
        outputs = handler.update(id_, declared, target)
        with self._lock:
            self.adopted += 1
        return Created(id_, outputs)

    def read(self, registration: Registration, id_: str, provider: Mapping[str, Any]) -> Answer:
        """See Backend."""
        resource = registration.resource
        found = _handler(resource).read(id_, self._target.with_provider(provider))
        if found is None:
            raise DeploymentError(f"{resource}: there is no such resource with id {id_!r}")
        return Answer(id_, found)

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """See Backend."""
        return answer(token, arguments, self._target.aws.region)


def _handler(resource: Resource) -> ResourceHandler:
    handler = handler_for(resource.type)
    if handler is None:
        raise DeploymentError(f"{resource}: no twin knows the type {resource.type}; write a handler for it")
    return handler


def _refuse_unknown_inputs(resource: Resource, properties: wire.Decoded) -> None:
    """Every output that a program uses must have come from a handler."""
    if properties.unknowns:
        raise DeploymentError(
            f"{resource}: its inputs {', '.join(properties.unknowns)} are still unknown; "
            f"the twin of {_origins(resource, properties.unknowns)} does not give such an output"
        )


def _origins(resource: Resource, paths: list[str]) -> str:
    urns = {urn for path in paths for urn in resource.property_dependencies.get(wire.top_level(path), ())}
    return ", ".join(sorted(urn.rsplit("::", 2)[-2].rsplit("$", 1)[-1] for urn in urns)) or "a resource"


def _refuse_import(resource: Resource) -> None:
    if "importId" in resource.options:
        raise DeploymentError(f"{resource}: the option `import_` has no meaning in a rehearsal, which starts empty")


def _create(handler: ResourceHandler, declared: Declared, target: Target) -> Created:
    try:
        return handler.create(declared, target)
    except RehearsalError:
        raise
    except (ClientError, BotoCoreError) as error:
        raise DeploymentError(f"{declared}: {error}") from error
    except Exception as error:  # a dynamic provider may raise anything; it is told with the resource's line
        raise DeploymentError(f"{declared}: {type(error).__name__}: {error}") from error
