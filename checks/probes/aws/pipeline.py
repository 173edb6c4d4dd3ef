"""Reads the queues, functions and log groups as deployed. Nothing here writes."""

import json
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions

from checks.contract import Function
from checks.probes.aws.client import asking, missing
from checks.scope import Scope


@dataclass(frozen=True, kw_only=True)
class QueueFacts:
    """One queue's attributes, and the time-outs of the functions that it triggers, in seconds."""

    name: str
    purpose: str
    exists: bool
    visibility_seconds: int = 0
    dlq_arn: str | None = None
    max_receive_count: int | None = None
    waiting: int = 0
    consumer_timeouts: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FunctionFacts:
    """One function as deployed."""

    name: str
    exists: bool
    timeout_seconds: int = 0
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class LogFacts:
    """One function's log group; retention None: kept for ever."""

    function: str
    group: str
    exists: bool
    retention_days: int | None = None


def queues(scope: Scope) -> tuple[QueueFacts, ...]:
    """Facts of every declared queue."""
    with asking(scope, "reading the queues") as aws:
        sqs, functions = aws("sqs"), aws("lambda")
        return tuple(_queue(sqs, functions, queue.name, queue.purpose, queue.arn) for queue in scope.contract.queues)


def functions(scope: Scope) -> tuple[FunctionFacts, ...]:
    """Facts of every declared function."""
    with asking(scope, "reading the functions") as aws:
        lambdas = aws("lambda")
        return tuple(_function(lambdas, function.name) for function in scope.contract.functions)


def logs(scope: Scope) -> tuple[LogFacts, ...]:
    """Facts of every function's log group."""
    with asking(scope, "reading the log groups") as aws:
        logs_client = aws("logs")
        return tuple(_log(logs_client, function) for function in scope.contract.functions)


def _queue(sqs: Any, lambdas: Any, name: str, purpose: str, arn: str) -> QueueFacts:
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    except botocore.exceptions.ClientError as error:
        if missing(error):
            return QueueFacts(name=name, purpose=purpose, exists=False)
        raise
    policy = json.loads(attributes.get("RedrivePolicy") or "{}")
    count = policy.get("maxReceiveCount")
    return QueueFacts(
        name=name,
        purpose=purpose,
        exists=True,
        visibility_seconds=int(attributes["VisibilityTimeout"]),
        dlq_arn=policy.get("deadLetterTargetArn"),
        max_receive_count=int(count) if count is not None else None,
        waiting=int(attributes.get("ApproximateNumberOfMessages", 0)),
        consumer_timeouts=() if purpose == "dlq" else _consumer_timeouts(lambdas, arn),
    )


def _consumer_timeouts(lambdas: Any, queue_arn: str) -> tuple[int, ...]:
    mappings = lambdas.list_event_source_mappings(EventSourceArn=queue_arn)["EventSourceMappings"]
    names = sorted({mapping["FunctionArn"] for mapping in mappings})
    return tuple(int(lambdas.get_function_configuration(FunctionName=name)["Timeout"]) for name in names)


def _function(lambdas: Any, name: str) -> FunctionFacts:
    try:
        found = lambdas.get_function_configuration(FunctionName=name)
    except botocore.exceptions.ClientError as error:
        if missing(error):
            return FunctionFacts(name=name, exists=False)
        raise
    variables = found.get("Environment", {}).get("Variables", {})
    return FunctionFacts(
        name=name,
        exists=True,
        timeout_seconds=int(found["Timeout"]),
        environment=tuple(sorted(variables.items())),
    )


def _log(logs_client: Any, function: Function) -> LogFacts:
    pages = logs_client.describe_log_groups(logGroupNamePrefix=function.log_group)["logGroups"]
    group = next((group for group in pages if group["logGroupName"] == function.log_group), None)
    return LogFacts(
        function=function.name,
        group=function.log_group,
        exists=group is not None,
        retention_days=group.get("retentionInDays") if group else None,
    )
