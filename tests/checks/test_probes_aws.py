"""The AWS probes and rules against the local AWS: a pipeline in order passes, and each break is seen."""

import json

import pytest
import requests

from checks import catalogue
from checks.errors import NeedsInput, ProbeError
from checks.probes.aws import client, pipeline, watch
from checks.runner import run_checks
from checks.vantage import AwsAccess
from rehearsal.twins.aws import AwsTwin
from tests.checks.deployment import ACCESS_LOGS, PREFIX, REGION, Deployment
from tests.checks.loopback import unused_port

CHECKED = (
    "aws.dlq",
    "aws.redrive",
    "aws.logs",
    "aws.alarms",
    "aws.health",
    "aws.table",
    "aws.secrets",
    "aws.certificate",
    "aws.roles",
    "aws.callers",
    "sec.env",
    "api.default-endpoint",
)


@pytest.fixture(scope="module")
def account():
    with AwsTwin(REGION) as twin:
        yield twin


@pytest.fixture
def deployed(account, document):
    made = Deployment(account, document)
    made.deploy()
    yield made
    requests.post(f"{account.endpoint}/_ministack/reset", timeout=10).raise_for_status()


@pytest.fixture
def run(account, deployed, look):
    """Runs checks against the local AWS; gives the findings by id."""
    access = AwsAccess(
        endpoint=account.endpoint,
        region=REGION,
        access_key_id=account.access_key_id,
        secret_access_key=account.secret_access_key,
    )

    def call(*ids):
        subject = deployed.contract()
        found = run_checks(catalogue.chosen(ids), lambda seconds: look(seconds, subject, aws=access))
        return {finding.id: finding for finding in found}

    return call


def test_a_pipeline_in_order_passes_every_check(run):
    findings = run(*CHECKED)

    assert {check_id: finding.actual for check_id, finding in findings.items() if finding.status != "pass"} == {}


def drop_redrive(it: Deployment) -> None:
    it.aws("sqs").set_queue_attributes(QueueUrl=it.queue(2), Attributes={"RedrivePolicy": ""})


def fill_dead_letters(it: Deployment) -> None:
    it.aws("sqs").send_message(QueueUrl=it.queue(3), MessageBody="given up")


def leave_dead_letters_unread(it: Deployment) -> None:
    lambdas = it.aws("lambda")
    (feed,) = lambdas.list_event_source_mappings(EventSourceArn=it.document["queues"][3]["arn"])["EventSourceMappings"]
    lambdas.delete_event_source_mapping(UUID=feed["UUID"])


def delete_queue(it: Deployment) -> None:
    it.aws("sqs").delete_queue(QueueUrl=it.queue(3))


def shorten_visibility(it: Deployment) -> None:
    it.aws("sqs").set_queue_attributes(QueueUrl=it.queue(2), Attributes={"VisibilityTimeout": "179"})


def lengthen_timeout(it: Deployment) -> None:
    it.aws("lambda").update_function_configuration(FunctionName=f"{PREFIX}-sync-kit", Timeout=31)


def few_receives(it: Deployment) -> None:
    policy = {"deadLetterTargetArn": it.document["queues"][2]["dlq"], "maxReceiveCount": 2}
    it.aws("sqs").set_queue_attributes(QueueUrl=it.queue(2), Attributes={"RedrivePolicy": json.dumps(policy)})


def keep_logs_for_ever(it: Deployment) -> None:
    it.aws("logs").delete_retention_policy(logGroupName=it.document["functions"][0]["log_group"])


def delete_log_group(it: Deployment) -> None:
    it.aws("logs").delete_log_group(logGroupName=it.document["functions"][0]["log_group"])


def delete_alarm(it: Deployment) -> None:
    it.aws("cloudwatch").delete_alarms(AlarmNames=[it.document["alarms"][0]["name"]])


def mute_alarm(it: Deployment) -> None:
    it.aws("cloudwatch").disable_alarm_actions(AlarmNames=[it.document["alarms"][1]["name"]])


def delete_health_check(it: Deployment) -> None:
    it.aws("route53").delete_health_check(HealthCheckId=it.document["health_checks"][0]["id"])


def stop_backups(it: Deployment) -> None:
    it.backups(on=False)


def unprotect_table(it: Deployment) -> None:
    it.aws("dynamodb").update_table(TableName=PREFIX, DeletionProtectionEnabled=False)


