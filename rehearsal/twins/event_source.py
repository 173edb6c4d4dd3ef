"""Brings SQS messages to functions as Lambda's event-source mappings do.

ministack has its own poller, but that one runs a FIFO queue's batches one after another, so that no two workers ever
meet, and deletes a batch that was answered with an unknown message id. This one follows the Lambda Developer Guide
("Using Lambda with Amazon SQS", "Handling errors for an SQS event source"):

- several batches at a time, up to the mapping's maximum concurrency; SQS keeps a message group in order by holding
  the group back while one of its messages is in flight, and groups that were received together part here;
- the poller acts with the function's role, so each of its permissions is needed;
- messages are deleted only after the function succeeded; all others appear again after the visibility timeout.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.twins.aws import AwsTwin

LAMBDA_SERVICE = "lambda.amazonaws.com"
# Lambda starts with five batches at a time and adds more under load; a rehearsal's load never asks for more.
_POLLERS = 5
_WAIT_SECONDS = 1
_BACK_OFF_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class QueueMapping:
    """One event-source mapping of an SQS queue."""

    function: str
    role_arn: str
    queue_url: str
    queue_arn: str
    batch_size: int
    maximum_concurrency: int
    reports_failures: bool
    region: str


class EventSources:
    """The running mappings of one rehearsal.

    `redelivery_seconds` shortens the wait for a failed message, which on AWS lasts the queue's whole visibility
    timeout; None leaves it.
    """

    def __init__(self, aws: AwsTwin, log: Callable[[str], None], *, redelivery_seconds: int | None = None) -> None:
        self.redelivery_seconds = redelivery_seconds
        self._aws = aws
        self._log = log
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._workers: list[ThreadPoolExecutor] = []

    def add(self, mapping: QueueMapping) -> None:
        """Start to poll for a mapping."""
        workers = ThreadPoolExecutor(mapping.maximum_concurrency, f"deliver-{mapping.function}")
        self._workers.append(workers)
        for number in range(min(mapping.maximum_concurrency, _POLLERS)):
            name = f"event-source-{mapping.function}-{number}"
            thread = threading.Thread(target=self._run, args=(mapping, workers), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Poll no more; batches in flight end first, or with the AWS twin."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=_WAIT_SECONDS + 1)
        self._threads.clear()
        for workers in self._workers:
            workers.shutdown(wait=False)
        self._workers.clear()

    def _run(self, mapping: QueueMapping, workers: ThreadPoolExecutor) -> None:
        sqs = self._aws.client_of_role("sqs", mapping.role_arn, LAMBDA_SERVICE, region=mapping.region)
        if sqs is None:
            return self._log(f"{mapping.function}: Lambda may not assume {mapping.role_arn}; its queue is not polled")
        while not self._stopping.is_set():
            self._poll(mapping, sqs, workers)
        return None

    def _poll(self, mapping: QueueMapping, sqs: Any, workers: ThreadPoolExecutor) -> None:
        try:
            batches = _by_group(_receive(sqs, mapping))
            if self._stopping.is_set():
                return  # what was received appears again after its visibility timeout
            for delivery in [workers.submit(self._deliver, mapping, sqs, batch) for batch in batches]:
                delivery.result()
        except (ClientError, BotoCoreError) as error:
            if not self._stopping.is_set():
                self._log(f"{mapping.function}: event source {mapping.queue_arn}: {error}")
                self._stopping.wait(_BACK_OFF_SECONDS)

    def _deliver(self, mapping: QueueMapping, sqs: Any, messages: Sequence[Mapping[str, Any]]) -> None:
        failed = self._invoke(mapping, messages)
        again = [message for message in messages if message["MessageId"] in failed]
        done = [message for message in messages if message["MessageId"] not in failed]
        try:
            if done:
                sqs.delete_message_batch(QueueUrl=mapping.queue_url, Entries=_entries(done))
        except (ClientError, BotoCoreError):
            again += done  # SQS still has them, and will deliver them once more
            raise
        finally:
            self._hurry(mapping, again)

    def _hurry(self, mapping: QueueMapping, messages: Sequence[Mapping[str, Any]]) -> None:
        """Let messages appear again sooner: the rehearsal's own doing, for which the role needs no permission."""
        if messages and self.redelivery_seconds is not None and not self._stopping.is_set():
            own = self._aws.client("sqs", region=mapping.region)
            entries = _entries(messages, VisibilityTimeout=self.redelivery_seconds)
            own.change_message_visibility_batch(QueueUrl=mapping.queue_url, Entries=entries)

    def _invoke(self, mapping: QueueMapping, messages: Sequence[Mapping[str, Any]]) -> frozenset[str]:
        """The ids of the messages that the function did not take care of."""
        event = {"Records": [_record(message, mapping) for message in messages]}
        everything = frozenset(message["MessageId"] for message in messages)
        try:
            answer = self._aws.client("lambda", region=mapping.region).invoke(
                FunctionName=mapping.function, Payload=json.dumps(event)
            )
        except (ClientError, BotoCoreError) as error:
            if not self._stopping.is_set():
                self._log(f"{mapping.function}: could not be invoked: {error}")
            return everything
        payload = answer["Payload"].read()
        if answer.get("FunctionError"):
            self._log(f"{mapping.function}: a run failed: {payload.decode(errors='replace')[:300]}")
            return everything
        return failed_messages(payload, everything) if mapping.reports_failures else frozenset()


def failed_messages(payload: bytes, batch: frozenset[str]) -> frozenset[str]:
    """The messages of `batch` that a function with ReportBatchItemFailures says it failed.

    All of them when the answer is not JSON, has another shape, or names an unknown, empty or null message id; none
    when it is null, an empty object, or its list is empty or null (Lambda Developer Guide, "Success and failure
    conditions").
    """
    try:
        answer = json.loads(payload or b"null")
    except ValueError:
        return batch
    if answer is None:
        return frozenset()
    if not isinstance(answer, dict):
        return batch
    failures = answer.get("batchItemFailures")
    if failures is None:
        return frozenset()
    if not isinstance(failures, list):
        return batch
    named = [failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures]
    return frozenset(filter(None, named)) if batch.issuperset(named) else batch


def _receive(sqs: Any, mapping: QueueMapping) -> list[dict[str, Any]]:
    answer = sqs.receive_message(
        QueueUrl=mapping.queue_url,
        MaxNumberOfMessages=min(mapping.batch_size, 10),
        WaitTimeSeconds=_WAIT_SECONDS,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return answer.get("Messages", [])


def _by_group(messages: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """One batch for each message group; all messages of a standard queue are one."""
    batches: dict[str, list[Mapping[str, Any]]] = {}
    for message in messages:
        batches.setdefault(message["Attributes"].get("MessageGroupId", ""), []).append(message)
    return list(batches.values())


def _record(message: Mapping[str, Any], mapping: QueueMapping) -> dict[str, Any]:
    """A message in the shape that functions get it ("Example Amazon SQS message event")."""
    attributes = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: {key[0].lower() + key[1:]: value for key, value in attribute.items()}
            for name, attribute in attributes.items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.queue_arn,
        "awsRegion": mapping.region,
    }


def _entries(messages: Sequence[Mapping[str, Any]], **more: Any) -> list[dict[str, Any]]:
    return [
        {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"], **more} for index, message in enumerate(messages)
    ]
