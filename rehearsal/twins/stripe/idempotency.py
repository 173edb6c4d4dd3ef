"""Idempotency keys. Source: https://docs.stripe.com/api/idempotent_requests.

The first answer of a request that began to execute is kept, failed ones too; a request whose parameters were refused
keeps nothing. The same key with other parameters, or on another path, is an idempotency_error.
"""

from dataclasses import dataclass
from typing import Any

from rehearsal.twins.stripe.errors import idempotency, invalid

LONGEST_KEY = 255


@dataclass(frozen=True)
class Answer:
    """What a request was answered: HTTP status, JSON document, and the id of the request that was executed."""

    status: int
    document: dict[str, Any]
    request_id: str
    replayed: bool = False


@dataclass(frozen=True)
class _Kept:
    path: str
    params: Any
    answer: Answer


class Idempotency:
    """The answers kept by key."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def look_up(self, key: str, path: str, params: Any) -> Answer | None:
        """The kept answer for `key`, None if it is new; ApiError 400 if it was used for something else."""
        if len(key) > LONGEST_KEY:
            raise invalid(f"Idempotency-Key is too long: at most {LONGEST_KEY} characters, got {len(key)}")
        kept = self._kept.get(key)
        if kept is None:
            return None
        advice = f"Try using a key other than '{key}' if you meant to execute a different request."
        if kept.path != path:
            message = "Keys for idempotent requests can only be used for the same endpoint they were first used for"
            raise idempotency(f"{message} ('{path}' vs '{kept.path}'). {advice}")
        if kept.params != params:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with."
            )
            raise idempotency(f"{message} {advice}")
        return Answer(kept.answer.status, kept.answer.document, kept.answer.request_id, replayed=True)

    def keep(self, key: str, path: str, params: Any, answer: Answer) -> None:
        """Keep the answer of a request that was executed."""
        self._kept[key] = _Kept(path, params, answer)
