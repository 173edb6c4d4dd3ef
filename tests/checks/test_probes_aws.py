"""The AWS probes and rules against the local AWS: a pipeline in order passes, and each break is seen."""

import io
import json
import zipfile
from typing import Any

import pytest
import requests

from checks import catalogue, contract
from checks.errors import NeedsInput, ProbeError
from checks.probes.aws import client, pipeline, watch
from checks.rules import access
from checks.runner import run_checks
from checks.vantage import AwsAccess
from rehearsal.twins.aws import AwsTwin
from tests.checks.loopback import unused_port

REGION = "eu-west-1"
PREFIX = "launch-ready-prod"
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
    "sec.env",
    "api.default-endpoint",
)


@pytest.fixture(scope="module")
def account():
    with AwsTwin(REGION) as twin:
        yield twin


class Deployment:
    """A small pipeline in the local AWS, and the contract that describes it."""

    def __init__(self, twin: AwsTwin, document: dict[str, Any]) -> None:
        self.twin = twin
        self.document = document
        self.aws = twin.client
        self.roles: dict[str, str] = {}

    def deploy(self) -> None:
        self.document["functions"] = [one for one in self.document["functions"] if one["purpose"] != "members"]
        self._queues()
        self._functions()
        self._watch()
        self._storage()
        self._grant_the_rest()
        self._api()

    def contract(self) -> contract.Contract:
        return contract.parse(self.document)

    def queue(self, number: int) -> str:
        return self.aws("sqs").get_queue_url(QueueName=self.document["queues"][number]["name"])["QueueUrl"]

    def _queues(self) -> None:
        for queue in reversed(self.document["queues"]):
            attributes = {"VisibilityTimeout": str(queue["visibility_seconds"])}
            if queue["name"].endswith(".fifo"):
                attributes["FifoQueue"] = "true"
            if queue["dlq"]:
                name = queue["dlq"].rpartition(":")[2]
                target = f"arn:aws:sqs:{REGION}:{self.twin.account}:{name}"
                attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 5})
                queue["dlq"] = target
            queue["url"] = self.aws("sqs").create_queue(QueueName=queue["name"], Attributes=attributes)["QueueUrl"]
            queue["arn"] = f"arn:aws:sqs:{REGION}:{self.twin.account}:{queue['name']}"

    def _functions(self) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            bundle.writestr("f.py", "def handler(event, context):\n    return {}\n")
        for function in self.document["functions"]:
            function["role_arn"] = self._role(function["name"])
            self.aws("lambda").create_function(
                FunctionName=function["name"],
                Runtime="python3.11",
                Handler="f.handler",
                Role=function["role_arn"],
                Timeout=function["timeout_seconds"],
                Code={"ZipFile": archive.getvalue()},
                Environment={"Variables": {"LAUNCH_STACK": "prod", "LAUNCH_LIVEMODE": "true"}},
            )
            self.aws("logs").create_log_group(logGroupName=function["log_group"])
            self.aws("logs").put_retention_policy(logGroupName=function["log_group"], retentionInDays=30)
        for queue, name in ((0, "apply"), (2, "sync-kit")):
            arn = self.document["queues"][queue]["arn"]
            self.aws("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=f"{PREFIX}-{name}")

    def _role(self, name: str) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn = self.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        self.allow(
            name, "logs:PutLogEvents", f"arn:aws:logs:{REGION}:{self.twin.account}:log-group:/aws/lambda/{name}:*"
        )
        if name.endswith(("apply", "sync-kit")):
            actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
            for queue in self.document["queues"]:
                self.allow(name, actions, queue["arn"], policy=queue["name"].replace(".", "-"))
        return arn

    def _grant_the_rest(self) -> None:
        """What each function's purpose takes besides its own log and queue."""
        own = {"webhook": "stripe-signing", "apply": "stripe-read", "sweep": "stripe-read"}
        secrets = {secret["purpose"]: secret["arn"] for secret in self.document["secrets"]}
        for function in self.document["functions"]:
            purpose, name = function["purpose"], function["name"]
            for action in sorted(access.NEEDED[purpose] - {"logs:PutLogEvents"}):
                on_secret = action == "secretsmanager:GetSecretValue"
                resource = (
                    secrets[function["destination"] or own[purpose]] if on_secret else self.document["table"]["arn"]
                )
                self.allow(name, action, resource, policy=action.replace(":", "-"))

    def allow(self, role: str, actions: Any, resource: str, policy: str = "logs") -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": statement})
        self.aws("iam").put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)

    def _watch(self) -> None:
        for alarm, queue in zip(self.document["alarms"], (1, 3), strict=False):
            self.alarm(alarm["name"], "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue)
        config = {
            "Type": "HTTPS",
            "FullyQualifiedDomainName": "api.tidewriters.example",
            "ResourcePath": "/health",
            "Port": 443,
        }
        made = self.aws("route53").create_health_check(CallerReference="1", HealthCheckConfig=config)
        self.document["health_checks"][0]["id"] = made["HealthCheck"]["Id"]
        self.aws("cloudwatch", region="us-east-1").put_metric_alarm(
            AlarmName=self.document["alarms"][2]["name"],
            Namespace="AWS/Route53",
            MetricName="HealthCheckStatus",
            Dimensions=[{"Name": "HealthCheckId", "Value": made["HealthCheck"]["Id"]}],
            AlarmActions=["arn:aws:sns:us-east-1:000000000001:alarms"],
            Statistic="Minimum",
            Threshold=1,
            ComparisonOperator="LessThanThreshold",
            Period=60,
            EvaluationPeriods=1,
        )

    def alarm(self, name: str, namespace: str, metric: str, dimension: str, queue: int) -> None:
        self.aws("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": dimension, "Value": self.document["queues"][queue]["name"]}],
            AlarmActions=["arn:aws:sns:eu-west-1:000000000001:alarms"],
            Statistic="Maximum",
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            Period=60,
            EvaluationPeriods=1,
        )

    def _storage(self) -> None:
        name = self.document["table"]["name"]
        self.aws("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            DeletionProtectionEnabled=True,
        )
        self.backups(on=True)
        for secret in self.document["secrets"]:
            made = self.aws("secretsmanager").create_secret(Name=secret["name"], SecretString="made up")
            secret["arn"] = made["ARN"]
        certificate = self.aws("acm").request_certificate(DomainName="api.tidewriters.example")
        self.document["certificates"][0]["arn"] = certificate["CertificateArn"]

    def backups(self, *, on: bool) -> None:
        self.aws("dynamodb").update_continuous_backups(
            TableName=self.document["table"]["name"],
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on},
        )

    def _api(self) -> None:
        gateway = self.aws("apigatewayv2")
        self.api_id = gateway.create_api(Name="api", ProtocolType="HTTP", DisableExecuteApiEndpoint=True)["ApiId"]
        gateway.create_stage(ApiId=self.api_id, StageName="$default", AutoDeploy=True)
        gateway.create_domain_name(DomainName="api.tidewriters.example")
        gateway.create_api_mapping(DomainName="api.tidewriters.example", ApiId=self.api_id, Stage="$default")


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
