"""The engine's side of a Pulumi program: takes its registrations, keeps the graph, refuses what the engine refuses.

One object serves both ways in: `pulumi.runtime` calls its methods in this process, or a gRPC server does
(`serve`). What a registration does (check it, or create the resource at a twin) is the `Backend`'s business.

Not implemented, and not announced to the SDK: transforms, hooks, state migrations, remote components and methods.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from rehearsal import wire
from rehearsal.errors import ProgramError, RehearsalError
from rehearsal.graph import STACK_TYPE, Graph, Resource, marked
from rehearsal.registration import Registration, SourceLines, from_read, from_register, make_urn

_FEATURES = (
    "SECRETS",
    "RESOURCE_REFERENCES",
    "OUTPUT_VALUES",
    "ALIAS_SPECS",
    "DELETED_WITH",
    "REPLACE_WITH",
    "PARAMETERIZATION",
)


@dataclass(frozen=True)
class Answer:
    """What a resource became: its id and outputs; an empty id and missing outputs are unknown to the program."""

    id: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)


class Backend(Protocol):
    """What is done with the registrations of one pass."""

    def register(self, registration: Registration, provider: Mapping[str, Any]) -> Answer:
        """Take in a custom resource; `provider` holds the inputs of its explicit provider, else nothing."""
        ...

    def read(self, registration: Registration, id_: str, provider: Mapping[str, Any]) -> Answer:
        """Look up an existing resource (`Resource.get`)."""
        ...

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a provider function such as `aws:index/getCallerIdentity:getCallerIdentity`."""
        ...


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Takes the registrations of one run. Thread-safe: the SDK registers independent resources side by side."""

    def __init__(self, project: str, stack: str, sources: SourceLines, backend: Backend) -> None:
        self.failure: RehearsalError | None = None
        self.outputs = wire.Decoded()
        self._project = project
        self._stack = stack
        self._sources = sources
        self._backend = backend
        self._registered: dict[str, Registration] = {}
        self._lock = threading.Lock()

    def graph(self) -> Graph:
        """What was declared so far, ordered by URN."""
        with self._lock:
            resources = tuple(self._registered[urn].resource for urn in sorted(self._registered))
        return Graph(project=self._project, stack=self._stack, resources=resources, outputs=marked(self.outputs))

    # The protocol's method names are the engine's.
    def GetDeploymentInfo(self, request: Any, context: Any = None) -> resource_pb2.DeploymentInfo:  # noqa: N802, ARG002
        """What this monitor understands; the SDK sends nothing else."""
        feature = resource_pb2.ResourceMonitorFeature
        numbers = [feature.Value(f"RESOURCE_MONITOR_FEATURE_{name}") for name in _FEATURES]
        return resource_pb2.DeploymentInfo(supportedFeatures=numbers)

    def RegisterResource(self, request: Any, context: Any = None) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        """Take in one resource; the answer's unknown outputs stay unknown to the program."""
        urn = make_urn(self._project, self._stack, request.parent, request.type, request.name)
        registration = from_register(request, urn, self._sources)
        with self._answering(context):
            provider = self._enter(registration)
            answer = self._backend.register(registration, provider) if request.custom else Answer()
        return resource_pb2.RegisterResourceResponse(
            urn=urn,
            id=answer.id,
            object=_answer_properties(request.object, registration, answer),
            unknown=request.custom,
        )

    def ReadResource(self, request: Any, context: Any = None) -> resource_pb2.ReadResourceResponse:  # noqa: N802
        """Take in a resource that already exists."""
        urn = make_urn(self._project, self._stack, request.parent, request.type, request.name)
        registration = from_read(request, urn, self._sources)
        with self._answering(context):
            provider = self._enter(registration)
            answer = self._backend.read(registration, request.id, provider)
        properties = _answer_properties(request.properties, registration, answer)
        return resource_pb2.ReadResourceResponse(urn=urn, id=request.id, properties=properties, unknown=True)

    def RegisterResourceOutputs(self, request: Any, context: Any = None) -> Any:  # noqa: N802, ARG002
        """The outputs of a component; only the stack's are kept."""
        if f"::{STACK_TYPE}::" in request.urn:
            self.outputs = wire.decode(request.outputs)
        return wire.new_empty()

    def Invoke(self, request: Any, context: Any = None) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802
        """Answer a provider function."""
        with self._answering(context):
            found = wire.new_struct()
            found.update(dict(self._backend.invoke(request.tok, wire.decode(request.args).values)))
        return resource_pb2.ResourceInvokeResponse(**{"return": found})  # ty: ignore[unknown-argument] # a keyword of Python's, too

    def RegisterPackage(self, request: Any, context: Any = None) -> resource_pb2.RegisterPackageResponse:  # noqa: N802, ARG002
        """Name the package that a parameterised SDK asks for."""
        return resource_pb2.RegisterPackageResponse(ref=f"{request.name}@{request.version}")

    def SignalAndWaitForShutdown(self, request: Any, context: Any = None) -> Any:  # noqa: N802, ARG002
        """Nothing outlives the program here."""
        return wire.new_empty()

    def Call(self, request: Any, context: Any = None) -> NoReturn:  # noqa: N802
        """Methods of remote components are not part of this monitor."""
        with self._answering(context):
            raise ProgramError(f"the rehearsal cannot call methods of components ({request.tok})")
        raise AssertionError

    def _enter(self, registration: Registration) -> Mapping[str, Any]:
        """Record a registration, or refuse it as the engine does; the result is its explicit provider's inputs."""
        resource = registration.resource
        with self._lock:
            if self.failure:
                raise self.failure  # the engine, too, starts nothing new after the first error
            self._refuse_duplicate(resource)
            self._refuse_unknown_urns(resource)
            self._registered[resource.urn] = registration
            provider = self._registered.get(resource.provider)
        return provider.properties.values if provider else {}

    def _refuse_duplicate(self, resource: Resource) -> None:
        earlier = self._registered.get(resource.urn)
        if earlier:
            raise ProgramError(
                f"{resource}: Duplicate resource URN {resource.urn}, first declared at {earlier.resource.source}; "
                "try giving it a unique name"
            )

    def _refuse_unknown_urns(self, resource: Resource) -> None:
        named = {"parent": [resource.parent], "provider": [resource.provider], "dependency": resource.dependencies}
        for role, urns in named.items():
            for urn in urns:
                if urn and urn not in self._registered:
                    raise ProgramError(f"{resource}: its {role} {urn} was never registered")

    def _answering(self, context: Any) -> "_Answering":
        return _Answering(self, context)


