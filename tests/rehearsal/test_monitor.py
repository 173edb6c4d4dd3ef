from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import engine_pb2, resource_pb2, resource_pb2_grpc

from rehearsal import wire
from rehearsal.errors import ProgramError
from rehearsal.monitor import Answer, Engine, Monitor, serve
from rehearsal.registration import Registration, SourceLines, make_urn

STACK = "urn:pulumi:prod::sample::pulumi:pulumi:Stack::sample-prod"


class _Echo:
    """A backend that gives each resource an id and one output."""

    def register(self, registration: Registration, provider: Mapping[str, Any]) -> Answer:
        return Answer(f"id-{registration.resource.name}", {"region": provider.get("region", "home")})

    def read(self, registration: Registration, id_: str, provider: Mapping[str, Any]) -> Answer:
        return Answer(id_, {"found": True})

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"token": token, **arguments}


def _monitor() -> Monitor:
    monitor = Monitor("sample", "prod", SourceLines(Path("/project")), _Echo())
    monitor.RegisterResource(_request("pulumi:pulumi:Stack", "sample-prod", custom=False))
    return monitor


def _request(type_token: str, name: str, **more: Any) -> Any:
    properties = wire.new_struct()
    properties.update(more.pop("inputs", {}))
    fields: dict[str, Any] = {"type": type_token, "name": name, "custom": True, "object": properties, **more}
    return resource_pb2.RegisterResourceRequest(**fields)


def test_the_urn_holds_the_types_of_its_parents_below_the_stack() -> None:
    edge = make_urn("p", "s", "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s", "a:b:Edge", "edge")
    zone = make_urn("p", "s", edge, "cloudflare:index/zone:Zone", "zone")
    assert edge == "urn:pulumi:s::p::a:b:Edge::edge"
    assert zone == "urn:pulumi:s::p::a:b:Edge$cloudflare:index/zone:Zone::zone"
    assert make_urn("p", "s", zone, "x:y:Z", "n") == "urn:pulumi:s::p::a:b:Edge$cloudflare:index/zone:Zone$x:y:Z::n"


@pytest.mark.parametrize(
    ("field", "role"),
    [
        ({"parent": "urn:pulumi:prod::sample::a:b:C::ghost"}, "parent"),
        ({"dependencies": ["urn:pulumi:prod::sample::a:b:C::ghost"]}, "dependency"),
        ({"provider": "urn:pulumi:prod::sample::pulumi:providers:aws::ghost::id"}, "provider"),
    ],
)
def test_what_was_never_registered_cannot_be_referred_to(field: dict[str, Any], role: str) -> None:
    with pytest.raises(ProgramError, match=f"its {role} urn:pulumi:.*ghost was never registered"):
        _monitor().RegisterResource(_request("aws:sqs/queue:Queue", "q", **field))


def test_after_the_first_error_nothing_new_begins() -> None:
    monitor = _monitor()
    monitor.RegisterResource(_request("aws:sqs/queue:Queue", "q"))
    with pytest.raises(ProgramError, match="Duplicate resource URN"):
        monitor.RegisterResource(_request("aws:sqs/queue:Queue", "q"))
    with pytest.raises(ProgramError, match="Duplicate resource URN"):
        monitor.RegisterResource(_request("aws:sqs/queue:Queue", "another"))
    assert [resource.name for resource in monitor.graph()] == ["q", "sample-prod"]


def test_an_answer_holds_id_urn_and_outputs_and_leaves_the_rest_unknown() -> None:
    answer = _monitor().RegisterResource(_request("aws:sqs/queue:Queue", "q", inputs={"name": "n"}))
    assert (answer.id, answer.unknown) == ("id-q", True)
    assert answer.urn == "urn:pulumi:prod::sample::aws:sqs/queue:Queue::q"
    assert wire.decode(answer.object).values == {"name": "n", "region": "home"}


