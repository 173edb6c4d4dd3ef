import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from rehearsal.resources.handler import RefusedError

ECHO = "def handler(event, context):\n    return {'statusCode': 200, 'body': event['routeKey']}\n"


def _api(here: Any, name: str, *, route: str = "POST /hook", allowed: str | None = None, **more: Any) -> str:
    """An API with one route to a function; `allowed` is the source ARN below the API that may invoke it."""
    function = here.function(name, ECHO, here.role(name))
    api = here.declare("aws:apigatewayv2/api:Api", name, {"protocolType": "HTTP", **more.pop("api", {})})
    integration = here.declare(
        "aws:apigatewayv2/integration:Integration",
        name,
        {
            "apiId": api.id,
            "integrationType": "AWS_PROXY",
            "integrationUri": function.outputs["invokeArn"],
            "payloadFormatVersion": "2.0",
            "timeoutMilliseconds": 10_000,
        },
    )
    inputs = {"apiId": api.id, "routeKey": route, "target": f"integrations/{integration.id}", **more}
    here.declare("aws:apigatewayv2/route:Route", name, inputs)
    here.declare("aws:apigatewayv2/stage:Stage", name, {"apiId": api.id, "name": "$default", "autoDeploy": True})
    if allowed is not None:
        permission = {
            "function": name,
            "action": "lambda:InvokeFunction",
            "principal": "apigateway.amazonaws.com",
            "sourceArn": f"{api.outputs['executionArn']}/{allowed}",
        }
        here.declare("aws:lambda/permission:Permission", name, permission)
    return api.id


