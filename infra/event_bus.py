"""Stripe's events through EventBridge: the partner's bus, a rule for the events that we read, and its queue.

See docs/adr/0006-event-bus.md for why the rule leads to a queue and not to the function.
"""

import json

import pulumi_aws as aws

from handlers.settings import STRIPE_EVENTS
from infra import permissions
from infra.component import Component
from infra.queues import WorkQueue
from infra.settings import Stack

# How long EventBridge goes on while the queue does not take an event: the most that it offers, and its default.
RETRY_SECONDS = 86400
RETRIES = 185


class EventBus(Component):
    """The bus of Stripe's partner event source, whose name it must bear, and the one rule that leads to `queue`."""

    def __init__(self, stack: Stack, source: str, queue: WorkQueue) -> None:
        super().__init__("event-bus")
        self._queue = queue
        self.bus = aws.cloudwatch.EventBus("stripe-event-bus", name=source, event_source_name=source, opts=self.child())
        self.rule = aws.cloudwatch.EventRule(
            "stripe-events-rule",
            name=f"{stack.prefix}-stripe-events",
            description="The events that membership is made of, on their way to the bridge",
            event_bus_name=self.bus.name,
            event_pattern=json.dumps({"source": [source], "detail-type": sorted(STRIPE_EVENTS)}),
            opts=self.child(),
        )
        allowed = [
            self._policy("bridge-queue-policy", queue.queue, "TakeEvents"),
            self._policy("bridge-dlq-policy", queue.dead, "KeepWhatWasNotTaken"),
        ]
        self._target(allowed)
        self.register_outputs({"arn": self.bus.arn})

    def _policy(self, name: str, queue: aws.sqs.Queue, sid: str) -> aws.sqs.QueuePolicy:
        """This rule alone may send to the queue."""
        return aws.sqs.QueuePolicy(
            name,
            queue_url=queue.id,
            policy=permissions.service_policy(
                sid, "events.amazonaws.com", permissions.SEND, queue.arn, source=self.rule.arn
            ),
            opts=self.child(),
        )

    def _target(self, allowed: list[aws.sqs.QueuePolicy]) -> None:
        aws.cloudwatch.EventTarget(
            "stripe-events-target",
            rule=self.rule.name,
            event_bus_name=self.bus.name,
            target_id="bridge",
            arn=self._queue.arn,
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=RETRY_SECONDS, maximum_retry_attempts=RETRIES
            ),
            dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(arn=self._queue.dead.arn),
            opts=self.child(depends_on=allowed),
        )
