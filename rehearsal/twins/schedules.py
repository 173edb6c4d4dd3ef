"""Fires schedules as EventBridge Scheduler does: with the schedule's role, without waiting for the function.

ministack's own scheduler looks every ten seconds, has no role, and cannot be told to fire now.
"""

import json
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.twins.aws import AwsTwin

SCHEDULER_SERVICE = "scheduler.amazonaws.com"
_RATE = re.compile(r"^rate\((?P<value>[1-9]\d*) (?P<unit>minute|hour|day)s?\)$")
_AT = re.compile(r"^at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)$")
_CRON = re.compile(r"^cron\((?P<fields>[^()]*)\)$")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A schedule whose target is a function; `payload` is its JSON input, or None for the service's own event."""

    name: str
    arn: str
    expression: str
    function_arn: str
    role_arn: str
    payload: str | None
    region: str


def is_valid(expression: str) -> bool:
    """Whether Scheduler takes the expression: `rate(1 minute)`, `at(…)`, or a cron of six fields with one `?`."""
    cron = _CRON.match(expression)
    if cron:
        fields = cron.group("fields").split()
        return len(fields) == 6 and [fields[2], fields[4]].count("?") == 1
    return bool(_RATE.match(expression) or _AT.match(expression))


def interval_seconds(expression: str) -> int | None:
    """Seconds between two firings of a rate; None for another kind of expression."""
    rate = _RATE.match(expression)
    return int(rate.group("value")) * _UNIT_SECONDS[rate.group("unit")] if rate else None


class Schedules:
    """The schedules of one rehearsal. Rates fire `speed` times as often as declared; others only by `fire`.

    A rate without a start date fires for the first time as soon as it is made (EventBridge Scheduler User Guide,
    "Rate-based schedules").
    """

    def __init__(self, aws: AwsTwin, log: Callable[[str], None], *, speed: float = 1.0) -> None:
        self._aws = aws
        self._log = log
        self._speed = speed
        self._stopping = threading.Event()
        self._known: dict[str, Schedule] = {}
        self._threads: list[threading.Thread] = []

    def add(self, schedule: Schedule) -> None:
        """Take in an enabled schedule; a rate fires now."""
        self._known[schedule.name] = schedule
        seconds = interval_seconds(schedule.expression)
        if seconds is not None:
            arguments = (schedule, seconds / self._speed)
            thread = threading.Thread(target=self._run, args=arguments, name=f"schedule-{schedule.name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def fire(self, name: str) -> None:
        """Invoke the target of a schedule now, as if its time had come; KeyError for an unknown name."""
        schedule = self._known[name]
        client = self._aws.client_of_role("lambda", schedule.role_arn, SCHEDULER_SERVICE, region=schedule.region)
        if client is None:
            return self._log(f"schedule {name}: Scheduler may not assume {schedule.role_arn}")
        payload = schedule.payload or _default_event(schedule)
        client.invoke(FunctionName=schedule.function_arn, InvocationType="Event", Payload=payload)
        return None

    def stop(self) -> None:
        """Fire no more."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=2)
        self._threads.clear()

    def _run(self, schedule: Schedule, seconds: float) -> None:
        wait = 0.0
        while not self._stopping.wait(wait):
            try:
                self.fire(schedule.name)
            except (ClientError, BotoCoreError) as error:
                if not self._stopping.is_set():
                    self._log(f"schedule {schedule.name}: {error}")
            wait = seconds


def _default_event(schedule: Schedule) -> str:
    """What a target gets when the schedule names no input."""
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": schedule.arn.split(":")[4],
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": schedule.region,
            "resources": [schedule.arn],
            "detail": "{}",
        }
    )
