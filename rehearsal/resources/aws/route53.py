"""Route 53 health checks."""

import hashlib
from collections.abc import Mapping
from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target

_KEYS: Mapping[str, str] = {
    "fqdn": "FullyQualifiedDomainName",
    "ipAddress": "IPAddress",
    "port": "Port",
    "type": "Type",
    "resourcePath": "ResourcePath",
    "searchString": "SearchString",
    "failureThreshold": "FailureThreshold",
    "requestInterval": "RequestInterval",
    "measureLatency": "MeasureLatency",
    "enableSni": "EnableSNI",
    "disabled": "Disabled",
    "invertHealthcheck": "Inverted",
    "regions": "Regions",
}


class HealthCheck(CreateOnly):
    """aws:route53/healthCheck:HealthCheck; its id is Route 53's."""

    type = "aws:route53/healthCheck:HealthCheck"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        if inputs.get("requestInterval") not in (10, 30):
            raise RefusedError(
                f"{declared}: requestInterval must be 10 or 30 seconds, got {inputs.get('requestInterval')}"
            )
        config = {argument: inputs[key] for key, argument in _KEYS.items() if inputs.get(key) is not None}
        # At most 64 characters, and of no other stack: a known reference gives the check that it was made with.
        reference = inputs.get("referenceName") or hashlib.sha256(declared.urn.encode()).hexdigest()
        route53 = target.client("route53")
        made = route53.create_health_check(CallerReference=reference, HealthCheckConfig=config)["HealthCheck"]
        return Created(made["Id"], _outputs(made["Id"]))

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        route53 = target.client("route53")
        try:
            route53.get_health_check(HealthCheckId=id_)
        except route53.exceptions.NoSuchHealthCheck:
            return None
        return _outputs(id_)

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler."""
        route53 = target.client("route53")
        try:
            route53.delete_health_check(HealthCheckId=id_)
        except route53.exceptions.NoSuchHealthCheck:
            return


def _outputs(id_: str) -> dict[str, Any]:
    return {"arn": f"arn:aws:route53:::healthcheck/{id_}"}


HANDLERS = (HealthCheck(),)