def delete_secret(it: Deployment) -> None:
    name = it.document["secrets"][0]["arn"]
    it.aws("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def widen_role(it: Deployment) -> None:
    it.allow(f"{PREFIX}-webhook", "dynamodb:*", "*", policy="wide")


def put_secret_into_environment(it: Deployment) -> None:
    variables = {"STRIPE": "sk_live_0123456789abcdef"}
    it.aws("lambda").update_function_configuration(FunctionName=f"{PREFIX}-apply", Environment={"Variables": variables})


def let_anybody_take_a_role_on(it: Deployment) -> None:
    it.aws("iam").update_assume_role_policy(RoleName=f"{PREFIX}-apply", PolicyDocument=it.trust(AWS="*"))


def let_every_api_in(it: Deployment) -> None:
    it.let_in("wide")


def let_the_schedule_call_everything(it: Deployment) -> None:
    it.allow(f"{PREFIX}-sweep-schedule", "lambda:InvokeFunction", "*", policy="wide")


def stop_the_schedule(it: Deployment) -> None:
    it.aws("scheduler").delete_schedule(Name=f"{PREFIX}-sweep-schedule")


def take_whole_batches(it: Deployment) -> None:
    it.feed(2, "apply")


def forget_dead_letters(it: Deployment) -> None:
    it.aws("sqs").set_queue_attributes(QueueUrl=it.queue(3), Attributes={"MessageRetentionPeriod": "3600"})


def keep_access_logs_for_ever(it: Deployment) -> None:
    it.aws("logs").delete_retention_policy(logGroupName=ACCESS_LOGS)


def unsubscribe(it: Deployment) -> None:
    sns = it.aws("sns", region="us-east-1")
    (topic,) = sns.list_topics()["Topics"]
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic["TopicArn"])["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])


def delete_topic(it: Deployment) -> None:
    it.aws("sns").delete_topic(TopicArn=it.arn("sns", "alarms"))


def open_default_endpoint(it: Deployment) -> None:
    it.aws("apigatewayv2").update_api(ApiId=it.api_id, DisableExecuteApiEndpoint=False)


def unmap_api(it: Deployment) -> None:
    gateway = it.aws("apigatewayv2")
    (mapping,) = gateway.get_api_mappings(DomainName="api.tidewriters.example")["Items"]
    gateway.delete_api_mapping(DomainName="api.tidewriters.example", ApiMappingId=mapping["ApiMappingId"])


@pytest.mark.parametrize(
    ("break_it", "check_id", "said"),
    [
        (drop_redrive, "aws.dlq", "launch-ready-prod-sync-kit has no dead-letter queue"),
        (fill_dead_letters, "aws.dlq", "holds 1 messages"),
        (leave_dead_letters_unread, "aws.dlq", "launch-ready-prod-sync-kit-dlq triggers no function"),
        (delete_queue, "aws.dlq", "launch-ready-prod-sync-kit-dlq does not exist"),
        (shorten_visibility, "aws.redrive", "visibility 179 s, at least 180 s"),
        (lengthen_timeout, "aws.redrive", "visibility 180 s, at least 186 s"),
        (few_receives, "aws.redrive", "maxReceiveCount 2, at least 5"),
        (keep_logs_for_ever, "aws.logs", "keeps for ever"),
        (delete_log_group, "aws.logs", "does not exist"),
        (delete_alarm, "aws.alarms", "no alarm on the dead-letter queue"),
        (mute_alarm, "aws.alarms", "tells nobody: no enabled action"),
        (delete_health_check, "aws.health", "does not exist"),
        (stop_backups, "aws.table", "point-in-time recovery is off"),
        (unprotect_table, "aws.table", "deletion protection is off"),
        (delete_secret, "aws.secrets", "has no current value"),
        (widen_role, "aws.roles", "wildcard action dynamodb:*"),
        (let_anybody_take_a_role_on, "aws.roles", "launch-ready-prod-apply: AWS:* may take its role on"),
        (let_every_api_in, "aws.callers", "on behalf of anybody: no source is named"),
        (let_the_schedule_call_everything, "aws.callers", "its role may call *"),
        (stop_the_schedule, "aws.callers", "no schedule that is on calls it"),
        (take_whole_batches, "aws.redrive", "launch-ready-prod-apply cannot give back single messages"),
        (forget_dead_letters, "aws.dlq", "launch-ready-prod-sync-kit-dlq keeps messages 3600 s"),
        (keep_access_logs_for_ever, "aws.logs", "/aws/vendedlogs/launch-ready-prod-api keeps for ever"),
        (unsubscribe, "aws.alarms", "health check of api.tidewriters.example tells nobody: no subscriber"),
        (delete_topic, "aws.alarms", "dead-letter queue launch-ready-prod-events-dlq.fifo tells nobody: no subscriber"),
        (put_secret_into_environment, "sec.env", "STRIPE holds what looks like a secret"),
        (open_default_endpoint, "api.default-endpoint", "is enabled"),
        (unmap_api, "api.default-endpoint", "no API is mapped"),
    ],
)
def test_each_break_is_seen_by_its_check(run, deployed, break_it, check_id, said):
    break_it(deployed)

    finding = run(check_id)[check_id]

    assert finding.status == "fail"
    assert said in finding.actual


def test_a_function_that_is_gone_is_told(deployed, look, account):
    deployed.aws("lambda").delete_function(FunctionName=f"{PREFIX}-sweep")
    access = AwsAccess(
        endpoint=account.endpoint,
        region=REGION,
        access_key_id=account.access_key_id,
        secret_access_key=account.secret_access_key,
    )

    facts = pipeline.functions(look(subject=deployed.contract(), aws=access))

    assert [one.name for one in facts if not one.exists] == [f"{PREFIX}-sweep"]
    assert "LAUNCH_STACK" not in repr(facts)


def test_an_aws_that_does_not_answer_is_no_verdict(look):
    access = AwsAccess(
        endpoint=f"http://127.0.0.1:{unused_port()}", region=REGION, access_key_id="x", secret_access_key="y"
    )

    with pytest.raises(ProbeError, match="reading the alarms: Could not connect"):
        watch.alarms(look(aws=access))


def test_without_credentials_nothing_is_asked(look, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    client._session.cache_clear()

    with pytest.raises(NeedsInput, match="give AWS credentials"):
        watch.alarms(look(aws=None))
