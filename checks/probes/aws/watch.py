"""Reads what watches the launch: alarms and health checks. Nothing here writes."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.exceptions

from checks.probes.aws.client import Client, asking, missing
from checks.scope import Scope

SNS = ":sns:"


@dataclass(frozen=True, kw_only=True)
class AlarmFacts:
    """One CloudWatch alarm; `listeners` counts who hears of it, None where that was not asked."""

    name: str
    region: str
    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    actions: tuple[str, ...]
    actions_enabled: bool
    threshold: float
    comparison: str
    state: str
    listeners: int | None = None


@dataclass(frozen=True, kw_only=True)
class HealthFacts:
    """One Route 53 health check as configured; `healthy` counts the checkers that see it so, None where not asked."""

    id: str
    exists: bool
    host: str = ""
    path: str = ""
    type: str = ""
    healthy: int | None = None
    checkers: int | None = None


def alarms(scope: Scope) -> tuple[AlarmFacts, ...]:
    """Every alarm in the regions that the contract names; of the declared ones also who listens."""
    regions = {alarm.region for alarm in scope.contract.alarms} | {scope.contract.region, "us-east-1"}
    found = []
    with asking(scope, "reading the alarms") as aws:
        for region in sorted(regions):
            pages = aws("cloudwatch", region).get_paginator("describe_alarms").paginate()
            found += [_alarm(alarm, region) for page in pages for alarm in page.get("MetricAlarms", ())]
        names = {(alarm.region, alarm.name) for alarm in scope.contract.alarms}
        declared = [alarm for alarm in found if (alarm.region, alarm.name) in names]
        heard = _subscriptions(aws, declared)
    return tuple(replace(alarm, listeners=_listeners(alarm, heard)) if alarm in declared else alarm for alarm in found)


def health_checks(scope: Scope) -> tuple[HealthFacts, ...]:
    """The configuration of every declared health check."""
    with asking(scope, "reading the health checks") as aws:
        route53 = aws("route53")
        return tuple(_health(route53, check.id) for check in scope.contract.health_checks)


def health_status(scope: Scope) -> tuple[HealthFacts, ...]:
    """What Route 53's checkers see at the moment."""
    with asking(scope, "reading the health checks") as aws:
        route53 = aws("route53")
        found = []
        for check in scope.contract.health_checks:
            seen = route53.get_health_check_status(HealthCheckId=check.id)["HealthCheckObservations"]
            good = sum(one["StatusReport"]["Status"].startswith("Success") for one in seen)
            found.append(HealthFacts(id=check.id, exists=True, host=check.host, healthy=good, checkers=len(seen)))
        return tuple(found)


def queue_ages(scope: Scope) -> dict[str, float]:
    """The age of each queue's oldest message in the last ten minutes, in seconds; one without data is left out."""
    now = datetime.now(UTC)
    ages = {}
    with asking(scope, "reading the queues' metrics") as aws:
        cloudwatch = aws("cloudwatch")
        for queue in scope.contract.queues:
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/SQS",
                MetricName="ApproximateAgeOfOldestMessage",
                Dimensions=[{"Name": "QueueName", "Value": queue.name}],
                StartTime=now - timedelta(minutes=10),
                EndTime=now,
                Period=60,
                Statistics=["Maximum"],
            )["Datapoints"]
            if points:
                ages[queue.name] = max(points, key=lambda point: point["Timestamp"])["Maximum"]
    return ages


def subscriptions(scope: Scope) -> dict[str, tuple[str, ...]]:
    """The subscriptions of each topic that a declared alarm notifies; one not confirmed is "PendingConfirmation"."""
    declared = {(alarm.region, alarm.name) for alarm in scope.contract.alarms}
    found = [alarm for alarm in alarms(scope) if (alarm.region, alarm.name) in declared]
    with asking(scope, "reading the alarms' subscriptions") as aws:
        return _subscriptions(aws, found)


def _subscriptions(aws: Client, found: list[AlarmFacts]) -> dict[str, tuple[str, ...]]:
    topics = {(alarm.region, action) for alarm in found for action in alarm.actions if SNS in action}
    heard: dict[str, tuple[str, ...]] = {}
    for region, topic in sorted(topics):
        pages = aws("sns", region).get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        try:
            heard[topic] = tuple(one["SubscriptionArn"] for page in pages for one in page["Subscriptions"])
        except botocore.exceptions.ClientError as error:
            if not missing(error):
                raise
            heard[topic] = ()
    return heard


def _listeners(alarm: AlarmFacts, heard: dict[str, tuple[str, ...]]) -> int:
    """An action that is no topic (a function, an incident) hears by itself."""
    return sum(len(heard[action]) if SNS in action else 1 for action in alarm.actions)


def _alarm(alarm: dict[str, Any], region: str) -> AlarmFacts:
    return AlarmFacts(
        name=alarm["AlarmName"],
        region=region,
        namespace=alarm.get("Namespace", ""),
        metric=alarm.get("MetricName", ""),
        dimensions=tuple(sorted((one["Name"], one["Value"]) for one in alarm.get("Dimensions", ()))),
        actions=tuple(alarm.get("AlarmActions", ())),
        actions_enabled=bool(alarm.get("ActionsEnabled")),
        threshold=float(alarm.get("Threshold", 0)),
        comparison=alarm.get("ComparisonOperator", ""),
        state=alarm.get("StateValue", "INSUFFICIENT_DATA"),
    )


def _health(route53: Any, check_id: str) -> HealthFacts:
    try:
        config = route53.get_health_check(HealthCheckId=check_id)["HealthCheck"]["HealthCheckConfig"]
    except botocore.exceptions.ClientError as error:
        if missing(error):
            return HealthFacts(id=check_id, exists=False)
        raise
    return HealthFacts(
        id=check_id,
        exists=True,
        host=config.get("FullyQualifiedDomainName", ""),
        path=config.get("ResourcePath", ""),
        type=config.get("Type", ""),
    )
