"""The sync function of one destination: bring it to the desired state, or tell it of an occurrence, one try each."""

import json
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from handlers.adapters.aws import AwsError, DynamoDb
from handlers.adapters.deliveries import Deliveries, Delivery
from handlers.adapters.items import Alert
from handlers.adapters.logs import email_hash, log, metric
from handlers.adapters.secrets import get_secret
from handlers.adapters.store import Store
from handlers.adapters.vendor_limits import VendorLimits
from handlers.core.delivering import Park, after_failure
from handlers.core.desired import Desired, Notice, labels
from handlers.core.errors import VendorError
from handlers.core.membership import membership
from handlers.core.nodes import MemberNode
from handlers.core.policy import Policy
from handlers.destinations.registry import Destination, load
from handlers.entrypoints.environment import SyncSettings
from handlers.ports import NoticeDestination, Recovery, StateDestination
from handlers.settings import DestinationSpec

RESERVE_MS = 12_000  # of the function's time: one vendor call may take 10 s
ROUNDS = 3  # of one message, when a newer state becomes due during the try
TABLE_ATTEMPTS = 4  # of one call: an outcome that is not recorded is found again only when the lease runs out
SPREAD_SECONDS = 10  # over which the tries that had to wait for the vendor are spread


@dataclass(frozen=True, kw_only=True)
class _Done:
    """How the handling of one message ended, for its log line."""

    result: str
    reason: str | None = None
    attempt: int | None = None
    email: str | None = None
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
        self._clock = clock
        self._draw = draw

    def handle(self, batch: Mapping[str, Any], left_ms: Callable[[], float]) -> dict[str, Any]:
        """Lambda's answer to a batch of nudges: none is asked for again, as the sweep finds what is still due."""
        for record in batch["Records"]:
            if left_ms() < RESERVE_MS:
                log("warning", "no time left, the sweep will nudge again", provider=self._spec.name, action="sync")
                break
            self._handle(record["body"])
        return {"batchItemFailures": []}

    def _handle(self, body: str) -> None:
        nudge = _nudge(body)
        if nudge is None:
            log("error", "a message is no nudge", provider=self._spec.name, action="sync", result="ignored")
            return
        member, notice = nudge
        for _ in range(ROUNDS):
            done = self._try(member, notice)
            self._log(member, notice, done)
            if not done.again:
                break

    def _try(self, member: str, notice: str | None) -> _Done:
        try:
            delivery = self._deliveries.lease(member=member, notice=notice, now=self._now())
            return _Done(result="nothing due") if delivery is None else self._leased(delivery)
        except AwsError as error:  # the record stays due, and the lease runs out
            return _Done(result="store failed", reason=str(error))

    def _leased(self, delivery: Delivery) -> _Done:
        if delivery.notice is not None and self._too_old(delivery.notice):
            self._deliveries.expired(delivery, self._now())
            return _Done(result="expired")
        if delivery.calling_at is not None:  # an earlier worker died between its call and its record
            return self._park(delivery, "the outcome of a call is unknown: look at the vendor, then close this")
        if delivery.attempts > self._spec.max_attempts:  # workers died during all of them
            return self._park(delivery, f"gave up: none of {self._spec.max_attempts} tries came to an end")
        wait = self._limits.enter(self._now())
        if wait is not None:
            self._deliveries.defer(delivery, wait.until + int(SPREAD_SECONDS * self._draw()))
            return _Done(result="deferred", reason=wait.reason)
        try:
            done = self._call(delivery)
        except VendorError as error:
            return self._failed(delivery, error)
        self._limits.answered()
        return done

    def _call(self, delivery: Delivery) -> _Done:
        destination = self._destination()
        if delivery.notice is not None:
            return self._tell(cast("NoticeDestination", destination), delivery, delivery.notice)
        return self._bring(cast("StateDestination", destination), delivery)

    def _bring(self, destination: StateDestination, delivery: Delivery) -> _Done:
        desired = self._desired(delivery.member)
        remote = destination.bring(desired, delivery.remote)
        again = self._deliveries.shown(delivery, remote, desired.version, self._now())
        return _Done(result="shown", attempt=delivery.attempts, email=desired.email, again=again)

    def _tell(self, destination: NoticeDestination, delivery: Delivery, notice: Notice) -> _Done:
        once = destination.recovery is Recovery.AT_MOST_ONCE
        if once and not self._deliveries.begin_call(delivery, self._now()):
            return _Done(result="lease lost")
        remote = destination.send(notice)
        self._deliveries.told(delivery, remote, self._now())
        return _Done(result="told", attempt=delivery.attempts)

    def _desired(self, member: str) -> Desired:
        stored = self._store.member(member)
        if stored is None:
            raise VendorError(f"member {member} is not in the table", permanent=True)
        node = cast("MemberNode", stored.node)
        current = membership(node.grants, self._policy, self._now())
        return Desired(member_id=member, email=node.address, labels=labels(current), version=stored.version)

    def _failed(self, delivery: Delivery, error: VendorError) -> _Done:
        now = self._now()
        if not error.permanent:
            self._limits.failed(now)
        once = delivery.notice is not None and self._destination().recovery is Recovery.AT_MOST_ONCE
        verdict = after_failure(
            error,
            attempts=delivery.attempts,
            max_attempts=self._spec.max_attempts,
            once=once,
            now=now,
            draw=self._draw(),
        )
        if isinstance(verdict, Park):
            return self._park(delivery, verdict.error)
        self._deliveries.retry(delivery, verdict.due_at, verdict.error)
        return _Done(result="will retry", reason=verdict.error, attempt=delivery.attempts)

    def _park(self, delivery: Delivery, error: str) -> _Done:
        """Hand over to a person, once for each notice or version of a state."""
        if not self._deliveries.park(delivery, error, self._now()):
            return _Done(result="will retry", reason=error, attempt=delivery.attempts)
        what = delivery.notice.key if delivery.notice else f"{delivery.member}:{delivery.desired_version}"
        if self._store.first_alert(Alert(kind=f"parked_{self._spec.name}", subject=what), self._now()):
            log("error", "somebody should look", member=delivery.member, provider=self._spec.name, action="escalate",
                attempt=delivery.attempts, result="parked", reason=error, subject=what)  # fmt: skip
            metric("SyncParked", 1, destination=self._spec.name)
        return _Done(result="parked", reason=error, attempt=delivery.attempts)

    def _too_old(self, notice: Notice) -> bool:
        return self._now() - notice.at > notice.max_age_seconds

    def _now(self) -> int:
        return int(self._clock())

    def _log(self, member: str, notice: str | None, done: _Done) -> None:
        log(
            "warning" if done.result in {"parked", "store failed", "will retry"} else "info",
            "handled a nudge",
            member=member,
            email_hash=email_hash(done.email) if done.email else None,
            provider=self._spec.name,
            action="sync",
            notice=notice,
            attempt=done.attempt,
            result=done.result,
            reason=done.reason,
        )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: a batch of one destination's sync queue."""
    return _sync().handle(event, context.get_remaining_time_in_millis)


@cache
def _sync() -> Sync:
    settings = SyncSettings.load(os.environ)
    dynamodb = DynamoDb(os.environ, attempts=TABLE_ATTEMPTS)
    table, spec = settings.table.table, settings.destination
    return Sync(
        spec=spec,
        destination=lambda: _load(settings),
        store=Store(dynamodb, table),
        deliveries=Deliveries(dynamodb, table, spec.name),
        limits=VendorLimits(dynamodb, table, spec),
        policy=settings.table.policy,
    )


def _load(settings: SyncSettings) -> Destination:
    return load(
        settings.destination.name,
        secret=get_secret(settings.secret),
        options=settings.options,
        base_url=settings.base_url,
    )


def _nudge(body: str) -> tuple[str, str | None] | None:
    """(member, key of the notice or None), or None when it is no nudge."""
    try:
        data = json.loads(body)
    except ValueError:
        return None
    match data:
        case {"member": str(member), "notice": str(notice)}:
            return member, notice
        case {"member": str(member)}:
            return member, None
    return None
