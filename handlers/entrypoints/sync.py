"""The sync function of one destination: bring it to the desired state, or tell it of an occurrence, one try each."""

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from handlers.adapters.aws import AwsError, DynamoDb
from handlers.adapters.deliveries import Deliveries, Delivery, Parked
from handlers.adapters.logs import Level, email_hash, log
from handlers.adapters.nudges import Nudge
from handlers.adapters.secrets import get_secret
from handlers.adapters.store import Store
from handlers.adapters.vendor_limits import SpentError, VendorLimits, Wait
from handlers.core.delivering import Park, after_failure, takes_access
from handlers.core.desired import Desired, Notice, labels
from handlers.core.errors import ConflictError, VendorError
from handlers.core.membership import membership
from handlers.core.nodes import MemberNode
from handlers.core.policy import Policy
from handlers.core.switch import Mode, Switch
from handlers.destinations.registry import Destination, load
from handlers.entrypoints.environment import SyncSettings
from handlers.entrypoints.handover import Handover
from handlers.ports import NoticeDestination, Recovery, StateDestination
from handlers.settings import DestinationSpec

RESERVE_MS = 12_000  # of the function's time: one vendor call may take 10 s
ROUNDS = 3  # of one message, when a newer state becomes due during the try
TABLE_ATTEMPTS = 4  # of one call: an outcome that is not recorded is found again only when the lease runs out

_LEVELS: Mapping[str, Level] = {
    "failed": "error",
    "parked": "warning",
    "store failed": "warning",
    "will retry": "warning",
}


@dataclass(frozen=True, kw_only=True)
class _Done:
    """How the handling of one message ended, for its log line."""

    result: str
    reason: str | None = None
    attempt: int | None = None
    email: str | None = None
    labels: frozenset[str] | None = None  # that would have been shown
    again: bool = False  # a newer state has become due


