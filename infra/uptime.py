"""Is the API up, seen from outside: a Route 53 health check through the edge, and its alarm."""

import pulumi
import pulumi_aws as aws

from handlers.settings import HEALTH_PATH
from infra.alarms import Topic
from infra.component import Component
from infra.settings import Stack

REGION = "us-east-1"  # Route 53 writes its metrics there and nowhere else; alarm and topic must be beside them


class Uptime(Component):
    """GET /health on the API's host every 30 s from many places; three failures in a row are an outage."""

    def __init__(self, stack: Stack, api_record: pulumi.Resource) -> None:
        super().__init__("uptime")
        self.alarm_name = f"{stack.prefix}-uptime"
        self.path = HEALTH_PATH
        # A resource passes an explicit provider on to its children, and only where it says so.
        self._there = aws.Provider("us-east-1", region=REGION, opts=self.child())
        self.check = aws.route53.HealthCheck(
            "api-health",
            type="HTTPS",
            fqdn=stack.api_host,
            port=443,
            resource_path=HEALTH_PATH,
            enable_sni=True,
            failure_threshold=3,
            request_interval=30,
            tags={"Name": self.alarm_name},
            opts=self.child(provider=self._there, depends_on=[api_record]),
        )
        topic = Topic("uptime-mail", self.alarm_name, stack.settings.alert_email, self._in_its_region()).topic
        self._alarm(topic)
        self.register_outputs({"id": self.check.id})

    def _in_its_region(self) -> pulumi.ResourceOptions:
        return self.child(providers=[self._there])

    def _alarm(self, topic: aws.sns.Topic) -> None:
        aws.cloudwatch.MetricAlarm(
            "uptime-alarm",
            name=self.alarm_name,
            alarm_description="The API does not answer from outside: payments are not taken in, members cannot be read",
            namespace="AWS/Route53",
            metric_name="HealthCheckStatus",
            dimensions={"HealthCheckId": self.check.id},
            statistic="Minimum",
            threshold=1,
            period=60,
            evaluation_periods=1,
            comparison_operator="LessThanThreshold",
            treat_missing_data="breaching",  # a health check that reports nothing watches nothing
            alarm_actions=[topic.arn],
            ok_actions=[topic.arn],
            opts=self.child(provider=self._there),
        )
