"""A Lambda function with its role, its log group and its bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_aws as aws

from infra import bundle, permissions
from infra.component import Component
from infra.permissions import Statement
from infra.settings import Stack
from infra.timing import Timing

PROJECT_ROOT = Path(__file__).resolve().parent.parent
MEMORY_MB = 256  # a share of a processor that keeps the start-up of standard-library code under 100 ms


@dataclass(frozen=True, kw_only=True)
class Duty:
    """What a function is for: `entrypoint` is a module of handlers.entrypoints; `environment` holds no secret."""

    name: str  # "sync-kit"
    entrypoint: str  # "sync"
    timing: Timing
    environment: Mapping[str, pulumi.Input[str]]
    statements: Sequence[Statement]
    destination: str | None = None
    depends_on: Sequence[pulumi.Resource] = field(default_factory=tuple)


class Function(Component):
    """One function. Its role may write to its own log group and do what the duty's statements say."""

    def __init__(self, stack: Stack, duty: Duty) -> None:
        super().__init__(duty.name)
        self.duty = duty
        self.name = f"{stack.prefix}-{duty.name}"
        self.log_group_name = f"/aws/lambda/{self.name}"
        self.logs = aws.cloudwatch.LogGroup(
            f"{duty.name}-logs",
            name=self.log_group_name,
            retention_in_days=stack.settings.log_retention_days,
            opts=self.child(),
        )
        self.role = aws.iam.Role(
            f"{duty.name}-role",
            name=self.name,
            description=f"What the function {self.name} may do",
            assume_role_policy=permissions.trust("lambda.amazonaws.com"),
            opts=self.child(),
        )
        allowed = self._policy()
        self.function = self._function(stack, allowed)
        self.register_outputs({"arn": self.arn})

    @property
    def arn(self) -> pulumi.Output[str]:
        """The function's ARN."""
        return self.function.arn

    def _policy(self) -> aws.iam.RolePolicy:
        # A log stream's name is made by Lambda when an instance starts: there is no ARN before.
        streams = pulumi.Output.concat(self.logs.arn, ":*")
        logs = Statement("WriteOwnLogs", permissions.WRITE_LOGS, [streams])
        return aws.iam.RolePolicy(
            f"{self.duty.name}-policy",
            name=self.name,
            role=self.role.name,
            policy=permissions.policy([logs, *self.duty.statements]),
            opts=self.child(),
        )

    def _function(self, stack: Stack, allowed: aws.iam.RolePolicy) -> aws.lambda_.Function:
        entrypoint = f"handlers.entrypoints.{self.duty.entrypoint}"
        settings = stack.settings
        archive = bundle.build(PROJECT_ROOT, entrypoint, self.duty.entrypoint, runtime=settings.lambda_runtime)
        return aws.lambda_.Function(
            f"{self.duty.name}-function",
            name=self.name,
            role=self.role.arn,
            runtime=settings.lambda_runtime,
            architectures=["arm64"],  # bytecode runs on either; this one costs a fifth less
            handler=f"{entrypoint}.handler",
            code=pulumi.FileArchive(archive.as_posix()),
            timeout=self.duty.timing.timeout_seconds,
            memory_size=MEMORY_MB,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=dict(self.duty.environment)),
            # Off unless asked for: a new AWS account may allow ten executions in all.
            reserved_concurrent_executions=settings.reserved_concurrency.get(self.duty.name),
            # A function that runs before its log group exists makes one that keeps logs for ever.
            opts=self.child(depends_on=[self.logs, allowed, *self.duty.depends_on]),
        )
