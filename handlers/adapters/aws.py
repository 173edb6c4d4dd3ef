"""Clients of AWS with time-outs that fit into the functions' own, and its errors told apart by what to do next."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

ATTEMPTS = 2  # with the waits below, both stay inside apply's 5 s
CONNECT_SECONDS, READ_SECONDS = 1.0, 1.5

TRANSIENT = (ClientError, HTTPClientError, NoConnectionError)  # what a later try may cure, or a DLQ will show

_LOST_RACE = frozenset({"ConditionalCheckFailedException", "TransactionConflictException"})


def client(service: str, *, attempts: int = ATTEMPTS) -> Any:
    """The client of one AWS service, with the credentials, region and endpoint of the environment.

    It makes each call up to `attempts` times, with jitter in between.
    """
    retries = {"mode": "standard", "total_max_attempts": attempts}
    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
    return boto3.client(service, config=config)


def code(error: ClientError) -> str:
    """AWS's name of the error."""
    return error.response.get("Error", {}).get("Code", "")


def condition_failed(error: ClientError) -> bool:
    """Whether the write was refused by its own condition."""
    return code(error) == "ConditionalCheckFailedException"


def lost_race(error: ClientError) -> bool:
    """Whether somebody else wrote first, or is writing now."""
    return code(error) in _LOST_RACE
