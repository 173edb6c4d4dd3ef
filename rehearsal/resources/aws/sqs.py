"""SQS queues and their policies."""

import json
from collections.abc import Mapping
from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target

# input -> attribute of CreateQueue, which takes text only
_ATTRIBUTES: Mapping[str, str] = {
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "maxMessageSize": "MaximumMessageSize",
    "delaySeconds": "DelaySeconds",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redrivePolicy": "RedrivePolicy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "policy": "Policy",
    "fifoQueue": "FifoQueue",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
}


class Queue(CreateOnly):
    """aws:sqs/queue:Queue; its id is the queue's URL."""

    type = "aws:sqs/queue:Queue"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        name = inputs.get("name") or declared.name
        _refuse_bad_name(declared, name)
        _refuse_bad_redrive(declared, target)
        attributes = {_ATTRIBUTES[key]: _text(value) for key, value in inputs.items() if key in _ATTRIBUTES}
        if attributes.get("FifoQueue") == "false":  # AWS takes the attribute only where it is true
            del attributes["FifoQueue"]
        sqs = target.client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=attributes, tags=dict(inputs.get("tags") or {}))["QueueUrl"]
        return Created(url, self._outputs(url, name, target))

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        sqs = target.client("sqs")
        try:
            return self._outputs(id_, id_.rsplit("/", 1)[-1], target)
        except sqs.exceptions.QueueDoesNotExist:
            return None

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler."""
        sqs = target.client("sqs")
        try:
            sqs.delete_queue(QueueUrl=id_)
        except sqs.exceptions.QueueDoesNotExist:
            return

    def _outputs(self, url: str, name: str, target: Target) -> dict[str, Any]:
        found = target.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return {
            "url": url,
            "name": name,
            "arn": found["QueueArn"],
            "fifoQueue": found.get("FifoQueue") == "true",
            "visibilityTimeoutSeconds": int(found["VisibilityTimeout"]),
            "messageRetentionSeconds": int(found["MessageRetentionPeriod"]),
        }


class QueuePolicy(CreateOnly):
    """aws:sqs/queuePolicy:QueuePolicy; its id is the queue's URL."""

    type = "aws:sqs/queuePolicy:QueuePolicy"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        url = declared.inputs["queueUrl"]
        target.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": _text(declared.inputs["policy"])})
        return Created(url, {"queueUrl": url})

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler."""
        target.client("sqs").set_queue_attributes(QueueUrl=id_, Attributes={"Policy": ""})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def _refuse_bad_name(declared: Declared, name: str) -> None:
    if bool(declared.inputs.get("fifoQueue")) != name.endswith(".fifo"):
        raise RefusedError(f"{declared}: the name of a FIFO queue, and of no other, ends in .fifo; got {name!r}")
    if len(name) > 80:
        raise RefusedError(f"{declared}: a queue's name has at most 80 characters, got {len(name)}: {name!r}")


def _refuse_bad_redrive(declared: Declared, target: Target) -> None:
    """AWS wants the dead-letter queue to exist, in the same account, and to be FIFO where the queue is."""
    if not declared.inputs.get("redrivePolicy"):
        return
    policy = json.loads(_text(declared.inputs["redrivePolicy"]))
    name = policy["deadLetterTargetArn"].rsplit(":", 1)[-1]
    sqs = target.client("sqs")
    try:
        sqs.get_queue_url(QueueName=name)
    except sqs.exceptions.QueueDoesNotExist:
        raise RefusedError(f"{declared}: its dead-letter queue {name} does not exist") from None
    if name.endswith(".fifo") != bool(declared.inputs.get("fifoQueue")):
        raise RefusedError(f"{declared}: the dead-letter queue of a FIFO queue must be FIFO, and of a standard one not")
    if not 1 <= int(policy["maxReceiveCount"]) <= 1000:
        raise RefusedError(f"{declared}: maxReceiveCount must be 1 to 1000, got {policy['maxReceiveCount']}")


HANDLERS = (Queue(), QueuePolicy())
