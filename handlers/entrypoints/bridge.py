"""The bridge function: events that Stripe sent through EventBridge, checked and put on the events queue.

Such an event bears no signature. What vouches for it is the way: EventBridge lets nobody but the partner send with the
partner's source, and the queue takes from our rule alone. The source, the account and the mode are checked here all
the same, so that a rule that was changed by hand lets nothing else in.

https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
https://docs.stripe.com/event-destinations/eventbridge
"""

import hashlib
import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from handlers.adapters.logs import log, metric
from handlers.adapters.sqs_http import EventsQueue
from handlers.core import envelope
from handlers.core.errors import LaunchError, VendorError
from handlers.entrypoints.environment import livemode
from handlers.settings import Env


class RefusedError(LaunchError):
    """What arrived is not Stripe's event for this stack; it is the same on every try. `args[0]` names the fault."""


class Queue(Protocol):
    """Where events go; `handlers.adapters.sqs_http.EventsQueue`."""

    def send(self, body: str, *, group: str, deduplication_id: str) -> None:
        """Return when the queue has the message. Raises VendorError."""
        ...


class Bridge:
    """Takes batches of EventBridge's events from its queue."""

    def __init__(self, *, queue: Queue, source: str, account: str, live: bool) -> None:
        self._queue = queue
        self._source = source
        self._account = account
        self._live = live

    def take(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Lambda's answer to a batch of SQS messages: those to bring again, because the events queue is down."""
        failed = [record["messageId"] for record in batch["Records"] if not self._taken(record)]
        return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}

    def _taken(self, record: Mapping[str, Any]) -> bool:
        try:
            detail = self._detail(record["body"])
        except RefusedError as error:
            reason = str(error)
            log("error", "refused an event", subject=record["messageId"], action="bridge", result="refused",
                reason=reason)  # fmt: skip
            metric("EventRefused", 1, reason=reason)
            return True
        return self._enqueued(detail)

    def _detail(self, body: str) -> Mapping[str, Any]:
        """Stripe's event in EventBridge's. RefusedError says which part is not as it must be."""
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            raise RefusedError("shape") from None
        detail = event.get("detail") if isinstance(event, dict) else None
        if not isinstance(detail, dict):
            raise RefusedError("shape")
        if event.get("source") != self._source:
            raise RefusedError("source")
        if event.get("account") != self._account:
            raise RefusedError("account")
        if detail.get("livemode") is not self._live:
            raise RefusedError("livemode")
        return detail

    def _enqueued(self, detail: Mapping[str, Any]) -> bool:
        """Whether the events queue has the event, in the same group and under the same id as the webhook's."""
        raw = json.dumps(detail, separators=(",", ":")).encode()
        event = envelope.parse(raw)
        if event is None:  # from Stripe all the same: apply parks it for a person
            known: dict[str, Any] = {"event_id": None, "event_type": "unreadable"}
            group, deduplication_id = "unreadable", hashlib.sha256(raw).hexdigest()
        else:
            customer = envelope.customer_of(event)
            known = {"event_id": event["id"], "event_type": envelope.type_of(event), "customer": customer}
            group, deduplication_id = envelope.group_of(event), envelope.queue_id(event["id"])
        try:
            self._queue.send(envelope.encode(raw, event), group=group, deduplication_id=deduplication_id)
        except VendorError as error:
            log("error", "the events queue did not take an event", **known, result="failed", reason=str(error))
            return False
        log("info", "took an event", **known, action="enqueue", result="queued")
        return True


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Lambda's entry: a batch of the bridge's queue."""
    return _bridge().take(event)


@cache
def _bridge() -> Bridge:
    return Bridge(
        queue=EventsQueue(os.environ[Env.EVENTS_QUEUE_URL], os.environ),
        source=os.environ[Env.EVENT_SOURCE],
        account=os.environ[Env.AWS_ACCOUNT],
        live=livemode(os.environ),
    )
