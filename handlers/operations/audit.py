"""Who changed what by hand: entries in the table that nothing deletes."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import botocore.exceptions

from handlers.adapters.attributes import encode
from handlers.adapters.items import key
from handlers.operations.stack import LiveStack


def record(stack: LiveStack, command: str, **details: str | int) -> None:
    """Enter that `command` was carried out now. `details` hold ids and counts, never a secret or an address."""
    at = int(time.time())
    moment = datetime.fromtimestamp(at, UTC)
    entry = {"kind": "AUDIT", "at": at, "who": _who(stack), "command": command, "details": _plain(details)}
    name = key(f"AUDIT#{moment:%Y-%m}", f"{moment:%Y-%m-%dT%H:%M:%SZ}#{os.urandom(4).hex()}")
    with stack.explained("the audit entry cannot be written, so nothing was done"):
        stack.client("dynamodb").put_item(TableName=stack.settings.table.table, Item={**name, **encode(entry)})


def _who(stack: LiveStack) -> str:
    """The caller by AWS's own account of it; what is left of the credentials where that is not to be had."""
    try:
        return stack.client("sts").get_caller_identity()["Arn"]
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        credentials = stack.session.get_credentials()
        return f"access key …{str(credentials.access_key)[-4:]}" if credentials else "unknown"


def _plain(details: Mapping[str, str | int]) -> dict[str, str | int]:
    return dict(sorted(details.items()))
