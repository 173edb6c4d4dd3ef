"""Reads who may call the functions: their own policies, and the schedules that name them. Nothing here writes."""

import json
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from checks.contract import Function
from checks.probes.aws import access
from checks.probes.aws.client import Client, asking, listed, missing
from checks.scope import Scope


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One principal that a function's own policy lets in, and the ARNs or accounts on whose behalf it must come."""

    principal: str
    sources: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ScheduleFacts:
    """One schedule that calls a function, and what its role may do."""

    name: str
    enabled: bool
    target: str
    trusts: tuple[str, ...]
    statements: tuple[access.Statement, ...]


@dataclass(frozen=True, kw_only=True)
class CallerFacts:
    """Who may call one function."""

    function: Function
    grants: tuple[Grant, ...]
    schedules: tuple[ScheduleFacts, ...] = ()


def callers(scope: Scope) -> tuple[CallerFacts, ...]:
    """The callers of every declared function."""
    with asking(scope, "reading who may call the functions") as aws:
        schedules = _schedules(aws, {function.name for function in scope.contract.functions})
        lambdas = aws("lambda")
        return tuple(
            CallerFacts(
                function=function,
                grants=_grants(lambdas, function.name),
                schedules=tuple(one for one in schedules if _function_of(one.target) == function.name),
            )
            for function in scope.contract.functions
        )


def _grants(lambdas: Any, name: str) -> tuple[Grant, ...]:
    try:
        document = json.loads(lambdas.get_policy(FunctionName=name)["Policy"])
    except botocore.exceptions.ClientError as error:
        if missing(error):
            return ()
        raise
    return tuple(
        Grant(principal=principal, sources=_sources(statement))
        for statement in listed(document["Statement"])
        if statement["Effect"] == "Allow"
        for principal in access.principals(statement)
    )


def _sources(statement: dict[str, Any]) -> tuple[str, ...]:
    conditions = [pair for operator in statement.get("Condition", {}).values() for pair in operator.items()]
    return tuple(
        source
        for key, values in conditions
        if key.lower() in {"aws:sourcearn", "aws:sourceaccount"}
        for source in listed(values)
    )


def _schedules(aws: Client, functions: set[str]) -> tuple[ScheduleFacts, ...]:
    scheduler, iam = aws("scheduler"), aws("iam")
    pages = scheduler.get_paginator("list_schedules").paginate()
    found = []
    for listing in (one for page in pages for one in page["Schedules"]):
        if _function_of(listing["Target"]["Arn"]) in functions:
            schedule = scheduler.get_schedule(Name=listing["Name"], GroupName=listing["GroupName"])
            role = schedule["Target"]["RoleArn"].rpartition("/")[2]
            found.append(
                ScheduleFacts(
                    name=schedule["Name"],
                    enabled=schedule["State"] == "ENABLED",
                    target=schedule["Target"]["Arn"],
                    trusts=access.trusts(iam, role),
                    statements=access.statements(iam, role),
                )
            )
    return tuple(found)


def _function_of(arn: str) -> str:
    """The function that an ARN names, without its version or alias; "" for another kind of thing."""
    return arn.partition(":function:")[2].partition(":")[0]
