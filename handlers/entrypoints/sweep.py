"""The sweep function, each minute: nudge what is due, let time take effect, resolve facts that nobody claims."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from handlers.adapters.aws import AwsError, DynamoDb, Sqs
from handlers.adapters.logs import log
from handlers.adapters.nudges import Nudge, Nudges
from handlers.adapters.store import Store
from handlers.core.errors import ConflictError, EventError, VendorError
from handlers.core.nodes import Kind, Ref
from handlers.entrypoints.asking import Asking
from handlers.entrypoints.assembling import asking
from handlers.entrypoints.environment import RecordSettings
from handlers.entrypoints.recording import Recorder, raise_alerts
from handlers.settings import DUE_SHARDS

PER_SHARD = 250  # items a run; what is left over is still due a minute later
RESERVE_MS = 8_000  # of the function's time: what one question to Stripe and its record may take

Item = Mapping[str, Any]

_LATER = (ConflictError, EventError, VendorError, AwsError)  # the item stays due


class Sweep:
    """Goes over the due index once."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        store: Store,
        nudges: Nudges,
        asking: Asking,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._recorder = recorder
        self._store = store
        self._nudges = nudges
        self._asking = asking
        self._clock = clock

    def run(self, left_ms: Callable[[], float]) -> dict[str, int]:
        """Handle what is due; how many items of each kind there were, and how many are left for the next run."""
        counts = {"nudged": 0, "members": 0, "asked": 0, "left": 0}
        found = list(self._due())
        nudges = [_nudge(item) for item in found if item["kind"] in {"DELIVERY", "NOTICE"}]
        counts["nudged"] = len(nudges)
        counts["left"] = self._nudges.send(nudges)
        for item in found:
            if item["kind"] in {"DELIVERY", "NOTICE"}:
                continue
            if left_ms() < RESERVE_MS or not self._handled(item):
                counts["left"] += 1
            else:
                counts["members" if item["kind"] == Kind.MEMBER else "asked"] += 1
        log("info", "swept", action="sweep", result="ok" if not counts["left"] else "some left", **counts)
        return counts

    def _due(self) -> Iterator[Item]:
        for shard in range(DUE_SHARDS):
            yield from self._store.due(shard, self._now(), PER_SHARD)

    def _handled(self, item: Item) -> bool:
        """Whether the member or the unclaimed facts in `item` were dealt with."""
        try:
            if item["kind"] == Kind.MEMBER:
                self._nudges.send(self._recorder.let_time_pass(item["id"]).nudges)
            else:
                self._resolve(Ref(Kind(item["kind"]), item["id"]))
        except _LATER as error:
            log("warning", "will be swept again", action="sweep", subject=item["id"], result=type(error).__name__,
                reason=str(error))  # fmt: skip
            return False
        return True

    def _resolve(self, ref: Ref) -> None:
        for recorded in self._asking.resolve(ref):
            self._nudges.send(recorded.nudges)
            raise_alerts(recorded.alerts, None)

    def _now(self) -> int:
        return int(self._clock())


def handler(event: object, context: Any) -> dict[str, int]:  # noqa: ARG001
    """Lambda's entry: the schedule's tick."""
    return _sweep().run(context.get_remaining_time_in_millis)


@cache
def _sweep() -> Sweep:
    settings = RecordSettings.load(os.environ)
    store = Store(DynamoDb(os.environ), settings.table.table)
    recorder = Recorder(store=store, policy=settings.table.policy, destinations=settings.destinations)
    return Sweep(
        recorder=recorder,
        store=store,
        nudges=Nudges(Sqs(os.environ), settings.sync_queue_urls),
        asking=asking(settings, recorder, store),
    )


def _nudge(item: Item) -> Nudge:
    notice = item.get("notice")
    return Nudge(destination=item["destination"], member=item["member"], notice=notice["key"] if notice else None)
