"""The members function: what may this user see, now?"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any, cast
from urllib.parse import unquote

from handlers.adapters.aws import AwsError, DynamoDb
from handlers.adapters.items import Stored
from handlers.adapters.logs import log
from handlers.adapters.store import Store
from handlers.core.membership import membership
from handlers.core.nodes import MAX_USER_ID, MemberNode
from handlers.core.policy import Policy
from handlers.entrypoints.environment import TableSettings
from handlers.settings import MEMBERS_PATH


class Members:
    """Answers GET {MEMBERS_PATH}/{user_id}; API Gateway has authenticated the caller (IAM)."""

    def __init__(self, *, store: Store, policy: Policy, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The response to one request, in API Gateway's payload format 2.0."""
        user_id = _user_id(request)
        if user_id is None:
            return _response(404, {"error": "not_found"})
        try:
            stored = self._store.member(user_id)
        except AwsError as error:
            log("error", "the table could not be read", member=user_id, action="read", reason=str(error))
            return _response(500, {"error": "internal"})
        log("info", "answered", member=user_id, action="read", result="unknown" if stored is None else "found")
        if stored is None:
            return _response(404, {"error": "not_found"})
        return _response(200, self._document(stored))

    def _document(self, stored: Stored) -> dict[str, Any]:
        member = cast("MemberNode", stored.node)
        current = membership(member.grants, self._policy, int(self._clock()))
        return {
            "user_id": member.id,
            "customers": list(member.customer_ids),
            **asdict(current),
            "version": stored.version,
            "transitions": [
                {
                    "at": change.at,
                    "from": change.from_state,
                    "to": change.to_state,
                    "reason": change.reason,
                    "event": change.event,
                }
                for change in member.transitions
            ],
        }


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Lambda's entry."""
    return _members().answer(event)


@cache
def _members() -> Members:
    settings = TableSettings.load(os.environ)
    return Members(store=Store(DynamoDb(os.environ), settings.table), policy=settings.policy)


def _user_id(request: Mapping[str, Any]) -> str | None:
    """The user that the path names; None where it cannot be one."""
    path = str(request.get("rawPath", ""))
    _, found, encoded = path.partition(f"{MEMBERS_PATH}/")
    named = (request.get("pathParameters") or {}).get("user_id")
    user_id = str(named) if named else unquote(encoded)
    return user_id if (named or found) and 1 <= len(user_id) <= MAX_USER_ID else None


def _response(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
