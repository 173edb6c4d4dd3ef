"""The reconcile function, some times a day: Stripe against the ledger and the members, members against destinations.

It heals through the same path as an event, as far as its time reaches; the next run goes on where it stopped.
"""

import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from handlers.adapters.aws import AwsError, DynamoDb, Sqs
from handlers.adapters.events_feed import EventsFeed
from handlers.adapters.logs import log, metric
from handlers.adapters.nudges import Nudges
from handlers.adapters.reconcile_table import LEASE_SECONDS, BusyError, Cursor, Pass, ReconcileTable
from handlers.adapters.secrets import get_secret
from handlers.adapters.store import Store
from handlers.adapters.stripe_lists import StripeLists
from handlers.adapters.stripe_read import ScopeError, StripeReader
from handlers.core import identity
from handlers.core.errors import LaunchError
from handlers.core.policy import DAY_SECONDS
from handlers.core.reconciling import EVENT_DAYS
from handlers.entrypoints.asking import Asking
from handlers.entrypoints.comparisons import Comparison, Desk, ModeError, Step, comparisons
from handlers.entrypoints.environment import ReconcileSettings
from handlers.entrypoints.expiry import tell_days_left
from handlers.entrypoints.recording import Recorder
from handlers.settings import STRIPE_EVENTS

RESERVE_MS = 60_000  # of the function's time: what one page, its record, and a Stripe that wants to be asked later take
TIMEOUT_SECONDS = 20.0  # for a page of Stripe's, which is far larger than what other functions ask for
AWS_ATTEMPTS = 5
LOGGED = 20  # ids of one line of the log

Watch = Callable[[Pass, Step], None]  # told each step, and of which pass it is


class UnreadError(LaunchError):
    """Something could not be compared; the message says what, and what the key lacks."""


@dataclass(kw_only=True)
class Outcome:
    """What one run did. `unread` are comparisons that Stripe's key may not make, with the reason."""

    looked_at: int = 0
    missing: int = 0
    behind: int = 0
    left_alone: int = 0
    unread: dict[str, str] = field(default_factory=dict)
    complete: bool = False  # everything was compared; otherwise time was over

    @property
    def counts(self) -> dict[str, int]:
        """The numbers, for a log line."""
        return {name: getattr(self, name) for name in ("looked_at", "missing", "behind", "left_alone")}

    def raise_unread(self) -> None:
        """Raise UnreadError when something could not be compared."""
        if self.unread:
            raise UnreadError("; ".join(f"{name}: {reason}" for name, reason in sorted(self.unread.items())))

    def add(self, step: Step) -> None:
        """Count `step`."""
        behind = sum(found.kind == "delivery" for found in step.found)
        self.looked_at += step.looked_at
        self.behind += behind
        self.missing += len(step.found) - behind
        self.left_alone += step.left_alone


class Reconcile:
    """Makes the comparisons one after the other. Where it heals, it holds a lease and writes down how far it came."""

    def __init__(
        self,
        comparisons: Sequence[Comparison],
        *,
        desk: Desk,
        watch: Watch,
    ) -> None:
        self._comparisons = {comparison.name: comparison for comparison in comparisons}
        self._desk = desk
        self._watch = watch
        self._cursor = Cursor()

    def run(self, left_ms: Callable[[], float], *, resume: bool = True, since: int | None = None) -> Outcome:
        """Go on with the pass that was not finished, or begin a new one, of what happened `since` a moment.

        Raises BusyError when another run is at work, and whatever a comparison raises.
        """
        self._cursor = self._desk.table.take(self._desk.now) if self._desk.heal else self._desk.table.cursor()
        current = self._cursor.current if resume else None
        outcome = Outcome()
        with self._releasing():
            current = self._compare_all(current or self._begin(since), outcome, left_ms)
            outcome.unread = {**dict.fromkeys(current.unread, "an earlier run could not read it"), **outcome.unread}
            if outcome.complete:
                self._finish(current)
        return outcome

    def _begin(self, since: int | None) -> Pass:
        now = self._desk.now
        oldest = now - EVENT_DAYS * DAY_SECONDS
        if since is None:
            return Pass(started=now, oldest_event=oldest, since=self._cursor.watermark)
        return Pass(started=now, oldest_event=max(oldest, since), since=since)

    def _compare_all(self, current: Pass, outcome: Outcome, left_ms: Callable[[], float]) -> Pass:
        """Where it came to, which is the end when the outcome is complete."""
        names = list(self._comparisons)
        for name in names[names.index(current.phase) if current.phase in names else 0 :]:
            if name != current.phase:
                current = replace(current, phase=name, reached=None)
            begun_at = current.reached
            try:
                for step in self._comparisons[name].steps(current):
                    outcome.add(step)
                    self._watch(current, step)
                    current = replace(current, reached=step.reached)
                    self._save(replace(self._cursor, current=current, lease_until=self._desk.now + LEASE_SECONDS))
                    # A place is a second at Stripe: it has to be a later one, or the next run would come no further.
                    if left_ms() < RESERVE_MS and step.reached not in (None, begun_at):
                        return current
            except ScopeError as error:
                outcome.unread[name] = str(error)
                current = replace(current, unread=(*current.unread, name))
        outcome.complete = True
        return current

    def _finish(self, current: Pass) -> None:
        """A pass that compared everything since the one before sets the watermark."""
        watermark = self._cursor.watermark
        whole = current.since is None or (watermark is not None and current.since <= watermark)
        reached = current.started if whole and not current.unread else watermark
        self._save(replace(self._cursor, current=None, watermark=reached))

    @contextmanager
    def _releasing(self) -> Generator[None]:
        """Give the lease back, whatever happens; a run that was killed keeps it until it ends by itself."""
        try:
            yield
        except BusyError:
            raise
        except BaseException:
            with suppress(BusyError, AwsError):
                self._save(replace(self._cursor, lease_until=0))
            raise
        self._save(replace(self._cursor, lease_until=0))

    def _save(self, cursor: Cursor) -> None:
        self._cursor = self._desk.table.save(cursor) if self._desk.heal else cursor


