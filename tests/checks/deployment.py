"""A small pipeline in the local AWS, and the contract that describes it."""

import io
import json
import zipfile
from typing import Any

from checks import contract
from checks.rules import access
from rehearsal.twins.aws import AwsTwin

REGION = "eu-west-1"
PREFIX = "launch-ready-prod"
API_HOST = "api.tidewriters.example"
ACCESS_LOGS = "/aws/vendedlogs/launch-ready-prod-api"


class Deployment:
    """Everything that the AWS checks look at, in order; tests then break one thing each."""

    def __init__(self, twin: AwsTwin, document: dict[str, Any]) -> None:
        self.twin = twin
        self.document = document
        self.aws = twin.client

    def deploy(self) -> None:
        self.document["functions"] = [
            one for one in self.document["functions"] if one["purpose"] not in ("members", "claims")
        ]
        self._queues()
        self._storage()
        self._functions()
        self._watch()
        self._api()
        self._schedule("sweep", "rate(1 minute)")
        self._schedule("reconcile", "rate(6 hours)")

    def contract(self) -> contract.Contract:
        return contract.parse(self.document)

    def queue(self, number: int) -> str:
        return self.aws("sqs").get_queue_url(QueueName=self.document["queues"][number]["name"])["QueueUrl"]

    def arn(self, service: str, name: str, region: str = REGION) -> str:
        return f"arn:aws:{service}:{region}:{self.twin.account}:{name}"

    def allow(self, role: str, actions: Any, resource: str | list[str], policy: str = "logs") -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": statement})
        self.aws("iam").put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)

    def trust(self, **principal: str) -> str:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def feed(self, queue: int, function: str, *types: str) -> None:
        self.aws("lambda").create_event_source_mapping(
            EventSourceArn=self.document["queues"][queue]["arn"],
            FunctionName=f"{PREFIX}-{function}",
            BatchSize=10,
            FunctionResponseTypes=list(types),
        )

    def backups(self, *, on: bool) -> None:
        self.aws("dynamodb").update_continuous_backups(
            TableName=self.document["table"]["name"],
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on},
        )

    def _queues(self) -> None:
        for queue in reversed(self.document["queues"]):
            days = 14 if queue["purpose"] == "dlq" else 4
            attributes = {
                "VisibilityTimeout": str(queue["visibility_seconds"]),
                "MessageRetentionPeriod": str(days * 86400),
            }
            if queue["name"].endswith(".fifo"):
                attributes["FifoQueue"] = "true"
            if queue["dlq"]:
                queue["dlq"] = self.arn("sqs", queue["dlq"].rpartition(":")[2])
                attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": queue["dlq"], "maxReceiveCount": 5})
            queue["url"] = self.aws("sqs").create_queue(QueueName=queue["name"], Attributes=attributes)["QueueUrl"]
            queue["arn"] = self.arn("sqs", queue["name"])

    def _storage(self) -> None:
        name = self.document["table"]["name"]
        self.aws("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            DeletionProtectionEnabled=True,
        )
        self.document["table"]["arn"] = self.arn("dynamodb", f"table/{name}")
        self.backups(on=True)
        for secret in self.document["secrets"]:
            made = self.aws("secretsmanager").create_secret(Name=secret["name"], SecretString="made up")
            secret["arn"] = made["ARN"]
        certificate = self.aws("acm").request_certificate(DomainName=API_HOST)
        self.document["certificates"][0]["arn"] = certificate["CertificateArn"]

    def _functions(self) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            bundle.writestr("f.py", "def handler(event, context):\n    return {}\n")
        for function in self.document["functions"]:
            function["role_arn"] = self._role(function)
            self.aws("lambda").create_function(
                FunctionName=function["name"],
                Runtime="python3.11",
                Handler="f.handler",
                Role=function["role_arn"],
                Timeout=function["timeout_seconds"],
                Code={"ZipFile": archive.getvalue()},
                Environment={"Variables": {"LAUNCH_STACK": "prod", "LAUNCH_LIVEMODE": "true"}},
            )
            self._log_group(function["log_group"])
        self.feed(0, "apply", "ReportBatchItemFailures")
        self.feed(2, "sync-kit", "ReportBatchItemFailures")
        self.feed(1, "undelivered", "ReportBatchItemFailures")
        self.feed(3, "undelivered", "ReportBatchItemFailures")

    def _log_group(self, name: str) -> None:
        self.aws("logs").create_log_group(logGroupName=name)
        self.aws("logs").put_retention_policy(logGroupName=name, retentionInDays=30)

    def _role(self, function: dict[str, Any]) -> str:
        """A role with exactly what the function's purpose takes."""
        made = self.aws("iam").create_role(
            RoleName=function["name"], AssumeRolePolicyDocument=self.trust(Service="lambda.amazonaws.com")
        )
        for action in sorted(access.NEEDED[function["purpose"]]):
            self.allow(function["name"], action, self._resource(function, action), policy=action.replace(":", "-"))
        return made["Role"]["Arn"]

    def _resource(self, function: dict[str, Any], action: str) -> str | list[str]:
        service = action.partition(":")[0]
        if service == "logs":
            return self.arn("logs", f"log-group:{function['log_group']}:*")
        if service == "dynamodb":
            return self.document["table"]["arn"]
        if service == "secretsmanager":
            wanted = access.needed_secrets(self.contract(), contract.Function(**function))
            return [secret["arn"] for secret in self.document["secrets"] if secret["purpose"] in wanted]
        if function["purpose"] == "undelivered" and action != "sqs:SendMessage":
            return [queue["arn"] for queue in self.document["queues"] if queue["purpose"] == "dlq"]
        events, sync = (self.document["queues"][number]["arn"] for number in (0, 2))
        if function["purpose"] == "reconcile":
            return [events, sync]
        sends = action == "sqs:SendMessage"
        return events if function["purpose"] == ("webhook" if sends else "apply") else sync

    def _watch(self) -> None:
        for region in (REGION, "us-east-1"):
            sns = self.aws("sns", region=region)
            topic = sns.create_topic(Name="alarms")["TopicArn"]
            sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@tidewriters.example")
        for alarm, queue in zip(self.document["alarms"], (1, 3), strict=False):
            named = ("QueueName", self.document["queues"][queue]["name"])
            waiting = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
            self._alarm(alarm, waiting, named, Statistic="Maximum", Threshold=0, above=True)
        for alarm, counted in zip(
            self.document["alarms"][3:], ("EventParked", "Alert", "SyncParked", "ReconcileMissing"), strict=True
        ):
            named = ("stack", PREFIX)
            self._alarm(alarm, ("LaunchReady", counted), named, Statistic="Sum", Threshold=0, above=True)
        config = {"Type": "HTTPS", "FullyQualifiedDomainName": API_HOST, "ResourcePath": "/health", "Port": 443}
        made = self.aws("route53").create_health_check(CallerReference="1", HealthCheckConfig=config)
        checked = self.document["health_checks"][0]["id"] = made["HealthCheck"]["Id"]
        status = ("AWS/Route53", "HealthCheckStatus")
        alarm = self.document["alarms"][2]
        self._alarm(alarm, status, ("HealthCheckId", checked), Statistic="Minimum", Threshold=1, above=False)

    def _alarm(
        self,
        alarm: dict[str, Any],
        metric: tuple[str, str],
        dimension: tuple[str, str],
        *,
        above: bool,
        **judged: Any,
    ) -> None:
        self.aws("cloudwatch", region=alarm["region"]).put_metric_alarm(
            AlarmName=alarm["name"],
            Namespace=metric[0],
            MetricName=metric[1],
            Dimensions=[{"Name": dimension[0], "Value": dimension[1]}],
            AlarmActions=[self.arn("sns", "alarms", alarm["region"])],
            ComparisonOperator="GreaterThanThreshold" if above else "LessThanThreshold",
            Period=60,
            EvaluationPeriods=1,
            **judged,
        )

    def _api(self) -> None:
        gateway = self.aws("apigatewayv2")
        self.api_id = gateway.create_api(Name="api", ProtocolType="HTTP", DisableExecuteApiEndpoint=True)["ApiId"]
        self._log_group(ACCESS_LOGS)
        logs = {"DestinationArn": self.arn("logs", f"log-group:{ACCESS_LOGS}"), "Format": "$context.requestId"}
        gateway.create_stage(ApiId=self.api_id, StageName="$default", AutoDeploy=True, AccessLogSettings=logs)
        gateway.create_domain_name(DomainName=API_HOST)
        gateway.create_api_mapping(DomainName=API_HOST, ApiId=self.api_id, Stage="$default")
        self.let_in("route", SourceArn=self.arn("execute-api", f"{self.api_id}/*/POST/webhooks/stripe"))

    def let_in(self, name: str, **source: str) -> None:
        """Let API gateways call the webhook."""
        self.aws("lambda").add_permission(
            FunctionName=f"{PREFIX}-webhook",
            StatementId=name,
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            **source,
        )

    def _schedule(self, function: str, rate: str) -> None:
        name, target = f"{PREFIX}-{function}-schedule", self.arn("lambda", f"function:{PREFIX}-{function}")
        role = self.aws("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument=self.trust(Service="scheduler.amazonaws.com")
        )
        self.allow(name, "lambda:InvokeFunction", target, policy="call")
        self.aws("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=rate,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target, "RoleArn": role["Role"]["Arn"]},
        )
