"""Kit (kit.com): a member's labels as tags of one subscriber. API v4, https://developers.kit.com/api-reference."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from handlers.adapters import http
from handlers.adapters.logs import redact
from handlers.core.desired import Desired
from handlers.core.errors import VendorError
from handlers.ports import Recovery

MAX_PAGES = 20  # of 500 tags each: beyond that the answer repeats itself


class Kit:
    """Brings a subscriber's managed tags (those that `options["tags"]` names) to a member's labels.

    Options: {"tags": {label: tag id}}. Other tags of the subscriber are left alone, and so is whether they get mail.
    The ids of a delivery are {"subscriber_id": "…"}.
    """

    name = "kit"
    recovery = Recovery.IDEMPOTENT  # creating is an upsert by e-mail, tagging twice is 200, untagging is by state

    def __init__(
        self, *, secret: str, options: Mapping[str, Any], base_url: str, request: http.Request = http.request
    ) -> None:
        self._secret = secret
        self._tags = _tags(options)
        self._base_url = base_url
        self._request = request

    def bring(self, desired: Desired, remote: Mapping[str, str]) -> Mapping[str, str]:
        """Add the tags that are missing, remove the managed ones that are no longer due; nothing else is written.

        A member with no label who is not at Kit stays unknown there. Raises VendorError.
        """
        wanted = {tag for label, tag in self._tags.items() if label in desired.labels}
        subscriber, present = self._present(desired, remote, create=bool(wanted))
        if subscriber is None:
            return {}
        for tag in sorted(wanted - present):
            self._call("POST", f"/tags/{tag}/subscribers/{subscriber}", f"add tag {tag}", payload={})
        for tag in sorted((present & set(self._tags.values())) - wanted):
            self._call("DELETE", f"/tags/{tag}/subscribers/{subscriber}", f"remove tag {tag}", gone_is_done=True)
        return {"subscriber_id": str(subscriber)}

    def _present(
        self, desired: Desired, remote: Mapping[str, str], *, create: bool
    ) -> tuple[int | None, frozenset[int]]:
        """The member's subscriber id and tags; a subscriber that was deleted at Kit is found or created again."""
        known = remote.get("subscriber_id", "")
        if known.isdecimal():
            tags = self._tags_of(int(known))
            if tags is not None:
                return int(known), tags
        subscriber = self._upsert(desired) if create else self._find(desired)
        if subscriber is None:
            return None, frozenset()
        return subscriber, self._tags_of(subscriber) or frozenset()

    def _upsert(self, desired: Desired) -> int:
        if desired.email is None:
            raise VendorError(f"kit: member {desired.member_id} has labels but no e-mail address", permanent=True)
        answer = self._call("POST", "/subscribers", "create subscriber", payload={"email_address": desired.email})
        return _subscriber_id(answer, "create subscriber")

    def _find(self, desired: Desired) -> int | None:
        if desired.email is None:
            return None
        query = urlencode({"email_address": desired.email, "status": "all"}, quote_via=quote)
        answer = self._call("GET", f"/subscribers?{query}", "find subscriber")
        found = _field(answer, "subscribers", list, "find subscriber")
        return _id(found[0], answer, "find subscriber") if found else None

    def _tags_of(self, subscriber: int) -> frozenset[int] | None:
        """The ids of all tags of a subscriber, page by page; None when Kit does not know the subscriber."""
        action = "list tags"
        tags: set[int] = set()
        cursor = ""
        for _ in range(MAX_PAGES):
            query = urlencode({"per_page": 500, **({"after": cursor} if cursor else {})})
            answer = self._call("GET", f"/subscribers/{subscriber}/tags?{query}", action, gone_is_done=True)
            if answer.status == 404:
                return None
            tags.update(_id(tag, answer, action) for tag in _field(answer, "tags", list, action))
            page = _field(answer, "pagination", dict, action)
            if not page.get("has_next_page"):
                return frozenset(tags)
            cursor = str(page.get("end_cursor") or "")
        raise VendorError(f"kit: {action}: more than {MAX_PAGES} pages", permanent=True)

    def _call(
        self, method: str, path: str, action: str, *, payload: object = None, gone_is_done: bool = False
    ) -> http.Response:
        headers = {"X-Kit-Api-Key": self._secret, "Accept": "application/json"}
        body = None
        if payload is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(payload).encode()
        answer = self._request(method, self._base_url + path, headers=headers, body=body)
        if 200 <= answer.status < 300 or (gone_is_done and answer.status == 404):
            return answer
        raise http.failure(answer, f"kit: {action}", detail=self._detail(answer))

    def _detail(self, answer: http.Response) -> str:
        """Kit's own words, {"errors": ["…"]}, without anything that they may quote back at us."""
        try:
            errors = answer.json()["errors"]
            text = "; ".join(str(error) for error in errors)
        except (ValueError, TypeError, KeyError):
            return ""
        return redact(text.replace(self._secret, "[token]"))[:200]


def _tags(options: Mapping[str, Any]) -> dict[str, int]:
    tags = options.get("tags")
    if not isinstance(tags, Mapping) or not tags:
        raise ValueError('kit options: "tags" must map at least one label to a tag id, as in {"member_active": 123}')
    for label, tag in tags.items():
        if not isinstance(tag, int) or isinstance(tag, bool) or tag < 1:
            raise ValueError(f"kit options: tag id of {label!r} must be a positive integer, got {tag!r}")
    return dict(tags)


def _subscriber_id(answer: http.Response, action: str) -> int:
    return _id(_field(answer, "subscriber", dict, action), answer, action)


def _field(answer: http.Response, name: str, kind: type, action: str) -> Any:
    """The member `name` of the answer's JSON object, which must be a `kind`."""
    try:
        data = answer.json()
    except ValueError:
        data = None
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, kind):
        raise http.malformed(answer, f"kit: {action}")
    return value


def _id(thing: object, answer: http.Response, action: str) -> int:
    value = thing.get("id") if isinstance(thing, dict) else None
    if not isinstance(value, int):
        raise http.malformed(answer, f"kit: {action}")
    return value
