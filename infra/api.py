"""The HTTP API on its own host name: certificate, custom domain, routes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_cloudflare as cloudflare

from infra.component import Component
from infra.functions import Function
from infra.names.zone import Zone
from infra.origin.pulls import OriginPulls
from infra.settings import Stack

STAGE = "$default"
# Which call, how it went, how long it took: no path, because the path of a member's page names the member.
ACCESS_LOG_FORMAT = json.dumps(
    {
        "request_id": "$context.requestId",
        "time": "$context.requestTime",
        "route": "$context.routeKey",
        "status": "$context.status",
        "latency_ms": "$context.responseLatency",
        "error": "$context.error.message",  # messageString brings quotes of its own: the line would be no JSON
    }
)


@dataclass(frozen=True)
class Endpoint:
    """A route to a function; `name` is unique in the API. With `iam`, the caller signs as an AWS principal."""

    name: str
    method: str
    path: str
    function: Function
    iam: bool = False


class ApiHost(Component):
    """The API's host name: a certificate that our own DNS records prove, and a custom domain that uses it.

    The domain takes clients with one of our certificates alone, once the edge presents it (`infra.origin`).
    """

    def __init__(self, stack: Stack, zone: Zone, origin_pulls: OriginPulls) -> None:
        super().__init__("api-host")
        self.host = stack.api_host
        self.origin_pulls = origin_pulls
        self.certificate = aws.acm.Certificate(
            "api-certificate", domain_name=self.host, validation_method="DNS", opts=self.child()
        )
        proof = self._proof(zone)
        self.validation = aws.acm.CertificateValidation(
            "api-certificate-validation",
            certificate_arn=self.certificate.arn,
            validation_record_fqdns=[proof.name],
            opts=self.child(),
        )
        self.domain = self._domain()
        self.target = self._target()
        self.record = zone.record("host-api", self.host, "CNAME", self.target, proxied=True, parent=self)
        self.register_outputs({})

    def _proof(self, zone: Zone) -> cloudflare.DnsRecord:
        """The record that ACM asks for; one name, so one option."""
        options = self.certificate.domain_validation_options
        name = options.apply(lambda found: _without_dot(found[0].resource_record_name if found else None))
        value = options.apply(lambda found: _without_dot(found[0].resource_record_value if found else None))
        return zone.record("api-certificate-proof", name, "CNAME", value, parent=self)

    def _domain(self) -> aws.apigatewayv2.DomainName:
        return aws.apigatewayv2.DomainName(
            "api-domain",
            domain_name=self.host,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                certificate_arn=self.validation.certificate_arn,
                endpoint_type="REGIONAL",
                security_policy="TLS_1_2",
            ),
            mutual_tls_authentication=self.origin_pulls.mutual_tls,
            opts=self.child(depends_on=self.origin_pulls.ready),
        )

    def _target(self) -> pulumi.Output[str]:
        """Where AWS serves the host: known when the domain's id is.

        A preview knows the domain's configuration as it was given, without the target: read from that alone, the
        record would be previewed with no content.
        """
        return self.domain.id.apply(lambda _: self.domain.domain_name_configuration.target_domain_name)


class Api(Component):
    """The HTTP API. Its default endpoint is disabled: the only way in is the host behind the edge."""

    def __init__(self, stack: Stack, host: ApiHost, endpoints: Sequence[Endpoint]) -> None:
        super().__init__("api")
        self.api = aws.apigatewayv2.Api(
            "http-api",
            name=stack.prefix,
            protocol_type="HTTP",
            disable_execute_api_endpoint=True,
            cors_configuration=_cors(stack),
            opts=self.child(),
        )
        integrations = self._integrations({endpoint.function.duty.name: endpoint.function for endpoint in endpoints})
        self.routes = [self._route(endpoint, integrations) for endpoint in endpoints]
        self.permissions = [self._permission(endpoint) for endpoint in endpoints]
        self.mapping = self._mapping(host, self._stage(stack))
        self.register_outputs({"id": self.api.id})

    @property
    def ready(self) -> list[pulumi.Resource]:
        """What must exist before a request can be answered."""
        return [*self.routes, *self.permissions, self.mapping]

    def _integrations(self, functions: dict[str, Function]) -> dict[str, aws.apigatewayv2.Integration]:
        return {
            name: aws.apigatewayv2.Integration(
                f"integration-{name}",
                api_id=self.api.id,
                integration_type="AWS_PROXY",
                integration_uri=function.arn,
                payload_format_version="2.0",
                timeout_milliseconds=function.duty.timing.timeout_seconds * 1000,
                opts=self.child(),
            )
            for name, function in functions.items()
        }

    def _route(
        self, endpoint: Endpoint, integrations: dict[str, aws.apigatewayv2.Integration]
    ) -> aws.apigatewayv2.Route:
        integration = integrations[endpoint.function.duty.name]
        return aws.apigatewayv2.Route(
            f"route-{endpoint.name}",
            api_id=self.api.id,
            route_key=f"{endpoint.method} {endpoint.path}",
            authorization_type="AWS_IAM" if endpoint.iam else "NONE",
            target=pulumi.Output.concat("integrations/", integration.id),
            opts=self.child(),
        )

    def _permission(self, endpoint: Endpoint) -> aws.lambda_.Permission:
        """This API may call the function for this one route."""
        route = f"/*/{endpoint.method}{endpoint.path}"
        source = self.api.execution_arn.apply(lambda arn: f"{arn}{route}")
        return aws.lambda_.Permission(
            f"permission-{endpoint.name}",
            statement_id=f"api-{endpoint.name}",
            action="lambda:InvokeFunction",
            function=endpoint.function.name,
            principal="apigateway.amazonaws.com",
            source_arn=source,
            opts=self.child(depends_on=[endpoint.function.function]),
        )

    def _stage(self, stack: Stack) -> aws.apigatewayv2.Stage:
        logs = aws.cloudwatch.LogGroup(
            "api-logs",
            # Below this prefix CloudWatch's one resource policy does not grow with each group.
            name=f"/aws/vendedlogs/{stack.prefix}-api",
            retention_in_days=stack.settings.log_retention_days,
            opts=self.child(),
        )
        return aws.apigatewayv2.Stage(
            "api-stage",
            api_id=self.api.id,
            name=STAGE,
            auto_deploy=True,
            access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=logs.arn, format=ACCESS_LOG_FORMAT
            ),
            opts=self.child(depends_on=self.routes),
        )

    def _mapping(self, host: ApiHost, stage: aws.apigatewayv2.Stage) -> aws.apigatewayv2.ApiMapping:
        return aws.apigatewayv2.ApiMapping(
            "api-mapping",
            api_id=self.api.id,
            domain_name=host.domain.domain_name,
            stage=stage.name,
            opts=self.child(depends_on=[stage]),
        )


def _cors(stack: Stack) -> aws.apigatewayv2.ApiCorsConfigurationArgs | None:
    """Which pages may read the API's answers. Never with credentials: callers carry a token, and no cookie is one.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    """
    if not stack.cors_origins:
        return None
    cors = stack.settings.cors
    return aws.apigatewayv2.ApiCorsConfigurationArgs(
        allow_credentials=False,
        allow_origins=list(stack.cors_origins),
        allow_methods=list(cors.methods),
        allow_headers=list(cors.headers),
        max_age=cors.max_age_seconds,
    )


def _without_dot(name: str | None) -> str:
    """ACM ends names with a dot, Cloudflare keeps them without. No name becomes one that Cloudflare refuses."""
    return (name or "").removesuffix(".")
