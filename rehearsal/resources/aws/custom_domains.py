"""The API's own domains: certificate, mutual TLS and what they lead to."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from cryptography import x509

from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target


class DomainName(CreateOnly):
    """aws:apigatewayv2/domainName:DomainName; its id is the name, and its TLS front is started with it."""

    type = "aws:apigatewayv2/domainName:DomainName"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        truststore = _acceptable(declared, target)
        name = declared.inputs["domainName"]
        made = target.client("apigatewayv2").create_domain_name(DomainName=name, **_request(declared))
        target.fronts.serve(name, truststore)
        return Created(name, _outputs(declared, made, target))

    def update(self, id_: str, declared: Declared, target: Target) -> dict[str, Any]:
        """See ResourceHandler: another certificate or truststore; API Gateway changes neither name nor endpoint."""
        truststore = _acceptable(declared, target)
        made = target.client("apigatewayv2").update_domain_name(
            DomainName=id_, **{"MutualTlsAuthentication": {}, **_request(declared)}
        )
        target.fronts.serve(id_, truststore)
        return _outputs(declared, made, target)


class ApiMapping(CreateOnly):
    """aws:apigatewayv2/apiMapping:ApiMapping."""

    type = "aws:apigatewayv2/apiMapping:ApiMapping"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        request = {"ApiId": inputs["apiId"], "DomainName": inputs["domainName"], "Stage": inputs["stage"]}
        if inputs.get("apiMappingKey"):
            request["ApiMappingKey"] = inputs["apiMappingKey"]
        return Created(target.client("apigatewayv2").create_api_mapping(**request)["ApiMappingId"])


def _acceptable(declared: Declared, target: Target) -> str | None:
    """The trusted authorities (PEM), None without mutual TLS. Raises RefusedError for what API Gateway refuses."""
    inputs = declared.inputs
    _refuse_certificate(declared, inputs["domainName"], inputs["domainNameConfiguration"]["certificateArn"], target)
    trust = inputs.get("mutualTlsAuthentication")
    return None if trust is None else _truststore(declared, trust, target)


def _truststore(declared: Declared, trust: Mapping[str, Any], target: Target) -> str:
    """The object in the version that was declared, with nothing but certificate authorities in it."""
    uri, version = trust["truststoreUri"], trust.get("truststoreVersion")
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc or not parts.path.strip("/"):
        raise RefusedError(f"{declared}: a truststore is at s3://bucket/key, got {uri}")
    wanted = {"VersionId": version} if version else {}
    try:
        found = target.client("s3").get_object(Bucket=parts.netloc, Key=parts.path.removeprefix("/"), **wanted)
    except ClientError as error:
        reason = error.response["Error"]["Code"]
        raise RefusedError(f"{declared}: the truststore {uri} in version {version} cannot be read: {reason}") from error
    pem = found["Body"].read().decode()
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise RefusedError(f"{declared}: the truststore {uri} holds no certificates: {error}") from error
    others = [found.subject.rfc4514_string() for found in certificates if not _is_authority(found)]
    if others:
        raise RefusedError(f"{declared}: in the truststore {uri} there are certificates of no authority: {others}")
    return pem


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _request(declared: Declared) -> dict[str, Any]:
    inputs = declared.inputs
    wanted = inputs["domainNameConfiguration"]
    keys = {"CertificateArn": "certificateArn", "EndpointType": "endpointType", "SecurityPolicy": "securityPolicy"}
    request: dict[str, Any] = {"DomainNameConfigurations": [{key: wanted[name] for key, name in keys.items()}]}
    trust = inputs.get("mutualTlsAuthentication")
    if trust:
        names = {"TruststoreUri": "truststoreUri", "TruststoreVersion": "truststoreVersion"}
        request["MutualTlsAuthentication"] = {key: trust[name] for key, name in names.items() if trust.get(name)}
    return request


def _outputs(declared: Declared, made: Mapping[str, Any], target: Target) -> dict[str, Any]:
    wanted, got = declared.inputs["domainNameConfiguration"], made["DomainNameConfigurations"][0]
    address = got.get("ApiGatewayDomainName") or f"d-rehearsal.execute-api.{target.effective_region}.amazonaws.com"
    configuration = {
        **wanted,
        "targetDomainName": address,
        "hostedZoneId": got.get("HostedZoneId", "Z0REHEARSAL"),
        "ipAddressType": wanted.get("ipAddressType", "ipv4"),
    }
    arn = f"arn:aws:apigateway:{target.effective_region}::/domainnames/{made['DomainName']}"
    return {"arn": arn, "domainNameConfiguration": configuration}


def _refuse_certificate(declared: Declared, name: str, arn: str, target: Target) -> None:
    """API Gateway takes an issued certificate of its own region that covers the name."""
    if arn.split(":")[3] != target.effective_region:
        raise RefusedError(f"{declared}: the certificate {arn} must be in {target.effective_region}, the API's region")
    found = target.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    if found["Status"] != "ISSUED":
        raise RefusedError(
            f"{declared}: the certificate {arn} is {found['Status']}, not ISSUED; wait for its validation"
        )
    covered = {found["DomainName"], *found.get("SubjectAlternativeNames", [])}
    if name not in covered and f"*.{name.partition('.')[2]}" not in covered:
        raise RefusedError(f"{declared}: the certificate covers {', '.join(sorted(covered))}, not {name}")


HANDLERS = (DomainName(), ApiMapping())
