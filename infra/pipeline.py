"""The webhook pipeline: which functions there are, what each may do, and what calls it."""

import json

import pulumi
import pulumi_aws as aws

from handlers.settings import DESTINATIONS, HEALTH_PATH, MEMBERS_PATH, WEBHOOK_PATH, DestinationSpec, Env
from infra import permissions
from infra.api import Api, ApiHost, Endpoint
from infra.component import Component
from infra.functions import Function, Plan
from infra.permissions import Statement
from infra.queues import Queues, WorkQueue
from infra.secrets import SIGNING, STRIPE_READ, Secrets
from infra.settings import STRIPE_API, Settings, Stack
from infra.table import Table
from infra.timing import APPLY, MEMBERS, SWEEP, SYNC, WEBHOOK

BATCH_SIZE = 10
SWEEP_RATE = "rate(1 minute)"


class Pipeline(Component):
    """Webhook, apply, members, sweep and a sync for each destination, with the API and the queues that call them."""

    def __init__(self, stack: Stack, host: ApiHost, queues: Queues, table: Table, secrets: Secrets) -> None:
        super().__init__("pipeline")
        self._stack, self._queues, self._table, self._secrets = stack, queues, table, secrets
        self.webhook = Function(stack, self._webhook())
        self.apply = Function(stack, self._apply())
        self.members = Function(stack, self._members())
        self.sweep = Function(stack, self._sweep())
        self.sync = {spec.name: Function(stack, self._sync(spec)) for spec in DESTINATIONS}
        self.api = Api(stack, host, self._endpoints())
        self._feed(self.apply, queues.events, stack.settings.apply_max_concurrency)
        for name, function in self.sync.items():
            self._feed(function, queues.sync[name], stack.settings.sync_max_concurrency)
        self._schedule()
        self.register_outputs({})

    @property
    def functions(self) -> tuple[Function, ...]:
        """All of them, the destinations' last."""
        return (self.webhook, self.apply, self.members, self.sweep, *self.sync.values())

    def _webhook(self) -> Plan:
        signing = self._secrets.stored[SIGNING].arn
        return Plan(
            name="webhook",
            entrypoint="webhook",
            timing=WEBHOOK,
            environment={
                Env.STACK: self._stack.prefix,
                Env.LIVEMODE: _flag(self._stack.settings.livemode),
                Env.EVENTS_QUEUE_URL: self._queues.events.url,
                Env.SIGNING_SECRET_ID: signing,
            },
            statements=[
                Statement("SendEvents", permissions.SEND, [self._queues.events.arn]),
                Statement("ReadSigningSecret", permissions.READ_SECRET, [signing]),
            ],
        )

    def _apply(self) -> Plan:
        return Plan(
            name="apply",
            entrypoint="apply",
            timing=APPLY,
            environment={
                **self._common(),
                **self._stripe(),
                Env.LIVEMODE: _flag(self._stack.settings.livemode),
                Env.SYNC_QUEUE_URLS: self._queues.sync_urls,
            },
            statements=[
                Statement("TakeEvents", permissions.RECEIVE, [self._queues.events.arn]),
                *self._table_statements(),
                self._nudge(),
                self._read_stripe(),
            ],
        )

    def _members(self) -> Plan:
        return Plan(
            name="members",
            entrypoint="members",
            timing=MEMBERS,
            environment=self._common(),
            statements=[Statement("ReadMembers", permissions.READ_ITEMS, [self._table.arn])],
        )

    def _sweep(self) -> Plan:
        return Plan(
            name="sweep",
            entrypoint="sweep",
            timing=SWEEP,
            environment={**self._common(), **self._stripe(), Env.SYNC_QUEUE_URLS: self._queues.sync_urls},
            statements=[
                *self._table_statements(),
                Statement("FindWhatIsDue", permissions.QUERY_INDEX, [self._table.due_index_arn]),
                self._nudge(),
                self._read_stripe(),
            ],
        )

    def _sync(self, spec: DestinationSpec) -> Plan:
        """A destination's function reads its own vendor's key and no other."""
        key = self._secrets.stored[spec.name].arn
        return Plan(
            name=f"sync-{spec.name}",
            entrypoint="sync",
            timing=SYNC,
            destination=spec.name,
            environment={
                **self._common(),
                Env.DESTINATION: spec.name,
                Env.DESTINATION_SECRET_ID: key,
                Env.DESTINATION_OPTIONS: destination_options(self._stack.settings, spec.name),
            },
            statements=[
                Statement("TakeNudges", permissions.RECEIVE, [self._queues.sync[spec.name].arn]),
                *self._table_statements(),
                Statement("ReadVendorKey", permissions.READ_SECRET, [key]),
            ],
        )

    def _common(self) -> dict[str, pulumi.Input[str]]:
        return {
            Env.STACK: self._stack.prefix,
            Env.TABLE_NAME: self._table.name,
            Env.POLICY: membership_policy(self._stack.settings),
        }

    def _stripe(self) -> dict[str, pulumi.Input[str]]:
        base = self._stack.settings.stripe_api_base
        elsewhere = {} if base == STRIPE_API else {Env.STRIPE_API_BASE: base}
        return {Env.STRIPE_SECRET_ID: self._secrets.stored[STRIPE_READ].arn, **elsewhere}

    def _table_statements(self) -> list[Statement]:
        return [
            Statement("ReadItems", permissions.READ_ITEMS, [self._table.arn]),
            Statement("WriteItems", permissions.WRITE_ITEMS, [self._table.arn]),
        ]

    def _nudge(self) -> Statement:
        return Statement("NudgeDestinations", permissions.SEND, [queue.arn for queue in self._queues.sync.values()])

    def _read_stripe(self) -> Statement:
        return Statement("ReadStripeKey", permissions.READ_SECRET, [self._secrets.stored[STRIPE_READ].arn])

    def _endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("webhook", "POST", WEBHOOK_PATH, self.webhook),
            Endpoint("health", "GET", HEALTH_PATH, self.webhook),
            Endpoint("members", "GET", f"{MEMBERS_PATH}/{{user_id}}", self.members, iam=True),
        ]

    def _feed(self, function: Function, queue: WorkQueue, maximum_concurrency: int) -> None:
        """Lambda takes batches from the queue; what a batch could not finish comes back, and only that."""
        aws.lambda_.EventSourceMapping(
            f"{function.plan.name}-feed",
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


def membership_policy(settings: Settings) -> str:
    """The policy that the functions compute membership by, as handlers.core.policy reads it."""
    policy = settings.policy
    return json.dumps(
        {
            "products": [{"price": product.price, "level": product.level} for product in settings.products],
            "grace_days": policy.grace_days,
            "refund_full": policy.refund_full,
            "refund_partial": policy.refund_partial,
            "cancel": policy.cancel,
            "user_id_key": settings.user_id_metadata_key,
        }
    )


def destination_options(settings: Settings, name: str) -> str:
    """The stack's settings for one destination, JSON with the keys that the destination's file documents."""
    return json.dumps(getattr(settings.destinations, name).model_dump(mode="json"))


def _flag(value: bool) -> str:
    return "true" if value else "false"
