"""What wakes somebody up: dead letters, events that wait, functions that fail, a certificate that runs out, and what
the functions themselves say is for a person.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.api import ApiHost
from infra.component import Component
from infra.functions import Function
from infra.origin.pulls import Presented
from infra.pipeline import Pipeline
from infra.queues import Queues
from infra.settings import Stack

EFFECT_SECONDS = 60  # how soon a payment must have its effect
CERTIFICATE_DAYS = 30  # ACM renews 60 days before; half of that gone means that it could not
ORIGIN_CERTIFICATE_DAYS = 30  # as soon as Cloudflare's own notice comes: time for the three steps of a renewal

METRIC_NAMESPACE = "LaunchReady"  # that of handlers.adapters.logs.metric


@dataclass(frozen=True)
class Counted:
    """A metric that functions write to their logs (EMF) and that means work for a person as soon as it counts one."""

    metric: str
    purpose: str
    description: str


COUNTED = (
    Counted("EventParked", "event-parked", "An event could not be read and was parked: its payment has no effect."),
    Counted("Alert", "alert", "Something needs a person: look for the log line of the same minute."),
    Counted(
        "SyncParked", "sync-parked", "A destination refused a member or notice for good: look why, then try again."
    ),
    Counted(
        "ReconcileMissing",
        "reconcile-missing",
        "Reconcile found events that never came: look at the deliveries of the webhook endpoint at Stripe.",
    ),
)
COUNTED_BY_THE_BRIDGE = Counted(
    "EventRefused", "event-refused", "EventBridge brought an event that is not for this stack: look who sends it."
)


class Topic(Component):
    """A topic that sends e-mail; AWS asks the address to confirm. CloudWatch cannot publish to an encrypted one
    whose key is AWS's own, and alarms hold no personal data, so it is not encrypted.
    """

    def __init__(self, name: str, physical: str, email: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        self.topic = aws.sns.Topic(f"{name}-topic", name=physical, opts=self.child())
        aws.sns.TopicSubscription(
            f"{name}-email", topic=self.topic.arn, protocol="email", endpoint=email, opts=self.child()
        )
        self.register_outputs({"arn": self.topic.arn})


class Alarms(Component):
    """The alarms of the stack's own region, all to one topic. `declared` is (physical name, purpose) of each."""

    def __init__(self, stack: Stack, queues: Queues, pipeline: Pipeline, host: ApiHost) -> None:
        super().__init__("alarms")
        self._stack = stack
        self.declared: list[tuple[str, str]] = []
        self._topic = Topic("alarms-mail", f"{stack.prefix}-alarms", stack.settings.alert_email, self.child()).topic
        for queue in queues.all:
            self._dead_letters(queue.dead_name)
        self._events_wait(queues.events.name)
        for function in pipeline.on_their_own:
            self._errors(function)
        for counted in (*COUNTED, *([COUNTED_BY_THE_BRIDGE] if pipeline.bridge else [])):
            self._counted(counted)
        self._certificate(host)
        if host.origin_pulls.presented:
            self._origin_certificate(host.origin_pulls.presented)
        self.register_outputs({})

    def _dead_letters(self, queue: str) -> None:
        self._alarm(
            f"{queue.removesuffix('.fifo')}-not-empty",
            "dlq",
            "A message was given up and is not taken care of: read it, mend the cause, send it again.",
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": queue},
            statistic="Maximum",
            threshold=0,
            period=60,
        )

    def _events_wait(self, queue: str) -> None:
        self._alarm(
            f"{queue.removesuffix('.fifo')}-waiting",
            "events-age",
            f"Events wait longer than {EFFECT_SECONDS} s: payments have no effect yet.",
            namespace="AWS/SQS",
            metric_name="ApproximateAgeOfOldestMessage",
            dimensions={"QueueName": queue},
            statistic="Maximum",
            threshold=EFFECT_SECONDS,
            period=60,
        )

    def _errors(self, function: Function) -> None:
        """Functions that a queue of work calls need none: what they cannot do ends in the dead letters."""
        self._alarm(
            f"{function.name}-errors",
            f"{function.duty.name}-errors",
            f"{function.name} fails; its log group is {function.log_group_name}.",
            namespace="AWS/Lambda",
            metric_name="Errors",
            dimensions={"FunctionName": function.name},
            statistic="Sum",
            threshold=0,
            period=300,
        )

    def _counted(self, counted: Counted) -> None:
        self._alarm(
            f"{self._stack.prefix}-{counted.purpose}",
            counted.purpose,
            counted.description,
            namespace=METRIC_NAMESPACE,
            metric_name=counted.metric,
            dimensions={"stack": self._stack.prefix},
            statistic="Sum",
            threshold=0,
            period=60,
        )

    def _certificate(self, host: ApiHost) -> None:
        self._alarm(
            f"{self._stack.prefix}-certificate-expiry",
            "certificate",
            f"The certificate of {host.host} was not renewed: look at its validation record.",
            namespace="AWS/CertificateManager",
            metric_name="DaysToExpiry",
            dimensions={"CertificateArn": host.certificate.arn},
            statistic="Minimum",
            threshold=CERTIFICATE_DAYS,
            period=86400,
            comparison_operator="LessThanThreshold",
        )

    def _origin_certificate(self, presented: Presented) -> None:
        self._alarm(
            f"{self._stack.prefix}-origin-certificate-expiry",
            "origin-certificate",
            f"The edge's certificate {presented.name} for {presented.host} ends soon: renew it (docs/origin.md).",
            namespace=METRIC_NAMESPACE,
            metric_name="OriginCertificateDays",
            dimensions={"stack": self._stack.prefix},
            statistic="Minimum",
            threshold=ORIGIN_CERTIFICATE_DAYS,
            period=86400,
            comparison_operator="LessThanThreshold",
        )

    def _alarm(
        self,
        name: str,
        purpose: str,
        description: str,
        *,
        dimensions: dict[str, pulumi.Input[str]],
        namespace: str,
        metric_name: str,
        statistic: str,
        threshold: int,
        period: int,
        comparison_operator: str = "GreaterThanThreshold",
    ) -> None:
        self.declared.append((name, purpose))
        aws.cloudwatch.MetricAlarm(
            f"alarm-{name.removeprefix(self._stack.prefix + '-')}",
            name=name,
            alarm_description=description,
            namespace=namespace,
            metric_name=metric_name,
            dimensions=dimensions,
            statistic=statistic,
            threshold=threshold,
            period=period,
            evaluation_periods=1,
            comparison_operator=comparison_operator,
            treat_missing_data="notBreaching",  # SQS and Lambda say nothing while nothing happens
            alarm_actions=[self._topic.arn],
            ok_actions=[self._topic.arn],
            opts=self.child(),
        )
