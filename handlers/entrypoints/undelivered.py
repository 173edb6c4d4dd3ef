"""The undelivered function: reads the dead letters of the events queue and of each destination's, and tells of them."""

import os
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from handlers.adapters.aws import AwsError, DynamoDb
from handlers.adapters.items import Alert
from handlers.adapters.logs import log
from handlers.adapters.store import Store
from handlers.entrypoints.environment import TableSettings
from handlers.entrypoints.recording import raise_alerts


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Lambda's entry: a batch of one dead-letter queue; a message stays there until somebody has been told of it."""
    failed = [record["messageId"] for record in event["Records"] if not _told(record)]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _told(record: Mapping[str, Any]) -> bool:
    queue = record["eventSourceARN"].rpartition(":")[2]
    alert = Alert(kind="undelivered", subject=f"{queue}:{record['messageId']}")
    try:
        if _store().first_alert(alert, int(time.time())):
            raise_alerts([alert], None)
    except AwsError as error:
        log("error", "a dead letter was not told of", action="escalate", subject=alert.subject, reason=str(error))
        return False
    return True


@cache
def _store() -> Store:
    return Store(DynamoDb(os.environ), TableSettings.load(os.environ).table)
