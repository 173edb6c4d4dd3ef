"""The events queue as the webhook function sees it. Standard library only."""

from collections.abc import Mapping

from handlers.adapters.aws_json import AwsJson


class EventsQueue:
    """A FIFO queue to send to. Sending the same deduplication id again within five minutes has no effect."""

    def __init__(self, queue_url: str, environ: Mapping[str, str]) -> None:
        self._queue_url = queue_url
        self._sqs = AwsJson("sqs", version="1.0", environ=environ)

    def send(self, body: str, *, group: str, deduplication_id: str) -> None:
        """Return when SQS has the message. Raises VendorError.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
        """
        message = {
            "QueueUrl": self._queue_url,
            "MessageBody": body,
            "MessageGroupId": group,
            "MessageDeduplicationId": deduplication_id,
        }
        self._sqs.call("AmazonSQS.SendMessage", message)

    def close(self) -> None:
        """Close the connection; the next message makes a new one."""
        self._sqs.close()
