"""The webhook function: is it from Stripe? Then it goes on the events queue. Nothing else happens here.

Standard library only, and as little of it as will do: Stripe waits while this function starts.
"""

import base64
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol

from handlers.adapters.logs import log
from handlers.adapters.secrets_http import SecretValueError, SigningSecrets
from handlers.adapters.sqs_http import EventsQueue
from handlers.core import envelope, signature
from handlers.core.errors import LaunchError, SignatureError, VendorError
from handlers.core.signature import Reason, UnverifiedError
from handlers.settings import HEALTH_PATH, WEBHOOK_PATH, Env


class Queue(Protocol):
    """Where verified events go; `handlers.adapters.sqs_http.EventsQueue`."""

    def send(self, body: str, *, group: str, deduplication_id: str) -> None:
        """Return when the queue has the message. Raises VendorError."""
        ...


class Secrets(Protocol):
    """What to verify with; `handlers.adapters.secrets_http.SigningSecrets`."""

    def held(self) -> tuple[str, ...]:
        """The signing secrets to try."""
        ...

    def refresh(self) -> bool:
        """Look whether they have changed, not too often."""
        ...


class StatusError(LaunchError):
    """BAD_SIGNATURE_STATUS is not one of those to choose from; the message names them."""


class Webhook:
    """Answers Stripe: 200 once the queue has the event, `refusal` for what Stripe did not sign, 503 for a retry."""

    def __init__(
        self, *, queue: Queue, secrets: Secrets, refusal: int = 400, clock: Callable[[], float] = time.time
    ) -> None:
        self._queue = queue
        self._secrets = secrets
        self._refusal = refusal
        self._clock = clock

    def start(self) -> None:
        """Fetch the secrets ahead of the first request; a failure is left to that request."""
        try:
            self._secrets.held()
        except (VendorError, SecretValueError) as error:
            log("warning", "the signing secret could not be read yet", action="start", reason=str(error))

    def receive(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The response to one POST, in API Gateway's payload format 2.0."""
        try:
            raw = _body(request)
            self._verify(raw, (request.get("headers") or {}).get("stripe-signature"))
        except SignatureError as error:
            log("warning", "refused a request", action="verify", result="refused", reason=str(error))
            return _response(self._refusal, {"error": str(error)})
        except (VendorError, SecretValueError) as error:
            log("error", "the signing secret could not be read", action="verify", result="failed", reason=str(error))
            return _response(503, {"error": "cannot verify now, send it again"})
        return self._enqueue(raw)

    def _verify(self, raw: bytes, header: str | None) -> None:
        try:
            signature.verify(raw, header, self._secrets.held(), now=self._clock())
        except UnverifiedError as error:
            if error.reason is not Reason.MISMATCH or not self._secrets.refresh():
                raise
            signature.verify(raw, header, self._secrets.held(), now=self._clock())

    def _enqueue(self, raw: bytes) -> dict[str, Any]:
        event = envelope.parse(raw)
        if event is None:  # genuine all the same: apply parks it for a person
            known = {"event_id": None, "event_type": "unreadable"}
            group, deduplication_id = "unreadable", hashlib.sha256(raw).hexdigest()
        else:
            group, deduplication_id = envelope.group_of(event), envelope.queue_id(event["id"])
            customer = envelope.customer_of(event)
            known = {"event_id": event["id"], "event_type": envelope.type_of(event), "customer": customer}
        try:
            self._queue.send(envelope.encode(raw, event), group=group, deduplication_id=deduplication_id)
        except VendorError as error:
            log("error", "the events queue did not take an event", **known, result="failed", reason=str(error))
            return _response(503, {"error": "cannot accept now, send it again"})
        log("info", "took an event", **known, action="enqueue", result="queued")
        return _RECEIVED


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Lambda's entry: POST to the webhook path, GET of the health path; anything else is 404."""
    route = (event["requestContext"]["http"]["method"], event["rawPath"])
    if route == ("GET", HEALTH_PATH):
        return _response(200, {"status": "ok"})
    if route == ("POST", WEBHOOK_PATH):
        return _webhook().receive(event)
    return _response(404, {"error": "not_found"})


@cache
def _webhook() -> Webhook:
    return Webhook(
        queue=EventsQueue(os.environ[Env.EVENTS_QUEUE_URL], os.environ),
        secrets=SigningSecrets(os.environ[Env.SIGNING_SECRET_ID], os.environ),
        refusal=_refusal(os.environ),
    )


def _refusal(environ: Mapping[str, str]) -> int:
    """The status for what Stripe did not sign: 400 as in its own examples, or what else a scanner or gateway wants."""
    value = environ.get(Env.BAD_SIGNATURE_STATUS) or "400"
    if value not in {"400", "401", "403"}:
        raise StatusError(f"{Env.BAD_SIGNATURE_STATUS} must be 400, 401 or 403, got {value!r}")
    return int(value)


def _body(request: Mapping[str, Any]) -> bytes:
    """The bytes that were signed. API Gateway hands over text as it is and anything else in base64."""
    body = request.get("body") or ""
    if not request.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:  # characters outside the alphabet, or outside ASCII
        raise SignatureError("the body is not valid base64") from None


def _response(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}


_RECEIVED = _response(200, {"received": True})  # the usual answer, made once

if Env.SIGNING_SECRET_ID in os.environ:  # in Lambda, which gives this phase more CPU than the first request
    _webhook().start()
