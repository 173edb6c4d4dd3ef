"""The webhook function as it is usually written, on `stripe` and `boto3`: what ours is measured against."""

import json
import os
from functools import cache
from typing import Any

import boto3
import stripe


class UsualWebhook:
    """Verify with `construct_event`, send, answer."""

    def __init__(self, *, send: Any, secret: str) -> None:
        self._send = send
        self._secret = secret

    def receive(self, request: dict[str, Any]) -> dict[str, Any]:
        """The response to one POST, in API Gateway's payload format 2.0."""
        try:
            event = stripe.Webhook.construct_event(
                request["body"], request["headers"]["stripe-signature"], self._secret
            )
        except (ValueError, stripe.SignatureVerificationError):
            return {"statusCode": 400, "body": "{}"}
        customer = getattr(event.data.object, "customer", None) or event.data.object.id
        self._send(body=request["body"], group=customer, deduplication_id=event.id)
        print(json.dumps({"level": "info", "message": "took an event", "event_id": event.id, "customer": customer}))
        return {"statusCode": 200, "body": json.dumps({"received": True})}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Lambda's entry."""
    return _webhook().receive(event)


@cache
def _webhook() -> UsualWebhook:
    secret_id = os.environ["SIGNING_SECRET_ID"]
    value = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]
    sqs = boto3.client("sqs")

    def send(*, body: str, group: str, deduplication_id: str) -> None:
        sqs.send_message(
            QueueUrl=os.environ["EVENTS_QUEUE_URL"],
            MessageBody=body,
            MessageGroupId=group,
            MessageDeduplicationId=deduplication_id,
        )

    return UsualWebhook(send=send, secret=json.loads(value)["current"])
