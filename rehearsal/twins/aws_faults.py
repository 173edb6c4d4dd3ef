"""Faults that the AWS twin can be told to make, and the answers that they are made of.

A fault names calls by service and action. It hits what the pipeline calls (its functions, event-source pollers and
schedules), never the rehearsal's own clients, so that a journey can still see what happened.
"""

import json
import random
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """What happens to a call that a fault hits."""

    ERROR = "error"  # answered with `status` and `code`, never carried out
    DELAY = "delay"  # carried out after `delay_seconds`
    CONFLICT = "conflict"  # a DynamoDB transaction cancelled with TransactionConflict, never carried out
    STALE = "stale"  # a read that is not consistent answers as if the latest write had not happened


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault: it hits a call of `service` and `action` (None: any) with `probability`, at most `times` times.

    `service` is the signing name (sqs, dynamodb, secretsmanager, lambda).
    """

    service: str
    action: str | None = None
    kind: FaultKind = FaultKind.ERROR
    status: int = 503
    code: str = "ServiceUnavailable"
    delay_seconds: float = 0.0
    probability: float = 1.0
    times: int | None = None

    def document(self) -> dict[str, Any]:
        """The fault as JSON values."""
        return asdict(self)


def throttling(service: str, action: str | None = None, **changes: Any) -> Fault:
    """The service's own way to say "slow down"; both are 400 on the JSON protocols."""
    code = {"dynamodb": "ProvisionedThroughputExceededException", "sqs": "RequestThrottled"}.get(service)
    return Fault(service=service, action=action, status=400, code=code or "ThrottlingException", **changes)


def _fault(document: Mapping[str, Any]) -> Fault:
    fields = {key: value for key, value in document.items() if key != "kind"}
    return Fault(kind=FaultKind(document["kind"]), **fields)


class FaultTable:
    """The faults in force, and how often each one hit. Thread-safe; the same seed makes the same choices."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 # chance, not secrecy
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._hits: list[int] = []

    def replace(self, documents: list[Mapping[str, Any]]) -> None:
        """Put these faults in force instead of the present ones; TypeError or ValueError for a malformed one."""
        faults = [_fault(document) for document in documents]
        with self._lock:
            self._faults = faults
            self._hits = [0] * len(faults)

    def hits(self) -> list[int]:
        """How many calls each fault has hit so far, in the order given."""
        with self._lock:
            return list(self._hits)

    def has(self, kind: FaultKind) -> bool:
        """Whether a fault of this kind is in force."""
        with self._lock:
            return any(fault.kind is kind for fault in self._faults)

    def take(self, service: str, action: str, kinds: frozenset[FaultKind]) -> list[Fault]:
        """The faults of these kinds that hit this call; each counts as used."""
        with self._lock:
            return [
                fault
                for index, fault in enumerate(self._faults)
                if fault.kind in kinds and self._hit(index, fault, service, action)
            ]

    def _hit(self, index: int, fault: Fault, service: str, action: str) -> bool:
        if fault.service != service or fault.action not in (None, action):
            return False
        if fault.times is not None and self._hits[index] >= fault.times:
            return False
        if fault.probability < 1 and self._random.random() >= fault.probability:
            return False
        self._hits[index] += 1
        return True


def error_answer(fault: Fault) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an injected error on AWS's JSON protocols."""
    body = {"__type": fault.code, "message": "injected by the rehearsal"}
    return fault.status, _headers(fault.code), json.dumps(body).encode()


def conflict_answer(request_body: bytes) -> tuple[int, dict[str, str], bytes]:
    """A cancelled transaction: the first item conflicts, the others are innocent (API_TransactWriteItems)."""
    items = json.loads(request_body).get("TransactItems", [])
    reasons: list[dict[str, str]] = [{"Code": "None"} for _ in items]
    if reasons:
        reasons[0] = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
    codes = ", ".join(reason["Code"] for reason in reasons)
    code = "TransactionCanceledException"
    body = {
        "__type": f"com.amazonaws.dynamodb.v20120810#{code}",
        "Message": f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        "CancellationReasons": reasons,
    }
    return 400, _headers(code), json.dumps(body).encode()


def _headers(code: str) -> dict[str, str]:
    return {"content-type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
