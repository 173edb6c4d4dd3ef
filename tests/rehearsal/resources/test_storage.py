"""Queues, tables, secrets, roles, topics, alarms: created as declared, and refused where AWS would refuse."""

import json
from typing import Any

import pytest

from rehearsal.resources import HANDLERS, handler_for
from rehearsal.resources.handler import RefusedError


def test_a_queue_is_made_as_declared(here: Any) -> None:
    dead = here.declare("aws:sqs/queue:Queue", "made-dead", {"name": "made-dead.fifo", "fifoQueue": True})
    redrive = json.dumps({"deadLetterTargetArn": dead.outputs["arn"], "maxReceiveCount": 5})
    inputs = {
        "name": "made.fifo",
        "fifoQueue": True,
        "visibilityTimeoutSeconds": 45,
        "messageRetentionSeconds": 1209600,
        "redrivePolicy": redrive,
        "tags": {"stack": "test"},
    }
    queue = here.declare("aws:sqs/queue:Queue", "made", inputs)
    sqs = here.aws.client("sqs")
    found = sqs.get_queue_attributes(QueueUrl=queue.id, AttributeNames=["All"])["Attributes"]
    assert (found["VisibilityTimeout"], found["MessageRetentionPeriod"]) == ("45", "1209600")
    assert json.loads(found["RedrivePolicy"]) == json.loads(redrive)
    assert sqs.list_queue_tags(QueueUrl=queue.id)["Tags"] == {"stack": "test"}
    assert queue.outputs["arn"].endswith(":made.fifo")


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"name": "plain", "fifoQueue": True}, r"ends in \.fifo"),
        ({"name": "not-fifo.fifo"}, r"ends in \.fifo"),
        ({"name": "x" * 81}, "at most 80 characters, got 81"),
    ],
)
def test_a_queue_with_a_bad_name_is_refused(here: Any, inputs: dict[str, Any], reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        here.declare("aws:sqs/queue:Queue", "bad", inputs)


def test_a_dead_letter_queue_must_exist_and_be_of_the_same_kind(here: Any) -> None:
    plain = here.declare("aws:sqs/queue:Queue", "plain-dead", {"name": "plain-dead"})

    def redrive(arn: str) -> str:
        return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})

    lost = {"name": "lost", "redrivePolicy": redrive("arn:aws:sqs:eu-west-1:1:never-made")}
    with pytest.raises(RefusedError, match="never-made does not exist"):
        here.declare("aws:sqs/queue:Queue", "lost", lost)
    mixed = {"name": "mixed.fifo", "fifoQueue": True, "redrivePolicy": redrive(plain.outputs["arn"])}
    with pytest.raises(RefusedError, match="must be FIFO"):
        here.declare("aws:sqs/queue:Queue", "mixed", mixed)


