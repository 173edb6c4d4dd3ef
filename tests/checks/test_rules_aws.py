from dataclasses import replace
from typing import Any

import pytest

from checks.model import Status
from checks.probes.aws.pipeline import LogFacts, QueueFacts
from checks.probes.aws.storage import TableFacts
from checks.probes.aws.watch import AlarmFacts, HealthFacts
from checks.rules import aws
from tests.checks.exchanges import passes

ARN = "arn:aws:sqs:eu-west-1:000000000001:"


def queue(name: str, purpose: str, **changes) -> QueueFacts:
    facts: dict[str, Any] = {
        "dlq_arn": None,
        "max_receive_count": None,
        "visibility_seconds": 180,
        "retention_seconds": 1_209_600,
        "consumer_timeouts": (30,),
    }
    if purpose != "dlq":
        facts = {
            "dlq_arn": f"{ARN}{name}-dlq",
            "max_receive_count": 5,
            "visibility_seconds": 30,
            "retention_seconds": 345_600,
            "consumer_timeouts": (5,),
        }
    return QueueFacts(name=name, purpose=purpose, exists=True, **{**facts, **changes})


QUEUES = (queue("events", "events"), queue("events-dlq", "dlq"), queue("kit", "sync"), queue("kit-dlq", "dlq"))


def with_queue(number: int, **changes) -> tuple[QueueFacts, ...]:
    return tuple(replace(one, **changes) if index == number else one for index, one in enumerate(QUEUES))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (QUEUES, None),
        (with_queue(0, dlq_arn=None), "events has no dead-letter queue"),
        (with_queue(0, dlq_arn=f"{ARN}gone"), "which is not a declared queue"),
        (with_queue(1, exists=False), "events-dlq does not exist"),
        (with_queue(1, waiting=3), "events-dlq holds 3 messages"),
        (with_queue(1, consumer_timeouts=()), "events-dlq triggers no function: nobody reads what was given up"),
        (with_queue(3, consumer_timeouts=()), "kit-dlq triggers no function"),
        ((*QUEUES, queue("bridge", "bridge"), queue("bridge-dlq", "dlq", consumer_timeouts=())), None),
        (with_queue(1, retention_seconds=345_600), None),
        (with_queue(1, retention_seconds=345_599), "events-dlq keeps messages 345599 s, events 345600 s"),
        (QUEUES[:2], "no queue of sync is declared"),
        ((), "no queue of events is declared"),
    ],
)
def test_dlq(declared, facts, said):
    assert passes(aws.dlq(declared, facts), said)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (QUEUES, None),
        (with_queue(0, visibility_seconds=29), "events: visibility 29 s, at least 30 s"),
        (with_queue(0, consumer_timeouts=(5, 6)), "at least 36 s"),
        (with_queue(0, consumer_timeouts=()), "events triggers no function"),
        (with_queue(2, max_receive_count=4), "kit: maxReceiveCount 4, at least 5"),
        (with_queue(2, all_or_nothing=("sync-kit",)), "sync-kit cannot give back single messages of kit"),
        (with_queue(2, exists=False), "kit does not exist"),
        (with_queue(1, visibility_seconds=179), "events-dlq: visibility 179 s, at least 180 s"),
        (with_queue(1, consumer_timeouts=(), visibility_seconds=30), None),
        (with_queue(3, all_or_nothing=("undelivered",)), "undelivered cannot give back single messages of kit-dlq"),
    ],
)
def test_redrive(declared, facts, said):
    assert passes(aws.redrive(declared, facts), said)


@pytest.mark.parametrize(
    ("exists", "days", "said"),
    [
        (True, 7, None),
        (True, 30, None),
        (True, 3, "keeps 3 days"),
        (True, None, "keeps for ever"),
        (False, None, "does not exist"),
    ],
)
def test_logs(declared, exists, days, said):
    facts = (LogFacts(writer="f", group="/aws/lambda/f", exists=exists, retention_days=days),)

    assert passes(aws.logs(declared, facts), said)


def alarm(name: str, metric: str, dimension: tuple[str, str], **changes) -> AlarmFacts:
    facts: dict[str, Any] = {
        "name": f"launch-ready-prod-{name}",
        "region": "eu-west-1",
        "namespace": "AWS/SQS",
        "metric": metric,
        "dimensions": (dimension,),
        "actions": ("arn:aws:sns:eu-west-1:000000000001:alarms",),
        "actions_enabled": True,
        "listeners": 1,
        "threshold": 0.0,
        "comparison": "GreaterThanThreshold",
        "state": "OK",
    }
    return AlarmFacts(**{**facts, **changes})


ALARMS = (
    alarm("events-dlq", aws.WAITING, ("QueueName", "launch-ready-prod-events-dlq.fifo")),
    alarm("sync-kit-dlq", aws.WAITING, ("QueueName", "launch-ready-prod-sync-kit-dlq")),
    alarm("health", "HealthCheckStatus", ("HealthCheckId", "hc-1"), region="us-east-1"),
    alarm("event-parked", "EventParked", ("stack", "launch-ready-prod")),
    alarm("alert", "Alert", ("stack", "launch-ready-prod")),
    alarm("sync-parked", "SyncParked", ("stack", "launch-ready-prod")),
    alarm("reconcile-missing", "ReconcileMissing", ("stack", "launch-ready-prod")),
)


