"""IAM policy documents, as Python: what each role may do, to which ARN, and nothing else."""

import json
from collections.abc import Iterable, Sequence

import pulumi

VERSION = "2012-10-17"

RECEIVE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")  # what an event-source mapping needs
SEND = ("sqs:SendMessage",)
READ_SECRET = ("secretsmanager:GetSecretValue",)
WRITE_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
INVOKE = ("lambda:InvokeFunction",)
# A transaction is allowed by the actions that it is made of.
PUT, UPDATE, DELETE = "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"
READ_ITEM = ("dynamodb:GetItem",)
READ_ITEMS = ("dynamodb:BatchGetItem",)
QUERY_INDEX = ("dynamodb:Query",)
SCAN = ("dynamodb:Scan",)


class Statement:
    """Allow `actions` on `resources`; `sid` says what for, in letters and digits."""

    def __init__(self, sid: str, actions: Sequence[str], resources: Iterable[pulumi.Input[str]]) -> None:
        self.sid = sid
        self.actions = tuple(actions)
        self.resources = tuple(resources)

    def document(self) -> dict[str, pulumi.Input[object]]:
        """The statement as IAM reads it."""
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }


def policy(statements: Iterable[Statement]) -> pulumi.Output[str]:
    """The policy as JSON text, with the ARNs filled in when they are known."""
    return pulumi.Output.json_dumps(
        {"Version": VERSION, "Statement": [statement.document() for statement in statements]}
    )


def service_policy(
    sid: str, service: str, actions: Sequence[str], resource: pulumi.Input[str], *, source: pulumi.Input[str]
) -> pulumi.Output[str]:
    """A resource's own policy: an AWS service may do `actions` with it on behalf of `source`, an ARN, alone."""
    statement = {
        **Statement(sid, actions, [resource]).document(),
        "Principal": {"Service": service},
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": [statement]})


def trust(service: str) -> str:
    """Who may take the role on: one AWS service."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": VERSION, "Statement": [statement]})