def desk(
    settings: ReconcileSettings,
    *,
    client: DynamoDb,
    queues: Sqs,
    stripe: StripeReader,
    keys: Sequence[str],
    heal: bool,
) -> Desk:
    """What the comparisons of one stack work with; `keys` verify the app's signed references.

    Raises ModeError when Stripe's key is of the other mode than the stack: it would be shown other objects, or none.
    """
    if stripe.livemode not in (None, settings.live):
        modes = ("test", "live")
        raise ModeError(
            f"Stripe's read key is a {modes[not settings.live]} key and the stack is {modes[settings.live]}: "
            f"set a {modes[settings.live]} key"
        )
    record = settings.record
    store, reading = Store(client, record.table.table), record.table.policy.reading(tuple(keys))
    recording = partial(Recorder, store=store, policy=record.table.policy, destinations=record.destinations)
    recorder = recording()
    return Desk(
        stripe=StripeLists(stripe),
        table=ReconcileTable(client, record.table.table),
        store=store,
        feed=EventsFeed(queues, settings.events_queue_url),
        nudges=Nudges(queues, record.sync_queue_urls),
        recorder=recorder,
        silent=recording(silent=True),
        asking=Asking(recorder=recorder, store=store, stripe=stripe, reading=reading),
        reading=reading,
        switches=settings.switches,
        live=settings.live,
        heal=heal,
        clock=time.time,
    )


def reconcile(settings: ReconcileSettings, desk: Desk, watch: Watch) -> Reconcile:
    """All comparisons of one stack."""
    states = [spec.name for spec in settings.record.destinations if spec.carries == "state"]
    return Reconcile(comparisons(desk, STRIPE_EVENTS, states), desk=desk, watch=watch)


def handler(event: object, context: Any) -> dict[str, int]:
    """Lambda's entry: the schedule's tick; {"apply": false} writes nothing and tells what it would heal."""
    heal = not (isinstance(event, Mapping) and event.get("apply") is False)
    tell_days_left(os.environ, time.time())
    try:
        outcome = _run(heal, context.get_remaining_time_in_millis)
    except BusyError as busy:
        log("info", "nothing was compared", action="reconcile", result="busy", reason=str(busy))
        return {}
    except LaunchError as error:
        log("error", "reconcile stopped, and the next run goes on there", action="reconcile",
            result=type(error).__name__, reason=str(error))  # fmt: skip
        raise
    log("info", "reconciled", action="reconcile", result="complete" if outcome.complete else "to be continued",
        applied=heal, **outcome.counts)  # fmt: skip
    outcome.raise_unread()
    return outcome.counts


def _run(heal: bool, left_ms: Callable[[], float]) -> Outcome:
    settings = ReconcileSettings.load(os.environ)
    secret = settings.record.identity_secret
    client, queues = DynamoDb(os.environ, attempts=AWS_ATTEMPTS), Sqs(os.environ, attempts=AWS_ATTEMPTS)
    try:
        made = desk(
            settings,
            client=client,
            queues=queues,
            stripe=StripeReader(
                partial(get_secret, settings.record.stripe_secret),
                settings.record.stripe_api_base,
                timeout=TIMEOUT_SECONDS,
            ),
            keys=identity.parse_keys(get_secret(secret)) if secret else (),
            heal=heal,
        )
        return reconcile(settings, made, partial(_tell, heal=heal)).run(left_ms, resume=heal)
    finally:
        client.close()
        queues.close()


def _tell(current: Pass, step: Step, *, heal: bool) -> None:
    """A line for each page on which something was found, and the numbers that alarms watch."""
    if not step.found:
        return
    kind = step.found[0].kind
    ids = [f"{found.id} {found.what}".strip() for found in step.found]
    log("warning", "something was missing", action="reconcile", kind=kind, count=len(ids),
        result="healed" if heal else "found", found=ids[:LOGGED])  # fmt: skip
    if heal:
        metric("ReconcileHealed", len(ids))
        if kind != "delivery" and current.since is not None:  # what was before the first pass was no loss of ours
            metric("ReconcileMissing", len(ids))
