"""Stripe against the ledger and the members, members against destinations: the function's comparisons, by hand."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from handlers.adapters.aws import Sqs
from handlers.adapters.reconcile_table import Pass
from handlers.adapters.stripe_read import StripeReader
from handlers.core import identity
from handlers.entrypoints.comparisons import Found, Step
from handlers.entrypoints.environment import ReconcileSettings
from handlers.entrypoints.reconcile import AWS_ATTEMPTS, RESERVE_MS, TIMEOUT_SECONDS, Outcome, desk, reconcile
from handlers.operations import audit
from handlers.operations.stack import LiveStack

FUNCTION = "reconcile"  # the function whose settings hold how far destinations are switched on, too

Progress = Callable[[str], None]


@dataclass(kw_only=True)
class Reconciled:
    """What a run found, and healed where it was `applied`."""

    applied: bool
    found: list[Found] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)


def run(stack: LiveStack, since: int | None, progress: Progress, *, apply: bool) -> Reconciled:
    """Compare everything anew, or what happened `since` a moment (Unix seconds).

    Raises StackError, ModeError, BusyError when another run is at work, and UnreadError at the end when Stripe's key
    may not read something. What breaks off is gone on with by the function.
    """
    environ = {**stack.environment, **stack.function_environment(FUNCTION)}
    settings = ReconcileSettings.load(environ)
    done = Reconciled(applied=apply)
    watch = _Watch(done, progress)
    with closing(Sqs(environ, attempts=AWS_ATTEMPTS)) as queues:
        key = stack.secret(settings.record.stripe_secret)
        made = desk(
            settings,
            client=stack.dynamodb,
            queues=queues,
            stripe=StripeReader(lambda: key, settings.record.stripe_api_base, timeout=TIMEOUT_SECONDS),
            keys=_keys(stack, settings),
            heal=apply,
        )
        comparing = reconcile(settings, made, watch)
        if apply:
            audit.record(stack, "reconcile", **({} if since is None else {"since": since}))
        done.outcome = comparing.run(lambda: RESERVE_MS, resume=False, since=since)
    return done


def told(done: Reconciled) -> Iterator[str]:
    """What was missing, one a line, and the counts last."""
    for found in done.found:
        yield f"{found.kind:<14} {found.id} {found.what}".rstrip()
    kinds = Counter(found.kind for found in done.found)
    counts = ", ".join(f"{count} of {kind}" for kind, count in sorted(kinds.items()))
    yield f"missing: {counts or 'nothing'}; looked at {done.outcome.looked_at}"
    if done.outcome.left_alone:
        yield f"{done.outcome.left_alone} objects are of nobody whom the table knows: backfill says whose they may be"
    if kinds:
        yield "healed: events are on their way to apply" if done.applied else "nothing was changed; with --apply it is"


class _Watch:
    """Collects what is found, and says how far the run is."""

    def __init__(self, done: Reconciled, progress: Progress) -> None:
        self._done = done
        self._progress = progress
        self._looked: Counter[str] = Counter()

    def __call__(self, current: Pass, step: Step) -> None:
        self._done.found.extend(step.found)
        name = current.phase or ""
        self._looked[name] += step.looked_at
        self._progress(f"{name}: looked at {self._looked[name]}, {len(self._done.found)} missing in all")


def _keys(stack: LiveStack, settings: ReconcileSettings) -> Sequence[str]:
    secret = settings.record.identity_secret
    return identity.parse_keys(stack.secret(secret)) if secret else ()
