"""Reads who may do what: roles and API routes. Nothing here writes."""

import json
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from checks.contract import Function
from checks.probes.aws.client import asking, listed, missing
from checks.scope import Scope


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a role's policies, its lists always lists."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    inverted: bool  # NotAction or NotResource


@dataclass(frozen=True, kw_only=True)
class RoleFacts:
    """What the role of one function may do, and who may take it on ("lambda.amazonaws.com", "AWS:*")."""

    function: Function
    statements: tuple[Statement, ...]
    trusts: tuple[str, ...] = ("lambda.amazonaws.com",)


@dataclass(frozen=True, kw_only=True)
class ApiFacts:
    """The HTTP API behind the custom domain: its own default endpoint, and who may call each route."""

    domain: str
    api_id: str | None
    default_endpoint_disabled: bool = False
    routes: tuple[tuple[str, str], ...] = ()  # ("GET /v1/members/{user_id}", "AWS_IAM")


def roles(scope: Scope) -> tuple[RoleFacts, ...]:
    """What the role of each function may do, inline and attached policies together."""
    with asking(scope, "reading the roles") as aws:
        iam = aws("iam")
        named = [(function, function.role_arn.rpartition("/")[2]) for function in scope.contract.functions]
        return tuple(
            RoleFacts(function=function, statements=statements(iam, role), trusts=trusts(iam, role))
            for function, role in named
        )


def api(scope: Scope) -> ApiFacts:
    """The HTTP API that the webhook's host is mapped to."""
    domain = scope.contract.endpoints.webhook.split("/")[2]
    with asking(scope, f"reading the API of {domain}") as aws:
        gateway = aws("apigatewayv2")
        api_id = mapped_api(gateway, domain)
        if api_id is None:
            return ApiFacts(domain=domain, api_id=None)
        described = gateway.get_api(ApiId=api_id)
        routes = gateway.get_routes(ApiId=api_id)["Items"]
    return ApiFacts(
        domain=domain,
        api_id=api_id,
        default_endpoint_disabled=bool(described.get("DisableExecuteApiEndpoint")),
        routes=tuple(sorted((route["RouteKey"], route.get("AuthorizationType", "NONE")) for route in routes)),
    )


def mapped_api(gateway: Any, domain: str) -> str | None:
    """The id of the API that a custom domain leads to, or None."""
    try:
        mappings = gateway.get_api_mappings(DomainName=domain)["Items"]
    except botocore.exceptions.ClientError as error:
        if missing(error):
            return None
        raise
    return mappings[0]["ApiId"] if mappings else None


def trusts(iam: Any, role: str) -> tuple[str, ...]:
    """Who may take a role on: services by their name, all others with their kind ("AWS:arn:…")."""
    document = _parsed(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    allowed = [one for one in listed(document["Statement"]) if one["Effect"] == "Allow"]
    return tuple(sorted({name for one in allowed for name in principals(one)}))


def principals(statement: dict[str, Any]) -> tuple[str, ...]:
    """Whom a statement of a trust or resource policy is about; everybody where it names nobody or inverts."""
    principal = statement.get("Principal", "*")
    if not isinstance(principal, dict):
        return (f"{principal}",)
    named = [(kind, name) for kind, names in principal.items() for name in listed(names)]
    return tuple(name if kind == "Service" else f"{kind}:{name}" for kind, name in named)


def statements(iam: Any, role: str) -> tuple[Statement, ...]:
    """The statements of a role's policies, inline and attached."""
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    return tuple(_statement(one) for document in documents for one in listed(_parsed(document)["Statement"]))


def _parsed(document: str | dict[str, Any]) -> dict[str, Any]:
    return json.loads(document) if isinstance(document, str) else document


def _statement(document: dict[str, Any]) -> Statement:
    return Statement(
        effect=document["Effect"],
        actions=tuple(listed(document.get("Action", document.get("NotAction", ())))),
        resources=tuple(listed(document.get("Resource", document.get("NotResource", ())))),
        inverted="NotAction" in document or "NotResource" in document,
    )
