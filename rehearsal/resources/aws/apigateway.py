"""HTTP APIs: routes, integrations and stages. Their own domains are in `custom_domains`."""

from collections.abc import Mapping
from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target


def _pascal(key: str) -> str:
    return key[0].upper() + key[1:]


def _request(inputs: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """The inputs that are plain values under the API's own (Pascal case) names."""
    return {_pascal(key): inputs[key] for key in keys if inputs.get(key) is not None}


class Api(CreateOnly):
    """aws:apigatewayv2/api:Api; its id is the API's."""

    type = "aws:apigatewayv2/api:Api"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        if inputs["protocolType"] != "HTTP":
            raise RefusedError(f"{declared}: a rehearsal has HTTP APIs only, got {inputs['protocolType']!r}")
        request = _request(inputs, ("protocolType", "description", "disableExecuteApiEndpoint", "tags"))
        request["Name"] = inputs.get("name") or declared.name
        cors = inputs.get("corsConfiguration")
        if cors:
            request["CorsConfiguration"] = {_pascal(key): value for key, value in cors.items() if value is not None}
        made = target.client("apigatewayv2").create_api(**request)
        return Created(made["ApiId"], self._outputs(made, target))

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        client = target.client("apigatewayv2")
        try:
            return self._outputs(client.get_api(ApiId=id_), target)
        except client.exceptions.NotFoundException:
            return None

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler."""
        client = target.client("apigatewayv2")
        try:
            client.delete_api(ApiId=id_)
        except client.exceptions.NotFoundException:
            return

    def _outputs(self, api: Mapping[str, Any], target: Target) -> dict[str, Any]:
        region, id_ = target.effective_region, api["ApiId"]
        return {
            "name": api["Name"],
            "arn": f"arn:aws:apigateway:{region}::/apis/{id_}",
            "executionArn": f"arn:aws:execute-api:{region}:{target.aws.account}:{id_}",
            "apiEndpoint": f"https://{id_}.execute-api.{region}.amazonaws.com",
        }


class Integration(CreateOnly):
    """aws:apigatewayv2/integration:Integration of a Lambda function."""

    type = "aws:apigatewayv2/integration:Integration"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        if inputs["integrationType"] != "AWS_PROXY":
            raise RefusedError(f"{declared}: a rehearsal integrates functions (AWS_PROXY) only")
        keys = ("apiId", "integrationType", "integrationUri", "integrationMethod", "payloadFormatVersion")
        request = _request(inputs, (*keys, "description"))
        if inputs.get("timeoutMilliseconds"):
            request["TimeoutInMillis"] = inputs["timeoutMilliseconds"]
        made = target.client("apigatewayv2").create_integration(**request)
        return Created(made["IntegrationId"])


class Route(CreateOnly):
    """aws:apigatewayv2/route:Route."""

    type = "aws:apigatewayv2/route:Route"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        keys = ("apiId", "routeKey", "target", "authorizationType", "authorizerId", "authorizationScopes")
        client = target.client("apigatewayv2")
        route_key, api = declared.inputs["routeKey"], declared.inputs["apiId"]
        if any(route["RouteKey"] == route_key for route in client.get_routes(ApiId=api)["Items"]):
            raise RefusedError(f"{declared}: a route with key {route_key} already exists for this API")
        return Created(client.create_route(**_request(declared.inputs, keys))["RouteId"])


class Stage(CreateOnly):
    """aws:apigatewayv2/stage:Stage; its id is its name."""

    type = "aws:apigatewayv2/stage:Stage"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        name = inputs.get("name") or declared.name
        request = {
            "ApiId": inputs["apiId"],
            "StageName": name,
            **_request(inputs, ("autoDeploy", "description", "tags")),
        }
        throttling = inputs.get("defaultRouteSettings")
        if throttling:
            request["DefaultRouteSettings"] = {_pascal(key): value for key, value in throttling.items()}
        logs = inputs.get("accessLogSettings")
        if logs:
            request["AccessLogSettings"] = {"DestinationArn": logs["destinationArn"], "Format": logs["format"]}
        target.client("apigatewayv2").create_stage(**request)
        region, api = target.effective_region, inputs["apiId"]
        path = "" if name == "$default" else name
        outputs = {
            "name": name,
            "arn": f"arn:aws:apigateway:{region}::/apis/{api}/stages/{name}",
            "executionArn": f"arn:aws:execute-api:{region}:{target.aws.account}:{api}/{name}",
            "invokeUrl": f"https://{api}.execute-api.{region}.amazonaws.com/{path}",
        }
        return Created(name, outputs)


HANDLERS = (Api(), Integration(), Route(), Stage())
