"""The webhook pipeline: the functions, and what calls them: routes, queues and the clock."""

import pulumi
import pulumi_aws as aws

from handlers.settings import CLAIMS_PATH, DESTINATIONS, HEALTH_PATH, MEMBERS_PATH, WEBHOOK_PATH
from infra import permissions
from infra.api import Api, ApiHost, Endpoint
from infra.component import Component
from infra.duties import Duties
from infra.event_bus import EventBus
from infra.functions import Function
from infra.permissions import Statement
from infra.queues import Queues
from infra.secrets import Secrets
from infra.settings import Stack
from infra.table import Table
from infra.timing import DEAD_LETTER_CONCURRENCY

BATCH_SIZE = 10
SWEEP_RATE = "rate(1 minute)"


class Pipeline(Component):
    """Webhook, apply, members, claims, sweep, reconcile, undelivered and a sync for each destination, with the API, the
    queues and the clock that call them; the bridge where Stripe's events come through EventBridge too.
    """

    def __init__(self, stack: Stack, host: ApiHost, queues: Queues, table: Table, secrets: Secrets) -> None:
        super().__init__("pipeline")
        self._stack = stack
        self._queues = queues
        duties = Duties(stack, host, queues, table, secrets)
        self.webhook = Function(stack, duties.webhook())
        self.apply = Function(stack, duties.apply())
        self.members = Function(stack, duties.members())
        self.claims = Function(stack, duties.claims())
        self.sweep = Function(stack, duties.sweep())
        self.reconcile = Function(stack, duties.reconcile())
        self.undelivered = Function(stack, duties.undelivered())
        self.sync = {spec.name: Function(stack, duties.sync(spec)) for spec in DESTINATIONS}
        self.api = Api(stack, host, self._endpoints())
        self._feed_each()
        self.bridge = self._bridge(duties)
        self._schedule(self.sweep, SWEEP_RATE)
        self._schedule(self.reconcile, hourly(stack.settings.reconcile_hours))
        self.register_outputs({})

    @property
    def functions(self) -> tuple[Function, ...]:
        """All of them, the destinations' and the bridge last."""
        always = (self.webhook, self.apply, self.members, self.claims, self.sweep, self.reconcile, self.undelivered)
        return (*always, *self.sync.values(), *([self.bridge] if self.bridge else []))

    @property
    def on_their_own(self) -> tuple[Function, ...]:
        """Those whose failure leaves nothing in a queue of work that would tell of it."""
        return (self.webhook, self.members, self.claims, self.sweep, self.reconcile, self.undelivered)

    def _endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("webhook", "POST", WEBHOOK_PATH, self.webhook),
            Endpoint("health", "GET", HEALTH_PATH, self.webhook),
            Endpoint("members", "GET", f"{MEMBERS_PATH}/{{user_id}}", self.members, iam=True),
            Endpoint("claims", "POST", CLAIMS_PATH, self.claims, iam=True),
        ]

    def _bridge(self, duties: Duties) -> Function | None:
        source, queue = self._stack.settings.event_bridge.source, self._queues.bridge
        if source is None or queue is None:
            return None
        bridge = Function(self._stack, duties.bridge(source, queue))
        self._feed(bridge, bridge.duty.name, queue.arn, self._stack.settings.apply_max_concurrency)
        EventBus(self._stack, source, queue)
        return bridge

    def _feed_each(self) -> None:
        """Work goes to who does it, and what they give up to undelivered."""
        settings = self._stack.settings
        events = self._queues.events
        self._feed(self.apply, self.apply.duty.name, events.arn, settings.apply_max_concurrency)
        for name, function in self.sync.items():
            self._feed(function, function.duty.name, self._queues.sync[name].arn, settings.sync_max_concurrency)
        for queue in self._queues.ours:
            name = f"{self.undelivered.duty.name}-{queue.label}"
            self._feed(self.undelivered, name, queue.dead.arn, DEAD_LETTER_CONCURRENCY)

    def _feed(self, function: Function, name: str, queue: pulumi.Output[str], maximum_concurrency: int) -> None:
        """Lambda takes batches from the queue; what a batch could not finish comes back, and only that."""
        aws.lambda_.EventSourceMapping(
            f"{name}-feed",
            event_source_arn=queue,
            function_name=function.name,
            batch_size=BATCH_SIZE,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=maximum_concurrency),
            opts=self.child(depends_on=[function.function]),
        )

    def _schedule(self, function: Function, rate: str) -> None:
        """The clock calls the function; AWS takes its first call at once."""
        name = function.duty.name
        physical = f"{function.name}-schedule"
        role = aws.iam.Role(
            f"{name}-schedule-role",
            name=physical,
            description=f"Lets the scheduler call {function.name} and nothing else",
            assume_role_policy=permissions.trust("scheduler.amazonaws.com"),
            opts=self.child(),
        )
        allowed = aws.iam.RolePolicy(
            f"{name}-schedule-policy",
            name=physical,
            role=role.name,
            policy=permissions.policy([Statement(f"Call{name.capitalize()}", permissions.INVOKE, [function.arn])]),
            opts=self.child(),
        )
        aws.scheduler.Schedule(
            f"{name}-schedule",
            name=function.name,
            schedule_expression=rate,
            flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=aws.scheduler.ScheduleTargetArgs(
                arn=function.arn,
                role_arn=role.arn,
                # The next run takes up what this one missed; late repeats would only pile up.
                retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(maximum_retry_attempts=0),
            ),
            opts=self.child(depends_on=[allowed]),
        )


def hourly(hours: int) -> str:
    """A rate as EventBridge Scheduler wants it, which tells one from many."""
    return "rate(1 hour)" if hours == 1 else f"rate({hours} hours)"
