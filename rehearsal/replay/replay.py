"""A replay from beginning to end: read the file, deploy, send, wait, ask what has become of each member."""

import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.errors import EventsError, ReportError
from rehearsal.progress import Stages, for_terminal
from rehearsal.rehearse import Deployed, deployed
from rehearsal.replay import history, ledger, moments, sending
from rehearsal.replay.document import Told, document
from rehearsal.replay.history import Contents, History
from rehearsal.replay.judging import Judge
from rehearsal.replay.ledger import Item
from rehearsal.replay.sending import Sent
from rehearsal.site import read_site

_LEVEL = re.compile(r"[a-z][a-z0-9_-]{0,39}")  # as the stack's products have it
_LONG_BYTES = 1_000_000  # somewhat less than SQS takes
_PURPOSE = "apply"  # of the function that takes events into the table
_SAID = 200  # characters of a log line


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to replay and how. `seed` None keeps the file's order; `now` None is the present."""

    project: Path
    stack: str
    events: str
    seed: int | None = None
    repeat: int = 1
    now: str | None = None
    any_price: str | None = None
    json_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A replay that came to its end."""

    options: Options
    history: History
    sent: Sent
    document: Mapping[str, Any]

    @property
    def as_hoped(self) -> bool:
        """Whether no event was lost and every member is what the events say in order."""
        return not self.document["lost"] and not self.document["disagreements"]


def replay(options: Options, judge: Judge) -> Outcome:
    """Replay what `options` ask for; `judge` says what each member is.

    Raises a RehearsalError, before anything is deployed where the file or an option is wrong, and KeyboardInterrupt;
    the twins are gone in every case.
    """
    _refuse_nonsense(options)
    chosen = None if options.now is None else moments.parse(options.now)
    stages = Stages(for_terminal())
    with stages.stage("read"):
        told = history.read(options.events)
        # A test clock's events may be ahead of the present; without --now they all count.
        now = max(int(time.time()), told.newest()) if chosen is None else chosen
        configured = read_site(options.project, options.stack).livemode
        live = told.livemode(otherwise=configured)
    with deployed(options.project, options.stack, stages, {"livemode": live}) as stage:
        with stages.stage("events"):
            _let_stripe_know(told, stage)
            sent = _send(options, told, stage, stages.progress.waiting)
        with stages.stage("ledger"):
            ledger.await_all(told.events, lambda: _items(stage), stage.world.drained, waiting=stages.progress.waiting)
        with stages.stage("members"):
            _hold_still(stage)
            items = _items(stage)
            judged = judge(
                items=items,
                events=Contents(told.events.values()),
                policy=_policy(stage),
                now=now,
                any_price=options.any_price,
                identity_document=_identity(stage),
            )
        recorded = ledger.entries(items, told.events)
        lost = _fates([id_ for id_ in told.events if id_ not in recorded], sent, stage)
    written = document(
        Told(
            history=told,
            now=now,
            livemode=live,
            configured=configured,
            any_price=options.any_price,
            recorded=recorded,
            lost=lost,
        ),
        judged,
    )
    _write(options.json_file, written)
    return Outcome(options=options, history=told, sent=sent, document=written)


def _refuse_nonsense(options: Options) -> None:
    if options.any_price is not None and not _LEVEL.fullmatch(options.any_price):
        limit = "a level is a lower case letter and up to 39 more letters, digits, hyphens and underscores"
        raise EventsError(f"--any-price {options.any_price}: {limit}")
    if options.json_file is not None:
        _be_sure_to_write(options.json_file)


def _let_stripe_know(told: History, stage: Deployed) -> None:
    """Events that are too long for the queue travel as references, and apply asks Stripe for them."""
    for event in told.events.values():
        if len(event.body) > _LONG_BYTES:
            stage.twins.stripe.remember({"object": "event", **event.content()})


def _send(options: Options, told: History, stage: Deployed, waiting: Callable[[str], None]) -> Sent:
    ids = sending.in_order(told.order, options.repeat, options.seed)
    return sending.send(
        told.events,
        ids,
        stage.world.webhook,
        connections=1 if options.seed is None else sending.CONNECTIONS,
        progress=lambda done: waiting(f"{done} of {len(ids)}"),
    )


def _items(stage: Deployed) -> Sequence[Item]:
    """Every item of the pipeline's table, in DynamoDB's JSON."""
    client = stage.twins.aws.client("dynamodb")
    pages = client.get_paginator("scan").paginate(TableName=stage.contract["table"]["name"], ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def _hold_still(stage: Deployed) -> None:
    """Nothing changes the table any more while it is looked at."""
    stage.twins.target.schedules.stop()
    stage.twins.target.event_sources.stop()


def _policy(stage: Deployed) -> str:
    """The membership policy as the deployed function has it."""
    found = stage.twins.aws.client("lambda").get_function_configuration(FunctionName=_function(stage))
    return found["Environment"]["Variables"]["MEMBERSHIP_POLICY"]


def _function(stage: Deployed) -> str:
    """The name of the function that takes events into the table."""
    (name,) = [function["name"] for function in stage.contract["functions"] if function["purpose"] == _PURPOSE]
    return name


def _identity(stage: Deployed) -> str | None:
    """The value of the secret with which the app signs references; None where the stack has none."""
    names = [secret["arn"] for secret in stage.contract["secrets"] if secret["purpose"] == "identity"]
    if not names:
        return None
    return stage.twins.aws.client("secretsmanager").get_secret_value(SecretId=names[0])["SecretString"]


def _fates(lost: Sequence[str], sent: Sent, stage: Deployed) -> dict[str, str]:
    """What is known of each event that is not in the ledger: the webhook's answer, or what the function said last."""
    name = _function(stage)
    logged = [line.strip() for line in stage.twins.aws.logs(name)] if lost else []
    errors = [line for line in logged if "Error" in line or '"error"' in line]
    fates = {}
    for id_ in lost:
        said = [line for line in logged if id_ in line] or errors
        why = f"; {name} said: {said[-1][:_SAID]}" if said else ""
        fates[id_] = sent.refused.get(id_) or f"the webhook took it, but it is not in the ledger{why}"
    return fates


def _be_sure_to_write(path: Path) -> None:
    """A minute of work must not end in a file that cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ReportError(
            f"{path.parent}: {error.strerror}; give a file in a directory that you may write to with --json"
        ) from error
    if path.is_dir() or (path.exists() and not os.access(path, os.W_OK)):
        raise ReportError(f"{path} may not be written; name another file with --json")


def _write(path: Path | None, written: Mapping[str, Any]) -> None:
    if path is None:
        return
    try:
        path.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ReportError(f"the members were not written: {error}") from error