def test_a_resource_sees_the_inputs_of_its_explicit_provider() -> None:
    monitor = _monitor()
    provider = monitor.RegisterResource(_request("pulumi:providers:aws", "abroad", inputs={"region": "us-east-1"}))
    request = _request("aws:sns/topic:Topic", "t", provider=f"{provider.urn}::{provider.id}")
    assert wire.decode(monitor.RegisterResource(request).object).values == {"region": "us-east-1"}


def test_secret_outputs_are_marked_as_such() -> None:
    request = _request("aws:sqs/queue:Queue", "q", additionalSecretOutputs=["region"])
    assert wire.decode(_monitor().RegisterResource(request).object).secrets == ["region"]


def test_a_function_is_answered() -> None:
    arguments = wire.new_struct()
    arguments.update({"name": "n"})
    request = resource_pb2.ResourceInvokeRequest(tok="a:b:c", args=arguments)
    found = getattr(_monitor().Invoke(request), "return")
    assert wire.decode(found).values == {"token": "a:b:c", "name": "n"}


def test_only_what_is_implemented_is_announced() -> None:
    announced = _monitor().GetDeploymentInfo(None).supportedFeatures
    names = {resource_pb2.ResourceMonitorFeature.Name(number) for number in announced}
    assert {name.removeprefix("RESOURCE_MONITOR_FEATURE_") for name in names} == {
        "SECRETS",
        "RESOURCE_REFERENCES",
        "OUTPUT_VALUES",
        "ALIAS_SPECS",
        "DELETED_WITH",
        "REPLACE_WITH",
        "PARAMETERIZATION",
    }


def test_the_protocol_still_has_the_fields_that_are_used() -> None:
    """What the monitor reads and answers; a newer SDK that renames one must not pass unseen."""
    read = {"type", "name", "parent", "custom", "object", "dependencies", "propertyDependencies", "provider"}
    read |= {"additionalSecretOutputs", "sourcePosition", "stackTrace", "importId", "protect", "ignoreChanges"}
    assert read <= set(resource_pb2.RegisterResourceRequest.DESCRIPTOR.fields_by_name)
    answered = {"urn", "id", "object", "unknown"}
    assert answered <= set(resource_pb2.RegisterResourceResponse.DESCRIPTOR.fields_by_name)
    assert {"return", "unknown"} <= set(resource_pb2.ResourceInvokeResponse.DESCRIPTOR.fields_by_name)


def test_over_grpc_a_refusal_arrives_with_its_words() -> None:
    monitor = _monitor()
    server, address = serve(monitor, Engine(lambda message: None))
    try:
        with grpc.insecure_channel(address) as channel:
            stub = resource_pb2_grpc.ResourceMonitorStub(channel)
            assert stub.RegisterResource(_request("aws:sqs/queue:Queue", "q")).id == "id-q"
            with pytest.raises(grpc.RpcError, match="Duplicate resource URN"):
                stub.RegisterResource(_request("aws:sqs/queue:Queue", "q"))
    finally:
        server.stop(grace=None).wait()


def test_the_engine_keeps_errors_and_passes_on_warnings() -> None:
    said: list[str] = []
    engine = Engine(said.append)
    for severity, message in ((engine_pb2.WARNING, "careful"), (engine_pb2.ERROR, "broken"), (engine_pb2.INFO, "hm")):
        engine.Log(engine_pb2.LogRequest(severity=severity, message=message))
    assert (said, engine.errors) == (["careful"], ["broken"])


def test_a_line_outside_the_project_is_not_its_source() -> None:
    position = resource_pb2.RegisterResourceRequest().sourcePosition
    position.uri, position.line = "file:///elsewhere/x.py", 3
    request = _request("a:b:C", "c", sourcePosition=position)
    assert SourceLines(Path("/project")).of(request) == ()
    position.uri = "file:///project/.venv/lib/site-packages/pulumi/x.py"
    assert SourceLines(Path("/project")).of(_request("a:b:C", "c", sourcePosition=position)) == ()
    position.uri = "file:///project/infra/with%20space.py"
    assert SourceLines(Path("/project")).of(_request("a:b:C", "c", sourcePosition=position)) == (
        "infra/with space.py:3",
    )
