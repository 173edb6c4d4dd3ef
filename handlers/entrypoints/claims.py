"""The claims function: who holds a claim link may take what its payer bought, once, for the app's signed-in user."""

import base64
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from handlers.adapters.aws import AwsError, DynamoDb, Sqs
from handlers.adapters.items import LedgerEntry
from handlers.adapters.logs import Level, log
from handlers.adapters.nudges import Nudges
from handlers.adapters.secrets import get_secret
from handlers.adapters.store import DuplicateError, Store
from handlers.core import events, identity
from handlers.core.errors import ConflictError, EventError, LaunchError
from handlers.core.events import Facts
from handlers.core.identity import ClaimError, IdentityKeyError
from handlers.core.nodes import MAX_USER_ID, CustomerNode, Kind, PaymentNode, Ref
from handlers.entrypoints.environment import ClaimSettings
from handlers.entrypoints.recording import Recorder, raise_alerts

Response = dict[str, Any]


class RequestError(LaunchError):
    """The request's body is not {"token": text, "user_id": text}: answer 400."""


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """What the request asks for."""

    token: str
    user_id: str


class Claims:
    """Answers POST {CLAIMS_PATH}; API Gateway has authenticated the caller, the app's server (IAM)."""

    def __init__(
        self,
        *,
        store: Store,
        recorder: Recorder,
        nudges: Nudges,
        keys: Callable[[], tuple[str, ...]],
        live: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`keys` gives the identity keys as they are now, current first; `live` is the stack's Stripe mode."""
        self._store = store
        self._recorder = recorder
        self._nudges = nudges
        self._keys = keys
        self._live = live
        self._clock = clock

    def answer(self, request: Mapping[str, Any]) -> Response:
        """The response to one request, in API Gateway's payload format 2.0."""
        try:
            claim = _claim(request)
            subject = identity.claimed_customer(claim.token, self._keys(), int(self._clock()))
        except RequestError as error:
            return _response(400, {"error": "malformed", "message": str(error)})
        except ClaimError as error:
            log("warning", "refused a claim", action="claim", result="refused", reason=error.reason)
            return _response(410 if error.reason == "expired" else 400, {"error": error.reason.replace(" ", "_")})
        except (AwsError, IdentityKeyError) as error:
            log("error", "the identity keys could not be read", action="claim", result="failed", reason=str(error))
            return _response(503, {"error": "try_again"})
        return self._settle(subject, claim.user_id)

    def _settle(self, subject: str, user_id: str) -> Response:
        """Claim `subject` for `user_id` unless somebody has it, and answer by who has it then."""
        now = int(self._clock())
        facts = events.from_claim(subject, user_id, at=now)
        ref = Ref(Kind.CUSTOMER if facts.customers else Kind.PAYMENT, subject)
        try:
            holder = self._holder(ref)
            if holder is None:
                self._record(facts, self._entry(subject, user_id, now))
                holder = self._holder(ref)
        except (AwsError, ConflictError) as error:
            _log("error", subject, user_id, "failed", str(error))
            return _response(503, {"error": "try_again"})
        except EventError as error:
            _log("error", subject, user_id, "impossible", str(error))
            return _response(500, {"error": "internal"})
        if holder is None:  # a claim in the ledger whose node is gone
            _log("error", subject, user_id, "recorded, but nobody has it")
            return _response(500, {"error": "internal"})
        if holder != user_id:
            _log("warning", subject, user_id, "claimed by another")
            return _response(409, {"error": "claimed_by_another"})
        _log("info", subject, user_id, "claimed")
        return _response(200, {"user_id": user_id, "subject": subject, "claimed": True})

    def _record(self, facts: Facts, entry: LedgerEntry) -> None:
        """Write the claim; of several at once the ledger takes one, and the others find it there."""
        try:
            recorded = self._recorder.record(facts, at=entry.created, ledger=entry)
        except DuplicateError:
            return
        self._nudges.send(recorded.nudges)
        raise_alerts(recorded.alerts, entry.event)

    def _entry(self, subject: str, user_id: str, now: int) -> LedgerEntry:
        """One for each subject, for ever, whoever claims it."""
        return LedgerEntry(
            event=f"claim_{subject}",
            type="claim",
            created=now,
            livemode=self._live,
            digest=hashlib.sha256(user_id.encode()).hexdigest(),
            outcome="applied",
        )

    def _holder(self, ref: Ref) -> str | None:
        """Whose it is, read consistently; who is only said by the payer to have it does not count."""
        stored = self._store.read([ref])[ref]
        match stored and stored.node:
            case CustomerNode() as customer:
                return customer.user_id
            case PaymentNode() as payment:
                return payment.own_user
        return None


def handler(event: Mapping[str, Any], context: object) -> Response:  # noqa: ARG001
    """Lambda's entry."""
    return _claims().answer(event)


@cache
def _claims() -> Claims:
    settings = ClaimSettings.load(os.environ)
    store = Store(DynamoDb(os.environ), settings.table.table)
    return Claims(
        store=store,
        recorder=Recorder(store=store, policy=settings.table.policy, destinations=settings.destinations),
        nudges=Nudges(Sqs(os.environ), settings.sync_queue_urls),
        keys=lambda: identity.parse_keys(get_secret(settings.identity_secret)),
        live=settings.live,
    )


def _claim(request: Mapping[str, Any]) -> _Claim:
    """The claim in the request's body; RequestError says what is wrong with it."""
    try:
        document = json.loads(_body(request))
    except (ValueError, RecursionError):  # also bytes that are no UTF-8, and base64 that is none
        raise RequestError("the body is not JSON") from None
    if not isinstance(document, dict):
        raise RequestError(f"the body must be a JSON object, got {type(document).__name__}")
    claim = _Claim(token=_text_of(document, "token"), user_id=_text_of(document, "user_id"))
    if len(claim.user_id) > MAX_USER_ID or not claim.user_id.isprintable():
        raise RequestError(f"user_id must be at most {MAX_USER_ID} printable characters")
    return claim


def _log(level: Level, subject: str, user_id: str, result: str, reason: str | None = None) -> None:
    log(level, "answered a claim", member=user_id, action="claim", subject=subject, result=result, reason=reason)


def _body(request: Mapping[str, Any]) -> str | bytes:
    body = request.get("body") or ""
    return base64.b64decode(body, validate=True) if request.get("isBase64Encoded") else body


def _text_of(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise RequestError(f"{name} must be a text that is not empty")
    return value


def _response(status: int, body: Mapping[str, Any]) -> Response:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
