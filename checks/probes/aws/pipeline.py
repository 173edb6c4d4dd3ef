"""Reads the queues, functions and log groups as deployed. Nothing here writes."""

import json
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions

from checks.probes.aws.access import mapped_api
from checks.probes.aws.client import asking, missing
from checks.probes.http import host_of
from checks.scope import Scope


@dataclass(frozen=True, kw_only=True)
class QueueFacts:
    """One queue's attributes, and the time-outs of the functions that it triggers, in seconds.

    `all_or_nothing` names the functions that take several messages at once and cannot give back some of them.
    """

    name: str
    purpose: str
    exists: bool
    visibility_seconds: int = 0
    dlq_arn: str | None = None
    max_receive_count: int | None = None
    waiting: int = 0
    retention_seconds: int = 0
    consumer_timeouts: tuple[int, ...] = ()
    all_or_nothing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FunctionFacts:
    """One function as deployed."""

    name: str
    exists: bool
    timeout_seconds: int = 0
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class LogFacts:
    """One log group and who writes to it; retention None: kept for ever."""

    writer: str
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
    """Facts of every function's log group, and of those that the API's stages write to."""
    with asking(scope, "reading the log groups") as aws:
        logs_client = aws("logs")
        groups = {function.log_group: function.name for function in scope.contract.functions}
        groups |= dict.fromkeys(_access_log_groups(scope, aws("apigatewayv2")), "the API")
        return tuple(_log(logs_client, group, writer) for group, writer in groups.items())


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
    mappings = lambdas.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    return QueueFacts(
        name=name,
        purpose=purpose,
        exists=True,
        visibility_seconds=int(attributes["VisibilityTimeout"]),
        dlq_arn=policy.get("deadLetterTargetArn"),
        max_receive_count=int(count) if count is not None else None,
        waiting=int(attributes.get("ApproximateNumberOfMessages", 0)),
        retention_seconds=int(attributes["MessageRetentionPeriod"]),
        consumer_timeouts=_timeouts(lambdas, mappings),
        all_or_nothing=tuple(m["FunctionArn"].rpartition(":")[2] for m in mappings if _gives_back_nothing(m)),
    )


def _timeouts(lambdas: Any, mappings: list[dict[str, Any]]) -> tuple[int, ...]:
    names = sorted({mapping["FunctionArn"] for mapping in mappings})
    return tuple(int(lambdas.get_function_configuration(FunctionName=name)["Timeout"]) for name in names)


def _gives_back_nothing(mapping: dict[str, Any]) -> bool:
    return mapping["BatchSize"] > 1 and "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", ())


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


def _log(logs_client: Any, name: str, writer: str) -> LogFacts:
    pages = logs_client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    group = next((group for group in pages if group["logGroupName"] == name), None)
    return LogFacts(
        writer=writer,
        group=name,
        exists=group is not None,
        retention_days=group.get("retentionInDays") if group else None,
    )


def _access_log_groups(scope: Scope, gateway: Any) -> list[str]:
    api_id = mapped_api(gateway, host_of(scope.contract.endpoints.webhook))
    stages = gateway.get_stages(ApiId=api_id)["Items"] if api_id else []
    arns = [stage.get("AccessLogSettings", {}).get("DestinationArn", "") for stage in stages]
    return [arn.partition(":log-group:")[2].removesuffix(":*") for arn in arns if ":log-group:" in arn]
