"""The webhook pipeline: the functions, and what calls them: routes, queues and the clock."""

import pulumi_aws as aws

from handlers.settings import CLAIMS_PATH, DESTINATIONS, HEALTH_PATH, MEMBERS_PATH, WEBHOOK_PATH
from infra import permissions
from infra.api import Api, ApiHost, Endpoint
from infra.component import Component
from infra.duties import Duties
from infra.event_bus import EventBus
from infra.functions import Function
from infra.permissions import Statement
from infra.queues import Queues, WorkQueue
from infra.secrets import Secrets
from infra.settings import Stack
from infra.table import Table

BATCH_SIZE = 10
SWEEP_RATE = "rate(1 minute)"


class Pipeline(Component):
    """Webhook, apply, members, claims, sweep and a sync for each destination, with the API and the queues that call
    them; the bridge where Stripe's events come through EventBridge too.
    """

    def __init__(self, stack: Stack, host: ApiHost, queues: Queues, table: Table, secrets: Secrets) -> None:
        super().__init__("pipeline")
        self._stack = stack
        self._queues = queues
        duties = Duties(stack, queues, table, secrets)
        self.webhook = Function(stack, duties.webhook())
        self.apply = Function(stack, duties.apply())
        self.members = Function(stack, duties.members())
        self.claims = Function(stack, duties.claims())
        self.sweep = Function(stack, duties.sweep())
        self.sync = {spec.name: Function(stack, duties.sync(spec)) for spec in DESTINATIONS}
        self.api = Api(stack, host, self._endpoints())
        self._feed(self.apply, queues.events, stack.settings.apply_max_concurrency)
        for name, function in self.sync.items():
            self._feed(function, queues.sync[name], stack.settings.sync_max_concurrency)
        self.bridge = self._bridge(duties)
        self._schedule()
        self.register_outputs({})

    @property
    def functions(self) -> tuple[Function, ...]:
        """All of them, the destinations' and the bridge last."""
        always = (self.webhook, self.apply, self.members, self.claims, self.sweep, *self.sync.values())
        return (*always, self.bridge) if self.bridge else always

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
        self._feed(bridge, queue, self._stack.settings.apply_max_concurrency)
        EventBus(self._stack, source, queue)
        return bridge

    def _feed(self, function: Function, queue: WorkQueue, maximum_concurrency: int) -> None:
        """Lambda takes batches from the queue; what a batch could not finish comes back, and only that."""
        aws.lambda_.EventSourceMapping(
            f"{function.duty.name}-feed",
            event_source_arn=queue.arn,
            function_name=function.name,
            batch_size=BATCH_SIZE,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=maximum_concurrency),
            opts=self.child(depends_on=[function.function]),
        )

    def _schedule(self) -> None:
        name = f"{self._stack.prefix}-sweep-schedule"
        role = aws.iam.Role(
            "sweep-schedule-role",
            name=name,
            description="Lets the scheduler call the sweep and nothing else",
            assume_role_policy=permissions.trust("scheduler.amazonaws.com"),
            opts=self.child(),
        )
        allowed = aws.iam.RolePolicy(
            "sweep-schedule-policy",
            name=name,
            role=role.name,
            policy=permissions.policy([Statement("CallSweep", permissions.INVOKE, [self.sweep.arn])]),
            opts=self.child(),
        )
        aws.scheduler.Schedule(
            "sweep-schedule",
            name=f"{self._stack.prefix}-sweep",
            schedule_expression=SWEEP_RATE,
            flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=aws.scheduler.ScheduleTargetArgs(
                arn=self.sweep.arn,
                role_arn=role.arn,
                # The next minute brings the next run; late repeats would only pile up.
                retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(maximum_retry_attempts=0),
            ),
            opts=self.child(depends_on=[allowed]),
        )
