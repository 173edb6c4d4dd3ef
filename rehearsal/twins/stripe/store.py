"""All objects of the pretended account, by kind and id, oldest first; everything under one lock."""

import copy
import secrets
import string
import threading
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from rehearsal.twins.stripe.errors import no_such

Object: TypeAlias = dict[str, Any]

_ALPHABET = string.ascii_letters + string.digits
# What Stripe calls each kind in "No such …", where it is not the kind itself.
_SPOKEN = {"test_helpers.test_clock": "test clock", "payment_method": "PaymentMethod", "webhook_endpoint": "endpoint"}


def new_id(prefix: str, length: int = 24) -> str:
    """A new id in Stripe's form: `cus_` and letters and digits."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(length))}"


class Store:
    """Objects as Stripe would answer them, plus `notes`: what Stripe knows about them and does not show.

    Whoever reads or changes an object holds `lock`.
    """

    def __init__(self, real_time: Callable[[], float] = time.time) -> None:
        self.lock = threading.RLock()
        self._real_time = real_time
        self._kinds: dict[str, dict[str, Object]] = {}
        self._removed: dict[str, Object] = {}
        self._notes: dict[str, dict[str, Any]] = {}

    def add(self, item: Object, **notes: Any) -> Object:
        """Keep a new object; `notes` are kept beside it."""
        self._kinds.setdefault(item["object"], {})[item["id"]] = item
        self._notes[item["id"]] = notes
        return item

    def get(self, kind: str, object_id: str, param: str | None = None) -> Object:
        """The live object; ApiError resource_missing, 404, or 400 where `param` names it."""
        item = self._kinds.get(kind, {}).get(object_id)
        if item is None:
            raise no_such(_SPOKEN.get(kind, kind), object_id, param or "id", status=400 if param else 404)
        return item

    def find(self, kind: str, **wanted: Any) -> list[Object]:
        """Objects whose fields equal `wanted`, oldest first."""
        items = self._kinds.get(kind, {}).values()
        return [item for item in items if all(item.get(key) == value for key, value in wanted.items())]

    def remove(self, item: Object) -> Object:
        """Drop an object; the answer is what Stripe says of deleted ones."""
        self._removed[item["id"]] = self._kinds[item["object"]].pop(item["id"])
        return stub(item)

    def removed(self, object_id: str) -> Object | None:
        """An object as it was when it was deleted: others may still name it."""
        return self._removed.get(object_id)

    def notes(self, item: Object) -> dict[str, Any]:
        """What is known of an object beside its fields; changes stay."""
        return self._notes[item["id"]]

    def now(self, clock_id: str | None = None) -> int:
        """Seconds since the epoch: the test clock's frozen time, or the real one."""
        if clock_id is None:
            return int(self._real_time())
        return self.get("test_helpers.test_clock", clock_id)["frozen_time"]


def snapshot(item: Object) -> Object:
    """A copy that later changes do not reach."""
    return copy.deepcopy(item)


def stub(item: Object) -> Object:
    """All that Stripe shows of a deleted object."""
    return {"id": item["id"], "object": item["object"], "deleted": True}