class Sync:
    """Serves one destination."""

    def __init__(
        self,
        *,
        spec: DestinationSpec,
        destination: Callable[[], Destination],
        store: Store,
        deliveries: Deliveries,
        limits: VendorLimits,
        policy: Policy,
        switch: Switch = Switch(),  # noqa: B008 - frozen
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`destination` gives the vendor's code with its present key; `draw` gives jitter in [0, 1)."""
        self._spec = spec
        self._destination = destination
        self._store = store
        self._deliveries = deliveries
        self._limits = limits
        self._policy = policy
        self._switch = switch
        self._clock = clock
        self._draw = draw
        self._handover = Handover(spec=spec, store=store, deliveries=deliveries)

    def handle(self, batch: Mapping[str, Any], left_ms: Callable[[], float]) -> dict[str, Any]:
        """Lambda's answer to a batch of nudges: none is asked for again, as the sweep finds what is still due.

        ValueError says which option or key the destination cannot work with; no record was touched then.
        """
        if self._switch.mode is not Mode.OFF:
            self._destination()
        for record in batch["Records"]:
            if left_ms() < RESERVE_MS:
                log("warning", "no time left, the sweep will nudge again", provider=self._spec.name, action="sync")
                break
            self._handle(record["body"])
        return {"batchItemFailures": []}

    def _handle(self, body: str) -> None:
        nudge = Nudge.parse(self._spec.name, body)
        if nudge is None:
            log("error", "a message is no nudge", provider=self._spec.name, action="sync", result="ignored")
            return
        for _ in range(ROUNDS):
            done = self._try(nudge)
            self._log(nudge, done)
            if not done.again:
                break

    def _try(self, nudge: Nudge) -> _Done:
        try:
            delivery = self._deliveries.lease(member=nudge.member, notice=nudge.notice, now=self._now())
            return _Done(result="nothing due") if delivery is None else self._leased(delivery)
        except (AwsError, ConflictError) as error:  # the record stays due, and the lease runs out
            return _Done(result="store failed", reason=str(error))
        except Exception as error:  # noqa: BLE001 - a mistake of ours fails one delivery, not the batch; tries are counted
            return _Done(result="failed", reason=f"sync has a mistake: {type(error).__name__}: {error}")

    def _leased(self, delivery: Delivery) -> _Done:
        if delivery.calling_at is not None:  # an earlier worker died between its call and its record
            return self._park(delivery, "the outcome of a call is unknown: look at the vendor, then close this")
        if delivery.notice is not None and self._too_old(delivery.notice):
            return self._expire(delivery)
        if delivery.unended > self._spec.max_attempts:  # workers died during all of them
            return self._park(delivery, f"gave up: none of {self._spec.max_attempts} tries came to an end")
        mode = self._switch.of(self._spec.name, delivery.member)
        try:
            return self._send(delivery) if mode is Mode.ON else self._withhold(delivery, mode)
        except SpentError as spent:
            return self._defer(delivery, spent.wait)
        except VendorError as error:
            return self._failed(delivery, error)

    def _send(self, delivery: Delivery) -> _Done:
        if delivery.notice is not None:
            return self._enter(delivery, takes_access=False) or self._tell(delivery, delivery.notice)
        desired = self._desired(delivery.member)
        # What a destination shows that was never brought to anything gives no access through us.
        less = delivery.delivered_version > 0 and takes_access(delivery.shown, desired.labels)
        return self._enter(delivery, takes_access=less) or self._bring(delivery, desired)

    def _enter(self, delivery: Delivery, *, takes_access: bool) -> _Done | None:
        """None when the vendor may be called now."""
        wait = self._limits.enter(self._now(), takes_access=takes_access)
        return None if wait is None else self._defer(delivery, wait)

    def _bring(self, delivery: Delivery, desired: Desired) -> _Done:
        destination = cast("StateDestination", self._destination())
        remote = destination.bring(desired, delivery.remote)
        again = self._deliveries.shown(
            delivery, remote, version=desired.version, labels=desired.labels, now=self._now()
        )
        self._answered()
        return _Done(result="shown", attempt=delivery.attempts, email=desired.email, again=again)

    def _tell(self, delivery: Delivery, notice: Notice) -> _Done:
        destination = cast("NoticeDestination", self._destination())
        once = destination.recovery is Recovery.AT_MOST_ONCE
        if once and not self._deliveries.begin_call(delivery, self._now()):
            return _Done(result="lease lost")
        remote = destination.send(notice)
        self._deliveries.told(delivery, remote, self._now())
        self._answered()
        return _Done(result="told", attempt=delivery.attempts)

    def _answered(self) -> None:
        self._limits.leave()
        self._limits.answered()

    def _desired(self, member: str) -> Desired:
        stored = self._store.member(member)
        if stored is None:
            raise VendorError(f"member {member} is not in the table", permanent=True)
        node = cast("MemberNode", stored.node)
        current = membership(node.grants, self._policy, self._now())
        return Desired(member_id=member, email=node.address, labels=labels(current), version=stored.version)

    def _withhold(self, delivery: Delivery, mode: Mode) -> _Done:
        """Set aside what the destination is not switched on for; in shadow with what it would have shown."""
        desired = self._desired(delivery.member) if mode is Mode.SHADOW and delivery.notice is None else None
        shadow = desired.labels if desired else None
        version = desired.version if desired else delivery.desired_version
        again = self._deliveries.withhold(delivery, version=version, shadow=shadow, now=self._now())
        return _Done(result="withheld", reason=f"{self._spec.name} is {mode} for them", labels=shadow, again=again)

    def _defer(self, delivery: Delivery, wait: Wait) -> _Done:
        """Come back when the vendor may be called: that was no try."""
        if wait.month is not None:
            self._handover.quota_spent(wait.month, self._limits.calls_per_month or 0, self._now())
        due_at = wait.until + int(wait.spread * self._draw())
        self._deliveries.defer(delivery, due_at, newer_at_once=wait.month is not None)
        return _Done(result="deferred", reason=wait.reason)

    def _failed(self, delivery: Delivery, error: VendorError) -> _Done:
        now = self._now()
        if not error.permanent:
            self._limits.failed(now, error.retry_after)
        once = delivery.notice is not None and self._destination().recovery is Recovery.AT_MOST_ONCE
        verdict = after_failure(
            error,
            attempts=delivery.attempts,
            max_attempts=self._spec.max_attempts,
            since=delivery.tried_since,
            once=once,
            now=now,
            draw=self._draw(),
        )
        done = _Done(result="will retry", reason=verdict.error, attempt=delivery.attempts)
        if isinstance(verdict, Park):
            done = self._park(delivery, verdict.error)
        else:
            self._deliveries.retry(delivery, verdict.due_at, verdict.error)
        self._limits.leave()
        return done

    def _park(self, delivery: Delivery, error: str) -> _Done:
        parked = self._handover.park(delivery, error, self._now())
        result = "will retry" if parked is Parked.NOT_OURS else "parked"
        return _Done(result=result, reason=error, attempt=delivery.attempts)

    def _expire(self, delivery: Delivery) -> _Done:
        """An old notice is news no more; but where we tried in vain to tell it, somebody has to know that."""
        if delivery.last_error is not None:
            return self._park(delivery, f"too old to be told by now: {delivery.last_error}")
        self._deliveries.expired(delivery, self._now())
        return _Done(result="expired")

    def _too_old(self, notice: Notice) -> bool:
        return self._now() - notice.at > notice.max_age_seconds

    def _now(self) -> int:
        return int(self._clock())

    def _log(self, nudge: Nudge, done: _Done) -> None:
        log(
            _LEVELS.get(done.result, "info"),
            "handled a nudge",
            member=nudge.member,
            email_hash=email_hash(done.email) if done.email else None,
            provider=self._spec.name,
            action="sync",
            notice=nudge.notice,
            attempt=done.attempt,
            result=done.result,
            reason=done.reason,
            shadow=None if done.labels is None else sorted(done.labels),
        )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: a batch of one destination's sync queue."""
    return _sync().handle(event, context.get_remaining_time_in_millis)


@cache
def _sync() -> Sync:
    settings = SyncSettings.load(os.environ)
    dynamodb = DynamoDb(os.environ, attempts=TABLE_ATTEMPTS)
    table, spec = settings.table.table, settings.destination
    limits = VendorLimits(dynamodb, table, spec, calls_per_month=settings.calls_per_month)
    return Sync(
        spec=spec,
        destination=lambda: _load(settings, limits),
        store=Store(dynamodb, table),
        deliveries=Deliveries(dynamodb, table, spec.name),
        limits=limits,
        policy=settings.table.policy,
        switch=settings.switch,
    )


def _load(settings: SyncSettings, limits: VendorLimits) -> Destination:
    return load(
        settings.destination.name,
        secret=get_secret(settings.secret),
        options=settings.options,
        base_url=settings.base_url,
        request=limits.request,
    )