class _Answering:
    """Remembers the first error, and hands it over in the form of the transport."""

    def __init__(self, monitor: Monitor, context: Any) -> None:
        self._monitor = monitor
        self._context = context

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            return
        if isinstance(error, RehearsalError) and self._monitor.failure is None:
            self._monitor.failure = error
        if self._context is not None:
            self._context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _answer_properties(sent: wire.Struct, registration: Registration, answer: Answer) -> wire.Struct:
    secret = {wire.top_level(path) for path in registration.properties.secrets}
    secret |= set(registration.resource.options.get("additionalSecretOutputs", ()))
    return wire.response(sent, dict(answer.outputs), secret)


class Engine(engine_pb2_grpc.EngineServicer):
    """The engine's other service: the log, and the name of the root resource. `errors` are what was logged as one."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self.errors: list[str] = []
        self._log = log
        self._root = ""

    def Log(self, request: Any, context: Any = None) -> Any:  # noqa: N802, ARG002
        """Pass on warnings; remember errors, which fail an update."""
        if request.severity == engine_pb2.ERROR:
            self.errors.append(request.message)
        elif request.severity == engine_pb2.WARNING:
            self._log(request.message)
        return wire.new_empty()

    def GetRootResource(self, request: Any, context: Any = None) -> engine_pb2.GetRootResourceResponse:  # noqa: N802, ARG002
        """URN of the stack."""
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, context: Any = None) -> engine_pb2.SetRootResourceResponse:  # noqa: N802, ARG002
        """Keep the URN of the stack."""
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def RequirePulumiVersion(self, request: Any, context: Any = None) -> engine_pb2.RequirePulumiVersionResponse:  # noqa: N802, ARG002
        """Any version will do: the SDK is pinned."""
        return engine_pb2.RequirePulumiVersionResponse()


def serve(monitor: Monitor, engine: Engine) -> tuple[grpc.Server, str]:
    """Both services on a free loopback port; returns the started server and its address. The caller stops it."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"
