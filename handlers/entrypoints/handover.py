"""Handing over to a person what a sync function cannot go on with: each thing once, with what to do about it."""

from handlers.adapters.deliveries import Deliveries, Delivery, Parked
from handlers.adapters.items import Alert
from handlers.adapters.logs import log, metric
from handlers.adapters.store import Change, Store
from handlers.core import escalations
from handlers.settings import DESTINATIONS, DestinationSpec


class Handover:
    """Speaks for one destination.

    A person hears of it in the operations channel, by a notice that is due at once and that the sweep nudges. Where
    the destination itself is that channel, only the metric and the log tell.
    """

    def __init__(self, *, spec: DestinationSpec, store: Store, deliveries: Deliveries) -> None:
        self._name = spec.name
        self._store = store
        self._deliveries = deliveries
        self._channels = tuple(
            other.name for other in DESTINATIONS if other.carries == "notices" and other.name != spec.name
        )

    def park(self, delivery: Delivery, error: str, now: int) -> Parked:
        """Park a delivery, once for each notice or version of a state. Raises AwsError."""
        notice = escalations.parked(
            destination=self._name,
            member=delivery.member,
            what=delivery.what,
            error=error,
            attempts=delivery.attempts,
            since=delivery.tried_since,
            now=now,
        )
        alert = Alert(kind=f"parked_{self._name}", subject=delivery.what)
        told = [(channel, notice) for channel in self._channels]
        parked = self._deliveries.park(delivery, error, now, alert=alert, notices=told)
        if parked is Parked.FIRST:
            log("error", "somebody should look", member=delivery.member, provider=self._name, action="escalate",
                attempt=delivery.attempts, result="parked", reason=error, subject=delivery.what)  # fmt: skip
            metric("SyncParked", 1, destination=self._name)
        return parked

    def quota_spent(self, month: str, limit: int, now: int) -> None:
        """Tell, once a month, that the month's calls are used up. Raises AwsError or ConflictError."""
        notice = escalations.quota_spent(destination=self._name, month=month, limit=limit, now=now)
        alert = Alert(kind=f"quota_{self._name}", subject=month)
        told = tuple((channel, notice) for channel in self._channels)
        if self._store.commit(Change(now=now, alerts=(alert,), notices=told)).alerts:
            log("error", "somebody should look", provider=self._name, action="escalate", result="quota used up",
                subject=month)  # fmt: skip
            metric("Alert", 1, kind="month_quota_spent")
