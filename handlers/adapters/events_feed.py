"""The events queue as those see it who send many messages: batches of what fits into one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handlers.adapters.aws import AwsError, Sqs
from handlers.core.envelope import MAX_BYTES

BATCH = 10  # messages, and MAX_BYTES together: SendMessageBatch


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of a FIFO queue; the same `deduplication_id` again within five minutes has no effect."""

    body: str
    group: str
    deduplication_id: str


class EventsFeed:
    """The events queue at `queue_url`."""

    def __init__(self, client: Sqs, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, messages: Iterable[Message]) -> None:
        """Return when SQS has all `messages`. Raises AwsError where it lacks one; those before may have been taken."""
        for batch in _batches(messages):
            entries = [
                {
                    "Id": str(place),
                    "MessageBody": message.body,
                    "MessageGroupId": message.group,
                    "MessageDeduplicationId": message.deduplication_id,
                }
                for place, message in enumerate(batch)
            ]
            failed = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries).get("Failed", [])
            if failed:
                code = failed[0].get("Code", "")
                raise AwsError(f"the events queue refused {len(failed)} of {len(batch)} messages: {code}", code=code)


def _batches(messages: Iterable[Message]) -> Iterator[list[Message]]:
    batch: list[Message] = []
    size = 0
    for message in messages:
        length = len(message.body.encode())
        if batch and (len(batch) == BATCH or size + length > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += length
    if batch:
        yield batch
