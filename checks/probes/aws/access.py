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
    """What the role of one function may do."""

    function: Function
    statements: tuple[Statement, ...]


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
        return tuple(
            RoleFacts(function=function, statements=_statements(iam, function.role_arn.rpartition("/")[2]))
            for function in scope.contract.functions
        )


def api(scope: Scope) -> ApiFacts:
    """The HTTP API that the webhook's host is mapped to."""
    domain = scope.contract.endpoints.webhook.split("/")[2]
    with asking(scope, f"reading the API of {domain}") as aws:
        gateway = aws("apigatewayv2")
        try:
            mappings = gateway.get_api_mappings(DomainName=domain)["Items"]
        except botocore.exceptions.ClientError as error:
            if missing(error):
                return ApiFacts(domain=domain, api_id=None)
            raise
        if not mappings:
            return ApiFacts(domain=domain, api_id=None)
        api_id = mappings[0]["ApiId"]
        described = gateway.get_api(ApiId=api_id)
        routes = gateway.get_routes(ApiId=api_id)["Items"]
    return ApiFacts(
        domain=domain,
        api_id=api_id,
        default_endpoint_disabled=bool(described.get("DisableExecuteApiEndpoint")),
        routes=tuple(sorted((route["RouteKey"], route.get("AuthorizationType", "NONE")) for route in routes)),
    )


def _statements(iam: Any, role: str) -> tuple[Statement, ...]:
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    parsed = [json.loads(document) if isinstance(document, str) else document for document in documents]
    return tuple(_statement(one) for document in parsed for one in listed(document["Statement"]))


def _statement(document: dict[str, Any]) -> Statement:
    return Statement(
        effect=document["Effect"],
        actions=tuple(listed(document.get("Action", document.get("NotAction", ())))),
        resources=tuple(listed(document.get("Resource", document.get("NotResource", ())))),
        inverted="NotAction" in document or "NotResource" in document,
    )
