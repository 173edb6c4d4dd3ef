import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rehearsal.resources import handler_for
from rehearsal.resources.handler import Created, Declared
from rehearsal.target import Target
from rehearsal.twins.aws import AwsTwin
from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.event_source import EventSources
from rehearsal.twins.gateway_front import GatewayFronts
from rehearsal.twins.schedules import Schedules

REGION = "eu-west-1"


@dataclass
class DeclaredRecords:
    """The little of a zone that certificates look at."""

    records: list[dict[str, Any]] = field(default_factory=list)

    def find_records(self, name: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["name"] == name]


@dataclass
class Local:
    """The local AWS with everything that handlers need, and a short way to declare a resource."""

    aws: AwsTwin
    target: Target
    zone: DeclaredRecords
    said: list[str]

    def declare(self, type_token: str, name: str, inputs: dict[str, Any], *, region: str | None = None) -> Created:
        declared = Declared(
            urn=f"urn:pulumi:test::tests::{type_token}::{name}",
            type=type_token,
            name=name,
            inputs=inputs,
            source=f"infra/{name}.py:1",
        )
        handler = handler_for(type_token)
        assert handler
        return handler.create(declared, self.target.with_provider({"region": region} if region else {}))

    def change(self, type_token: str, id_: str, inputs: dict[str, Any]) -> dict[str, Any]:
        declared = Declared(
            urn=f"urn:pulumi:test::tests::{type_token}::{id_}",
            type=type_token,
            name=id_,
            inputs=inputs,
            source=f"infra/{id_}.py:1",
        )
        handler = handler_for(type_token)
        assert handler
        return handler.update(id_, declared, self.target)

    def role(self, name: str, *statements: dict[str, Any], service: str = "lambda.amazonaws.com") -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        role = self.declare("aws:iam/role:Role", name, {"name": name, "assumeRolePolicy": json.dumps(document)})
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
        if statements:
            inputs = {"role": name, "name": name, "policy": json.dumps(policy)}
            self.declare("aws:iam/rolePolicy:RolePolicy", name, inputs)
        return role.outputs["arn"]

    def function(self, name: str, source: str, role_arn: str, **more: Any) -> Created:
        code = {"$archive": {"assets": {"main.py": {"$asset": {"text": source}}}}}
        inputs = {
            "name": name,
            "runtime": "python3.11",
            "handler": "main.handler",
            "role": role_arn,
            "code": code,
            "timeout": 5,
        }
        return self.declare("aws:lambda/function:Function", name, {**inputs, **more})

    def invoke(self, name: str, event: Any = None) -> Any:
        answer = self.aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read() or b"null")


def local(aws: AwsTwin, **event_source: Any) -> Local:
    said: list[str] = []
    zone = DeclaredRecords()
    fronts = GatewayFronts(CertificateAuthority(aws.directory), aws.endpoint)
    target = Target(
        aws=aws,
        fronts=fronts,
        event_sources=EventSources(aws, said.append, **event_source),
        schedules=Schedules(aws, said.append, speed=600),
        zone=zone,
        log=said.append,
    )
    return Local(aws, target, zone, said)


@pytest.fixture(scope="session")
def running_aws() -> Iterator[AwsTwin]:
    """One local AWS for all tests; each uses names of its own."""
    with AwsTwin(REGION) as aws:
        yield aws


@pytest.fixture
def here(running_aws: AwsTwin) -> Iterator[Local]:
    """The shared local AWS with pollers and schedules of this test alone."""
    made = local(running_aws, redelivery_seconds=0)
    yield made
    made.target.event_sources.stop()
    made.target.schedules.stop()
    made.target.fronts.stop()
    running_aws.inject()


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Wait until a question has a true answer, and give that; fail after ten seconds."""

    def wait(question: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            answer = question()
            if answer:
                return answer
            threading.Event().wait(0.02)
        raise AssertionError("it did not happen within ten seconds")

    return wait


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Make a Pulumi project of one file; `config` is the text below `config:` in Pulumi.yaml."""

    def make(program: str, *, config: str = "{}", stack: str = "config: {aws:region: eu-west-1}") -> Path:
        (tmp_path / "Pulumi.yaml").write_text(f"name: sample\nruntime: python\nconfig: {config}\n", encoding="utf-8")
        (tmp_path / "Pulumi.prod.yaml").write_text(stack, encoding="utf-8")
        (tmp_path / "__main__.py").write_text(program, encoding="utf-8")
        return tmp_path

    return make