def test_a_table_is_made_as_declared(here: Any) -> None:
    index = {
        "name": "due",
        "keySchemas": [
            {"attributeName": "due_shard", "keyType": "HASH"},
            {"attributeName": "due_at", "keyType": "RANGE"},
        ],
        "projectionType": "ALL",
    }
    inputs = {
        "name": "whole",
        "billingMode": "PAY_PER_REQUEST",
        "hashKey": "pk",
        "rangeKey": "sk",
        "attributes": [
            {"name": "pk", "type": "S"},
            {"name": "sk", "type": "S"},
            {"name": "due_shard", "type": "S"},
            {"name": "due_at", "type": "N"},
        ],
        "globalSecondaryIndexes": [index],
        "ttl": {"enabled": True, "attributeName": "expires_at"},
        "pointInTimeRecovery": {"enabled": True},
        "deletionProtectionEnabled": True,
    }
    here.declare("aws:dynamodb/table:Table", "whole", inputs)
    dynamodb = here.aws.client("dynamodb")
    table = dynamodb.describe_table(TableName="whole")["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert [key["AttributeName"] for key in table["GlobalSecondaryIndexes"][0]["KeySchema"]] == ["due_shard", "due_at"]
    assert dynamodb.describe_time_to_live(TableName="whole")["TimeToLiveDescription"]["AttributeName"] == "expires_at"
    backups = dynamodb.describe_continuous_backups(TableName="whole")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    with pytest.raises(dynamodb.exceptions.ClientError, match="deletion protection"):
        HANDLERS["aws:dynamodb/table:Table"].delete("whole", here.target)


def test_a_secret_holds_its_version(here: Any) -> None:
    secret = here.declare("aws:secretsmanager/secret:Secret", "kept", {"name": "kept/key"})
    inputs = {"secretId": secret.id, "secretString": "the value"}
    version = here.declare("aws:secretsmanager/secretVersion:SecretVersion", "kept", inputs)
    client = here.aws.client("secretsmanager")
    assert client.get_secret_value(SecretId=secret.id)["SecretString"] == "the value"
    assert version.id == f"{secret.id}|{version.outputs['versionId']}"


def test_a_roles_name_has_64_characters(here: Any) -> None:
    with pytest.raises(RefusedError, match="at most 64 characters, got 65"):
        here.role("r" * 65)


def test_a_role_policy_can_be_replaced(here: Any) -> None:
    from rehearsal.resources.handler import Declared

    arn = here.role("changing", {"Action": "sqs:SendMessage", "Resource": "*"})
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:PurgeQueue", "Resource": "*"}]}
    declared = Declared(
        urn="urn:pulumi:t::t::aws:iam/rolePolicy:RolePolicy::changing",
        type="aws:iam/rolePolicy:RolePolicy",
        name="changing",
        inputs={"role": "changing", "policy": json.dumps(policy)},
        source="infra/x.py:1",
    )
    HANDLERS[declared.type].update("changing:changing", declared, here.target)
    assert here.aws.role_allows(arn, "sqs:PurgeQueue", "*")
    assert not here.aws.role_allows(arn, "sqs:SendMessage", "*")


def test_an_alarm_lives_in_the_region_of_its_provider(here: Any) -> None:
    topic = here.declare("aws:sns/topic:Topic", "abroad", {"name": "abroad"}, region="us-east-1")
    inputs = {
        "name": "down",
        "namespace": "AWS/Route53",
        "metricName": "HealthCheckStatus",
        "dimensions": {"HealthCheckId": "x"},
        "statistic": "Minimum",
        "comparisonOperator": "LessThanThreshold",
        "threshold": 1,
        "period": 60,
        "evaluationPeriods": 1,
        "alarmActions": [topic.outputs["arn"]],
    }
    here.declare("aws:cloudwatch/metricAlarm:MetricAlarm", "down", inputs, region="us-east-1")
    there = here.aws.client("cloudwatch", region="us-east-1")
    assert [alarm["AlarmName"] for alarm in there.describe_alarms(AlarmNames=["down"])["MetricAlarms"]] == ["down"]
    assert here.aws.client("cloudwatch").describe_alarms(AlarmNames=["down"])["MetricAlarms"] == []
    with pytest.raises(RefusedError, match="in us-east-1; the alarm is in eu-west-1"):
        here.declare("aws:cloudwatch/metricAlarm:MetricAlarm", "down", inputs)


def test_a_log_group_keeps_what_it_is_told(here: Any) -> None:
    here.declare("aws:cloudwatch/logGroup:LogGroup", "kept", {"name": "/kept", "retentionInDays": 30})
    (group,) = here.aws.client("logs").describe_log_groups(logGroupNamePrefix="/kept")["logGroups"]
    assert group["retentionInDays"] == 30
    with pytest.raises(RefusedError, match="retentionInDays must be one of 1, 3, 5"):
        here.declare("aws:cloudwatch/logGroup:LogGroup", "odd", {"name": "/odd", "retentionInDays": 31})


def test_a_health_check_is_made(here: Any) -> None:
    inputs = {
        "type": "HTTPS",
        "fqdn": "api.tests.example",
        "port": 443,
        "resourcePath": "/health",
        "requestInterval": 30,
        "failureThreshold": 3,
    }
    check = here.declare("aws:route53/healthCheck:HealthCheck", "probe", inputs)
    found = here.aws.client("route53").get_health_check(HealthCheckId=check.id)["HealthCheck"]["HealthCheckConfig"]
    assert (found["FullyQualifiedDomainName"], found["ResourcePath"]) == ("api.tests.example", "/health")
    with pytest.raises(RefusedError, match="must be 10 or 30 seconds, got 60"):
        here.declare("aws:route53/healthCheck:HealthCheck", "slow", inputs | {"requestInterval": 60})


def test_a_topics_mail_waits_for_its_confirmation(here: Any) -> None:
    topic = here.declare("aws:sns/topic:Topic", "mails", {"name": "mails"})
    inputs = {"topic": topic.outputs["arn"], "protocol": "email", "endpoint": "ops@tests.example"}
    subscription = here.declare("aws:sns/topicSubscription:TopicSubscription", "mails", inputs)
    assert subscription.outputs["pendingConfirmation"] is True


def test_every_handler_is_registered_under_its_type() -> None:
    assert all(handler.type == token for token, handler in HANDLERS.items())
    assert handler_for("aws:kinesis/stream:Stream") is None
    assert handler_for("pulumi-python:dynamic/infra.x:Endpoint") is handler_for("pulumi-python:dynamic:Resource")
