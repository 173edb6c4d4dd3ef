"""Queues, each with the dead-letter queue that takes what nobody could work off."""

import json

import pulumi
import pulumi_aws as aws

from handlers.settings import DESTINATIONS
from infra.component import Component
from infra.settings import Stack
from infra.timing import APPLY, BRIDGE, SYNC, UNDELIVERED, Timing

MAX_RECEIVE_COUNT = 5  # throttles and crashes before our code count as receives too
DAY = 86400  # seconds
KEEP = 4 * DAY
KEEP_DEAD = 14 * DAY  # the most that SQS keeps: a long weekend and a holiday pass before anything is lost


class WorkQueue(Component):
    """A queue called `name` and its dead-letter queue. With `fifo` both are FIFO and their names end in .fifo."""

    def __init__(self, name: str, physical: str, timing: Timing, *, fifo: bool, parent: pulumi.Resource) -> None:
        super().__init__(name, pulumi.ResourceOptions(parent=parent))
        suffix = ".fifo" if fifo else ""
        self._fifo = fifo
        self.label = name
        self.name = physical + suffix
        self.dead_name = f"{physical}-dlq{suffix}"
        self.visibility_seconds = timing.visibility_seconds
        self.dead_visibility_seconds = UNDELIVERED.visibility_seconds
        self.dead = self._queue(
            f"{name}-dlq", self.dead_name, keep_seconds=KEEP_DEAD, visibility_seconds=self.dead_visibility_seconds
        )
        self.queue = self._queue(
            f"{name}-queue",
            self.name,
            keep_seconds=KEEP,
            visibility_seconds=self.visibility_seconds,
            redrive=self.dead.arn.apply(_redrive),
        )
        self.register_outputs({"url": self.queue.id})

    @property
    def url(self) -> pulumi.Output[str]:
        """Where messages are sent: SQS uses the URL as the queue's id."""
        return self.queue.id

    @property
    def arn(self) -> pulumi.Output[str]:
        """The queue's ARN."""
        return self.queue.arn

    def _queue(
        self,
        resource: str,
        physical: str,
        *,
        keep_seconds: int,
        visibility_seconds: int,
        redrive: pulumi.Output[str] | None = None,
    ) -> aws.sqs.Queue:
        """FIFO queues have groups that are independent of one another, and ids that the sender chooses."""
        fifo = self._fifo
        return aws.sqs.Queue(
            resource,
            name=physical,
            message_retention_seconds=keep_seconds,
            visibility_timeout_seconds=visibility_seconds,
            redrive_policy=redrive,
            sqs_managed_sse_enabled=True,
            fifo_queue=True if fifo else None,
            content_based_deduplication=False if fifo else None,
            deduplication_scope="messageGroup" if fifo else None,
            fifo_throughput_limit="perMessageGroupId" if fifo else None,
            opts=self.child(),
        )


class Queues(Component):
    """The events queue, one sync queue for each destination, and what EventBridge brings where it brings anything.

    Events are FIFO by customer, so that conflicts are rare; a sync message is only a nudge and needs no order, and
    EventBridge keeps none.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__("queues")
        self.events = WorkQueue("events", f"{stack.prefix}-events", APPLY, fifo=True, parent=self)
        self.sync = {
            spec.name: WorkQueue(f"sync-{spec.name}", f"{stack.prefix}-sync-{spec.name}", SYNC, fifo=False, parent=self)
            for spec in DESTINATIONS
        }
        self.bridge = self._bridge(stack) if stack.settings.event_bridge.source else None
        self.register_outputs({})

    @property
    def all(self) -> tuple[WorkQueue, ...]:
        """Events first, then the destinations in their order, the bridge's last."""
        return (*self.ours, *([self.bridge] if self.bridge else []))

    @property
    def ours(self) -> tuple[WorkQueue, ...]:
        """Those that hold messages of our own: events as the webhook or the bridge enqueued them, and nudges."""
        return (self.events, *self.sync.values())

    @property
    def sync_urls(self) -> pulumi.Output[str]:
        """JSON {destination: queue URL}."""
        return pulumi.Output.json_dumps({name: queue.url for name, queue in self.sync.items()})

    def _bridge(self, stack: Stack) -> WorkQueue:
        return WorkQueue("bridge", f"{stack.prefix}-bridge", BRIDGE, fifo=False, parent=self)


def _redrive(dead_letter_arn: str) -> str:
    return json.dumps({"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": MAX_RECEIVE_COUNT})
