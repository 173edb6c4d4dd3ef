"""The one table: members, facts, ledger, deliveries."""

import pulumi
import pulumi_aws as aws

from handlers.settings import DUE_INDEX
from infra.component import Component
from infra.settings import Stack


class Table(Component):
    """DynamoDB on demand, with point-in-time recovery and, where the stack is protected, no way to delete it.

    Keys are `pk` and `sk`. The index over what is due is sparse: only items with `due_shard` and `due_at` are in it.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__("table")
        protect = stack.settings.protect
        self.name = stack.prefix
        self.table = aws.dynamodb.Table(
            "members-table",
            name=self.name,
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[
                aws.dynamodb.TableAttributeArgs(name=name, type=kind)
                for name, kind in (("pk", "S"), ("sk", "S"), ("due_shard", "S"), ("due_at", "N"))
            ],
            global_secondary_indexes=[
                aws.dynamodb.TableGlobalSecondaryIndexArgs(
                    name=DUE_INDEX,
                    key_schemas=[
                        aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name=name, key_type=kind)
                        for name, kind in (("due_shard", "HASH"), ("due_at", "RANGE"))
                    ],
                    projection_type="ALL",
                )
            ],
            ttl=aws.dynamodb.TableTtlArgs(attribute_name="expires_at", enabled=True),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            deletion_protection_enabled=protect,
            opts=self.child(protect=protect),
        )
        self.register_outputs({"arn": self.arn})

    @property
    def arn(self) -> pulumi.Output[str]:
        """The table's ARN."""
        return self.table.arn

    @property
    def due_index_arn(self) -> pulumi.Output[str]:
        """The ARN of the index over what is due."""
        return pulumi.Output.concat(self.table.arn, "/index/", DUE_INDEX)
