"""Stages the zone of a project alone: the DNS, edge and API twins with what is declared, judged by checks or areas.

Run in a copy of the project as `python zone_stage.py CHECK…`; prints `{"failed": {check: what it saw}}`. AWS and Stripe
are echoed, so a mistake in the zone is seen in a fraction of a whole rehearsal's time. What refuses the deployment ends
it with the exit code that the command has for it.
"""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import checks
from infra import bundle
from rehearsal import program, stackfile
from rehearsal.errors import RehearsalError
from rehearsal.monitor import Answer, Engine, Monitor
from rehearsal.registration import Registration, SourceLines
from rehearsal.resources import handler_for
from rehearsal.resources.handler import Declared
from rehearsal.site import read_site
from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.cloudflare_api import CloudflareApiTwin
from rehearsal.twins.dns import DnsTwin
from rehearsal.twins.edge import Edge
from rehearsal.twins.origin import OriginTwin
from rehearsal.twins.zone import ZoneTwin

PROJECT, STACK, TOKEN = Path.cwd(), "prod", "a-token"
GREEN = ("pass", "only live", "not applicable")
ACCOUNT = "arn:aws:{service}:eu-west-1:123456789012:{name}"


class Stage:
    """Brings Cloudflare's resources to the zone twin, runs certificates' own code, and echoes the rest."""

    def __init__(self, zone: ZoneTwin) -> None:
        self._target: Any = SimpleNamespace(zone=zone)

    def register(self, registration: Registration, provider: Mapping[str, Any]) -> Answer:
        """See Backend."""
        resource, values = registration.resource, registration.properties.values
        declared = Declared(
            urn=resource.urn, type=resource.type, name=resource.name, inputs=values, source=resource.source
        )
        handler = handler_for(resource.type)
        ours = resource.type.startswith("pulumi-python:dynamic") and "events" not in values
        if handler is not None and (resource.type.startswith("cloudflare:") or ours):
            made = handler.create(declared, self._target)
            return Answer(made.id, made.outputs)
        return _echo(resource.type, resource.urn, values)

    def read(self, registration: Registration, id_: str, provider: Mapping[str, Any]) -> Answer:
        """See Backend."""
        raise AssertionError(f"the program looks up {registration.resource} {id_}")

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """See Backend."""
        raise AssertionError(f"the program calls {token} with {arguments}")


def _echo(type_: str, urn: str, values: Mapping[str, Any]) -> Answer:
    """What AWS and Stripe would give back, as far as the contract and the zone need it."""
    id_ = hashlib.sha256(urn.encode()).hexdigest()[:32]
    service = type_.partition(":")[2].partition("/")[0]
    arn = {"arn": ACCOUNT.format(service=service, name=values.get("name") or id_)}
    match type_:
        case "aws:acm/certificate:Certificate":
            name = values["domainName"]
            proof = {"resourceRecordName": f"_x.{name}.", "resourceRecordValue": "_y.acm-validations.aws."}
            return Answer(id_, {**arn, "domainValidationOptions": [{"domainName": name, **proof}]})
        case "aws:apigatewayv2/domainName:DomainName":
            target = {"targetDomainName": "d-1.execute-api.eu-west-1.amazonaws.com"}
            return Answer(id_, {**arn, "domainNameConfiguration": {**values["domainNameConfiguration"], **target}})
        case "aws:apigatewayv2/api:Api":
            return Answer(id_, {**arn, "executionArn": f"{ACCOUNT.format(service='execute-api', name='api')}"})
        case _ if type_.startswith("pulumi-python:dynamic"):
            stripe = {"endpoint_id": "we_1", "previous_endpoint_id": "", "signing": '{"current": "whsec_1"}'}
            return Answer(id_, stripe)
    return Answer(id_, arn)


def failed(names: Sequence[str]) -> dict[str, str]:
    """What the checks or areas `names` see of the declared zone, by id; those that are green are left out."""
    site = read_site(PROJECT, STACK)
    zone = ZoneTwin(plans={site.domain: site.plan})
    with ExitStack() as running:
        authority = CertificateAuthority(PROJECT)
        dns = running.enter_context(DnsTwin(zone))
        api = running.enter_context(CloudflareApiTwin(zone, TOKEN))
        origin = running.enter_context(OriginTwin(authority, [*site.web_hosts, site.api_host]))
        edge = running.enter_context(Edge(zone, authority, lambda _: origin.origin))
        contract = _declare(zone)
        vantage = {
            "resolver": {"host": "127.0.0.1", "port": dns.port},
            "ports": {str(public): local for public, local in edge.ports.items()},
            "ca_file": str(authority.file),
            "cloudflare": {"api_base": api.base_url, "api_token": TOKEN},
            "rehearsal": True,
        }
        report = checks.run(contract, checks.Vantage.from_document(vantage), only=names)
    findings = checks.document(report)["findings"]
    return {one["id"]: one["actual"] for one in findings if one["status"] not in GREEN}


def _declare(zone: ZoneTwin) -> dict[str, Any]:
    config = stackfile.load(PROJECT, STACK)
    monitor = Monitor(config.project, config.stack, SourceLines(PROJECT), Stage(zone))
    program.run(PROJECT, config, monitor, Engine(lambda _: None), dry_run=False)
    return monitor.outputs.values["contract"]


if __name__ == "__main__":
    vars(bundle)["build"] = lambda *_, **__: Path("function.zip")  # what the functions hold is nothing to the zone
    try:
        sys.stdout.write(json.dumps({"failed": failed(sys.argv[1:])}) + "\n")
    except RehearsalError as error:
        sys.stdout.write(f"{error}\n")
        sys.exit(error.exit_code)
