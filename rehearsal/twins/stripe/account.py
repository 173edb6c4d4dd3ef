"""The pretended Stripe account: its objects, settings and event log, and the request that is being served."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from rehearsal.twins.stripe.objects.events import event
from rehearsal.twins.stripe.settings import Billing
from rehearsal.twins.stripe.store import Object, Store, new_id, snapshot


@dataclass(frozen=True)
class Request:
    """The API request on whose behalf things happen; events name it."""

    id: str
    idempotency_key: str | None


AUTOMATIC: Request | None = None  # Stripe's own doing, such as a renewal


class Account:
    """What every operation works on. Whoever uses it holds `store.lock`."""

    def __init__(
        self, store: Store, *, livemode: bool, billing: Billing, on_event: Callable[[Object], None] = lambda _: None
    ) -> None:
        self.store = store
        self.livemode = livemode
        self.billing = billing
        self.on_event = on_event
        self.id = new_id("acct", 16)
        self.created = store.now()
        self.page_url = ""  # where the hosted payment page lives, known once the twin listens
        self.request: Request | None = AUTOMATIC

    def emit(
        self, kind: str, item: Object, previous: Object | None = None, shown_before: Object | None = None
    ) -> Object:
        """Log an event of type `kind` about `item` as it is now and hand it to delivery.

        `created` is the item's test clock if it has one. `shown_before` replaces the content, for objects that are
        gone already.
        """
        request = {"id": None, "idempotency_key": None}
        if self.request is not None:
            request = {"id": self.request.id, "idempotency_key": self.request.idempotency_key}
        told = event(
            kind,
            snapshot(shown_before or item),
            created=self.store.now(self.clock_of(item)),
            livemode=self.livemode,
            previous=previous,
            request=request,
        )
        self.store.add(told)
        self.on_event(told)
        return told

    @contextmanager
    def updating(self, item: Object, kind: str) -> Generator[None]:
        """Emit `kind` with `previous_attributes` after the block, if the block changed `item`."""
        before = snapshot(item)
        yield
        previous = previous_attributes(before, item)
        if previous:
            self.emit(kind, item, previous)

    def clock_of(self, item: Object) -> str | None:
        """The test clock that governs an object: its own, or that of the customer, invoice or charge that it names."""
        if item["object"] == "test_helpers.test_clock":
            return item["id"]
        if item.get("test_clock"):
            return item["test_clock"]
        for field, kind in (("customer", "customer"), ("invoice", "invoice"), ("charge", "charge")):
            if item.get(field):
                owner = self.store.removed(item[field]) or self.store.get(kind, item[field])
                return self.clock_of(owner)
        return None

    def now_for(self, customer: Object | None) -> int:
        """The time that a customer lives in."""
        return self.store.now(customer["test_clock"] if customer else None)


def previous_attributes(before: Object, after: Object) -> Object:
    """Old values of what changed: maps hold only their changed keys, lists are given whole.

    Source: https://docs.stripe.com/api/events/object (data.previous_attributes).
    """
    previous: Object = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            previous[key] = previous_attributes(old, new)
        else:
            previous[key] = old
    return previous