def _ask(here: Any, host: str, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    url = f"{here.aws.endpoint}{path}"
    request = urllib.request.Request(url, b"{}" if method == "POST" else None, {"Host": host}, method=method)
    for key, value in (headers or {}).items():
        request.add_header(key, value)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _default_host(api: str) -> str:
    return f"{api}.execute-api.localhost"


def test_a_permitted_route_reaches_its_function(here: Any) -> None:
    api = _api(here, "open", allowed="*/POST/hook")
    assert _ask(here, _default_host(api), "POST", "/hook") == (200, "POST /hook")


@pytest.mark.parametrize("allowed", [None, "*/GET/hook", "*/POST/other"])
def test_a_function_must_let_the_api_invoke_it_for_that_route(here: Any, allowed: str | None) -> None:
    name = f"closed-{(allowed or 'none').replace('/', '-').replace('*', 'any')}"
    api = _api(here, name, allowed=allowed)
    assert _ask(here, _default_host(api), "POST", "/hook")[0] == 500
    assert any(d["resource"].endswith(name) for d in here.aws.denials() if d["action"] == "lambda:InvokeFunction")


def test_a_disabled_default_endpoint_is_not_found(here: Any) -> None:
    api = _api(here, "hidden", allowed="*/*", api={"disableExecuteApiEndpoint": True})
    assert _ask(here, _default_host(api), "POST", "/hook")[0] == 404
    assert _ask(here, "127.0.0.1", "POST", f"/_aws/execute-api/{api}/$default/hook")[0] == 404


def test_the_same_route_twice_is_refused(here: Any) -> None:
    api = _api(here, "twice", allowed="*/*")
    with pytest.raises(RefusedError, match="POST /hook already exists"):
        here.declare("aws:apigatewayv2/route:Route", "again", {"apiId": api, "routeKey": "POST /hook"})


def test_an_iam_route_asks_for_a_signature(here: Any) -> None:
    route = "GET /v1/members/{user_id}"
    api = _api(here, "signed", route=route, allowed="*/GET/v1/members/{user_id}", authorizationType="AWS_IAM")
    host, path = _default_host(api), "/v1/members/u_1"
    resource = f"arn:aws:execute-api:{here.aws.region}:{here.aws.account}:{api}/*/GET/v1/members/*"
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke"}
    app = here.aws.user("app", allow | {"Resource": resource})
    stranger = here.aws.user("stranger", allow | {"Resource": resource.replace("GET", "POST")})
    assert _ask(here, host, "GET", path)[0] == 403
    assert _ask(here, host, "GET", path, _signature(here, host, path, app | {"secret_access_key": "x"}))[0] == 403
    assert _ask(here, host, "GET", path, _signature(here, host, path, stranger))[0] == 403
    assert _ask(here, host, "GET", path, _signature(here, host, path, app)) == (200, route)


def _signature(here: Any, host: str, path: str, caller: dict[str, str]) -> dict[str, str]:
    request = AWSRequest("GET", f"http://{host}{path}", headers={"Host": host})
    credentials = Credentials(caller["access_key_id"], caller["secret_access_key"])
    SigV4Auth(credentials, "execute-api", here.aws.region).add_auth(request)
    return {key: value for key, value in request.headers.items() if key != "Host"}


def _certificate(here: Any, name: str, domain: str, **more: Any) -> Any:
    inputs = {"domainName": domain, "validationMethod": "DNS", **more}
    return here.declare("aws:acm/certificate:Certificate", name, inputs)


def _validate(here: Any, name: str, certificate: Any) -> None:
    here.declare(
        "aws:acm/certificateValidation:CertificateValidation", name, {"certificateArn": certificate.outputs["arn"]}
    )


def _prove(here: Any, certificate: Any, **more: Any) -> None:
    for option in certificate.outputs["domainValidationOptions"]:
        record = {"name": option["resourceRecordName"].rstrip("."), "type": "CNAME", **more}
        here.zone.records.append({"content": option["resourceRecordValue"].rstrip("."), **record})


def test_a_certificate_is_validated_through_the_declared_zone(here: Any) -> None:
    certificate = _certificate(here, "proven", "api.proven.example")
    with pytest.raises(RefusedError, match="the zone has no such record"):
        _validate(here, "proven", certificate)
    _prove(here, certificate)
    _validate(here, "proven", certificate)


def test_a_wrong_or_hidden_validation_record_is_refused(here: Any) -> None:
    certificate = _certificate(here, "wrong", "api.wrong.example")
    _prove(here, certificate, content="elsewhere.example")
    with pytest.raises(RefusedError, match=r"it holds elsewhere\.example"):
        _validate(here, "wrong", certificate)
    here.zone.records.clear()
    _prove(here, certificate, proxied=True)
    with pytest.raises(RefusedError, match="is proxied"):
        _validate(here, "wrong", certificate)


def _domain(here: Any, domain: str, certificate: Any) -> Any:
    configuration = {
        "certificateArn": certificate.outputs["arn"],
        "endpointType": "REGIONAL",
        "securityPolicy": "TLS_1_2",
    }
    inputs = {"domainName": domain, "domainNameConfiguration": configuration}
    return here.declare("aws:apigatewayv2/domainName:DomainName", domain, inputs)


def test_a_custom_domain_serves_the_mapped_api(here: Any) -> None:
    certificate = _certificate(here, "custom", "api.custom.example")
    domain = _domain(here, "api.custom.example", certificate)
    assert domain.outputs["domainNameConfiguration"]["targetDomainName"]
    api = _api(here, "custom", allowed="*/POST/hook", api={"disableExecuteApiEndpoint": True})
    mapping = {"apiId": api, "domainName": domain.id, "stage": "$default"}
    here.declare("aws:apigatewayv2/apiMapping:ApiMapping", "custom", mapping)
    assert _ask(here, "api.custom.example", "POST", "/hook") == (200, "POST /hook")


def test_a_custom_domain_needs_a_certificate_that_covers_it_in_its_region(here: Any) -> None:
    other = _certificate(here, "other", "api.other.example")
    with pytest.raises(RefusedError, match=r"covers api\.other\.example, not api\.mine\.example"):
        _domain(here, "api.mine.example", other)
    away = here.declare(
        "aws:acm/certificate:Certificate",
        "away",
        {"domainName": "api.mine.example", "validationMethod": "DNS"},
        region="us-east-1",
    )
    with pytest.raises(RefusedError, match=f"must be in {here.aws.region}"):
        _domain(here, "api.mine.example", away)


def test_the_contract_of_outputs_is_what_the_program_builds_on(here: Any) -> None:
    api = here.declare("aws:apigatewayv2/api:Api", "outputs", {"protocolType": "HTTP"})
    assert set(api.outputs) == {"name", "arn", "executionArn", "apiEndpoint"}
    assert json.dumps(dict(api.outputs)).count(api.id) == 3
