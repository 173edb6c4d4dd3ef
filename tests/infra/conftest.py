"""The program of this project, run once for all tests: planned, and deployed to a provider that echoes."""

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rehearsal import program, stackfile
from rehearsal.graph import Graph
from rehearsal.monitor import Answer, Engine, Monitor
from rehearsal.plan import plan
from rehearsal.registration import Registration, SourceLines
from tests.infra.engine_side import running

with warnings.catch_warnings():
    # The SDKs announce, while they are imported, which resources were renamed; the program uses none of them.
    warnings.simplefilter("ignore", DeprecationWarning)
    import infra.program  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Deployed:
    """What was declared, with every output filled in, and the contract; `inputs` by type token and name."""

    inputs: Mapping[tuple[str, str], Mapping[str, Any]]
    contract: Mapping[str, Any]

    def of_type(self, token: str) -> dict[str, Mapping[str, Any]]:
        return {name: values for (kind, name), values in self.inputs.items() if kind == token}


@dataclass
class Echo:
    """A provider that gives back what it is told, an ARN, and the few outputs that only AWS and Stripe know."""

    inputs: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def register(self, registration: Registration, provider: Mapping[str, Any]) -> Answer:
        resource, values = registration.resource, registration.properties.values
        assert not registration.properties.unknowns, f"{resource}: {registration.properties.unknowns}"
        self.inputs[resource.type, resource.name] = values
        identity = hashlib.sha256(resource.urn.encode()).hexdigest()[:32]
        arn = (
            f"arn:aws:{resource.type.split(':')[1].split('/')[0]}:eu-west-1:123456789012:{values.get('name', identity)}"
        )
        return Answer(identity, {"arn": arn, **_special(resource.type, values)})

    def read(self, registration: Registration, id_: str, provider: Mapping[str, Any]) -> Answer:
        raise AssertionError(f"the program looks up {registration.resource}")

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        raise AssertionError(f"the program calls {token}, which a minimal provider does not answer")


def _special(token: str, values: Mapping[str, Any]) -> dict[str, Any]:
    match token:
        case "cloudflare:index/zone:Zone":
            return {"nameServers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"]}
        case "aws:acm/certificate:Certificate":
            name = f"_proof.{values['domainName']}."
            record = {
                "resourceRecordName": name,
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_x.acm.example.",
            }
            return {"domainValidationOptions": [{"domainName": values["domainName"], **record}]}
        case "aws:apigatewayv2/domainName:DomainName":
            target = {"targetDomainName": "d-1.execute-api.eu-west-1.amazonaws.com"}
            return {"domainNameConfiguration": {**values["domainNameConfiguration"], **target}}
        case "aws:apigatewayv2/api:Api":
            return {"executionArn": "arn:aws:execute-api:eu-west-1:123456789012:api1"}
        case "pulumi-python:dynamic:Resource" if "events" in values:
            return {"endpoint_id": "we_1", "previous_endpoint_id": "", "signing": '{"current": "whsec_1"}'}
        case "pulumi-python:dynamic:Resource" if "valid_days" in values:
            made = {key: f"{key} of {values['name']}\n" for key in ("authority", "certificate", "private_key")}
            return {**made, "fingerprint": "ab" * 32, "not_after": "2027-12-23T00:00:00Z"}
        case "aws:s3/bucketObjectv2:BucketObjectv2":
            return {"versionId": hashlib.sha256(values["content"].encode()).hexdigest()[:8]}
    return {}


def deploy(**overrides: Any) -> Deployed:
    echo = Echo()
    config = stackfile.load(ROOT, "prod", overrides)
    monitor = Monitor(config.project, config.stack, SourceLines(ROOT), echo)
    program.run(ROOT, config, monitor, Engine(lambda message: None), dry_run=False)
    assert not monitor.outputs.unknowns
    return Deployed(echo.inputs, monitor.outputs.values["contract"])


@pytest.fixture(scope="session")
def graph() -> Graph:
    return plan(ROOT, "prod")


@pytest.fixture(scope="session")
def deployed() -> Deployed:
    return deploy()


@pytest.fixture(scope="session")
def engine_side() -> Iterator[Any]:
    """Pulumi's dynamic plugin, as the engine starts it; our providers hold no state, so one serves all tests."""
    with running() as client:
        yield client