def with_alarm(number: int, **changes) -> tuple[AlarmFacts, ...]:
    return tuple(replace(one, **changes) if index == number else one for index, one in enumerate(ALARMS))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (ALARMS, None),
        (with_alarm(0, comparison="GreaterThanOrEqualToThreshold", threshold=1.0), None),
        (with_alarm(0, state="INSUFFICIENT_DATA"), None),
        (ALARMS[1:], "launch-ready-prod-events-dlq (eu-west-1) does not exist"),
        (ALARMS[1:], "no alarm on the dead-letter queue launch-ready-prod-events-dlq.fifo"),
        (ALARMS[:2], "no alarm on the health check of api.tidewriters.example"),
        (with_alarm(0, actions=()), "tells nobody: no enabled action"),
        (with_alarm(0, actions_enabled=False), "tells nobody"),
        (with_alarm(0, listeners=0), "events-dlq.fifo tells nobody: no subscriber"),
        (with_alarm(0, listeners=None), None),
        (with_alarm(0, threshold=1000.0), "does not fire on the first message"),
        (with_alarm(0, comparison="LessThanThreshold"), "does not fire on the first message"),
        (with_alarm(0, metric="NumberOfMessagesSent"), "no alarm on the dead-letter queue"),
        (with_alarm(2, state="ALARM"), "launch-ready-prod-health is in ALARM"),
        ((*ALARMS[:3], *ALARMS[4:]), "no alarm on the metric EventParked"),
        (with_alarm(4, dimensions=(("stack", "launch-ready-staging"),)), "no alarm on the metric Alert"),
        (ALARMS[:6], "no alarm on the metric ReconcileMissing"),
        (with_alarm(5, threshold=9.0), "launch-ready-prod-sync-parked does not fire on the first one"),
    ],
)
def test_alarms(declared, facts, said):
    assert passes(aws.alarms(declared, facts), said)


def test_a_missing_alarm_fails_also_where_it_was_never_declared(declared):
    undeclared = declared.model_copy(update={"alarms": declared.alarms[1:]})

    assert passes(aws.alarms(undeclared, ALARMS[1:]), "no alarm on the dead-letter queue")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"arn:aws:sns:x:alarms": ("arn:aws:sns:x:alarms:1",)}, None),
        ({"arn:aws:sns:x:alarms": ("PendingConfirmation",)}, "alarms tells nobody"),
        ({"arn:aws:sns:x:alarms": ()}, "alarms tells nobody"),
        ({}, "no alarm notifies a topic"),
    ],
)
def test_subscriptions(declared, facts, said):
    assert passes(aws.subscriptions(declared, facts), said)


HEALTH = HealthFacts(id="hc-1", exists=True, host="api.tidewriters.example", path="/health", type="HTTPS")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((HEALTH,), None),
        ((replace(HEALTH, type="HTTPS_STR_MATCH"),), None),
        ((replace(HEALTH, type="HTTP"),), "no health check asks https://api.tidewriters.example/health"),
        ((replace(HEALTH, path="/"),), "no health check asks"),
        ((replace(HEALTH, exists=False),), "health check hc-1 does not exist"),
        ((), "no health check asks"),
    ],
)
def test_health(declared, facts, said):
    assert passes(aws.health(declared, facts), said)


@pytest.mark.parametrize(("healthy", "checkers", "said"), [(9, 16, None), (8, 16, "8 of 16"), (0, 0, "0 of 0")])
def test_health_status(declared, healthy, checkers, said):
    facts = (replace(HEALTH, healthy=healthy, checkers=checkers),)

    assert passes(aws.health_status(declared, facts), said)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (TableFacts(name="t", exists=True, deletion_protection=True, point_in_time_recovery=True), None),
        (TableFacts(name="t", exists=True, point_in_time_recovery=True), "deletion protection is off"),
        (TableFacts(name="t", exists=True, deletion_protection=True), "point-in-time recovery is off"),
        (TableFacts(name="t", exists=False), "t does not exist"),
    ],
)
def test_table(declared, facts, said):
    assert passes(aws.table(declared, facts), said)


@pytest.mark.parametrize(
    ("rule", "good", "bad", "said"),
    [
        (aws.secrets, (("s", True),), (("s", False),), "s has no current value"),
        (aws.secrets, (("s", True),), (), "no secret is declared"),
        (aws.certificates, (("d", "ISSUED"),), (("d", "PENDING_VALIDATION"),), "d is PENDING_VALIDATION"),
        (aws.certificates, (("d", "ISSUED"),), (), "no certificate is declared"),
        (aws.age, {"q": 59.0}, {"q": 60.0}, "q: oldest message 60 s"),
    ],
)
def test_simple_rules(declared, rule, good, bad, said):
    assert rule(declared, good).status is Status.PASS
    assert passes(rule(declared, bad), said)
